use std::collections::HashSet;
use std::path::Path;

use public_api::{Builder, PublicItem};
use rustdoc_types::{Crate, Id, ItemEnum};

/// The lines of an API, without duplicates, grouped by type.
///
/// Left out are blanket implementations, auto traits, and methods of implementations, which are listed with the trait.
/// A method of a trait that has a default ends with `{ … }`.
pub struct Listing {
    pub lines: Vec<String>,
}

impl Listing {
    pub fn new(file: &Path, document: &Crate) -> Self {
        let api =
            Builder::from_rustdoc_json(file).omit_blanket_impls(true).omit_auto_trait_impls(true).build();
        let (mut lines, mut known) = (Vec::new(), HashSet::new());
        for item in api.expect("it was read before").items() {
            if let Some(line) = line(item, document).filter(|line| !known.contains(line)) {
                known.insert(line.clone());
                lines.push(line);
            }
        }
        Self { lines }
    }

    /// Returns the lines that are in none of `others`.
    pub fn without<'a>(&'a self, others: &[&Self]) -> Vec<&'a str> {
        let others: HashSet<_> = others.iter().flat_map(|other| &other.lines).collect();
        self.lines.iter().filter(|line| !others.contains(line)).map(String::as_str).collect()
    }
}

fn line(item: &PublicItem, document: &Crate) -> Option<String> {
    let inner = |id: Id| document.index.get(&id).map(|item| &item.inner);
    let parent = item.parent_id().and_then(inner);
    match (inner(item.id()), parent) {
        (Some(ItemEnum::Function(_)), Some(ItemEnum::Impl(parent))) if parent.trait_.is_some() => None,
        (Some(ItemEnum::Function(method)), Some(ItemEnum::Trait(_))) if method.has_body => {
            Some(format!("{item} {{ … }}"))
        }
        // An item of another crate; items of this crate are listed under their new names.
        (Some(ItemEnum::Use(shown)), _) => Some(format!("{item} = {}", shown.source)),
        _ => Some(item.to_string()),
    }
}
