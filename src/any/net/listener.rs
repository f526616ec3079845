use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::any::one_of::{OneOf, each};
use crate::runtime::net::family::{Family, Listener};
use crate::runtime::{BoxFuture, Descriptor};

/// Accepts from whatever it is by `$accept`, whose `$map` makes the stream one of the same backend.
macro_rules! accept {
    ($one_of:expr, $it:ident => $accept:expr, $map:ident) => {
        match $one_of {
            OneOf::Tokio { it: $it } => $accept.$map(|(it, peer)| (OneOf::Tokio { it }, peer)),
            OneOf::AsyncIo { it: $it } => $accept.$map(|(it, peer)| (OneOf::AsyncIo { it }, peer)),
            OneOf::Sim { it: $it } => $accept.$map(|(it, peer)| (OneOf::Sim { it }, peer)),
            OneOf::Custom { it: $it } => $accept.$map(|(it, peer)| (OneOf::Custom { it }, peer)),
        }
    };
}

impl<F, T, A, S, C> Listener<F> for OneOf<T, A, S, C>
where
    F: Family,
    T: Listener<F>,
    A: Listener<F>,
    S: Listener<F>,
    C: Listener<F>,
{
    type Stream = OneOf<T::Stream, A::Stream, S::Stream, C::Stream>;

    async fn accept(&self) -> io::Result<(Self::Stream, F::Addr)> {
        accept!(self, it => it.accept().await, map)
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, F::Addr)>> {
        accept!(self, it => it.poll_accept(cx), map_ok)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        each!(self, it => Box::pin(it.sleep(duration)) as BoxFuture)
    }

    fn local_addr(&self) -> io::Result<F::Addr> {
        each!(self, it => it.local_addr())
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(self, it => it.descriptor())
    }

    fn into_std(self) -> io::Result<F::Listener> {
        each!(self, it => it.into_std())
    }
}
