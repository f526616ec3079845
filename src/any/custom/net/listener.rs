use std::fmt;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Boxed;
use super::stream::{Erases, Stream, Twins};
use crate::runtime::Descriptor;
use crate::runtime::backend::BoxFuture;
use crate::runtime::net::family::{self, Family};

/// An accepted connection, and the address of its peer.
type Accepted<F> = (Stream<F>, <F as Family>::Addr);

/// The object-safe twin of [`family::Listener`].
pub(crate) trait Erased<F: Twins>: fmt::Debug + Send + Sync {
    fn accept(&self) -> Boxed<'_, io::Result<Accepted<F>>>;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted<F>>>;
    fn sleep(&self, duration: Duration) -> BoxFuture;
    fn local_addr(&self) -> io::Result<F::Addr>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<<F as Family>::Listener>;
}

impl<F: Erases<L::Stream>, L: family::Listener<F>> Erased<F> for L {
    fn accept(&self) -> Boxed<'_, io::Result<Accepted<F>>> {
        Box::pin(async move {
            let (stream, peer) = family::Listener::accept(self).await?;
            Ok((F::erase(stream), peer))
        })
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted<F>>> {
        family::Listener::poll_accept(self, cx).map_ok(|(stream, peer)| (F::erase(stream), peer))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(family::Listener::sleep(self, duration))
    }

    fn local_addr(&self) -> io::Result<F::Addr> {
        family::Listener::local_addr(self)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        family::Listener::descriptor(self)
    }

    fn into_std(self: Box<Self>) -> io::Result<<F as Family>::Listener> {
        family::Listener::into_std(*self)
    }
}

/// A listening socket of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct Listener<F: Twins> {
    pub(super) listener: Box<F::DynListener>,
}

impl<F: Twins> Listener<F> {
    pub(super) fn accepted(&self) -> Boxed<'_, io::Result<Accepted<F>>> {
        self.listener.accept()
    }

    pub(super) fn poll_accepted(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted<F>>> {
        self.listener.poll_accept(cx)
    }

    pub(super) fn timer(&self, duration: Duration) -> BoxFuture {
        self.listener.sleep(duration)
    }

    pub(super) fn lent(&self) -> Option<Descriptor<'_>> {
        self.listener.descriptor()
    }

    pub(super) fn into_blocking(self) -> io::Result<<F as Family>::Listener> {
        self.listener.into_std()
    }
}
