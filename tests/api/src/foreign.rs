use crate::{Listing, read};

/// Crates whose types every API may use: the standard library, anyrt, and the crates with the traits of futures and
/// streams.
const EVERYWHERE: &[&str] =
    &["alloc", "core", "std", "anyrt", "futures_core", "futures_io", "futures_task", "pin_project_lite"];

/// Further crates by set: the runtimes behind their features, and the library that a crate adapts.
const ALLOWED: &[(&str, &[&str])] = &[
    ("tokio", &["tokio"]),
    ("smol", &["async_io", "smol"]),
    ("async-std", &["async_io", "async_std"]),
    (
        "all",
        &[
            "anyrt_macros",
            "async_io",
            "async_std",
            "async_trait",
            "futures_util",
            "hyper",
            "serde_core",
            "smol",
            "tokio",
        ],
    ),
    ("anyrt-hickory", &["anyrt_hickory", "hickory_net", "hickory_resolver"]),
    ("anyrt-hyper-util", &["anyrt_hyper_util", "http", "http_body", "hyper", "hyper_util", "tower_service"]),
    ("anyrt-quinn", &["anyrt_quinn", "quinn", "quinn_proto"]),
    ("anyrt-tower", &["anyrt_tower", "tower", "tower_layer", "tower_service"]),
];

/// Crates of version 0 in the API of anyrt, with the reason: their next breaking release is a breaking release of
/// anyrt.
const BELOW_ONE: &[(&str, &str)] = &[
    ("anyrt", "it is this one"),
    ("anyrt_macros", "it is released with anyrt, which depends on this very version"),
    ("futures_core", "`Stream`, which nobody else has"),
    ("futures_io", "the I/O traits of streams, at 0.3 since 2019"),
    ("futures_util", "extension traits of futures-io, by name and behind feature `io`, at 0.3 since 2019"),
    ("futures_task", "`Spawn`, at 0.3 since 2019"),
    ("pin_project_lite", "in the bound of an `Unpin` that its macro writes; there is no name in it to use"),
    ("async_trait", "an attribute: what it expands to has only types of the standard library"),
];

/// Returns the types in the API of `set` whose crate is not allowed there, each with its line.
pub fn foreign<'a>(set: &str, listing: &'a Listing) -> Vec<(&'a str, &'a str)> {
    let allowed = ALLOWED.iter().find(|(name, _)| *name == set).map_or(&[][..], |(_, crates)| crates);
    let is_allowed = |path: &str| {
        let of = path.split("::").next().unwrap_or_default();
        EVERYWHERE.contains(&of) || allowed.contains(&of)
    };
    let lines = listing.lines.iter().map(String::as_str);
    let found =
        lines.flat_map(|line| paths(line).filter(|path| !is_allowed(path)).map(move |path| (path, line)));
    let mut found: Vec<_> = found.collect();
    // A line may name a type several times.
    found.dedup();
    found
}

/// Returns crates of version 0 that are allowed in the API of anyrt without a reason. Adapted libraries are not allowed
/// there.
pub fn below_one() -> Vec<String> {
    let lock = read("Cargo.lock");
    let of_anyrt = |set: &str| !set.starts_with("anyrt-");
    let allowed = ALLOWED.iter().filter(|(set, _)| of_anyrt(set)).flat_map(|(_, crates)| *crates);
    let is_below_one = |name: &&&str| {
        let package = format!("\nname = \"{}\"\nversion = \"0.", name.replace('_', "-"));
        lock.contains(&package) || lock.contains(&package.replace('-', "_"))
    };
    let is_known = |name: &&&str| BELOW_ONE.iter().any(|(known, _)| known == *name);
    let names = EVERYWHERE.iter().chain(allowed).filter(is_below_one).filter(|name| !is_known(name));
    names.map(|name| (*name).to_owned()).collect()
}

/// Returns the paths of a line that begin with a crate, and the target of a `pub use`.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let paths = words.filter(|word| word.contains("::") && word.starts_with(|c: char| c.is_lowercase()));
    let shown = line.strip_prefix("pub use ").and_then(|line| line.split_once(" = "));
    paths.chain(shown.map(|(_, shown)| shown).filter(|shown| !shown.contains("::")))
}
