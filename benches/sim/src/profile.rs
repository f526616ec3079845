//! Where the instructions of anyrt are.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use scenarios::Report;

use crate::programs::{ANYRT, Programs, slope, target};

/// Functions with a smaller part of all instructions are added up.
const LEAST: f64 = 0.01;

/// A unit whose instructions are counted, as the difference of two runs.
struct Counted {
    what: &'static str,
    arguments: &'static [&'static str],
    /// The last argument, in the one run and in the other.
    sizes: [&'static str; 2],
    number: fn(&Report) -> u64,
}

const COUNTED: [Counted; 4] = [
    Counted {
        what: "a message of A",
        arguments: &["a", "--seeds", "2", "--requests"],
        sizes: ["100", "200"],
        number: |report| report.messages,
    },
    Counted {
        what: "a simulation of B",
        arguments: &["b", "--seeds"],
        sizes: ["2", "4"],
        number: |report| report.simulations,
    },
    Counted {
        what: "a simulation of C1",
        arguments: &["c1", "--seeds"],
        sizes: ["200", "400"],
        number: |report| report.simulations,
    },
    Counted {
        what: "a simulation of C2",
        arguments: &["c2", "--seeds"],
        sizes: ["200", "400"],
        number: |report| report.simulations,
    },
];

/// Prints a table of Markdown for each of them, the function with the most first.
pub(crate) fn print(programs: &Programs) -> Result<(), String> {
    for (at, counted) in COUNTED.iter().enumerate() {
        if at > 0 {
            println!();
        }
        counted.print(programs)?;
    }
    Ok(())
}

impl Counted {
    fn print(&self, programs: &Programs) -> Result<(), String> {
        let run = |size| {
            let file = target().join(format!("callgrind.{size}"));
            let (_, report) = programs.callgrind(ANYRT, &[self.arguments, &[size]].concat(), &file)?;
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            Ok::<_, String>((by_function(&text), report))
        };
        let [few, many] = self.sizes.map(run);
        let ((few, half), (many, whole)) = (few?, many?);
        let mut functions = Vec::new();
        for (name, count) in many {
            let before = few.get(&name).copied().unwrap_or(0);
            functions.push((slope([before as f64, count as f64], [&half, &whole].map(self.number))?, name));
        }
        functions.sort_by(|one, other| other.0.total_cmp(&one.0));

        let all: f64 = functions.iter().map(|(count, _)| count).sum();
        let (shown, others): (Vec<_>, Vec<_>) =
            functions.iter().partition(|(count, _)| *count >= all * LEAST);
        println!("| function | instructions of {} |\n| --- | --- |", self.what);
        for (count, name) in shown {
            println!("| `{name}` | {count:.0} |");
        }
        println!("| others | {:.0} |", others.iter().map(|(count, _)| count).sum::<f64>());
        println!("| together | {all:.0} |");
        Ok(())
    }
}

/// Counts of a profile of callgrind, without those of called functions.
///
/// Its format: <https://valgrind.org/docs/manual/cl-format.html>.
fn by_function(text: &str) -> BTreeMap<String, u64> {
    let (mut counts, mut names) = (BTreeMap::new(), HashMap::new());
    let (mut function, mut is_of_a_call) = (String::new(), false);
    for line in text.lines() {
        // A name is there in full at first, and then as its number.
        if let Some((number, name)) = line.trim_start_matches('c').strip_prefix("fn=").map(numbered) {
            if !name.is_empty() {
                names.insert(number, short(name));
            }
            if line.starts_with("fn=") {
                function = names.get(number).cloned().unwrap_or_default();
            }
        } else if line.starts_with("calls=") {
            is_of_a_call = true;
        } else if line.starts_with(|first: char| "+-*0123456789".contains(first)) {
            let count = line.split_whitespace().nth(1).and_then(|count| count.parse::<u64>().ok());
            if let Some(count) = count.filter(|_| !is_of_a_call) {
                *counts.entry(function.clone()).or_default() += count;
            }
            is_of_a_call = false;
        }
    }
    counts
}

/// `(12) name`, or `(12)`.
fn numbered(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// The type and the function, or the module and the function.
fn short(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        let (inside, after) = bracketed(&rest[at + 1..]);
        // `<impl a::Type>::function`, `<a::Type as b::Trait>::function`; other brackets have arguments.
        if plain.is_empty() || plain.ends_with("::") {
            let of = inside.strip_prefix("impl ").unwrap_or(inside);
            plain.push_str(&short(of.split(" as ").next().unwrap_or(of)));
        }
        rest = after;
    }
    plain.push_str(rest);
    let segments: Vec<_> =
        plain.split("::").filter(|part| !part.is_empty() && *part != "{{closure}}").collect();
    segments[segments.len().saturating_sub(2)..].join("::")
}

/// Splits a text at the bracket that closes it.
fn bracketed(text: &str) -> (&str, &str) {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == '<') - i32::from(letter == '>' && !text[..at].ends_with('-'));
        if depth == 0 {
            return (&text[..at], &text[at + 1..]);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short() {
        let names = [
            ("anyrt::backend::sim::net::socket::Socket::poll_read", "Socket::poll_read"),
            ("a::turn::<impl anyrt::world::State>::happen", "State::happen"),
            ("<on_anyrt::Connection as scenarios::Stream>::receive::{{closure}}", "Connection::receive"),
            ("async_task::raw::RawTask<F,T,S,M>::run", "RawTask::run"),
            ("core::ptr::drop_in_place<a::Guard<b::State>>", "ptr::drop_in_place"),
            ("malloc", "malloc"),
        ];
        for (name, expected) in names {
            assert_eq!(short(name), expected);
        }
    }

    #[test]
    fn calls_are_counted_where_they_go() {
        let text =
            "fn=(1) a::f\n16 400\ncfn=(2) b::g\ncalls=1 50\n16 700\n+1 3\n\nfn=(2)\n20 700\nfn=(1)\n* 10\n";
        let expected = [("a::f".to_owned(), 413), ("b::g".to_owned(), 700)];
        assert_eq!(by_function(text), BTreeMap::from(expected));
    }
}
