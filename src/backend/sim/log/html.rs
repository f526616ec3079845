use super::{Log, json};

/// The page, with a place for the log.
const PAGE: &str = include_str!("timeline.html");

const PLACE: &str = "/* the log */";

pub(super) fn write(log: &Log) -> String {
    // Its strings have no `<`, so that nothing in them ends the script.
    PAGE.replacen(PLACE, &json::write(log), 1)
}
