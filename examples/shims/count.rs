//! The cost of a shim, counted in its source.

/// The shims, and their sources.
pub(crate) const SHIMS: [(&str, &str); 4] = [
    ("driver/before.rs", include_str!("driver/before.rs")),
    ("driver/after.rs", include_str!("driver/after.rs")),
    ("pool/before.rs", include_str!("pool/before.rs")),
    ("pool/after.rs", include_str!("pool/after.rs")),
];

/// The names of the runtimes in code.
const RUNTIMES: [&str; 3] = ["tokio", "async_std", "smol"];

pub(crate) struct Count {
    /// Number of lines, without blank lines and comments.
    pub(crate) lines: usize,
    /// Number of `cfg(…)`, `cfg!(…)` and `cfg_attr(…)`.
    pub(crate) cfgs: usize,
    /// Number of different runtimes named.
    pub(crate) runtimes: usize,
}

impl Count {
    pub(crate) fn of(source: &str) -> Self {
        let lines = source.lines().map(str::trim);
        let code: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
        let cfgs = ["cfg(", "cfg!(", "cfg_attr("];
        let cfgs_in = |line: &&str| cfgs.iter().map(|cfg| line.matches(cfg).count()).sum::<usize>();
        Self {
            lines: code.len(),
            cfgs: code.iter().map(cfgs_in).sum(),
            runtimes: RUNTIMES.iter().filter(|name| code.iter().any(|line| line.contains(**name))).count(),
        }
    }
}
