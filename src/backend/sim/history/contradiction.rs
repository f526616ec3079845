//! The operations that contradict each other, and how to say so on one screen.

use std::fmt::Write;
use std::time::Duration;

use super::Moment;
use super::search::{Answer, Span, Steps, Stuck, search};

/// What part of the steps that are left an attempt may take: what is not decided then is kept.
const ATTEMPT: u64 = 3;

/// How many operations are shown of those that contradict each other, of the order, and of those that are next.
const SHOWN: [usize; 3] = [8, 5, 4];
/// The letters of an operation that are shown.
const WIDTH: usize = 60;

/// Returns operations that contradict each other, of those up to the `end` at which there is a contradiction. If the limit
/// is not reached, none of them can be left out.
///
/// An operation is left out by forgetting its result and its end: it may have taken effect at any time since it began, or
/// never. That never adds a contradiction, which is why this is right, and why one pass is enough. Of those that end later
/// only the results count.
pub(super) fn explain(
    spans: &[Span],
    initial: usize,
    model: &mut dyn Steps,
    end: usize,
    limit: u64,
) -> Vec<usize> {
    let mut spans: Vec<Span> = spans.iter().filter(|span| span.began < end).copied().collect();
    spans.sort_unstable_by_key(|span| (span.ended, span.began));
    spans.iter_mut().for_each(|span| span.ended = span.ended.filter(|ended| *ended <= end));
    // All but the one that ends there.
    let known = |spans: &[Span]| -> Vec<usize> {
        (0..spans.len()).filter(|at| spans[*at].is_known && spans[*at].ended != Some(end)).collect()
    };
    let mut left = limit;
    let mut size = known(&spans).len();
    while size > 0 {
        for some in known(&spans).chunks(size) {
            let mut fewer = spans.clone();
            for at in some {
                (fewer[*at].ended, fewer[*at].is_known) = (None, false);
            }
            let mut attempt = left / ATTEMPT;
            if attempt < spans.len() as u64 {
                break;
            }
            left -= attempt;
            let answer = search(&fewer, initial, model, &mut attempt);
            left += attempt;
            if let Answer::Contradiction(_) = answer {
                spans = fewer;
            }
        }
        // Of one that is left all are needed.
        size /= 2;
    }
    spans.iter().filter(|span| span.is_known).map(|span| span.operation).collect()
}

/// An operation in words.
pub(super) struct Row<'a> {
    pub(super) client: &'a str,
    pub(super) text: String,
    pub(super) began: Moment,
    pub(super) ended: Option<Moment>,
}

pub(super) fn on_key(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!(" on key {}", shortened(key)))
}

/// The text of a contradiction.
pub(super) fn report<'a>(
    key: Option<&str>,
    spans: &[Span],
    core: &[usize],
    stuck: &Stuck,
    state: &str,
    row: &dyn Fn(usize) -> Row<'a>,
) -> String {
    let [core, order, next] =
        [(core, SHOWN[0]), (&stuck.order, SHOWN[1]), (&stuck.next, SHOWN[2])].map(|(operations, shown)| {
            let hidden = operations.len().saturating_sub(shown);
            (hidden, operations[hidden..].iter().map(|operation| row(*operation)).collect::<Vec<_>>())
        });
    let table = Table::of([&core.1, &order.1, &next.1].into_iter().flatten());
    let began = spans.iter().filter(|span| span.began < stuck.end).count();
    let mut text = format!(
        "not linearizable: whatever others did, no order of these operations{} explains their results:\n",
        on_key(key)
    );
    table.write(&mut text, &core);
    let fits = stuck.order.len();
    if fits > 0 {
        // Nothing fails that is written to a string.
        let _ = writeln!(text, "The longest order that fits, {fits} of {began} operations:");
        table.write(&mut text, &order);
        let _ = writeln!(text, "After it the state is {}, and next could only be:", shortened(state));
    } else {
        let _ =
            writeln!(text, "In the beginning the state is {}, and first could only be:", shortened(state));
    }
    table.write(&mut text, &next);
    text.truncate(text.trim_end().len());
    text
}

/// The widths of columns, and whether times alone tell the order.
struct Table {
    client: usize,
    text: usize,
    with_moments: bool,
}

impl Table {
    fn of<'a: 'b, 'b>(rows: impl Iterator<Item = &'b Row<'a>> + Clone) -> Self {
        let width = |of: &dyn Fn(&Row<'a>) -> usize| rows.clone().map(of).max().unwrap_or(0);
        let ends: Vec<Duration> = rows.clone().filter_map(|row| row.ended).map(|ended| ended.time).collect();
        Self {
            client: width(&|row| row.client.chars().count().min(WIDTH)),
            text: width(&|row| row.text.chars().count().min(WIDTH)),
            with_moments: rows.clone().any(|row| ends.contains(&row.began.time)),
        }
    }

    fn write(&self, out: &mut String, (hidden, rows): &(usize, Vec<Row<'_>>)) {
        if *hidden > 0 {
            let _ = writeln!(out, "  ({hidden} before these)");
        }
        for Row { client, text, began, ended } in rows {
            let (client, text) = (shortened(client), shortened(text));
            let _ = write!(out, "  {client:0$}  {text:1$}  ", self.client, self.text);
            let _ = match ended {
                Some(ended) => write!(out, "{:?} to {:?}", began.time, ended.time),
                None => write!(out, "from {:?}, not known to have returned", began.time),
            };
            let _ = match ended {
                _ if !self.with_moments => Ok(()),
                Some(ended) => write!(out, ", moments {} and {}", began.position, ended.position),
                None => write!(out, ", moment {}", began.position),
            };
            out.push('\n');
        }
    }
}

/// In one line, which is not too long.
fn shortened(text: &str) -> String {
    let line = text.replace('\n', " ");
    match line.char_indices().nth(WIDTH - 1) {
        Some((at, _)) if line.chars().count() > WIDTH => format!("{}…", &line[..at]),
        _ => line,
    }
}
