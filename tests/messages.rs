//! Code that a message suggests compiles where it is pasted, without a `use`.
//!
//! Every text between backticks in a string of `src/` is a name that `src/` declares, or code of the module `pasted`
//! below. This covers all messages, whatever set of features they are for. The code that attributes suggest, in
//! `macros/`, is in `pasted` as well; single words of theirs are not checked.
#![allow(clippy::unwrap_used)]

// For the attribute that is given this name.
extern crate anyrt as my_anyrt;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A line of a message is exactly a line of this module.
#[rustfmt::skip]
#[allow(dead_code, unused_must_use, reason = "it is only compiled")]
mod pasted {
    fn own(my_runtime: impl anyrt::Runtime) -> std::io::Result<()> {
        anyrt::AnyRuntime::custom(my_runtime).set_default()?;
        let _ = anyrt::AnyRuntime::enter;
        Ok(())
    }

    fn resolver(resolver: impl anyrt::net::Resolve) -> std::io::Result<()> {
        drop(anyrt::net::ConnectOptions::resolver(anyrt::net::ConnectOptions::new(), resolver));
        Ok(())
    }

    fn detach(handle: anyrt::task::JoinHandle<()>) {
        handle.detach();
    }

    #[cfg(feature = "macros")]
    async fn select(future: impl Future<Output = u8>, expression: fn(u8)) {
        anyrt::select! { value = future => expression(value) }
    }

    fn ids() {
        let _ = anyrt::task::id();
        let _ = anyrt::task::try_id();
    }

    async fn local(my_future: impl Future) {
        anyrt::task::LocalSet::new().run_until(my_future).await;
    }

    fn blocks() {
        let _ = std::thread::sleep;
        let _ = anyrt::time::sleep;
        let _ = anyrt::yield_now;
    }

    #[cfg(feature = "watch")]
    fn watched() {
        let _ = anyrt::AnyRuntime::watch;
    }

    #[cfg(unix)]
    fn socket_file(path: &str) -> std::io::Result<()> {
        anyrt::net::remove_socket(path)
    }

    async fn within() {
        std::future::ready(()).await;
    }

    #[cfg(feature = "tokio")]
    mod on_tokio {
        fn main() -> std::io::Result<()> {
            anyrt::AnyRuntime::from(anyrt::Tokio::new()?).set_default()?;
            Ok(())
        }

        fn along(handle: tokio::runtime::Handle) -> std::io::Result<()> {
            anyrt::Tokio::current();
            anyrt::Tokio::from(handle);
            anyrt::Tokio::new()?;
            anyrt::Tokio::builder();
            Ok(())
        }

        fn drivers(mut builder: tokio::runtime::Builder) {
            builder.enable_all();
            builder.enable_io();
            builder.enable_time();
        }
    }

    #[cfg(feature = "smol")]
    mod on_smol {
        fn main() -> std::io::Result<()> {
            anyrt::AnyRuntime::from(anyrt::Smol::global()).set_default()?;
            Ok(())
        }
    }

    #[cfg(feature = "async-std")]
    mod on_async_std {
        fn main() -> std::io::Result<()> {
            anyrt::AnyRuntime::from(anyrt::AsyncStd::global()).set_default()?;
            Ok(())
        }
    }

    #[cfg(feature = "conformance")]
    fn in_the_line_of_the_suite() {
        // It is in scope there.
        use anyrt::conformance::Capabilities;

        let _ = Capabilities::ALL;
        Capabilities::ALL.without_workers("why");
        Capabilities::ALL.without_threads("why");
        Capabilities::ALL.without_pool("why");
        Capabilities::ALL.without_real_sockets("why");
        Capabilities::ALL.without_multicast("why");
        Capabilities::ALL.without_readiness("why");
        Capabilities::ALL.without_reunite("why");
        Capabilities::ALL.without_peer_cred("why");
        Capabilities::ALL.without_fds("why");
        Capabilities::ALL.without_descriptors("why");
        Capabilities::ALL.without_parallelism("why");
        Capabilities::ALL.without_ownership("why");
        Capabilities::ALL.without_shutdown("why");
    }

    #[cfg(all(feature = "macros", feature = "tokio", feature = "smol", feature = "sim"))]
    mod attributes {
        use anyrt::{AnyRuntime, Runtime};

        fn my_setup(_: &anyrt::Sim) {}

