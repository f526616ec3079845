use std::future::Future;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::connected::Connected;
use super::{Reactor, Registered, Shared, Stream, Way, poll_io, read_io};
use crate::runtime::net::family::{Family, StdSocket};
use crate::runtime::net::{Descriptor, descriptor, lends};

/// A listener registered with a reactor, which also registers accepted connections: a
/// [`TcpListener`](super::TcpListener), or a [`UnixListener`](super::unix::UnixListener).
#[derive(Debug)]
pub struct Listener<R: Reactor, S: Connected> {
    pub(super) socket: R::Registered<S::Listener>,
    reactor: R,
    waits: Shared,
}

/// A connection, and the address that it is from.
type Accepted<R, S> = (Stream<R, S>, <S as Family>::Addr);

impl<R: Reactor, S: Connected> Listener<R, S> {
    /// Returns the registered socket.
    pub fn into_inner(self) -> R::Registered<S::Listener> {
        self.socket
    }

    /// Creates a listener from a registered socket.
    pub fn new(reactor: R, socket: R::Registered<S::Listener>) -> Self {
        Self { socket, reactor, waits: Shared::default() }
    }

    /// Registers a listener, blocking or non-blocking.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, listener: S::Listener) -> io::Result<Self> {
        Ok(Self::new(reactor.clone(), reactor.register(listener.nonblocking()?)?))
    }

    fn register(&self, accepted: (S, S::Addr)) -> io::Result<Accepted<R, S>> {
        let (stream, peer) = accepted;
        Ok((Stream::from_std(&self.reactor, stream)?, peer))
    }

    pub(super) async fn accepted(&self) -> io::Result<Accepted<R, S>> {
        self.register(read_io(&self.socket, S::accept).await?)
    }

    pub(super) fn poll_accepted(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted<R, S>>> {
        let accepted = ready!(poll_io(cx, &self.socket, &self.waits, Way::Read, S::accept))?;
        Poll::Ready(self.register(accepted))
    }

    pub(super) fn timer(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.reactor.sleep(duration)
    }

    pub(super) fn lent(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    pub(super) fn into_blocking(self) -> io::Result<S::Listener> {
        self.socket.into_inner()?.blocking()
    }
}

lends!([R: Reactor, S: Connected] Listener<R, S>, it => descriptor(it.socket.get_ref()));
