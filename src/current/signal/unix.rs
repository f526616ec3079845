//! The signals of Unix.

use std::future::Future;
use std::io;
use std::os::unix::net;
use std::task::{Context, Poll, ready};

use futures_io::AsyncRead;
use signal_hook::SigId;
use signal_hook::consts::{self, FORBIDDEN};
use signal_hook::low_level::{pipe, unregister};

use super::{Place, place};
use crate::AnyRuntime;
use crate::any::net::unix::UnixStream;
use crate::backend::MaybeSim;
use crate::runtime::UnixNet;

/// Kind of a Unix signal: its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind {
    number: i32,
}

impl SignalKind {
    /// Creates the kind for a signal number of this system.
    pub const fn from_raw(number: i32) -> Self {
        Self { number }
    }

    /// Returns the number of the signal.
    pub const fn as_raw_value(&self) -> i32 {
        self.number
    }

    /// SIGALRM: a timer of the system.
    pub const fn alarm() -> Self {
        Self::from_raw(consts::SIGALRM)
    }

    /// SIGCHLD: a child process has changed its state.
    pub const fn child() -> Self {
        Self::from_raw(consts::SIGCHLD)
    }

    /// SIGHUP: the terminal is gone; by convention, reload the configuration.
    pub const fn hangup() -> Self {
        Self::from_raw(consts::SIGHUP)
    }

    /// SIGINT: Ctrl-C.
    pub const fn interrupt() -> Self {
        Self::from_raw(consts::SIGINT)
    }

    /// SIGPIPE: nobody reads what was written.
    pub const fn pipe() -> Self {
        Self::from_raw(consts::SIGPIPE)
    }

    /// SIGQUIT: Ctrl-\.
    pub const fn quit() -> Self {
        Self::from_raw(consts::SIGQUIT)
    }

    /// SIGTERM: sent by `kill`, service managers and container runtimes to end a process.
    pub const fn terminate() -> Self {
        Self::from_raw(consts::SIGTERM)
    }

    /// SIGUSR1.
    pub const fn user_defined1() -> Self {
        Self::from_raw(consts::SIGUSR1)
    }

    /// SIGUSR2.
    pub const fn user_defined2() -> Self {
        Self::from_raw(consts::SIGUSR2)
    }

    /// SIGWINCH: the terminal has another size.
    pub const fn window_change() -> Self {
        Self::from_raw(consts::SIGWINCH)
    }
}

/// Listens for a signal on the current runtime, from this call on.
///
/// From the first call for a kind on, the system's default action of the signal is off, even if nothing listens any
/// more. Handlers that others have registered through the same crate, such as those of tokio, are called as well.
///
/// In a simulation no signal arrives.
///
/// # Errors
///
/// If no runtime with Unix sockets [is current](crate::guide::differences#which-runtime-is-current); `InvalidInput` for
/// a signal that cannot be handled, such as SIGKILL; and if the system has no descriptors left: each `Signal` takes
/// two.
///
/// # Examples
///
/// ```no_run
/// use std::io;
///
/// use anyrt::signal::unix::{SignalKind, signal};
///
/// async fn wait_for_the_end() -> io::Result<()> {
///     let mut terminate = signal(SignalKind::terminate())?;
///     let mut interrupt = signal(SignalKind::interrupt())?;
///     anyrt::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
///     Ok(())
/// }
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    check(kind)?;
    Ok(Signal {
        source: match place()? {
            Place::System(runtime) => Source::Listener(Listener::new(kind, &runtime)?),
            Place::Simulation(sim) => Source::Simulation(sim),
        },
    })
}

/// Listener for one kind of signal; returned by [`signal`].
#[derive(Debug)]
pub struct Signal {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Listener(Listener),
    /// No signal arrives in it.
    Simulation(MaybeSim),
}

impl Signal {
    /// Waits for the next signal. Several signals between two calls may be merged into one. `None` if the runtime is
    /// gone.
    ///
    /// # Cancel safety
    ///
    /// No signal is lost.
    pub async fn recv(&mut self) -> Option<()> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`recv`](Self::recv) as a poll function.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        match &mut self.source {
            Source::Listener(listener) => listener.poll(cx).map(Result::ok),
            Source::Simulation(sim) => sim.poll_signal(cx),
        }
    }
}

fn check(kind: SignalKind) -> io::Result<()> {
    let number = kind.as_raw_value();
    if FORBIDDEN.contains(&number) || number < 1 {
        let why = format!("anyrt: no process can handle signal {number}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(())
}

/// Ctrl-C.
pub(super) fn interrupted(
    runtime: AnyRuntime,
) -> io::Result<impl Future<Output = io::Result<()>> + Send + 'static> {
    let mut listener = Listener::new(SignalKind::interrupt(), &runtime)?;
    Ok(std::future::poll_fn(move |cx| listener.poll(cx)))
}

/// A pair of sockets: the handler writes to one, and the other is read on the runtime, whichever it is.
#[derive(Debug)]
struct Listener {
    registered: SigId,
    stream: UnixStream,
}

impl Listener {
    fn new(kind: SignalKind, runtime: &AnyRuntime) -> io::Result<Self> {
        let (read, write) = net::UnixStream::pair()?;
        let stream = runtime.unix_stream_from_std(read)?;
        Ok(Self { registered: pipe::register(kind.as_raw_value(), write)?, stream })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Each signal is a byte, and several that have come are one.
        let read = ready!(std::pin::Pin::new(&mut self.stream).poll_read(cx, &mut [0; 64]))?;
        Poll::Ready(if read > 0 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        unregister(self.registered);
    }
}
