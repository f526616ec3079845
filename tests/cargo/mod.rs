//! Cargo that is started by a test, into the target folder that the test comes from.

use std::process::Command;

/// Takes away what cargo says to programs that it starts, and to no shell. The build script of ring asks for it
/// (`rerun-if-env-changed`, ring 0.17), so cargo would build ring anew, and whatever needs it, and so would the next cargo.
pub(crate) fn as_from_a_shell(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}
