//! What the docs promise where they cite a scenario.

use std::fmt;

/// How docs begin to cite: folded, because a reader of them seldom looks for it.
const CITES: &str = "<details><summary>Scenarios</summary>";

/// The files whose docs cite scenarios.
const FILES: &[(&str, &str)] = &[
    ("src/any/mod.rs", include_str!("../any/mod.rs")),
    ("src/any/net/mod.rs", include_str!("../any/net/mod.rs")),
    ("src/any/net/tcp.rs", include_str!("../any/net/tcp.rs")),
    ("src/any/net/udp.rs", include_str!("../any/net/udp.rs")),
    ("src/any/net/unix.rs", include_str!("../any/net/unix.rs")),
    #[cfg(feature = "watch")]
    ("src/any/watched.rs", include_str!("../any/watched.rs")),
    ("src/current/spawn.rs", include_str!("../current/spawn.rs")),
    ("src/current/join_set.rs", include_str!("../current/join_set.rs")),
    ("src/runtime/net/options.rs", include_str!("../runtime/net/options.rs")),
    ("src/runtime/time/instant.rs", include_str!("../runtime/time/instant.rs")),
    ("src/current/random.rs", include_str!("../current/random.rs")),
    ("src/runtime/block_on.rs", include_str!("../runtime/block_on.rs")),
    ("src/runtime/net/mod.rs", include_str!("../runtime/net/mod.rs")),
    ("src/runtime/spawn.rs", include_str!("../runtime/spawn.rs")),
    ("src/runtime/time/interval.rs", include_str!("../runtime/time/interval.rs")),
    ("src/current/net.rs", include_str!("../current/net.rs")),
    ("src/current/unix.rs", include_str!("../current/unix.rs")),
    ("src/current/mod.rs", include_str!("../current/mod.rs")),
    #[cfg(unix)]
    ("src/runtime/net/async_fd.rs", include_str!("../runtime/net/async_fd.rs")),
    ("src/runtime/net/halves.rs", include_str!("../runtime/net/halves.rs")),
    ("src/runtime/net/tcp.rs", include_str!("../runtime/net/tcp.rs")),
    ("src/runtime/net/udp.rs", include_str!("../runtime/net/udp.rs")),
    ("src/runtime/net/unix.rs", include_str!("../runtime/net/unix.rs")),
    ("src/runtime/task/error.rs", include_str!("../runtime/task/error.rs")),
    ("src/runtime/task/handle.rs", include_str!("../runtime/task/handle.rs")),
    ("src/current/builder.rs", include_str!("../current/builder.rs")),
    ("src/runtime/task/builder.rs", include_str!("../runtime/task/builder.rs")),
    ("src/runtime/task/id.rs", include_str!("../runtime/task/id.rs")),
    ("src/runtime/task/local/mod.rs", include_str!("../runtime/task/local/mod.rs")),
    ("src/runtime/task/local/spawn.rs", include_str!("../runtime/task/local/spawn.rs")),
    ("src/runtime/task/set.rs", include_str!("../runtime/task/set.rs")),
    ("src/runtime/time/mod.rs", include_str!("../runtime/time/mod.rs")),
    ("src/current/time.rs", include_str!("../current/time.rs")),
    #[cfg(feature = "watch")]
    ("src/watch/options.rs", include_str!("../watch/options.rs")),
];

/// The docs of the item that cites a scenario, without its examples.
pub(super) struct Promise {
    file: &'static str,
    /// From 1 on.
    line: usize,
    docs: Vec<&'static str>,
}

/// The first that cites `scenario`.
pub(super) fn promise(scenario: &str) -> Option<Promise> {
    let citation = format!("`{scenario}`");
    FILES.iter().find_map(|(file, text)| {
        let mut docs = Vec::new();
        for (n, line) in text.lines().enumerate() {
            if let Some(doc) = line.trim_start().strip_prefix("///") {
                docs.push(doc.strip_prefix(' ').unwrap_or(doc));
                continue;
            }
            let cites = docs.iter().position(|line| line.starts_with(CITES));
            if let Some(at) = cites.filter(|&at| docs[at..].iter().any(|line| line.contains(&citation))) {
                let line = n + 1 - docs.len();
                docs.truncate(at);
                return Some(Promise { file, line, docs: without_examples(docs) });
            }
            docs.clear();
        }
        None
    })
}

fn without_examples(docs: Vec<&str>) -> Vec<&str> {
    let (mut in_code, mut in_examples) = (false, false);
    let mut kept: Vec<_> = docs
        .into_iter()
        .filter(|line| {
            let is_fence = line.starts_with("```");
            in_code ^= is_fence;
            if !in_code && line.starts_with("# ") {
                in_examples = *line == "# Examples";
            }
            !in_examples && !in_code && !is_fence
        })
        .collect();
    while kept.last().is_some_and(|line| line.is_empty()) {
        kept.pop();
    }
    kept
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} promises:", self.file, self.line)?;
        self.docs.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::promise;
    use crate::AnyRuntime;

    #[test]
    fn every_scenario_has_its_promise() {
        for scenario in crate::conformance::scenarios::<AnyRuntime>() {
            let name = scenario.name();
            let promise = promise(name).unwrap_or_else(|| panic!("no file of the list cites {name}"));
            assert!(!promise.docs.is_empty(), "{name}: {promise}");
        }
    }

    #[test]
    fn promise_is_the_docs_without_examples() {
        let text = promise("drop_detaches").unwrap().to_string();
        assert!(text.starts_with("src/runtime/spawn.rs:") && text.contains("    Spawns a task.\n"), "{text}");
        assert!(text.contains("Dropping the handle detaches the task, which continues to run."), "{text}");
        assert!(!text.contains("Examples") && !text.contains("double"), "{text}");
    }
}
