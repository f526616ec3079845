use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::{Boxed, TryIo, attempt, declare, listener};
use crate::runtime::net::family::{self, Family};
use crate::runtime::net::io_traits::{Reads, Writes, reads, writes};
use crate::runtime::{Descriptor, Interest, stream_tries};

/// One half of a connection.
pub(crate) trait Reader: AsyncRead + fmt::Debug + Send + Sync + Unpin {}
pub(crate) trait Writer: AsyncWrite + fmt::Debug + Send + Sync + Unpin {}

impl<T: AsyncRead + fmt::Debug + Send + Sync + Unpin> Reader for T {}
impl<T: AsyncWrite + fmt::Debug + Send + Sync + Unpin> Writer for T {}

/// The object-safe twin of [`family::Stream`].
pub(crate) trait Erased<F: Family>: Reader + Writer {
    fn split_mut(&mut self) -> (Box<dyn Reader + '_>, Box<dyn Writer + '_>);
    fn into_split(self: Box<Self>) -> (Box<dyn Reader>, Box<dyn Writer>);
    fn readable(&self) -> Boxed<'_, io::Result<()>>;
    fn writable(&self) -> Boxed<'_, io::Result<()>>;
    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()>;
    stream_tries!(declare);
    fn local_addr(&self) -> io::Result<F::Addr>;
    fn peer_addr(&self) -> io::Result<F::Addr>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<F>;
}

impl<F: Family, S: family::Stream<F>> Erased<F> for S {
    fn split_mut(&mut self) -> (Box<dyn Reader + '_>, Box<dyn Writer + '_>) {
        let (read, write) = family::Stream::split_mut(self);
        (Box::new(read), Box::new(write))
    }

    fn into_split(self: Box<Self>) -> (Box<dyn Reader>, Box<dyn Writer>) {
        let (read, write) = family::Stream::into_split(*self);
        (Box::new(read), Box::new(write))
    }

    fn readable(&self) -> Boxed<'_, io::Result<()>> {
        Box::pin(family::Stream::readable(self))
    }

    fn writable(&self) -> Boxed<'_, io::Result<()>> {
        Box::pin(family::Stream::writable(self))
    }

    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()> {
        family::Stream::try_io(self, interest, operation)
    }

    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        family::Stream::try_read(self, buf)
    }

    fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        family::Stream::try_read_vectored(self, bufs)
    }

    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        family::Stream::try_write(self, buf)
    }

    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        family::Stream::try_write_vectored(self, bufs)
    }

    fn local_addr(&self) -> io::Result<F::Addr> {
        family::Stream::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<F::Addr> {
        family::Stream::peer_addr(self)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        family::Stream::descriptor(self)
    }

    fn into_std(self: Box<Self>) -> io::Result<F> {
        family::Stream::into_std(*self)
    }
}

/// A family, with the twins that have its options too.
pub(crate) trait Twins: Family {
    type DynStream: Erased<Self> + ?Sized;
    type DynListener: listener::Erased<Self> + ?Sized;
}

/// A family whose streams a type is one of.
pub(crate) trait Erases<S>: Twins {
    fn erase(stream: S) -> Stream<Self>;
}

/// A connection, or half of one, of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct Io<S: ?Sized> {
    pub(super) io: Box<S>,
}

pub(crate) type Stream<F> = Io<<F as Twins>::DynStream>;
pub(crate) type ReadHalf<'a> = Io<dyn Reader + 'a>;
pub(crate) type WriteHalf<'a> = Io<dyn Writer + 'a>;

impl<S: AsyncRead + Unpin + ?Sized> Reads for Io<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read_vectored(cx, bufs)
    }
}

impl<S: AsyncWrite + Unpin + ?Sized> Writes for Io<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}

reads!([S: AsyncRead + Unpin + ?Sized] Io<S>, it => it);
writes!([S: AsyncWrite + Unpin + ?Sized] Io<S>, it => it);

impl<S: ?Sized> Io<S> {
    pub(super) fn halves<F: Family>(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>)
    where
        S: Erased<F>,
    {
        let (read, write) = self.io.split_mut();
        (Io { io: read }, Io { io: write })
    }

    pub(super) fn into_halves<F: Family>(self) -> (ReadHalf<'static>, WriteHalf<'static>)
    where
        S: Erased<F>,
    {
        let (read, write) = self.io.into_split();
        (Io { io: read }, Io { io: write })
    }

    pub(super) fn until_readable<F: Family>(&self) -> Boxed<'_, io::Result<()>>
    where
        S: Erased<F>,
    {
        self.io.readable()
    }

    pub(super) fn until_writable<F: Family>(&self) -> Boxed<'_, io::Result<()>>
    where
        S: Erased<F>,
    {
        self.io.writable()
    }

    pub(super) fn attempt<F: Family, T>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T>
    where
        S: Erased<F>,
    {
        attempt(interest, operation, |interest, call| self.io.try_io(interest, call))
    }

    pub(super) fn lent<F: Family>(&self) -> Option<Descriptor<'_>>
    where
        S: Erased<F>,
    {
        self.io.descriptor()
    }

    pub(super) fn into_blocking<F: Family>(self) -> io::Result<F>
    where
        S: Erased<F>,
    {
        self.io.into_std()
    }
}
