//! Shared code of the examples: the runtime is chosen on the command line, and wrong input ends with one clear line.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use anyrt::{AnyRuntime, Runtime};
use clap::builder::{EnumValueParser, PossibleValue};
use clap::{Arg, ArgMatches, Command, ValueEnum};

/// Which runtime a program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Tokio,
    AsyncStd,
    Smol,
    /// On every compiled-in runtime, one after the other.
    All,
}

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Tokio, Self::AsyncStd, Self::Smol, Self::All]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = match self {
            Self::Tokio => PossibleValue::new("tokio"),
            Self::AsyncStd => PossibleValue::new("async-std"),
            Self::Smol => PossibleValue::new("smol"),
            Self::All => PossibleValue::new("all").help("Each that is compiled in, one after the other"),
        };
        Some(value)
    }
}

/// The option `--runtime`.
#[allow(dead_code, reason = "`sim_kv` has a choice of its own")]
pub(crate) fn runtime() -> Arg {
    let choice = EnumValueParser::<Choice>::new();
    Arg::new("runtime").long("runtime").value_name("RUNTIME").value_parser(choice).default_value("all")
}

/// A program that is generic over runtimes.
pub(crate) trait Program {
    type Report;

    async fn run<R: Runtime>(&self, runtime: R) -> Result<Self::Report, Error>;

    /// Creates a runtime, and runs the program on it.
    #[allow(dead_code, reason = "nobody calls it when no runtime is compiled in")]
    fn on<R>(&self, new: impl Fn() -> io::Result<R>) -> Result<Self::Report, Error>
    where
        R: Runtime + Into<AnyRuntime>,
    {
        let runtime = new()?;
        runtime.block_on(self.run(runtime.clone()))
    }
}

/// The name of a runtime, and the report of the program on it.
pub(crate) type Reports<P> = Vec<(&'static str, <P as Program>::Report)>;

/// Runs `program` on the runtime of `choice`, or on each. Only this function names the runtimes.
pub(crate) fn run<P: Program>(choice: Choice, program: &P) -> Result<Reports<P>, Error> {
    let _ = program; // which no runtime needs when there is none
    #[allow(unused_mut, reason = "it stays empty when no runtime is compiled in")]
    let mut reports = Reports::<P>::new();
    #[cfg(feature = "tokio")]
    if matches!(choice, Choice::Tokio | Choice::All) {
        reports.push(("tokio", program.on(anyrt::Tokio::new)?));
    }
    #[cfg(feature = "async-std")]
    if matches!(choice, Choice::AsyncStd | Choice::All) {
        reports.push(("async-std", program.on(|| Ok(anyrt::AsyncStd::global()))?));
    }
    #[cfg(feature = "smol")]
    if matches!(choice, Choice::Smol | Choice::All) {
        reports.push(("smol", program.on(anyrt::Smol::new)?));
    }
    if reports.is_empty() {
        let (runtime, feature) = match choice {
            Choice::Tokio => ("tokio is not", "--features tokio"),
            Choice::AsyncStd => ("async-std is not", "--features async-std"),
            Choice::Smol => ("smol is not", "--features smol"),
            Choice::All => ("no runtime is", "--all-features"),
        };
        return Err(Error::input(format!("{runtime} compiled in: run it with `{feature}`")));
    }
    Ok(reports)
}

/// The reason why a program ends early.
#[derive(Debug)]
pub(crate) struct Error {
    text: String,
    code: u8,
}

impl Error {
    /// An error that the user can correct.
    pub(crate) fn input(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), code: 2 }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self { text: error.to_string(), code: 1 }
    }
}

impl From<anyrt::task::JoinError> for Error {
    fn from(error: anyrt::task::JoinError) -> Self {
        io::Error::from(error).into()
    }
}

/// The `main` of every example: prints the result of `program`.
pub(crate) fn main(
    arguments: Command,
    program: impl FnOnce(ArgMatches) -> Result<String, Error>,
) -> ExitCode {
    let result = match arguments.try_get_matches() {
        Ok(arguments) => program(arguments),
        // `--help` is an error of clap that belongs on the standard output.
        Err(message) if !message.use_stderr() => Ok(message.to_string()),
        Err(error) => Err(Error::input(one_line(&error.to_string()))),
    };
    match result.and_then(|text| print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.text);
            ExitCode::from(error.code)
        }
    }
}

/// The value of an argument that has a default.
pub(crate) fn value<T: Clone + Send + Sync + 'static>(arguments: &ArgMatches, name: &str) -> T {
    arguments.get_one::<T>(name).expect("it has a default").clone()
}

/// Writes to the standard output.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    match io::stdout().write_all(text.as_bytes()) {
        // The reader has closed the pipe: `port_scan | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Error::from),
    }
}

/// Returns the message of clap without its hints.
fn one_line(text: &str) -> String {
    let said: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    said.join(" ").trim_start_matches("error: ").to_owned()
}
