//! Compares the page "Coming from tokio" with the source of the tokio in Cargo.lock: every public item has a row, and
//! every row is an item.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The headings of the page, each a module of tokio.
const MODULES: &[&str] = &["task", "time", "net", "io", "sync", "signal", "fs", "process", "runtime"];

/// Types with a heading of their own, and the file of tokio that contains their methods.
const TYPES: &[(&str, &str, &str)] = &[
    ("task", "runtime/task/join.rs", "JoinHandle"),
    ("task", "task/join_set.rs", "JoinSet"),
    ("task", "task/local.rs", "LocalSet"),
    ("task", "runtime/task/error.rs", "JoinError"),
    ("task", "runtime/task/abort.rs", "AbortHandle"),
    ("time", "time/sleep.rs", "Sleep"),
    ("time", "time/timeout.rs", "Timeout"),
    ("time", "time/interval.rs", "Interval"),
    ("time", "time/instant.rs", "Instant"),
    ("net", "net/tcp/stream.rs", "TcpStream"),
    ("net", "net/tcp/listener.rs", "TcpListener"),
    ("net", "net/tcp/socket.rs", "TcpSocket"),
    ("net", "net/udp.rs", "UdpSocket"),
    ("net", "net/unix/listener.rs", "UnixListener"),
    ("net", "net/unix/stream.rs", "UnixStream"),
    ("net", "net/unix/datagram/socket.rs", "UnixDatagram"),
    ("runtime", "runtime/runtime.rs", "Runtime"),
    ("runtime", "runtime/handle.rs", "Handle"),
    ("runtime", "runtime/builder.rs", "Builder"),
];

/// The types that the heading "Halves of a stream" is about.
const HALVES: &[(&str, &str)] = &[
    ("net/tcp/split.rs", "ReadHalf<'_>"),
    ("net/tcp/split.rs", "WriteHalf<'_>"),
    ("net/tcp/split_owned.rs", "OwnedReadHalf"),
    ("net/tcp/split_owned.rs", "OwnedWriteHalf"),
    ("net/unix/split.rs", "ReadHalf<'_>"),
    ("net/unix/split.rs", "WriteHalf<'_>"),
    ("net/unix/split_owned.rs", "OwnedReadHalf"),
    ("net/unix/split_owned.rs", "OwnedWriteHalf"),
];

#[test]
fn every_item_of_tokio_has_a_row() {
    let Some(source) = source_of_tokio() else { return };
    for module in MODULES {
        let mut items = BTreeSet::new();
        Module::find(&source.join("src"), module).items("", &mut items);
        compare(&format!("tokio::{module}"), &items);
    }
}

#[test]
fn every_macro_of_tokio_has_a_row() {
    let Some(source) = source_of_tokio() else { return };
    // The macros of `tokio-macros` are listed by hand.
    let mut macros: BTreeSet<String> = ["main", "test"].map(str::to_owned).into();
    for file in rust_files(&source.join("src")) {
        let (text, mut attributes) = (fs::read_to_string(file).unwrap(), String::new());
        for line in text.lines() {
            if let Some((before, name)) = line.split_once("macro_rules! ") {
                // tokio's own macro `doc!` exports items.
                let is_exported = before == "doc! {" || attributes.contains("#[macro_export]");
                if is_exported && !attributes.contains("#[doc(hidden)]") {
                    macros.insert(word(name).to_owned());
                }
            }
            if line.starts_with("#[") { attributes.push_str(line) } else { attributes.clear() }
        }
    }
    compare("Macros", &macros);
}

#[test]
fn every_method_of_the_types_that_porters_use_has_a_row() {
    let Some(source) = source_of_tokio() else { return };
    for (module, file, name) in TYPES {
        let text = code(&fs::read_to_string(source.join("src").join(file)).unwrap());
        let mut methods = BTreeSet::new();
        methods_in(&text, name, &mut methods);
        assert!(methods.len() >= 3, "{name}: {methods:?}");
        compare(&format!("{module}::{name}"), &methods);
    }
    let mut methods = BTreeSet::new();
    for (file, name) in HALVES {
        let text = code(&fs::read_to_string(source.join("src").join(file)).unwrap());
        let mut of_it = BTreeSet::new();
        methods_in(&text, name, &mut of_it);
        assert!(of_it.len() >= 3, "{file}: {name}: {of_it:?}");
        methods.append(&mut of_it);
    }
    compare("Halves of a stream", &methods);
}

