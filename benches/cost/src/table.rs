//! Tables, and their places in README.md.

use std::fmt::Write;
use std::fs;

use crate::programs::root;

pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned).to_vec(), vec!["---".to_owned(); N]] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn to_markdown(&self) -> String {
        self.rows.iter().fold(String::new(), |mut text, row| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {} |", row.join(" | "));
            text
        })
    }
}

/// Puts a text between `<!-- name -->` and `<!-- /name -->`.
pub(crate) fn fill(name: &str, text: &str) -> Result<(), String> {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let parts = readme.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("README.md has no place for {name}"))?;
    let text = format!("{before}{begin}\n{text}\n{end}{after}");
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
