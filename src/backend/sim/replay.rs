//! Replay of a run, as the environment variables describe it.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::str::FromStr;

const SEED: &str = "ANYRT_SIM_SEED";
const CHOICES: &str = "ANYRT_SIM_CHOICES";
const FAULTS: &str = "ANYRT_SIM_FAULTS";
const GUIDED: &str = "ANYRT_SIM_GUIDED";

/// What a run is drawn from: a seed, and others from some of its steps on.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Seed {
    pub(super) first: u64,
    /// After how many steps, and to which seed: later ones last.
    pub(super) switches: Vec<(u64, u64)>,
}

impl From<u64> for Seed {
    fn from(first: u64) -> Self {
        Self { first, switches: Vec::new() }
    }
}

/// A plain one is a number. `812@37,9113` is 812 for 37 steps, and 9113 from then on.
impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.switches.iter().try_for_each(|(after, seed)| write!(f, "@{after},{seed}"))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Seed {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let read = |text: &str| number(text.trim()).ok_or(());
        let mut parts = text.split('@');
        let mut seed = Self::from(read(parts.next().unwrap_or_default())?);
        for part in parts {
            let (after, to) = part.split_once(',').ok_or(())?;
            let after = read(after)?;
            if seed.switches.last().is_some_and(|(before, _)| *before >= after) {
                return Err(());
            }
            seed.switches.push((after, read(to)?));
        }
        Ok(seed)
    }
}

/// One run of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Replay {
    pub(super) seed: Seed,
    /// Number of choices that the policy makes; `None`: all.
    pub(super) choices: Option<u64>,
    /// Indices of the drawn faults that happen; `None`: all.
    pub(super) faults: Option<Vec<usize>>,
}

impl Replay {
    /// Returns the replay of the environment, if it sets a seed.
    pub(super) fn of_the_environment() -> io::Result<Option<Self>> {
        Self::read(|name| env::var_os(name))
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> io::Result<Option<Self>> {
        let what = "a seed: write a whole number below 2^64, or what `explore` prints, such as 812@37,9113 or \
                    812@37,9113@95,4, with more steps behind each @";
        let seed = parse(&variable, SEED, what, |text| text.parse().ok())?;
        let choices =
            parse(&variable, CHOICES, "a number of choices: write one, as `explore` prints it", number)?;
        let faults = parse(
            &variable,
            FAULTS,
            "a list of faults: write their numbers with commas between, or `none`",
            numbers,
        )?;
        match seed {
            Some(seed) => Ok(Some(Self { seed, choices, faults })),
            None if choices.is_some() => Err(without_seed(CHOICES)),
            None if faults.is_some() => Err(without_seed(FAULTS)),
            None => Ok(None),
        }
    }
}

/// The variables to set in front of a command.
impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SEED}={}", self.seed)?;
        if let Some(choices) = self.choices {
            write!(f, " {CHOICES}={choices}")?;
        }
        match self.faults.as_deref() {
            None => Ok(()),
            Some([]) => write!(f, " {FAULTS}=none"),
            Some(faults) => {
                let faults: Vec<_> = faults.iter().map(usize::to_string).collect();
                write!(f, " {FAULTS}={}", faults.join(","))
            }
        }
    }
}

/// Reads a variable; the error of a bad value says that it is not `what`.
pub(super) fn parse<T>(
    variable: impl Fn(&str) -> Option<OsString>,
    name: &str,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> io::Result<Option<T>> {
    let Some(value) = variable(name) else { return Ok(None) };
    match value.to_str().and_then(|text| parse(text.trim())) {
        Some(parsed) => Ok(Some(parsed)),
        None => {
            let text = format!("anyrt: {name} is {value:?}, which is not {what}");
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        }
    }
}

/// Whether a search is to be guided, if the environment decides that.
pub(super) fn guided_by_the_environment() -> io::Result<Option<bool>> {
    guided(|name| env::var_os(name))
}

fn guided(variable: impl Fn(&str) -> Option<OsString>) -> io::Result<Option<bool>> {
    let what = "a choice: write 1 for a guided search, or 0 for one of plain seeds";
    parse(variable, GUIDED, what, |text| match text {
        "0" | "" => Some(false),
        "1" => Some(true),
        _ => None,
    })
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn numbers(text: &str) -> Option<Vec<usize>> {
    match text {
        "" | "none" => Some(Vec::new()),
        text => text.split(',').map(|number| number.trim().parse().ok()).collect(),
    }
}

fn without_seed(name: &str) -> io::Error {
    let text =
        format!("anyrt: {name} is set, which belongs to a seed, and {SEED} is not: set both or neither");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> io::Result<Option<Replay>> {
        Replay::read(|name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn what_is_written_is_read() {
        let replays =
            [(None, None), (Some(0), Some(vec![])), (Some(12), Some(vec![3])), (None, Some(vec![0, 5]))];
        for (choices, faults) in replays {
            let switches = if choices.is_some() { vec![(0, u64::MAX), (37, 9_113)] } else { Vec::new() };
            let replay = Replay { seed: Seed { first: u64::MAX, switches }, choices, faults };
            let text = replay.to_string();
            let variables: Vec<_> = text.split(' ').map(|it| it.split_once('=').unwrap()).collect();
            assert_eq!(read(&variables).unwrap(), Some(replay), "{text}");
        }
        assert_eq!(read(&[]).unwrap(), None);
        let nothing = read(&[(SEED, " 7 "), (FAULTS, "")]).unwrap().unwrap();
        assert_eq!((nothing.seed, nothing.faults), (7.into(), Some(vec![])));
        let switched = read(&[(SEED, "812@37,9113@95,4")]).unwrap().unwrap().seed;
        assert_eq!(switched, Seed { first: 812, switches: vec![(37, 9_113), (95, 4)] });
    }

    #[test]
    fn environment_decides_whether_a_search_is_guided() {
        for (value, expected) in [("1", true), (" 1 ", true), ("0", false), ("", false)] {
            assert_eq!(guided(|_| Some(value.into())).unwrap(), Some(expected));
        }
        assert_eq!(guided(|_| None).unwrap(), None);
        let error = guided(|_| Some("yes".into())).unwrap_err().to_string();
        assert_eq!(
            error,
            "anyrt: ANYRT_SIM_GUIDED is \"yes\", which is not a choice: write 1 for a guided search, or 0 for one of plain seeds"
        );
    }

    #[test]
    fn what_is_no_number_is_named() {
        for (variables, words) in [
            (vec![(SEED, "seven")], [SEED, "\"seven\"", "a whole number"]),
            (vec![(SEED, "18446744073709551616")], [SEED, "18446744073709551616", "below 2^64"]),
            (vec![(SEED, "812@37")], [SEED, "\"812@37\"", "such as 812@37,9113"]),
            (vec![(SEED, "812@,1")], [SEED, "\"812@,1\"", "such as 812@37,9113"]),
            (vec![(SEED, "@37,1")], [SEED, "\"@37,1\"", "such as 812@37,9113"]),
            (vec![(SEED, "812@37,1@37,2")], [SEED, "\"812@37,1@37,2\"", "with more steps behind each @"]),
            (vec![(SEED, "1"), (CHOICES, "-1")], [CHOICES, "\"-1\"", "a number of choices"]),
            (vec![(SEED, "1"), (FAULTS, "1,,2")], [FAULTS, "\"1,,2\"", "with commas between"]),
            (vec![(CHOICES, "1")], [CHOICES, SEED, "set both"]),
            (vec![(FAULTS, "1")], [FAULTS, SEED, "set both"]),
        ] {
            let error = read(&variables).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            let text = error.to_string();
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
        }
    }
}