/// Methods that the page calls "the same" exist here: each of these calls compiles, and the list is complete.
#[test]
fn methods_that_are_the_same_are_here() {
    use std::future::Ready;
    use std::pin::Pin;

    use anyrt::AnyRuntime;
    use anyrt::net::{TcpListener, TcpStream, UdpSocket};
    use anyrt::runtime::{Builder, Handle};
    use anyrt::task::{AbortHandle, JoinError, JoinHandle, JoinSet, LocalSet};
    use anyrt::time::{Instant, Interval, Sleep, Timeout};

    /// The names of methods; generic ones are called.
    macro_rules! methods {
        ($type:ty: $($method:ident)* $(; $($called:ident: $call:expr,)*)?) => {{
            $(let _ = <$type>::$method;)*
            $($(let _ = $call;)*)?
            [$(stringify!($method),)* $($(stringify!($called),)*)?].map(str::to_owned).into()
        }};
    }

    #[cfg_attr(not(unix), allow(unused_mut, reason = "those of Unix are added"))]
    let mut same: Vec<(&str, BTreeSet<String>)> = vec![
        ("task::JoinHandle", methods!(JoinHandle<()>: abort abort_handle is_finished id)),
        (
            "task::JoinSet",
            methods!(JoinSet<()>: new len is_empty join_next join_next_with_id try_join_next_with_id poll_join_next_with_id try_join_next poll_join_next join_all abort_all detach_all shutdown;
                spawn_local: JoinSet::<()>::spawn_local::<Ready<()>>,
                spawn_local_on: JoinSet::<()>::spawn_local_on::<Ready<()>>,
                spawn: JoinSet::<()>::spawn::<Ready<()>>,
                spawn_on: JoinSet::<()>::spawn_on::<AnyRuntime, Ready<()>>,
                spawn_blocking: JoinSet::<()>::spawn_blocking::<fn()>,
                spawn_blocking_on: JoinSet::<()>::spawn_blocking_on::<AnyRuntime, fn()>,
            ),
        ),
        (
            "task::LocalSet",
            methods!(LocalSet: new;
                spawn_local: LocalSet::spawn_local::<Ready<()>>,
                run_until: LocalSet::run_until::<Ready<()>>,
                block_on: LocalSet::block_on::<AnyRuntime, Ready<()>>,
            ),
        ),
        ("task::JoinError", methods!(JoinError: is_panic into_panic try_into_panic id)),
        ("task::AbortHandle", methods!(AbortHandle: abort is_finished id)),
        (
            "time::Sleep",
            methods!(Sleep: deadline is_elapsed;
                reset: |it: Pin<&mut Sleep>, at: Instant| it.reset(at),
            ),
        ),
        ("time::Timeout", methods!(Timeout<Ready<()>>: get_ref get_mut into_inner)),
        (
            "time::Interval",
            methods!(Interval: tick poll_tick reset reset_immediately reset_after set_missed_tick_behavior missed_tick_behavior period;
                reset_at: |it: &mut Interval, at: Instant| it.reset_at(at),
            ),
        ),
        (
            "time::Instant",
            methods!(Instant: duration_since checked_duration_since saturating_duration_since checked_add checked_sub
                from_std into_std),
        ),
        (
            "net::TcpListener",
            methods!(TcpListener: accept poll_accept local_addr ttl set_ttl from_std; bind: TcpListener::bind::<&str>,),
        ),
        (
            "net::TcpStream",
            methods!(TcpStream: into_split local_addr peer_addr nodelay set_nodelay ttl set_ttl linger set_linger from_std peek split readable
                writable try_read try_read_vectored try_write try_write_vectored;
                try_io: |it: &TcpStream, how| it.try_io(how, || Ok(())),
                connect: TcpStream::connect::<&str>,
            ),
        ),
        (
            "net::UdpSocket",
            methods!(UdpSocket: recv recv_from send peek peek_from readable writable local_addr peer_addr poll_recv poll_recv_from
                poll_send poll_send_to poll_peek poll_peek_from poll_recv_ready poll_send_ready broadcast set_broadcast ttl
                set_ttl multicast_loop_v4 set_multicast_loop_v4 multicast_ttl_v4 set_multicast_ttl_v4 multicast_loop_v6
                set_multicast_loop_v6 join_multicast_v4 leave_multicast_v4 join_multicast_v6 leave_multicast_v6 try_recv try_recv_from try_send try_send_to;
                bind: UdpSocket::bind::<&str>,
                connect: UdpSocket::connect::<&str>,
                send_to: UdpSocket::send_to::<&str>,
                try_io: |it: &UdpSocket, how| it.try_io(how, || Ok(())),
            ),
        ),
        (
            "runtime::Handle",
            methods!(Handle: current try_current enter;
                spawn: Handle::spawn::<Ready<()>>,
                spawn_blocking: Handle::spawn_blocking::<fn(), ()>,
                block_on: Handle::block_on::<Ready<()>>,
            ),
        ),
        (
            "runtime::Builder",
            methods!(Builder<AnyRuntime>: new_multi_thread new_current_thread enable_all enable_io enable_time max_blocking_threads worker_threads build;
                thread_name: |it: Builder<AnyRuntime>| it.thread_name("name"),
            ),
        ),
    ];
    {
        use anyrt::net::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};

        let halves: [BTreeSet<String>; 4] = [
            methods!(ReadHalf<'_>: readable try_read try_read_vectored local_addr peer_addr),
            methods!(WriteHalf<'_>: writable try_write try_write_vectored local_addr peer_addr),
            methods!(OwnedReadHalf: readable try_read try_read_vectored local_addr peer_addr reunite),
            methods!(OwnedWriteHalf: writable try_write try_write_vectored local_addr peer_addr reunite),
        ];
        same.push(("Halves of a stream", halves.into_iter().flatten().collect()));
    }
    #[cfg(unix)]
    {
        use anyrt::net::{UnixDatagram, UnixListener, UnixStream};

        same.push((
            "net::UnixListener",
            methods!(UnixListener: accept poll_accept local_addr from_std; bind: UnixListener::bind::<&str>,),
        ));
        same.push((
            "net::UnixStream",
            methods!(UnixStream: pair peer_cred split into_split readable writable try_read try_read_vectored try_write
                try_write_vectored local_addr peer_addr from_std;
                connect: UnixStream::connect::<&str>,
                try_io: |it: &UnixStream, how| it.try_io(how, || Ok(())),
            ),
        ));
        same.push((
            "net::UnixDatagram",
            methods!(UnixDatagram: unbound pair send recv recv_from try_send try_recv try_recv_from readable writable
                poll_send_ready poll_recv_ready local_addr peer_addr from_std poll_send poll_recv poll_recv_from;
                bind: UnixDatagram::bind::<&str>,
                connect: UnixDatagram::connect::<&str>,
                send_to: UnixDatagram::send_to::<&str>,
                try_send_to: UnixDatagram::try_send_to::<&str>,
                poll_send_to: UnixDatagram::poll_send_to::<&str>,
                try_io: |it: &UnixDatagram, how| it.try_io(how, || Ok(())),
            ),
        ));
    }
    for (heading, methods) in same {
        let rows: BTreeSet<_> = table(heading).filter(|[_, here]| here.starts_with("the same")).collect();
        let said: BTreeSet<_> = rows.iter().flat_map(|[tokio, _]| names(tokio)).collect();
        assert_eq!(said, methods, "{heading}");
    }
}

/// Adds the public methods of a type.
fn methods_in(text: &str, name: &str, methods: &mut BTreeSet<String>) {
    let mut rest = text;
    while let Some((item, body, after)) = next_item(rest) {
        rest = after;
        let (Some(body), (attributes, item)) = (body, split_attributes(item)) else { continue };
        if item.starts_with("cfg_") {
            methods_in(body, name, methods);
        }
        let is_of_the_type = |of: &str| {
            item == format!("impl {of}") || item.starts_with("impl<") && item.ends_with(&format!("> {of}"))
        };
        if [name, &format!("{name}<T>")].into_iter().any(is_of_the_type) && !attributes.contains("cfg(test)")
        {
            public_functions(body, methods);
        }
    }
}

fn public_functions(text: &str, methods: &mut BTreeSet<String>) {
    let mut rest = text;
    while let Some((item, body, after)) = next_item(rest) {
        rest = after;
        let (attributes, item) = split_attributes(item);
        if item.starts_with("cfg_") || item.starts_with("feature!") {
            public_functions(body.unwrap(), methods);
        }
        let is_hidden = attributes.contains("doc(hidden)");
        if let (Some((before, name)), false) = (item.split_once("fn "), is_hidden) {
            if before.starts_with("pub ") {
                methods.insert(word(name).to_owned());
            }
        }
    }
}

/// An item without a row is new in tokio; a row without an item was removed from it or is misspelt.
fn compare(heading: &str, items: &BTreeSet<String>) {
    let rows = rows(heading);
    let missing: Vec<_> = items.difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "`src/guide/coming_from_tokio.md` has no row in \"{heading}\" for {missing:#?}"
    );
    let unknown: Vec<_> = rows.difference(items).collect();
    assert!(
        unknown.is_empty(),
        "`src/guide/coming_from_tokio.md` has rows in \"{heading}\" that tokio has not: {unknown:#?}"
    );
}

