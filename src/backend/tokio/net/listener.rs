use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;

use super::native::Native;
use super::stream::Stream;
use super::{enter, within};
use crate::backend::tokio::time::pause;
use crate::runtime::net::family::StdSocket;
use crate::runtime::net::{Descriptor, descriptor, lends};

/// tokio's listener, with the handle whose context an accepted stream is registered in.
#[derive(Debug)]
pub struct Listener<F: Native> {
    pub(super) listener: F::Socket,
    handle: Handle,
}

impl<F: Native> Listener<F> {
    pub(in crate::backend::tokio) fn from_std(handle: &Handle, listener: F::Listener) -> io::Result<Self> {
        let listener = listener.nonblocking()?;
        let _context = handle.enter();
        Ok(Self { listener: F::listen(listener)?, handle: handle.clone() })
    }

    pub(super) async fn accepted(&self) -> io::Result<(Stream<F>, F::Addr)> {
        let (stream, peer) = within(&self.handle, F::accept(&self.listener)).await?;
        Ok((Stream::told(stream), peer.into()))
    }

    pub(super) fn poll_accepted(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream<F>, F::Addr)>> {
        let _context = enter(&self.handle)?;
        F::poll_accept(&self.listener, cx).map_ok(|(stream, peer)| (Stream::told(stream), peer.into()))
    }

    pub(super) fn timer(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        pause(&self.handle, duration)
    }

    pub(super) fn lent(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    pub(crate) fn into_native(self) -> F::Socket {
        self.listener
    }

    pub(super) fn into_blocking(self) -> io::Result<F::Listener> {
        F::into_listener(self.listener)?.blocking()
    }
}

lends!([F: Native] Listener<F>, it => descriptor(&it.listener));
