//! Libraries as they are on crates.io, on every runtime of anyrt.
