//! Failures of a program, and their first cause.

use std::fmt;

use crate::backend::sim::panics::{self, Panic};
use crate::backend::sim::world::BootPanicked;
use crate::runtime::task::catch_panic::{Payload, discard};

/// How a program failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) how: How,
    // Panics before that, of which the program may not have died.
    pub(super) before: Vec<Panic>,
}

#[derive(Clone, Debug)]
pub(super) enum How {
    Panicked(Panic),
    Returned(String),
    /// The program of a host, which nobody awaits.
    Booted(BootPanicked),
    /// A destructor took too long, after the program.
    Blocked(Box<str>),
}

impl Failure {
    pub(super) fn new(outcome: Result<Option<String>, Payload>, mut panics: Vec<Panic>) -> Option<Self> {
        match outcome {
            Ok(error) => error.map(|error| Self { how: How::Returned(error), before: panics }),
            Err(payload) => {
                let text = panics::text(&*payload);
                discard(payload);
                // If it resumed the panic of a task, that panic is not the last; and none is recorded if the hook was
                // replaced.
                let panic = match panics.iter().rposition(|panic| panic.text == text) {
                    Some(at) => {
                        panics.truncate(at + 1);
                        panics.pop()
                    }
                    None => None,
                };
                let panic = panic.unwrap_or(Panic { location: None, text });
                Some(Self { how: How::Panicked(panic), before: panics })
            }
        }
    }

    /// The program has ended well, and one of a host has not.
    pub(super) fn of_a_host(panicked: BootPanicked, mut panics: Vec<Panic>) -> Self {
        // Its own is told by itself, and those after it did not lead to it.
        if let Some(at) = panics.iter().position(|panic| *panic == panicked.panic) {
            panics.truncate(at);
        }
        Self { how: How::Booted(panicked), before: panics }
    }

    /// A failure after the program has ended.
    pub(super) fn of_the_end(why: Box<str>) -> Self {
        Self { how: How::Blocked(why), before: Vec::new() }
    }

    /// Whether both are one mistake, as far as can be seen.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (&self.how, &other.how) {
            (How::Returned(error), How::Returned(other)) => error == other,
            (How::Panicked(panic), How::Panicked(others)) => {
                let is_there = match (&panic.location, &others.location) {
                    (None, None) => panic.text == others.text,
                    (location, others) => location == others,
                };
                is_there && own_words(&panic.text) == own_words(&others.text) && self.cause() == other.cause()
            }
            (How::Booted(one), How::Booted(another)) => {
                one.panic.location == another.panic.location && self.cause() == other.cause()
            }
            _ => false,
        }
    }

    /// Where the panic was that this one quotes: `unwrap` of a handle is one place for everything that a task does.
    fn cause(&self) -> Option<&str> {
        self.quoted(&self.how.to_string(), self.before.len())
            .and_then(|at| self.before[at].location.as_deref())
    }

    /// Which of the panics before it all began with: where one quotes another, that one, and else the first.
    pub(super) fn root(&self) -> Option<usize> {
        let mut root = self.quoted(&self.how.to_string(), self.before.len());
        while let Some(earlier) = root.and_then(|at| self.quoted(&self.before[at].text, at)) {
            root = Some(earlier);
        }
        root.or(if self.before.is_empty() { None } else { Some(0) })
    }

    /// The last panic of the first `end` that a text quotes.
    fn quoted(&self, text: &str, end: usize) -> Option<usize> {
        self.before[..end].iter().rposition(|panic| text.contains(&format!("{:?}", panic.text)))
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::Returned(error) => write!(f, "returned an error:\n{error}"),
            Self::Booted(panicked) => panicked.fmt(f),
            Self::Blocked(why) => write!(f, "ended, and then\n{why}"),
        }
    }
}

/// What is wrong with a simulation; None: what is wrong with the program. Either is a panic at a `block_on`.
fn own_words(text: &str) -> Option<&str> {
    text.strip_prefix("anyrt: ").and_then(|text| text.split('.').next())
}
