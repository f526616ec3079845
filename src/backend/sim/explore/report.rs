//! The report of a seed that fails.

use std::fmt;

use super::reduce::Found;
use crate::backend::sim::panics::Panic;

/// The panic message of `explore`.
pub(super) struct Report<'a> {
    /// How many runs passed before.
    pub(super) passed: u64,
    pub(super) found: &'a Found,
    /// How this program was started.
    pub(super) command: String,
}

/// The number of panics that are shown before, and after, the one that is told first.
const MOST_PANICS: usize = 3;

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { failure, replay, .. } = self.found;
        match self.passed {
            0 => writeln!(f, "anyrt: seed {} fails, the first of all:", replay.seed)?,
            passed => writeln!(f, "anyrt: seed {} fails, after {} that passed:", replay.seed, runs(passed))?,
        }
        match failure.root() {
            None => write_indented(f, &failure.how)?,
            Some(root) => {
                write_indented(f, &failure.before[root])?;
                write_others(f, "Before that", &failure.before[..root])?;
                write_others(f, "After that", &failure.before[root + 1..])?;
                writeln!(f, "In the end, the program:")?;
                write_indented(f, &failure.how)?;
            }
        }
        self.write_what_is_needed(f)?;
        writeln!(f, "To run it again:")?;
        writeln!(f, "  {replay} {}", self.command)?;
        write!(f, "To see it, add ANYRT_SIM_LOG=run.html")
    }
}

impl Report<'_> {
    /// Which of those that a guided search has made are needed.
    fn write_switches(&self, f: &mut fmt::Formatter<'_>, all: usize) -> fmt::Result {
        match &self.found.replay.seed.switches[..] {
            _ if all == 0 => Ok(()),
            [] => write!(f, "; none of {all} switches to another seed"),
            [(after, _)] => write!(f, "; 1 of {all} switches to another seed, after step {after}"),
            [before @ .., (last, _)] => {
                let before: Vec<_> = before.iter().map(|(after, _)| after.to_string()).collect();
                let kept = before.len() + 1;
                write!(
                    f,
                    "; {kept} of {all} switches to another seed, after steps {} and {last}",
                    before.join(", ")
                )
            }
        }
    }

    fn write_what_is_needed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { replay, switches, choices, faults, buggified, gave_up, parting, .. } = self.found;
        if let Some(parting) = parting {
            return writeln!(
                f,
                "The program is not deterministic: another run with this seed went differently. {parting}"
            );
        }
        let all = grouped(*choices);
        write!(f, "Needed to reproduce: ")?;
        match replay.choices {
            None if *choices == 0 => write!(f, "no scheduling choice")?,
            Some(0) => write!(f, "none of {all} scheduling choices")?,
            Some(choices) => write!(f, "{} of {all} scheduling choices", grouped(choices))?,
            None if *choices == 1 => write!(f, "the only scheduling choice")?,
            None => write!(f, "all {all} scheduling choices")?,
        }
        self.write_switches(f, *switches)?;
        match replay.faults.as_deref() {
            _ if faults.is_empty() => writeln!(f, ".")?,
            None if faults.len() == 1 => writeln!(f, "; the only fault:")?,
            None => writeln!(f, "; all {} faults:", faults.len())?,
            Some([]) => writeln!(f, "; none of {} faults.", faults.len())?,
            Some(kept) => writeln!(f, "; {} of {} faults:", kept.len(), faults.len())?,
        }
        let is_needed = |at: &usize| replay.faults.as_ref().is_none_or(|kept| kept.contains(at));
        let needed = faults.iter().enumerate().filter(|(at, _)| is_needed(at));
        needed.map(|(_, fault)| fault).try_for_each(|fault| write_indented(f, fault))?;
        if !buggified.is_empty() {
            writeln!(f, "In that run, `buggify!` was true at:")?;
            buggified.iter().try_for_each(|place| write_indented(f, place))?;
        }
        match gave_up {
            Some(why) if *choices > 0 || !faults.is_empty() => {
                writeln!(f, "Fewer may be enough: {why}.")
            }
            _ => Ok(()),
        }
    }
}