/// Returns the code words in the first cells of the table under a heading.
fn rows(heading: &str) -> BTreeSet<String> {
    table(heading).flat_map(|[tokio, _]| names(&tokio).collect::<Vec<_>>()).collect()
}

/// Returns the rows of the tables under a heading of any level.
fn table(heading: &str) -> impl Iterator<Item = [String; 2]> {
    let page = include_str!("../src/guide/coming_from_tokio.md").replace("\r\n", "\n");
    let (_, section) =
        page.split_once(&format!("# {heading}\n")).unwrap_or_else(|| panic!("no heading \"{heading}\""));
    let section = section.lines().take_while(|line| !line.starts_with('#'));
    let rows = section.filter(|line| line.starts_with("| "));
    let rows: Vec<_> = rows
        .map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            [(); 2].map(|()| cells.next().unwrap())
        })
        .collect();
    rows.into_iter()
}

/// Returns the code words of a cell.
fn names(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('!').to_owned())
}

/// Returns the folder of the tokio of Cargo.lock: from `cargo metadata` if all packages are there, or else from the
/// place where cargo unpacks packages of crates.io.
fn source_of_tokio() -> Option<PathBuf> {
    let source = as_cargo_says().or_else(in_the_registry).filter(|source| source.join("src/lib.rs").exists());
    if source.is_none() {
        println!("skipped: the source of tokio is not on this machine");
    }
    source
}

