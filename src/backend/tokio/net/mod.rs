mod datagram;
mod listener;
#[allow(unreachable_pub, reason = "Rust 1.85 does not see that a bound reaches them")]
mod native;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod watch;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::{EnterGuard, Handle};

use super::{NO_SOCKETS, is_context_gone};
use crate::runtime::Interest;

pub(super) use tcp::{TcpListener, TcpStream};
pub(super) use udp::UdpSocket;
#[cfg(unix)]
pub(super) use unix::{UnixDatagram, UnixListener, UnixStream};
#[cfg(unix)]
pub(super) use watch::Watch;

/// The context of `handle`, which tokio needs wherever a socket is registered.
fn enter(handle: &Handle) -> io::Result<EnterGuard<'_>> {
    if is_context_gone() { Err(io::Error::other(NO_SOCKETS)) } else { Ok(handle.enter()) }
}

/// Polls `future` inside the context of `handle`.
async fn within<T>(handle: &Handle, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _context = enter(handle)?;
        future.as_mut().poll(cx)
    })
    .await
}

impl From<Interest> for tokio::io::Interest {
    fn from(interest: Interest) -> Self {
        match interest {
            Interest::Readable => Self::READABLE,
            Interest::Writable => Self::WRITABLE,
        }
    }
}

/// Awaits `ready`, which counts for the budget of its task: that of tokio 1.54 does not (`registration.rs`, `readiness`).
async fn counted<T>(ready: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::task::consume_budget().await;
    ready.await
}

/// Calls `operation` by `try_io` of tokio, or without it where tokio has not been told yet that a socket is ready.
fn attempt<T>(
    operation: impl FnOnce() -> io::Result<T>,
    try_io: impl Fn(&mut dyn FnMut() -> io::Result<T>) -> io::Result<T>,
    is_untold: impl FnOnce() -> bool,
) -> io::Result<T> {
    let mut operation = Some(operation);
    let tried = try_io(&mut || once(&mut operation));
    if operation.is_none() {
        return tried;
    }
    // It was not called: tokio knows that the socket is not ready, or does not know it yet, or was told just then.
    if is_untold() { once(&mut operation) } else { try_io(&mut || once(&mut operation)) }
}

/// `WouldBlock` where `operation` was called before.
fn once<T>(operation: &mut Option<impl FnOnce() -> io::Result<T>>) -> io::Result<T> {
    operation.take().map_or_else(|| Err(io::ErrorKind::WouldBlock.into()), |call| call())
}

/// Tries what tokio 1.54 has not: it waits for its driver to tell of a socket, also of one that is new (`registration.rs`).
fn poll_untold<T>(cx: &mut Context<'_>, mut operation: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    ready!(pin!(tokio::task::consume_budget()).poll(cx));
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Poll::Ready(result),
        }
    }
}

/// As [`poll_untold`], once; nothing when tokio is to be asked.
async fn untold<T>(is_untold: bool, mut operation: impl FnMut() -> io::Result<T>) -> Option<io::Result<T>> {
    if !is_untold {
        return None;
    }
    poll_fn(|cx| match poll_untold(cx, &mut operation) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Awaits `told`, and meanwhile tries `operation` in each poll for as long as tokio is untold.
async fn or_untold<T>(
    told: impl Future<Output = io::Result<T>>,
    is_untold: impl Fn() -> bool,
    mut operation: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut told = pin!(told);
    poll_fn(|cx| match told.as_mut().poll(cx) {
        Poll::Pending if is_untold() => poll_untold(cx, &mut operation),
        // Told just then, between the poll and the question.
        Poll::Pending => told.as_mut().poll(cx),
        ready => ready,
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn attempt_is_repeated_where_tokio_is_told_just_then() {
        let is_told = Cell::new(false);
        let try_io = |call: &mut dyn FnMut() -> io::Result<u8>| {
            if is_told.get() { call() } else { Err(io::ErrorKind::WouldBlock.into()) }
        };
        // Its driver tells of the socket between the try and the question.
        let is_untold = || is_told.replace(true);
        assert_eq!(attempt(|| Ok(7), try_io, is_untold).unwrap(), 7);
    }
}
