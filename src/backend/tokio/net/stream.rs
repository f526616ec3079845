use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::native::{Native, Part, Untold, Way};
use super::{attempt, counted, poll_untold};
use crate::runtime::net::io_traits::{Reads, Writes};
use crate::runtime::net::write_error;
use crate::runtime::net::{Descriptor, descriptor, lends};
use crate::runtime::{Interest, ReuniteError};

/// tokio's stream, or a half of it, with the traits of futures-io.
#[derive(Debug)]
pub struct Io<F: Native, S> {
    pub(super) io: S,
    untold: F::Untold,
}

/// tokio's stream.
pub(in crate::backend::tokio) type Stream<F> = Io<F, <F as Native>::Stream>;

/// Read half of a borrowed stream.
pub(in crate::backend::tokio) type ReadHalf<'a, F> = Io<F, <F as Native>::ReadHalf<'a>>;

/// Write half of a borrowed stream.
pub(in crate::backend::tokio) type WriteHalf<'a, F> = Io<F, <F as Native>::WriteHalf<'a>>;

/// Read half of a stream.
pub(in crate::backend::tokio) type OwnedReadHalf<F> = Io<F, <F as Native>::OwnedReadHalf>;

/// Write half of a stream; tokio's own closes the write side when it is dropped.
pub(in crate::backend::tokio) type OwnedWriteHalf<F> = Io<F, <F as Native>::OwnedWriteHalf>;

impl<F: Native> Stream<F> {
    pub(in crate::backend::tokio) fn from_std(stream: F) -> io::Result<Self> {
        // tokio 1.54 panics about a blocking socket in debug builds and takes it in release.
        let stream = stream.nonblocking()?;
        Ok(Self { io: F::from_std(stream)?, untold: F::Untold::NEW })
    }

    /// One that tokio's driver has told of.
    pub(crate) fn told(io: F::Stream) -> Self {
        Self { io, untold: F::Untold::ACCEPTED }
    }

    pub(crate) fn into_native(self) -> F::Stream {
        self.io
    }

    pub(super) fn halves(&mut self) -> (ReadHalf<'_, F>, WriteHalf<'_, F>) {
        let Self { io, untold } = self;
        let (read, write) = F::split(io);
        (Io { io: read, untold: *untold }, Io { io: write, untold: *untold })
    }

    pub(super) fn into_halves(self) -> (OwnedReadHalf<F>, OwnedWriteHalf<F>) {
        let Self { io, untold } = self;
        let (read, write) = F::into_split(io);
        (Io { io: read, untold }, Io { io: write, untold })
    }

    pub(super) fn of_halves(
        read: OwnedReadHalf<F>,
        write: OwnedWriteHalf<F>,
    ) -> Result<Self, ReuniteError<OwnedReadHalf<F>, OwnedWriteHalf<F>>> {
        let (Io { io: read, untold: reads }, Io { io: write, untold: writes }) = (read, write);
        match F::reunite(read, write) {
            Ok(io) => Ok(Self { io, untold: F::Untold::both(reads, writes) }),
            Err((read, write)) => {
                Err(ReuniteError(Io { io: read, untold: reads }, Io { io: write, untold: writes }))
            }
        }
    }

    pub(super) fn into_blocking(self) -> io::Result<F> {
        F::into_std(self.io)?.blocking()
    }
}

impl<F: Native, S: Part<F>> Io<F, S> {
    pub(super) async fn until_readable(&self) -> io::Result<()> {
        counted(F::readable(self.io.stream())).await
    }

    pub(super) async fn until_writable(&self) -> io::Result<()> {
        counted(F::writable(self.io.stream())).await
    }

    pub(super) fn attempt<T>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let stream = self.io.stream();
        let is_untold = || F::try_io(stream, tokio::io::Interest::WRITABLE, || Ok(())).is_err();
        attempt(operation, |call| F::try_io(stream, interest.into(), call), is_untold)
    }

    pub(super) fn lent(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self.io.stream()))
    }
}

lends!([F: Native] Stream<F>, it => descriptor(&it.io));

impl<F: Native, S: Part<F> + AsyncRead> Reads for Io<F, S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let untold = self.untold.take(Way::Read);
        let mut read = ReadBuf::new(buf);
        match F::poll_read(&mut self.io, cx, &mut read) {
            Poll::Pending if untold => poll_untold(cx, || F::same(self.io.stream())?.read(buf)),
            polled => polled.map_ok(|()| read.filled().len()),
        }
    }

    #[cfg(feature = "tokio-io")]
    fn poll_read_buf(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // tokio 1.54 waits for data that there is no room for.
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let untold = self.untold.take(Way::Read);
        match F::poll_read(&mut self.io, cx, buf) {
            Poll::Pending if untold => {
                let polled = poll_untold(cx, || F::same(self.io.stream())?.read(buf.initialize_unfilled()));
                polled.map_ok(|read| buf.advance(read))
            }
            polled => polled,
        }
    }
}

impl<F: Native, S: Part<F> + AsyncWrite> Writes for Io<F, S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let untold = self.untold.take(Way::Write);
        match Pin::new(&mut self.io).poll_write(cx, buf) {
            Poll::Pending if untold => poll_untold(cx, || F::same(self.io.stream())?.write(buf)),
            polled => polled.map_err(write_error),
        }
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let untold = self.untold.take(Way::Write);
        match Pin::new(&mut self.io).poll_write_vectored(cx, bufs) {
            Poll::Pending if untold => poll_untold(cx, || F::same(self.io.stream())?.write_vectored(bufs)),
            polled => polled.map_err(write_error),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
