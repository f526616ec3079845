use std::cell::Cell;
use std::time::Duration;

use tokio::runtime::{EnterGuard, Id};

use super::time::Sleep;
use super::{Tokio, is_context_gone};
use crate::backend::FindCurrent;
use crate::runtime::Driver;
use crate::runtime::task::catch_panic::catch_panic;
use crate::thread::RuntimeKind;

/// The runtime whose context this thread has entered, also as one of its workers or blocking threads.
pub(crate) fn current() -> Option<Tokio> {
    Tokio::try_current()
}

/// A sleep of the runtime whose task this thread polls, if its timers are on. Asking for a handle first would take as much as the
/// sleep itself: both count it.
#[inline]
pub(crate) fn sleep(duration: Duration) -> Option<Sleep> {
    // Without a context, as in a task of tokio's `LocalSet` outside of all runtimes, tokio panics as it does without timers. A hook
    // sees that, and may end the process: so a thread tries it only if it was in a runtime with timers last.
    if tokio::task::try_id().is_none() || KNOWN.get().time != Some(true) {
        return None;
    }
    match catch_panic(|| Sleep::here(duration)) {
        Ok(sleep) => Some(sleep),
        Err(_) => {
            // Or it would panic once more to be known.
            let runtime = current().map(|runtime| runtime.handle.id());
            KNOWN.set(Known { runtime, time: Some(false), io: None });
            None
        }
    }
}

/// Enters it, unless this thread has no place for a context any more.
pub(crate) fn enter(runtime: &Tokio) -> Option<EnterGuard<'_>> {
    (!is_context_gone()).then(|| runtime.handle.enter())
}

impl FindCurrent for Tokio {
    #[inline]
    fn find_current(_: RuntimeKind) -> Option<Self> {
        current()
    }
}

/// Which drivers the runtime that this thread asked about last has, as far as is known.
#[derive(Clone, Copy)]
struct Known {
    runtime: Option<Id>,
    time: Option<bool>,
    io: Option<bool>,
}

thread_local! {
    static KNOWN: Cell<Known> = const { Cell::new(Known { runtime: None, time: None, io: None }) };
}

impl Tokio {
    /// Whether a driver is on.
    ///
    /// tokio 1.54 has no way to ask: without its driver a timer or a socket panics when it is made. So one is made,
    /// once for each thread and runtime. When it panics, tokio's line is on stderr as well as our error.
    #[inline]
    pub(crate) fn has(&self, driver: Driver) -> bool {
        let runtime = Some(self.handle.id());
        let known = KNOWN.get();
        let on = match driver {
            Driver::None => return true,
            Driver::Time => known.time,
            Driver::Io => known.io,
        };
        match on {
            Some(on) if known.runtime == runtime => on,
            _ => self.find_out(driver),
        }
    }

    #[cold]
    fn find_out(&self, driver: Driver) -> bool {
        let runtime = Some(self.handle.id());
        let mut known = KNOWN.get();
        if known.runtime != runtime {
            known = Known { runtime, time: None, io: None };
        }
        let (on, probe): (_, fn()) = match driver {
            Driver::None => return true,
            Driver::Time => (&mut known.time, make_a_timer),
            Driver::Io => (&mut known.io, make_a_socket),
        };
        let is_on = self.within(move || catch_panic(probe).is_ok());
        *on = Some(is_on);
        KNOWN.set(known);
        is_on
    }
}

fn make_a_timer() {
    drop(tokio::time::sleep(Duration::ZERO));
}

fn make_a_socket() {
    use socket2::{Domain, Socket, Type};

    // Any other error than the panic says nothing about the driver.
    let _ = Socket::new(Domain::IPV4, Type::DGRAM, None)
        .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
        .and_then(|socket| tokio::net::UdpSocket::from_std(socket.into()));
}
