//! The public API of anyrt and of the crates beside it, as lines that can be compared.

mod foreign;
mod listing;
mod nightly;
mod sets;

pub use foreign::{below_one, foreign};
pub use listing::Listing;
pub use nightly::Nightly;
pub use sets::{Set, sets};

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    let path = root().join(path);
    // `git` on Windows may have changed the line endings.
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("\r\n", "\n")
}