fn write_others(f: &mut fmt::Formatter<'_>, when: &str, panics: &[Panic]) -> fmt::Result {
    if panics.is_empty() {
        return Ok(());
    }
    writeln!(f, "{when}, in the same run:")?;
    panics.iter().take(MOST_PANICS).try_for_each(|panic| write_indented(f, panic))?;
    match panics.len().saturating_sub(MOST_PANICS) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

fn write_indented(f: &mut fmt::Formatter<'_>, what: impl fmt::Display) -> fmt::Result {
    what.to_string().lines().try_for_each(|line| writeln!(f, "  {line}"))
}

/// In a guided search one seed has many runs; otherwise each has one.
pub(super) fn runs(count: u64) -> String {
    match count {
        1 => "1 run".to_owned(),
        count => format!("{} runs", grouped(count)),
    }
}

/// With commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sim::explore::failure::{Failure, How};
    use crate::backend::sim::replay::{Replay, Seed};

    fn panic(location: &str, text: &str) -> Panic {
        Panic { location: Some(location.to_owned()), text: text.to_owned() }
    }

    fn report(found: &Found) -> String {
        Report { passed: found.replay.seed.first, found, command: "cargo test it -- --exact".to_owned() }
            .to_string()
    }

    fn found() -> Found {
        let how = How::Panicked(panic("kv/check.rs:88:9", "read 3\nafter 5"));
        Found {
            failure: Failure { how, before: Vec::new() },
            replay: Replay { seed: 4_711.into(), choices: Some(12), faults: Some(vec![1]) },
            switches: 0,
            choices: 1_340,
            faults: ["crash of \"a\"", "crash of \"b\"", "partition"].map(str::to_owned).into(),
            buggified: Vec::new(),
            gave_up: None,
            parting: None,
        }
    }

    #[test]
    fn report_says_what_is_needed() {
        assert_eq!(
            report(&found()),
            r#"anyrt: seed 4711 fails, after 4,711 runs that passed:
  panicked at kv/check.rs:88:9:
  read 3
  after 5
Needed to reproduce: 12 of 1,340 scheduling choices; 1 of 3 faults:
  crash of "b"
To run it again:
  ANYRT_SIM_SEED=4711 ANYRT_SIM_CHOICES=12 ANYRT_SIM_FAULTS=1 cargo test it -- --exact
To see it, add ANYRT_SIM_LOG=run.html"#
        );
    }

    #[test]
    fn report_of_what_could_not_be_reduced() {
        let before = ["one", "two", "three", "four", "five"].map(|text| panic("kv/task.rs:1:1", text));
        let failure = Failure { how: How::Returned("Broken".to_owned()), before: before.into() };
        let replay = Replay { seed: 0.into(), choices: None, faults: None };
        assert_eq!(
            report(&Found { failure, replay, gave_up: Some("the reduction ran out of time"), ..found() }),
            r#"anyrt: seed 0 fails, the first of all:
  panicked at kv/task.rs:1:1:
  one
After that, in the same run:
  panicked at kv/task.rs:1:1:
  two
  panicked at kv/task.rs:1:1:
  three
  panicked at kv/task.rs:1:1:
  four
  and 1 more
In the end, the program:
  returned an error:
  Broken
Needed to reproduce: all 1,340 scheduling choices; all 3 faults:
  crash of "a"
  crash of "b"
  partition
Fewer may be enough: the reduction ran out of time.
To run it again:
  ANYRT_SIM_SEED=0 cargo test it -- --exact
To see it, add ANYRT_SIM_LOG=run.html"#
        );
    }

    #[test]
    fn report_leads_with_the_panic_that_the_others_quote() {
        let join = panic("kv/join.rs:2:2", "task panicked with message \"the \\\"disk\\\"\"");
        let before =
            vec![panic("kv/other.rs:1:1", "tolerated"), panic("kv/disk.rs:9:9", "the \"disk\""), join];
        let last = panic("kv/main.rs:3:3", &format!("called `unwrap()` on an `Err`: {:?}", before[2].text));
        let failure = Failure { how: How::Panicked(last.clone()), before };
        let report = report(&Found { failure, ..found() });
        let lines = format!(
            "  panicked at kv/disk.rs:9:9:
  the \"disk\"
Before that, in the same run:
  panicked at kv/other.rs:1:1:
  tolerated
After that, in the same run:
  panicked at kv/join.rs:2:2:
  task panicked with message \"the \\\"disk\\\"\"
In the end, the program:
  panicked at kv/main.rs:3:3:
  {}
Needed to reproduce: ",
            last.text
        );
        assert!(report.contains(&lines), "{report}");
    }

    #[test]
    fn report_of_faults_that_do_not_matter() {
        let replay = Replay { seed: 1.into(), choices: Some(0), faults: Some(vec![]) };
        let text = report(&Found { replay: replay.clone(), ..found() });
        assert!(text.contains("none of 1,340 scheduling choices; none of 3 faults.\nTo run"), "{text}");
        assert!(text.contains("ANYRT_SIM_CHOICES=0 ANYRT_SIM_FAULTS=none cargo"), "{text}");
        let text =
            report(&Found { replay: Replay { faults: None, ..replay }, faults: Vec::new(), ..found() });
        assert!(text.contains("none of 1,340 scheduling choices.\nTo run"), "{text}");
        let replay = Replay { seed: 1.into(), choices: None, faults: None };
        let text = report(&Found { replay: replay.clone(), choices: 0, faults: Vec::new(), ..found() });
        assert!(text.contains("Needed to reproduce: no scheduling choice.\nTo run"), "{text}");
        let faults = found().faults.split_off(2);
        let text = report(&Found { replay, choices: 1, faults, ..found() });
        assert!(text.contains("the only scheduling choice; the only fault:\n  "), "{text}");
    }

    #[test]
    fn report_says_where_a_rare_branch_was_taken() {
        let buggified = ["kv/a.rs:1:1 (once)", "kv/b.rs:2:2 (3 times)"].map(str::to_owned).into();
        let text = report(&Found { buggified, ..found() });
        let lines = "  crash of \"b\"
In that run, `buggify!` was true at:
  kv/a.rs:1:1 (once)
  kv/b.rs:2:2 (3 times)
To run";
        assert!(text.contains(lines), "{text}");
    }

    #[test]
    fn report_says_which_switches_are_needed() {
        let with = |switches: &[(u64, u64)], all| {
            let seed = Seed { first: 812, switches: switches.into() };
            let replay = Replay { seed, choices: Some(12), faults: None };
            report(&Found { replay, switches: all, faults: Vec::new(), ..found() })
        };
        let text = with(&[(37, 9_113), (40, 5), (95, 4)], 4);
        assert!(text.starts_with("anyrt: seed 812@37,9113@40,5@95,4 fails, after "), "{text}");
        let needed = "Needed to reproduce: 12 of 1,340 scheduling choices";
        let lines = format!(
            "\n{needed}; 3 of 4 switches to another seed, after steps 37, 40 and 95.\n\
             To run it again:\n  ANYRT_SIM_SEED=812@37,9113@40,5@95,4 ANYRT_SIM_CHOICES=12 cargo"
        );
        assert!(text.contains(&lines), "{text}");
        let text = with(&[(37, 9_113)], 1);
        assert!(
            text.contains(&format!("{needed}; 1 of 1 switches to another seed, after step 37.\n")),
            "{text}"
        );
        let text = with(&[], 2);
        assert!(text.contains(&format!("{needed}; none of 2 switches to another seed.\n")), "{text}");
    }

    #[test]
    fn thousands_are_grouped() {
        let numbers = [0, 999, 1_000, 123_456, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }
}