fn as_cargo_says() -> Option<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.output().unwrap().stdout).ok()?;
    let packages = metadata["packages"].as_array()?;
    let tokio = packages.iter().find(|package| package["name"] == "tokio")?;
    Path::new(tokio["manifest_path"].as_str()?).parent().map(Path::to_owned)
}

fn in_the_registry() -> Option<PathBuf> {
    let lock = include_str!("../Cargo.lock").replace("\r\n", "\n");
    let (_, package) = lock.split_once("\nname = \"tokio\"\nversion = \"")?;
    let (version, _) = package.split_once('"')?;
    let of_the_user =
        || Some(PathBuf::from(env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?).join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(of_the_user)?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    registries
        .map(|registry| registry.unwrap().path().join(format!("tokio-{version}")))
        .find(|source| source.exists())
}

/// A module of tokio: its text without comments and strings, and the folder of its submodules.
struct Module {
    text: String,
    folder: PathBuf,
}

impl Module {
    /// Reads a module that has a file.
    fn find(folder: &Path, name: &str) -> Self {
        let inside = folder.join(name);
        let files = [inside.join("mod.rs"), folder.join(format!("{name}.rs"))];
        let file = files
            .iter()
            .find(|file| file.exists())
            .unwrap_or_else(|| panic!("no file for {}", inside.display()));
        Self { text: code(&fs::read_to_string(file).unwrap()), folder: inside }
    }

    /// Adds the public items, with their paths relative to the first module.
    fn items(&self, path: &str, items: &mut BTreeSet<String>) {
        self.items_in(&self.text, path, items);
    }

    fn items_in(&self, text: &str, path: &str, items: &mut BTreeSet<String>) {
        let mut rest = text;
        while let Some((item, body, after)) = next_item(rest) {
            rest = after;
            let (attributes, item) = split_attributes(item);
            if attributes.contains("doc(hidden)") || attributes.contains("cfg(test)") {
                continue;
            }
            // Items behind a feature or a platform count as well.
            if let (Some((name, _)), Some(body)) = (item.split_once('!'), body) {
                if name.starts_with("cfg_") || name == "feature" {
                    self.items_in(body, path, items);
                }
                continue;
            }
            let Some(item) = item.strip_prefix("pub ") else { continue };
            let item = ["unsafe ", "async ", "const fn"].iter().fold(item, |item, word| match *word {
                "const fn" => {
                    item.strip_prefix("const ").filter(|item| item.starts_with("fn ")).unwrap_or(item)
                }
                word => item.strip_prefix(word).unwrap_or(item),
            });
            let (kind, name) = item.split_once(' ').unwrap_or_else(|| panic!("what is `pub {item}`?"));
            match kind {
                "use" => {
                    // Names in braces are in the body.
                    let names = body.unwrap_or(name);
                    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                        assert!(!name.contains('*'), "`pub use` of everything: {item}");
                        let name = name.rsplit("::").next().unwrap();
                        let name = name.rsplit(" as ").next().unwrap().trim();
                        items.insert(format!("{path}{name}"));
                    }
                }
                "mod" => {
                    let path = format!("{path}{}::", word(name));
                    match body {
                        Some(body) => self.items_in(body, &path, items),
                        None => Self::find(&self.folder, word(name)).items(&path, items),
                    }
                }
                "struct" | "enum" | "trait" | "fn" | "type" | "const" | "static" | "union" => {
                    items.insert(format!("{path}{}", word(name)));
                }
                _ => panic!("what is `pub {item}`?"),
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
}

/// Splits off the next item: its text before the semicolon or brace, the contents of its braces, and the rest.
fn next_item(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ';' || c == ',');
    if text.is_empty() {
        return None;
    }
    let mut parentheses = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => parentheses += 1,
            ')' | ']' => parentheses -= 1,
            ';' if parentheses == 0 => return Some((&text[..at], None, &text[at + 1..])),
            '{' if parentheses == 0 => {
                let mut depth = 0;
                let end = text[at..].char_indices().find(|(_, c)| {
                    depth += i32::from(*c == '{') - i32::from(*c == '}');
                    depth == 0
                });
                let end = at + end.unwrap_or_else(|| panic!("no end of {}", &text[..at])).0;
                return Some((&text[..at], Some(&text[at + 1..end]), &text[end + 1..]));
            }
            _ => {}
        }
    }
    panic!("what is {text}?");
}

/// Returns the attributes of an item, and the item on one line.
fn split_attributes(item: &str) -> (String, String) {
    let (mut attributes, mut rest) = (String::new(), item.trim_start());
    while rest.starts_with('#') {
        let mut depth = 0;
        let end = rest.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '[') - i32::from(*c == ']');
            *c == ']' && depth == 0
        });
        let (attribute, after) = rest.split_at(end.unwrap().0 + 1);
        attributes.push_str(attribute);
        rest = after.trim_start();
    }
    (attributes, rest.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Removes comments from Rust code, and the contents of strings and characters.
fn code(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").unwrap() + 2
        } else if c == '"' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let is_end = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                is_end
            });
            end.unwrap().0 + 1
        } else if let Some(quoted) =
            ["'{'", "'}'", "'('", "')'", "'['", "']'", "'\"'", "';'"].iter().find(|it| rest.starts_with(**it))
        {
            quoted.len()
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        rest = &rest[skipped..];
    }
    code
}
