use std::fmt;
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::hash::hash;
use super::kind::Kind;
use crate::backend::sim::panics::Panic;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(super) nanos: u64,
    pub(super) kind: Kind,
    // As the hash has it: of a task, a socket or a timer.
    pub(super) number: u64,
    pub(super) payload: u64,
    pub(super) host: Option<usize>,
    pub(super) task: Option<u64>,
    pub(super) socket: Option<u64>,
    pub(super) place: Option<&'static Location<'static>>,
    pub(super) more: More,
}

/// What only some have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum More {
    Nothing,
    /// A task of this kind, with this name.
    Is(TaskKind, Option<Arc<str>>),
    /// This task was at work.
    By(u64),
    Waits(Wait),
    Says(String),
    /// Its number, its client, and what it is.
    Operation(u64, Arc<str>, String),
    /// Of these operations.
    Contradiction(Vec<u64>, String),
    Panic(Panic),
    /// It is of the way to this host.
    To(usize),
    Flight {
        message: u64,
        flight: Flight,
        // Where it arrives.
        sent: Option<u64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TaskKind {
    Main,
    Future,
    Closure,
}

/// Where a task comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) kind: TaskKind,
    pub(crate) started: &'static Location<'static>,
    pub(crate) name: Option<&'a str>,
}

impl Origin<'_> {
    /// A task without a name.
    pub(crate) fn new(kind: TaskKind, started: &'static Location<'static>) -> Self {
        Self { kind, started, name: None }
    }
}

/// What a task waits for, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wait {
    /// The timer does not fire.
    Forever,
    Timer(u64),
    Socket(&'static str, Option<SocketAddr>),
    /// No signal arrives.
    #[cfg(feature = "signal")]
    Signal,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("sleeps for ever"),
            Self::Timer(nanos) => write!(f, "sleeps until {:?}", Duration::from_nanos(*nanos)),
            Self::Socket(what, None) => write!(f, "waits to {what}"),
            Self::Socket(what, Some(addr)) => write!(f, "waits to {what} {addr}"),
            #[cfg(feature = "signal")]
            Self::Signal => f.write_str("waits for Ctrl-C or another signal, and none comes in a simulation"),
        }
    }
}

/// What goes from one host to another, or to itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    pub(crate) what: &'static str,
    /// From where, and to where.
    pub(crate) hosts: (usize, usize),
    pub(crate) addrs: [String; 2],
    pub(crate) bytes: usize,
    pub(crate) payload: u64,
    /// Its beginning, as text.
    pub(crate) content: Arc<str>,
}

impl Flight {
    pub(crate) fn new(what: &'static str, hosts: (usize, usize), addrs: [String; 2], bytes: &[u8]) -> Self {
        Self {
            what,
            hosts,
            addrs,
            bytes: bytes.len(),
            payload: hash(bytes),
            content: content(bytes.iter().take(SHOWN).copied().collect()),
        }
    }
}

/// The number of bytes of a message that are shown.
const SHOWN: usize = 256;

/// Bytes as text: letters of any language, and the rest as in a string of bytes.
fn content(bytes: Vec<u8>) -> Arc<str> {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' | '"' => text.extend(['\\', letter]),
                '\0' => text.push_str("\\0"),
                letter if letter.is_ascii_control() => {
                    text.extend((letter as u8).escape_ascii().map(char::from))
                }
                letter if must_be_escaped(letter) => text.extend(letter.escape_default()),
                letter => text.push(letter),
            }
        }
        text.extend(chunk.invalid().iter().flat_map(|byte| byte.escape_ascii()).map(char::from));
    }
    text.into()
}

impl TaskKind {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Main => "block_on",
            Self::Future => "task",
            Self::Closure => "closure",
        }
    }
}

impl Event {
    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The host at the other end.
    pub(super) fn peer(&self) -> Option<usize> {
        match &self.more {
            More::Flight { flight: Flight { hosts: (from, to), .. }, sent, .. } => {
                Some(if sent.is_some() { *from } else { *to })
            }
            More::To(host) => Some(*host),
            _ => None,
        }
    }

    pub(super) fn describe<'a>(&'a self, host: impl Fn(usize) -> &'a str + 'a) -> impl fmt::Display + 'a {
        Description { event: self, host }
    }
}

struct Description<'a, H> {
    event: &'a Event,
    host: H,
}

impl<'a, H: Fn(usize) -> &'a str> fmt::Display for Description<'a, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event;
        match &event.more {
            More::Nothing => f.write_str(&event.kind.words()),
            More::Is(kind, None) => write!(f, "{} {}", kind.words(), event.kind.words()),
            More::Is(kind, Some(name)) => write!(f, "{} {name:?} {}", kind.words(), event.kind.words()),
            More::By(task) => write!(f, "{} by #{task}", event.kind.words()),
            More::Waits(wait) => wait.fmt(f),
            More::Operation(_, client, text) => {
                write!(f, "{} by {}: {}", event.kind.words(), OneLine(client), OneLine(text))
            }
            More::Contradiction(_, text) | More::Says(text) => {
                write!(f, "{}: {}", event.kind.words(), OneLine(text))
            }
            More::Panic(Panic { location: None, text }) => {
                write!(f, "{}: {}", event.kind.words(), OneLine(text))
            }
            More::Panic(Panic { location: Some(location), text }) => {
                write!(f, "{} at {location}: {}", event.kind.words(), OneLine(text))
            }
            More::Flight { message, flight, sent } => self.flight(f, *message, flight, *sent),
            More::To(host) => write!(f, "{}, to {}", event.kind.words(), (self.host)(*host)),
        }?;
        match event.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

/// A text without what would end the line, or more.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            letter if must_be_escaped(letter) => letter.escape_default().fmt(f),
            letter => letter.fmt(f),
        })
    }
}

fn must_be_escaped(letter: char) -> bool {
    matches!(letter, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

impl<'a, H: Fn(usize) -> &'a str> Description<'a, H> {
    fn flight(
        &self,
        f: &mut fmt::Formatter<'_>,
        message: u64,
        flight: &Flight,
        sent: Option<u64>,
    ) -> fmt::Result {
        let Flight { what, hosts: (from_host, to_host), addrs: [from, to], bytes, payload: _, content } =
            flight;
        f.write_str(&self.event.kind.words())?;
        match sent {
            None => write!(f, " {what} to {}", (self.host)(*to_host))?,
            Some(_) => write!(f, " from {}", (self.host)(*from_host))?,
        }
        write!(f, ", {from} to {to}")?;
        if *bytes > 0 {
            write!(f, ", {bytes} bytes, payload {:016x} \"{content}\"", self.event.payload)?;
        }
        write!(f, ", message {message}")?;
        match sent {
            Some(sent) => write!(f, " of {:?}", Duration::from_nanos(sent)),
            None => Ok(()),
        }
    }
}
