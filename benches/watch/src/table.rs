//! The tables, and the places in README.md where they go.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::ValueEnum;
use programs::{LIMIT, Outcome, Program};

use crate::tools::TOOLS;
use crate::{Cost, Row, why};

pub(crate) fn write(rows: &[Row], costs: &[Cost]) -> Result<(), String> {
    if !rows.is_empty() {
        fill("seen", &seen_table(rows)?)?;
    }
    if costs.is_empty() { Ok(()) } else { fill("cost", &cost_table(costs)) }
}

fn seen_table(rows: &[Row]) -> Result<String, String> {
    let mut notes = Vec::new();
    let mut table = head(["program"].into_iter().chain(TOOLS.iter().map(|tool| tool.name)));
    for program in Program::value_variants() {
        let mut cells = vec![why::title(*program).to_owned()];
        for row in rows.iter().filter(|row| row.program == *program) {
            cells.push(cell(row, &mut notes)?);
        }
        line(&mut table, cells.iter().map(String::as_str));
    }
    table.push('\n');
    for (number, note) in notes.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(table, "{}. {note}", number + 1);
    }
    Ok(table)
}

/// Findings of a tool, and the number of the note that says why it has none.
fn cell(row: &Row, notes: &mut Vec<String>) -> Result<String, String> {
    let Outcome { took_ms, first_ms, is_live, told_ms, names_task, names_place, false_reports, .. } =
        &row.outcome;
    let mut text = match first_ms {
        None if row.program == Program::Pool => "no, as it should be".to_owned(),
        None => "no".to_owned(),
        Some(first) if *is_live => format!("after {first:.0} ms"),
        Some(_) => "when it was over".to_owned(),
    };
    match told_ms.filter(|told| *told > 0.0) {
        // That is the sum of many polls.
        Some(told) if row.program == Program::Yields => text += &format!("; {told:.0} ms"),
        Some(told) => text += &format!("; {told:.0} of {took_ms:.0} ms"),
        None => (),
    }
    match (names_task, names_place) {
        (true, true) => text += "; task and place",
        (true, false) => text += "; task",
        (false, true) => text += "; place",
        (false, false) if first_ms.is_some() && row.tool == "TaskMonitor" => text += "; by which monitor",
        (false, false) if first_ms.is_some() => text += "; unnamed",
        (false, false) => (),
    }
    let note = row.outcome.note.as_deref();
    if let Some(note) = note.filter(|_| first_ms.is_none() && row.program == Program::Yields) {
        text += &format!("; {note}");
    }
    if !false_reports.is_empty() {
        text += &format!("; {} reports about tasks that behave", false_reports.len());
    }
    if first_ms.is_none() && row.program != Program::Pool {
        let is_quick = *took_ms < LIMIT.as_secs_f64() * 1e3;
        let why = if is_quick { Some(why::IT_IS_QUICK) } else { why::not_seen(row.tool, row.program) };
        let why = why.ok_or_else(|| format!("{} has not seen {:?}: {row:?}", row.tool, row.program))?;
        let number = notes.iter().position(|note| note == why).unwrap_or_else(|| {
            notes.push(why.to_owned());
            notes.len() - 1
        });
        text += &format!(" [{}]", number + 1);
    }
    Ok(text)
}

fn cost_table(costs: &[Cost]) -> String {
    let mut table = head(["", "instructions a poll", "more", "ns a poll", "more"].into_iter());
    let mut base = None;
    for cost in costs {
        if cost.is_base {
            base = Some(cost);
        }
        let more = |of: fn(&Cost) -> Option<f64>| match (of(cost), base.and_then(of)) {
            (Some(with), Some(without)) if !cost.is_base => format!("{:+.0}", with - without),
            _ => String::new(),
        };
        let instructions =
            cost.instructions.map_or("skipped: no valgrind".to_owned(), |count| format!("{count:.0}"));
        let cells = [
            cost.tool,
            &instructions,
            &more(|cost| cost.instructions),
            &format!("{:.0}", cost.nanoseconds),
            &more(|cost| Some(cost.nanoseconds)),
        ];
        line(&mut table, cells.into_iter());
    }
    table
}

fn head<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut table = String::new();
    line(&mut table, cells.clone());
    line(&mut table, cells.map(|_| "---"));
    table
}

fn line<'a>(table: &mut String, cells: impl Iterator<Item = &'a str>) {
    let cells: Vec<_> = cells.collect();
    let _ = writeln!(table, "| {} |", cells.join(" | "));
}

/// Puts a text between `<!-- name -->` and `<!-- /name -->`.
fn fill(name: &str, text: &str) -> Result<(), String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let parts = readme.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("README.md has no place for {name}"))?;
    let text = format!("{before}{begin}\n{text}\n{end}{after}");
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
