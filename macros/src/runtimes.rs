use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::{Error, Result};

/// A runtime as anyrt names it in tests, in `#[anyrt::main]` and in `ANYRT_RUNTIME`.
#[derive(Debug, PartialEq)]
pub(crate) struct Runtime {
    pub(crate) word: &'static str,
    /// Of anyrt.
    pub(crate) feature: &'static str,
    /// Of anyrt.
    kind: &'static str,
    /// Whether somebody may say how many workers it has.
    pub(crate) takes_workers: bool,
    /// Whether it ends with the test or the program, and not with the process.
    pub(crate) is_owned: bool,
}

const fn runtime(
    word: &'static str,
    feature: &'static str,
    kind: &'static str,
    takes_workers: bool,
    is_owned: bool,
) -> Runtime {
    Runtime { word, feature, kind, takes_workers, is_owned }
}

/// All of them, in the order of their tests. `src/macros/mod.rs` of anyrt has the same.
pub(crate) static RUNTIMES: [Runtime; 6] = [
    runtime("tokio", "tokio", "Tokio", true, true),
    runtime("tokio_current_thread", "tokio", "Tokio", false, true),
    runtime("smol", "smol", "Smol", true, true),
    runtime("smol_global", "smol", "Smol", false, false),
    runtime("async_std", "async-std", "AsyncStd", false, false),
    runtime("sim", "sim", "Sim", false, true),
];

impl Runtime {
    /// The one that is meant by `word`.
    pub(crate) fn named(word: &Ident) -> Result<&'static Self> {
        RUNTIMES.iter().find(|runtime| word == runtime.word).ok_or_else(|| {
            Error::new(word.span(), format!("unknown runtime `{word}`: write one of {}", words(&RUNTIMES)))
        })
    }

    /// Its type in anyrt.
    pub(crate) fn kind(&self, span: Span) -> Ident {
        Ident::new(self.kind, span)
    }

    /// Its constant in `anyrt::macros`.
    pub(crate) fn constant(&self, span: Span) -> Ident {
        Ident::new(&self.word.to_uppercase(), span)
    }

    /// The macro of anyrt that keeps its first argument where the runtime is compiled in, and its second where it is not.
    pub(crate) fn if_compiled_in(&self) -> Ident {
        format_ident!("if_{}", self.feature.replace('-', "_"))
    }
}

/// The line of Cargo.toml that turns on features.
pub(crate) fn dependency<'a>(features: impl IntoIterator<Item = &'a str>) -> String {
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let features: String = features.into_iter().map(|feature| format!(", \"{feature}\"")).collect();
    format!("anyrt = {{ version = \"{version}\", features = [\"macros\"{features}] }}")
}

/// Their words, to be read.
pub(crate) fn words<'a>(runtimes: impl IntoIterator<Item = &'a Runtime>) -> String {
    let words: Vec<_> = runtimes.into_iter().map(|runtime| format!("`{}`", runtime.word)).collect();
    words.join(", ")
}
