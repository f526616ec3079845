use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use pin_project_lite::pin_project;

use crate::runtime::net::io_traits::{Reads, Writes, reads, writes};

pin_project! {
    /// What one of the backends made: tokio, one of those that stand on async-io, the simulation, or a runtime of the user's.
    #[project = OneOfProjection]
    pub(crate) enum OneOf<T, A, S, C> {
        Tokio { #[pin] it: T },
        AsyncIo { #[pin] it: A },
        Sim { #[pin] it: S },
        Custom { #[pin] it: C },
    }
}

/// Does `$do` with whatever it is.
macro_rules! each {
    ($one_of:expr, $it:ident => $do:expr) => {
        match $one_of {
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            OneOf::Tokio { it: $it } => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            OneOf::AsyncIo { it: $it } => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            OneOf::Sim { it: $it } => $do,
            OneOf::Custom { it: $it } => $do,
        }
    };
}
pub(crate) use each;

macro_rules! each_pinned {
    ($one_of:expr, $it:ident => $do:expr) => {
        match $one_of.project() {
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            OneOfProjection::Tokio { it: $it } => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            OneOfProjection::AsyncIo { it: $it } => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            OneOfProjection::Sim { it: $it } => $do,
            OneOfProjection::Custom { it: $it } => $do,
        }
    };
}
pub(crate) use each_pinned;

impl<T: fmt::Debug, A: fmt::Debug, S: fmt::Debug, C: fmt::Debug> fmt::Debug for OneOf<T, A, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, it => it.fmt(f))
    }
}

impl<T, A, S, C> Future for OneOf<T, A, S, C>
where
    T: Future,
    A: Future<Output = T::Output>,
    S: Future<Output = T::Output>,
    C: Future<Output = T::Output>,
{
    type Output = T::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        each_pinned!(self, it => it.poll(cx))
    }
}

impl<T, A, S, C> Reads for OneOf<T, A, S, C>
where
    T: AsyncRead + Unpin,
    A: AsyncRead + Unpin,
    S: AsyncRead + Unpin,
    C: AsyncRead + Unpin,
{
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        each!(self, it => Pin::new(it).poll_read(cx, buf))
    }

    fn poll_read_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, it => Pin::new(it).poll_read_vectored(cx, bufs))
    }
}

impl<T, A, S, C> Writes for OneOf<T, A, S, C>
where
    T: AsyncWrite + Unpin,
    A: AsyncWrite + Unpin,
    S: AsyncWrite + Unpin,
    C: AsyncWrite + Unpin,
{
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, it => Pin::new(it).poll_write(cx, buf))
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        each!(self, it => Pin::new(it).poll_write_vectored(cx, bufs))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, it => Pin::new(it).poll_flush(cx))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, it => Pin::new(it).poll_close(cx))
    }
}

// With that of tokio they are where the types are known: not every stream of a runtime has it.
reads!(
    futures [T: AsyncRead + Unpin, A: AsyncRead + Unpin, S: AsyncRead + Unpin, C: AsyncRead + Unpin]
    OneOf<T, A, S, C>, it => it
);
writes!(
    [T: AsyncWrite + Unpin, A: AsyncWrite + Unpin, S: AsyncWrite + Unpin, C: AsyncWrite + Unpin]
    OneOf<T, A, S, C>, it => it
);
