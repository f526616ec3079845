//! A live view of a server with one bad task: how its runtime is, and who blocks it.
//!
//! ```sh
//! cargo run -p examples --features watch --example watch -- --runtime smol
//! cargo run -p examples --features watch --example watch -- --runtime smol --fixed
//! cargo run -p examples --features watch --example watch -- --runtime smol --picture examples/watch/screen.svg
//! ```
//!
//! `q` ends it. Where there is no terminal it prints lines instead, and ends by itself. The last command draws the picture of
//! the README.

mod numbers;
mod picture;
mod screen;
mod server;
#[path = "../shared/mod.rs"]
mod shared;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyrt::task::AbortOnDropHandle;
use anyrt::watch::{Report, WatchOptions};
use anyrt::{AnyRuntime, Runtime};
use clap::{Command, ValueEnum, arg, value_parser};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use numbers::{LIMIT, Numbers};
use shared::{Choice, Error, Program};

/// How often the screen is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// The picture, in cells.
const PICTURE: (u16, u16) = (100, 22);

fn arguments() -> Command {
    let about = "Shows a server with a task that blocks its thread";
    Command::new("watch").about(about).args([
        arg!(--runtime <RUNTIME>).value_parser(["tokio", "async-std", "smol"]).default_value("tokio"),
        arg!(--fixed "Without the mistake: the task blocks a thread for blocking code"),
        arg!(--seconds <SECONDS> "When it ends; 5 where there is no terminal")
            .value_parser(value_parser!(u64).range(1..)),
        arg!(--picture <FILE> "Write the last screen into an SVG").value_parser(value_parser!(PathBuf)),
    ])
}

fn main() -> ExitCode {
    shared::main(arguments(), |mut arguments| {
        let word: String = shared::value(&arguments, "runtime");
        let choice = Choice::from_str(&word, false).map_err(Error::input)?;
        let watched = Watched {
            title: format!(
                "{word}{}",
                if arguments.get_flag("fixed") { ", without the mistake" } else { "" }
            ),
            fixed: arguments.get_flag("fixed"),
            seconds: arguments.remove_one("seconds"),
            picture: arguments.remove_one("picture"),
        };
        shared::run(choice, &watched)?;
        Ok(String::new())
    })
}

#[derive(Clone)]
struct Watched {
    title: String,
    fixed: bool,
    seconds: Option<u64>,
    picture: Option<PathBuf>,
}

impl Program for Watched {
    type Report = ();

    /// What is watched.
    async fn run<R: Runtime>(&self, runtime: R) -> Result<(), Error> {
        Ok(server::run(runtime, self.fixed).await?)
    }

    /// The runtime has threads of its own; this one looks at it.
    fn on<R>(&self, new: impl Fn() -> io::Result<R>) -> Result<(), Error>
    where
        R: Runtime + Into<AnyRuntime>,
    {
        let (sender, reports) = mpsc::channel();
        let start = Instant::now();
        let options = WatchOptions::new().warn_after(LIMIT).on_report(move |report| {
            let _ = sender.send((start.elapsed(), report.clone()));
        });
        let runtime = new()?.into().watch(options)?;
        let (program, inside) = (self.clone(), runtime.clone());
        let server = runtime.spawn(async move { program.run(inside).await }).abort_on_drop();
        let look = Look { numbers: Numbers::new(&self.title), runtime: runtime.clone(), reports, server };

        let ended = match &self.picture {
            Some(file) => look.draw(self.seconds.unwrap_or(20), file)?,
            None if io::stdout().is_terminal() && io::stdin().is_terminal() => {
                look.on_terminal(self.seconds)?
            }
            None => look.in_lines(self.seconds.unwrap_or(5))?,
        };
        if ended.is_finished() { runtime.block_on(ended.detach())? } else { Ok(()) }
    }
}

/// Who looks at a watched runtime.
struct Look {
    numbers: Numbers,
    runtime: AnyRuntime,
    /// With the time of each.
    reports: Receiver<(Duration, Report)>,
    server: Server,
}

/// It ends only when it fails.
type Server = AbortOnDropHandle<Result<(), Error>>;

impl Look {
    /// Looks once.
    fn look(&mut self) {
        let Some(snapshot) = self.runtime.watch_snapshot() else { return };
        self.numbers.add(&snapshot);
        for (at, report) in self.reports.try_iter() {
            let is_alarm = !matches!(report, Report::Ended { .. });
            self.numbers.tell(at, report.to_string(), is_alarm);
        }
    }

    fn is_over(&self, end: Option<Instant>) -> bool {
        self.server.is_finished() || end.is_some_and(|end| Instant::now() >= end)
    }

    fn on_terminal(mut self, seconds: Option<u64>) -> io::Result<Server> {
        let end = after(seconds);
        let mut terminal = ratatui::try_init()?;
        let _restored = Restored;
        while !self.is_over(end) {
            self.look();
            terminal.draw(|frame| screen::draw(&self.numbers, frame))?;
            if event::poll(FRAME)? && quits(&event::read()?) {
                break;
            }
        }
        Ok(self.server)
    }

    fn in_lines(mut self, seconds: u64) -> Result<Server, Error> {
        let end = after(Some(seconds));
        let mut frames = 0;
        while !self.is_over(end) {
            thread::sleep(FRAME);
            self.look();
            frames += 1;
            let mut text = String::new();
            for told in self.numbers.reports.drain(..).rev() {
                text += &format!("{:.1} s: {}\n", told.at.as_secs_f64(), told.text);
            }
            if frames % 5 == 0 {
                text += &format!("{}\n", self.numbers.line());
            }
            shared::print(&text)?;
        }
        Ok(self.server)
    }

    fn draw(mut self, seconds: u64, file: &PathBuf) -> io::Result<Server> {
        let end = after(Some(seconds));
        while !self.is_over(end) {
            thread::sleep(FRAME);
            self.look();
        }
        let mut terminal = Terminal::new(TestBackend::new(PICTURE.0, PICTURE.1))?;
        terminal.draw(|frame| screen::draw(&self.numbers, frame))?;
        let title =
            format!("A task that blocks {} is shown with its place in the source", self.numbers.runtime);
        fs::write(file, picture::svg(terminal.backend().buffer(), &title))?;
        Ok(self.server)
    }
}

fn after(seconds: Option<u64>) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_secs(seconds?))
}

fn quits(event: &Event) -> bool {
    // Windows tells of releases as well.
    let Event::Key(key) = event else { return false };
    match key.code {
        _ if key.kind != KeyEventKind::Press => false,
        KeyCode::Char('q') | KeyCode::Esc => true,
        // In raw mode it is a key, and not a signal.
        KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

/// Gives the terminal back.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
