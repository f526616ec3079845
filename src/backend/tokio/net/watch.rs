use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use tokio::io::unix::AsyncFd;

use super::counted;
use crate::runtime::Interest;
use crate::runtime::net::{FdReady, WatchFd};

/// tokio's watch of a descriptor, which keeps it ready until an operation would have blocked.
#[derive(Debug)]
pub(in crate::backend::tokio) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    /// In the context of its runtime.
    // tokio 1.54 asks for `unsafe` instead (tokio#8587), because a type of the user's may close its descriptor, or name
    // another, while tokio watches it. An `OwnedFd` does neither, and this one is ours alone.
    #[allow(deprecated, reason = "what it is deprecated for cannot happen here")]
    pub(in crate::backend::tokio) fn new(fd: OwnedFd) -> io::Result<Self> {
        AsyncFd::new(fd).map(Self)
    }
}

impl WatchFd for Watch {
    fn readable(&self) -> FdReady<'_> {
        Box::pin(counted(async { self.0.readable().await.map(drop) }))
    }

    fn writable(&self) -> FdReady<'_> {
        Box::pin(counted(async { self.0.writable().await.map(drop) }))
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(cx).map_ok(drop)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx).map_ok(drop)
    }

    fn try_io(&self, interest: Interest, operation: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        self.0.try_io(interest.into(), |_| operation())
    }
}
