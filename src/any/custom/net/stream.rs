use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::{Boxed, TryIo, attempt, declare, erase, forward, listener};
use crate::runtime::net::family::{self, Family};
use crate::runtime::net::io_traits::{Reads, Writes, reads, writes};
use crate::runtime::{self, Descriptor, Interest, ReuniteError, read_tries, write_tries};

/// The object-safe twin of a trait of halves, one for halves that can be put together with the other again, by one who knows what
/// they are, and what holds either.
macro_rules! half {
    ($half:ident: $io_trait:ident, $twin:ident, $owned:ident, $ready:ident, $tries:ident) => {
        pub(crate) trait $twin<A>: $io_trait + fmt::Debug + Send + Sync + Unpin {
            fn $ready(&self) -> Boxed<'_, io::Result<()>>;
            $tries!(declare);
            fn try_io(&self, operation: TryIo<'_>) -> io::Result<()>;
            fn local_addr(&self) -> io::Result<A>;
            fn peer_addr(&self) -> io::Result<A>;
            fn descriptor(&self) -> Option<Descriptor<'_>>;
        }

        impl<T: runtime::$half> $twin<T::Addr> for T {
            fn $ready(&self) -> Boxed<'_, io::Result<()>> {
                Box::pin(runtime::$half::$ready(self))
            }

            $tries!(erase $half);

            fn try_io(&self, operation: TryIo<'_>) -> io::Result<()> {
                runtime::$half::try_io(self, operation)
            }

            fn local_addr(&self) -> io::Result<T::Addr> {
                runtime::$half::local_addr(self)
            }

            fn peer_addr(&self) -> io::Result<T::Addr> {
                runtime::$half::peer_addr(self)
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                runtime::$half::descriptor(self)
            }
        }

        pub(crate) trait $owned<A>: $twin<A> {
            fn as_any(&self) -> &dyn Any;
            fn into_any(self: Box<Self>) -> Box<dyn Any>;
        }

        impl<T: runtime::$half + 'static> $owned<T::Addr> for T {
            fn as_any(&self) -> &dyn Any {
                self
            }

            fn into_any(self: Box<Self>) -> Box<dyn Any> {
                self
            }
        }

        half!([A: fmt::Debug + Send + 'static] $half for Io<dyn $twin<A> + '_>, A, $ready, $tries);
        half!([A: fmt::Debug + Send + 'static] $half for Io<dyn $owned<A>>, A, $ready, $tries);
    };
    ([$($generics:tt)*] $half:ident for $type:ty, $addr:ty, $ready:ident, $tries:ident) => {
        impl<$($generics)*> runtime::$half for $type {
            type Addr = $addr;

            fn $ready(&self) -> impl Future<Output = io::Result<()>> + Send {
                self.io.$ready()
            }

            $tries!(forward);

            fn try_io<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
                attempt(operation, |call| self.io.try_io(call))
            }

            fn local_addr(&self) -> io::Result<$addr> {
                self.io.local_addr()
            }

            fn peer_addr(&self) -> io::Result<$addr> {
                self.io.peer_addr()
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                self.io.descriptor()
            }
        }
    };
}

half!(ReadHalf: AsyncRead, Reader, OwnedReader, readable, read_tries);
half!(WriteHalf: AsyncWrite, Writer, OwnedWriter, writable, write_tries);
half!([F: Twins] ReadHalf for OwnedReadHalf<F>, F::Addr, readable, read_tries);

type Halves<'a, F> = (Box<dyn Reader<<F as Family>::Addr> + 'a>, Box<dyn Writer<<F as Family>::Addr> + 'a>);
type BoxedRead<F> = Box<dyn OwnedReader<<F as Family>::Addr>>;
type BoxedWrite<F> = Box<dyn OwnedWriter<<F as Family>::Addr>>;

/// Puts halves together, if they are of a stream of the type that it knows.
type Reunite<F> = fn(BoxedRead<F>, BoxedWrite<F>) -> Result<Stream<F>, (BoxedRead<F>, BoxedWrite<F>)>;

fn reunite<F: Erases<S>, S: family::Stream<F>>(
    read: BoxedRead<F>,
    write: BoxedWrite<F>,
) -> Result<Stream<F>, (BoxedRead<F>, BoxedWrite<F>)> {
    if !(*read).as_any().is::<S::OwnedReadHalf>() || !(*write).as_any().is::<S::OwnedWriteHalf>() {
        return Err((read, write));
    }
    match (read.into_any().downcast(), write.into_any().downcast()) {
        (Ok(read), Ok(write)) => match S::reunite(*read, *write) {
            Ok(stream) => Ok(F::erase(stream)),
            Err(ReuniteError(read, write)) => Err((Box::new(read), Box::new(write))),
        },
        _ => unreachable!("they are of these types"),
    }
}

/// The object-safe twin of [`family::Stream`].
pub(crate) trait Erased<F: Twins>: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {
    fn split_mut(&mut self) -> Halves<'_, F>;
    fn into_split(self: Box<Self>) -> (OwnedReadHalf<F>, OwnedWriteHalf<F>);
    fn readable(&self) -> Boxed<'_, io::Result<()>>;
    fn writable(&self) -> Boxed<'_, io::Result<()>>;
    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()>;
    fn local_addr(&self) -> io::Result<F::Addr>;
    fn peer_addr(&self) -> io::Result<F::Addr>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<F>;
}

impl<F: Erases<S>, S: family::Stream<F>> Erased<F> for S {
    fn split_mut(&mut self) -> Halves<'_, F> {
        let (read, write) = family::Stream::split_mut(self);
        (Box::new(read), Box::new(write))
    }

    fn into_split(self: Box<Self>) -> (OwnedReadHalf<F>, OwnedWriteHalf<F>) {
        let (read, write) = family::Stream::into_split(*self);
        (OwnedReadHalf { io: Box::new(read), reunite: reunite::<F, S> }, Io { io: Box::new(write) })
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
pub(crate) type ReadHalf<'a, F> = Io<dyn Reader<<F as Family>::Addr> + 'a>;
pub(crate) type WriteHalf<'a, F> = Io<dyn Writer<<F as Family>::Addr> + 'a>;
pub(crate) type OwnedWriteHalf<F> = Io<dyn OwnedWriter<<F as Family>::Addr>>;

/// Read half of a connection, which knows how both become one again.
#[derive(Debug)]
pub(crate) struct OwnedReadHalf<F: Twins> {
    io: BoxedRead<F>,
    reunite: Reunite<F>,
}

impl<F: Twins> Reads for OwnedReadHalf<F> {
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

reads!([F: Twins] OwnedReadHalf<F>, it => it);

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
    pub(super) fn halves<F: Twins>(&mut self) -> (ReadHalf<'_, F>, WriteHalf<'_, F>)
    where
        S: Erased<F>,
    {
        let (read, write) = self.io.split_mut();
        (Io { io: read }, Io { io: write })
    }

    pub(super) fn into_halves<F: Twins>(self) -> (OwnedReadHalf<F>, OwnedWriteHalf<F>)
    where
        S: Erased<F>,
    {
        self.io.into_split()
    }

    pub(super) fn of_halves<F: Twins<DynStream = S>>(
        read: OwnedReadHalf<F>,
        write: OwnedWriteHalf<F>,
    ) -> Result<Self, ReuniteError<OwnedReadHalf<F>, OwnedWriteHalf<F>>>
    where
        S: Erased<F>,
    {
        let OwnedReadHalf { io, reunite } = read;
        reunite(io, write.io)
            .map_err(|(io, write)| ReuniteError(OwnedReadHalf { io, reunite }, Io { io: write }))
    }

    pub(super) fn until_readable<F: Twins>(&self) -> Boxed<'_, io::Result<()>>
    where
        S: Erased<F>,
    {
        self.io.readable()
    }

    pub(super) fn until_writable<F: Twins>(&self) -> Boxed<'_, io::Result<()>>
    where
        S: Erased<F>,
    {
        self.io.writable()
    }

    pub(super) fn attempt<F: Twins, T>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T>
    where
        S: Erased<F>,
    {
        attempt(operation, |call| self.io.try_io(interest, call))
    }

    pub(super) fn lent<F: Twins>(&self) -> Option<Descriptor<'_>>
    where
        S: Erased<F>,
    {
        self.io.descriptor()
    }

    pub(super) fn into_blocking<F: Twins>(self) -> io::Result<F>
    where
        S: Erased<F>,
    {
        self.io.into_std()
    }
}
