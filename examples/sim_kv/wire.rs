//! The protocol: frames of text, each after its length.

use std::fmt;
use std::io::{self, ErrorKind};
use std::str::FromStr;

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Order of the values: versions of one client differ by the counter, those of several clients by the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) counter: u64,
    pub(crate) client: u64,
}

/// A value and its version. The initial value is empty, and older than all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) version: Version,
    pub(crate) value: String,
}

/// A request of a client. A key has no spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Load { key: String },
    Store { key: String, entry: Entry },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Loaded(Entry),
    Stored,
}

/// Maximum length of a frame.
const LONGEST: usize = 1 << 20;

pub(crate) async fn send<W: AsyncWrite + Unpin>(
    stream: &mut W,
    message: impl fmt::Display,
) -> io::Result<()> {
    let text = message.to_string();
    let length = u32::try_from(text.len()).map_err(|_| no_message(&text))?;
    stream.write_all(&[&length.to_be_bytes(), text.as_bytes()].concat()).await
}

/// Returns the next message; an error of kind `UnexpectedEof` at the end.
pub(crate) async fn receive<R: AsyncRead + Unpin, T: FromStr<Err = io::Error>>(
    stream: &mut R,
) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(no_message(&format!("{length} bytes")));
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    String::from_utf8(text).map_err(|error| no_message(&error.to_string()))?.parse()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.counter, self.client)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.value)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { key } => write!(f, "load {key}"),
            Self::Store { key, entry } => write!(f, "store {key} {entry}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded(entry) => write!(f, "loaded {entry}"),
            Self::Stored => write!(f, "stored"),
        }
    }
}

impl FromStr for Entry {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        let parse = || {
            let (version, value) = text.split_once(' ')?;
            let (counter, client) = version.split_once('.')?;
            let version = Version { counter: counter.parse().ok()?, client: client.parse().ok()? };
            Some(Self { version, value: value.to_owned() })
        };
        parse().ok_or_else(|| no_message(text))
    }
}

impl FromStr for Request {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        match text.split_once(' ') {
            Some(("load", key)) => Ok(Self::Load { key: key.to_owned() }),
            Some(("store", rest)) => {
                let (key, entry) = rest.split_once(' ').ok_or_else(|| no_message(text))?;
                Ok(Self::Store { key: key.to_owned(), entry: entry.parse()? })
            }
            _ => Err(no_message(text)),
        }
    }
}

impl FromStr for Answer {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        match text.split_once(' ') {
            Some(("loaded", entry)) => Ok(Self::Loaded(entry.parse()?)),
            None if text == "stored" => Ok(Self::Stored),
            _ => Err(no_message(text)),
        }
    }
}

fn no_message(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{text:?} is no message"))
}