        #[anyrt::test(only(tokio))]
        async fn given(rt: AnyRuntime) { let _ = rt; }

        #[anyrt::test(skip(smol = "why"), workers = 2, timeout = "10s", sim(seeds = 1000), crate = "my_anyrt")]
        async fn generic<R: Runtime>(rt: R) { let _ = rt; }

        #[anyrt::test(only(tokio, sim), sim(policy = Pct(3), with = my_setup, max_poll = "50ms", seeds = 0..1000))]
        async fn simulated() {}

        #[anyrt::test(sim(seeds = 1000, guided))]
        async fn guided() {}

        #[anyrt::test(only(tokio_current_thread))]
        async fn on_one_thread() {}

        #[anyrt::test(only(sim))]
        async fn in_a_simulation() {}

        #[anyrt::test]
        #[ignore = "why"]
        async fn ignored() { let _ = AnyRuntime::current(); }

        #[anyrt::main(tokio)]
        async fn main() {}

        #[anyrt::main(tokio, current_thread, shutdown = "5s")]
        async fn another() {}

        #[anyrt::main(smol)]
        async fn on_smol() {}

        #[cfg(feature = "watch")]
        #[anyrt::main(tokio, watch = "10ms")]
        async fn watched() {}

        #[cfg(feature = "async-std")]
        #[anyrt::main(async_std)]
        async fn on_async_std() {}
    }

    fn rare() {
        anyrt::buggify!();
    }

    #[cfg(feature = "sim")]
    fn in_a_simulation(sim: anyrt::Sim) {
        drop(anyrt::sim::Faults::new());
        anyrt::sim::Host::boot(&sim.this_host(), |_| async {});
        drop(anyrt::block_on(async { String::new() }));
        drop(anyrt::spawn_blocking(|| ()));
        drop(anyrt::yield_now());
        let _ = anyrt::Sim::host(&sim, "db", [10, 0, 0, 2]);
    }
}

/// Texts that are neither names of anyrt nor code to be pasted.
const OTHER: &[&str] = &[
    "#[tokio::main]",
    "[dev-dependencies]",
    "Err",
    "HashMap",
    "async fn main",
    "buggify!",
    "macros",
    "main",
    "none",
    "sometimes!",
    "test-util",
    "unwrap()",
];

#[test]
fn whatever_a_message_says_to_write_is_compiled() {
    let sources = sources("src");
    let said: BTreeSet<String> = sources.iter().flat_map(|source| backticked(source)).collect();
    assert!(said.len() > 20, "{said:?}");
    let is_fine =
        |text: &str| is_manifest(text) || OTHER.contains(&text) || is_pasted(text) || is_name(text, &sources);
    let wrong: Vec<_> = said.iter().filter(|text| !is_fine(text)).collect();
    assert!(
        wrong.is_empty(),
        "messages say {wrong:#?}: write it in full, and have it compiled in the module `pasted`"
    );
    let unsaid: Vec<_> = OTHER.iter().filter(|&&other| !said.contains(other)).collect();
    assert!(unsaid.is_empty(), "no message says {unsaid:?} any more");
}

#[test]
fn whatever_an_attribute_says_to_write_is_compiled() {
    let said: BTreeSet<String> = sources("macros/src").iter().flat_map(|source| backticked(source)).collect();
    let (_, pasted) = include_str!("messages.rs").split_once("\nmod pasted {").unwrap();
    let (pasted, _) = pasted.split_once("\n}").unwrap();
    // Code, including text that is filled in.
    let is_code =
        |text: &&String| text.contains(['=', '(', '[']) && !text.contains(['{', '…']) && text.len() > 1;
    let code: Vec<_> = said.iter().filter(is_code).collect();
    assert!(code.len() > 10, "{said:?}");
    let wrong: Vec<_> = code.into_iter().filter(|text| !pasted.contains(text.as_str())).collect();
    assert!(wrong.is_empty(), "attributes say {wrong:#?}: have it compiled in the module `pasted`");
}

/// Whether the text is a dependency on this version of anyrt with existing features.
fn is_manifest(text: &str) -> bool {
    // Braces are doubled in the string of a format.
    let text = text.replace("{{", "{").replace("}}", "}");
    let begin = format!(
        r#"anyrt = {{ version = "{}.{}", features = ["#,
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
    );
    let features = text.strip_prefix(&begin).and_then(|rest| rest.strip_suffix("] }"));
    let manifest = include_str!("../Cargo.toml");
    features.is_some_and(|features| {
        features.split(", ").all(|name| manifest.contains(&format!("\n{} = [", name.trim_matches('"'))))
    })
}

