use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use super::{Reactor, Registered, Shared, Source, Way};
use crate::runtime::net::{FdReady, WatchFd};
use crate::runtime::task::coop;

impl Source for OwnedFd {}

/// Watches a descriptor that is not a socket; see [`UnixNetBackend::watch_fd`](crate::runtime::backend::UnixNetBackend::watch_fd).
///
/// # Errors
///
/// The system's error for a descriptor that it cannot watch.
pub fn watch_fd<R: Reactor>(reactor: &R, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
    Ok(Box::new(Watch::<R> { fd: reactor.register(fd)?, waits: Shared::default() }))
}

#[derive(Debug)]
struct Watch<R: Reactor> {
    fd: R::Registered<OwnedFd>,
    waits: Shared,
}

impl<R: Reactor> WatchFd for Watch<R> {
    fn readable(&self) -> FdReady<'_> {
        Box::pin(self.fd.readable())
    }

    fn writable(&self) -> FdReady<'_> {
        Box::pin(self.fd.writable())
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        coop::poll(cx, |cx| self.waits.poll(Way::Read, cx, |cx| self.fd.poll_readable(cx)))
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        coop::poll(cx, |cx| self.waits.poll(Way::Write, cx, |cx| self.fd.poll_writable(cx)))
    }
}
