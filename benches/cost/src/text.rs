//! The code of a program, by crate.

use std::collections::{BTreeMap, BTreeSet};

use object::{Object, ObjectSection, ObjectSymbol, SectionIndex};
use rustc_demangle::demangle;

/// Bytes of code, by crate, and for anyrt by module.
pub(crate) type Parts = BTreeMap<String, u64>;

pub(crate) struct Text {
    /// Of the whole section.
    pub(crate) size: u64,
    pub(crate) parts: Parts,
}

impl Text {
    pub(crate) fn of(program: &[u8]) -> Result<Self, String> {
        let program = object::File::parse(program).map_err(|error| error.to_string())?;
        let section = program.section_by_name(".text").ok_or("there is no .text")?;
        Ok(Self { size: section.size(), parts: parts(&program, section.index()) })
    }
}

fn parts(program: &object::File<'_>, section: SectionIndex) -> Parts {
    let mut parts = Parts::new();
    // Functions that are the same are there once, under several names.
    let mut addresses = BTreeSet::new();
    for symbol in program.symbols().filter(|symbol| symbol.section_index() == Some(section)) {
        if symbol.size() != 0 && addresses.insert(symbol.address()) {
            let name = symbol.name().unwrap_or_default();
            *parts.entry(part(&format!("{:#}", demangle(name)))).or_default() += symbol.size();
        }
    }
    parts
}

/// Returns the crate of a function. One that is generic counts for the crate that it is written in, and one of a trait for the
/// crate of the type that has it.
fn part(function: &str) -> String {
    let path = function.trim_start_matches(['<', '&', '(', '*', '[']).trim_start_matches("mut ");
    let path = match path.split_once(" as ") {
        Some((generic, of_trait)) if !generic.contains("::") => of_trait,
        _ => path,
    };
    let mut segments = path
        .split("::")
        .map(|segment| segment.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
    match (segments.next(), segments.next()) {
        (Some("anyrt"), Some(module)) => format!("anyrt::{module}"),
        (Some(name), Some(_)) if !name.is_empty() => name.to_owned(),
        _ => "symbols without a path".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_crates_and_modules_of_anyrt() {
        for (function, name) in [
            ("anyrt::net::resolve::lookup", "anyrt::net"),
            ("<anyrt::any::AnyRuntime as core::clone::Clone>::clone", "anyrt::any"),
            ("<&mut T as core::fmt::Debug>::fmt", "core"),
            ("core::ptr::drop_in_place<anyrt::any::AnyRuntime>", "core"),
            ("<alloc::vec::Vec<T> as core::clone::Clone>::clone", "alloc"),
            ("echo_on_tokio::serve::{{closure}}", "echo_on_tokio"),
            ("_start", "symbols without a path"),
        ] {
            assert_eq!(part(function), name, "{function}");
        }
    }
}
