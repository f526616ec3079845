//! Cargo, started by a test, with the target folder of that test.

use std::process::Command;

/// Removes the variables that cargo sets for programs that it starts. The build script of ring 0.17 depends on them
/// (`rerun-if-env-changed`), so this cargo would rebuild ring and its dependents, and so would the next one.
pub(crate) fn as_from_a_shell(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}