/// Whether the text is code of `pasted`: a whole line, the end of a line, or a path.
fn is_pasted(text: &str) -> bool {
    let (_, pasted) = include_str!("messages.rs").split_once("\nmod pasted {").unwrap();
    let (pasted, _) = pasted.split_once("\n}").unwrap();
    let is_path = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) && text.contains("::");
    pasted.lines().map(|line| line.trim().trim_end_matches(" {")).any(|line| {
        let line_without = line.trim_end_matches(';');
        let is_line = text == line || text == line_without;
        let is_call = text.starts_with('.') && line_without.ends_with(text);
        let mut places = line.match_indices(text);
        let is_part = |(at, _): (usize, &str)| {
            let (before, after) = (&line[..at], &line[at + text.len()..]);
            let goes_on = |c: char| c.is_alphanumeric() || c == '_';
            before.ends_with([' ', '(', ':']) && !after.starts_with(goes_on)
        };
        is_line || is_call || is_path && places.any(is_part)
    })
}

/// Whether the text is a declared name, with or without parentheses, or a value that is filled in.
fn is_name(text: &str, sources: &[String]) -> bool {
    let word = text.trim_end_matches("()");
    let is_word = word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_declared = || {
        let declared = ["fn", "struct", "enum", "trait"].map(|keyword| format!("{keyword} {word}"));
        let ends = |rest: &str| rest.starts_with(['<', '(', ' ', ':']);
        let has = |source: &String, text: &String| source.split(text.as_str()).skip(1).any(ends);
        sources.iter().any(|source| declared.iter().any(|text| has(source, text)))
    };
    let filled_in = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    filled_in.is_some_and(|value| value.chars().all(char::is_alphanumeric)) || is_word && is_declared()
}

/// Returns the texts between backticks in the strings of a source, not in its comments.
fn backticked(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    // A string of backticks alone is a fence.
    for string in strings(source).into_iter().filter(|string| !string.chars().all(|c| c == '`')) {
        let parts: Vec<_> = string.split('`').collect();
        assert!(parts.len() % 2 == 1, "an odd number of backticks: {string:?}");
        found.extend(parts.into_iter().skip(1).step_by(2).map(str::to_owned));
    }
    found
}

/// Returns the strings of a source, unescaped.
fn strings(source: &str) -> Vec<String> {
    let (mut strings, mut code) = (Vec::new(), source);
    while let Some(at) = code.find(['"', '\'', '/']) {
        let (here, raw) = (&code[at..], code[..at].ends_with("r#"));
        code = if here.starts_with("//") {
            here.find('\n').map_or("", |end| &here[end..])
        } else if raw && here.starts_with('"') {
            let (string, rest) = here[1..].split_once("\"#").unwrap();
            strings.push(string.to_owned());
            rest
        } else if let Some(string) = here.strip_prefix('"') {
            let (string, rest) = unescaped(string);
            strings.push(string);
            rest
        } else if let Some(rest) = here.strip_prefix("'\"'") {
            rest
        } else if here.starts_with("'\\") {
            // An escaped character ends at least two bytes later.
            here[3..].split_once('\'').unwrap().1
        } else {
            &here[1..]
        };
    }
    strings
}

/// Returns a string up to its closing quote, and the rest.
fn unescaped(code: &str) -> (String, &str) {
    let (mut string, mut rest) = (String::new(), code);
    loop {
        let at = rest.find(['"', '\\']).unwrap();
        string += &rest[..at];
        let escaped = rest[at..].strip_prefix('\\');
        match escaped.and_then(|escaped| escaped.chars().next()) {
            None => return (string, &rest[at + 1..]),
            // The line continues after the indentation of the next one.
            Some('\n' | '\r') => rest = rest[at + 1..].trim_start(),
            Some(character) => {
                string.push(character);
                rest = &rest[at + 1 + character.len_utf8()..];
            }
        }
    }
}

/// Returns the sources without `doc` attributes.
fn sources(folder: &str) -> Vec<String> {
    let (mut folders, mut sources) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(path).unwrap();
                let lines = source.lines().filter(|line| !line.trim().starts_with("#[doc ="));
                sources.push(lines.map(|line| format!("{line}\n")).collect());
            }
        }
    }
    sources
}
