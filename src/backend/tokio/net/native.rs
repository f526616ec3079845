use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net;

use super::stream::Io;
use crate::runtime;
#[cfg(unix)]
use crate::runtime::net::family::Unix;
use crate::runtime::net::family::{Family, Tcp};
use crate::runtime::net::io_traits::{reads, writes};
use crate::runtime::net::{AsDescriptor, Descriptor, descriptor};

/// What tokio has for a family. It has no traits for what its types have in common.
pub trait Native: Family + io::Read + io::Write {
    type Stream: Part<Self> + AsyncRead + AsyncWrite + AsDescriptor;
    type ReadHalf<'a>: Part<Self> + AsyncRead + 'a;
    type WriteHalf<'a>: Part<Self> + AsyncWrite + 'a;
    type OwnedReadHalf: Part<Self> + AsyncRead + 'static;
    type OwnedWriteHalf: Part<Self> + AsyncWrite + 'static;
    type Socket: AsDescriptor + fmt::Debug + Send + Sync + Unpin + 'static;
    type Peer: Into<Self::Addr>;
    type Untold: Untold;

    fn from_std(stream: Self) -> io::Result<Self::Stream>;
    fn into_std(stream: Self::Stream) -> io::Result<Self>;
    /// The same stream, to read from and to write to as tokio does.
    fn same(stream: &Self::Stream) -> io::Result<Self>;
    fn split(stream: &mut Self::Stream) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>);
    fn into_split(stream: Self::Stream) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf);

    fn reunite(
        read: Self::OwnedReadHalf,
        write: Self::OwnedWriteHalf,
    ) -> Result<Self::Stream, (Self::OwnedReadHalf, Self::OwnedWriteHalf)>;

    fn readable(stream: &Self::Stream) -> impl Future<Output = io::Result<()>> + Send;
    fn writable(stream: &Self::Stream) -> impl Future<Output = io::Result<()>> + Send;
    fn try_io<T>(
        stream: &Self::Stream,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T>;

    fn poll_read(
        io: &mut (impl Part<Self> + AsyncRead),
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>;

    fn local_addr(stream: &Self::Stream) -> io::Result<Self::Peer>;
    fn peer_addr(stream: &Self::Stream) -> io::Result<Self::Peer>;

    fn listen(listener: Self::Listener) -> io::Result<Self::Socket>;
    fn accept(listener: &Self::Socket)
    -> impl Future<Output = io::Result<(Self::Stream, Self::Peer)>> + Send;
    fn poll_accept(
        listener: &Self::Socket,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Self::Stream, Self::Peer)>>;
    fn into_listener(listener: Self::Socket) -> io::Result<Self::Listener>;
}

/// tokio's stream, or a half of one.
pub trait Part<F: Native>: fmt::Debug + Send + Sync + Unpin {
    fn stream(&self) -> &F::Stream;
}

/// Of which ways tokio may not have been told yet: of none, or of what is in an array.
pub trait Untold: Copy + fmt::Debug + Send + Sync + Unpin {
    const NEW: Self;
    const ACCEPTED: Self;

    /// Of a stream, by what its halves know.
    fn both(read: Self, write: Self) -> Self;

    /// Whether the way may be one of them, for the last time.
    fn take(&mut self, way: Way) -> bool;
}

#[derive(Clone, Copy, Debug)]
pub enum Way {
    Read,
    Write,
}

impl Untold for () {
    const NEW: Self = ();
    const ACCEPTED: Self = ();

    fn both(_: Self, _: Self) -> Self {}

    fn take(&mut self, _: Way) -> bool {
        false
    }
}

impl Untold for [bool; 2] {
    const NEW: Self = [true; 2];
    const ACCEPTED: Self = [false; 2];

    fn both(read: Self, write: Self) -> Self {
        [read[Way::Read as usize], write[Way::Write as usize]]
    }

    fn take(&mut self, way: Way) -> bool {
        std::mem::take(&mut self[way as usize])
    }
}

macro_rules! half {
    ($family:ty: $half:ty, $trait:ident, $ready:ident, $until:ident, $interest:ident) => {
        impl runtime::$trait for Io<$family, $half> {
            type Addr = <$family as Family>::Addr;

            fn $ready(&self) -> impl Future<Output = io::Result<()>> + Send {
                self.$until()
            }

            fn try_io<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
                self.attempt(runtime::Interest::$interest, operation)
            }

            fn local_addr(&self) -> io::Result<Self::Addr> {
                <$family as Native>::local_addr(self.io.stream()).map(Into::into)
            }

            fn peer_addr(&self) -> io::Result<Self::Addr> {
                <$family as Native>::peer_addr(self.io.stream()).map(Into::into)
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                self.lent()
            }
        }
    };
}

macro_rules! native {
    ($family:ty: $stream:ident, $listener:ident, $halves:ident, $peer:ty, $untold:ty, $poll_read:ident) => {
        impl Native for $family {
            type Stream = net::$stream;
            type ReadHalf<'a> = net::$halves::ReadHalf<'a>;
            type WriteHalf<'a> = net::$halves::WriteHalf<'a>;
            type OwnedReadHalf = net::$halves::OwnedReadHalf;
            type OwnedWriteHalf = net::$halves::OwnedWriteHalf;
            type Socket = net::$listener;
            type Peer = $peer;
            type Untold = $untold;

            fn from_std(stream: Self) -> io::Result<net::$stream> {
                net::$stream::from_std(stream)
            }

            fn into_std(stream: net::$stream) -> io::Result<Self> {
                stream.into_std()
            }

            fn same(stream: &net::$stream) -> io::Result<Self> {
                Ok(descriptor(stream).try_clone_to_owned()?.into())
            }

            fn split(stream: &mut net::$stream) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>) {
                stream.split()
            }

            fn into_split(stream: net::$stream) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf) {
                stream.into_split()
            }

            fn reunite(
                read: Self::OwnedReadHalf,
                write: Self::OwnedWriteHalf,
            ) -> Result<net::$stream, (Self::OwnedReadHalf, Self::OwnedWriteHalf)> {
                read.reunite(write).map_err(|net::$halves::ReuniteError(read, write)| (read, write))
            }

            fn readable(stream: &net::$stream) -> impl Future<Output = io::Result<()>> + Send {
                stream.readable()
            }

            fn writable(stream: &net::$stream) -> impl Future<Output = io::Result<()>> + Send {
                stream.writable()
            }

            fn try_io<T>(
                stream: &net::$stream,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                stream.try_io(interest, operation)
            }

            fn poll_read(
                io: &mut (impl Part<Self> + AsyncRead),
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                $poll_read(io, cx, buf)
            }

            fn local_addr(stream: &net::$stream) -> io::Result<$peer> {
                stream.local_addr()
            }

            fn peer_addr(stream: &net::$stream) -> io::Result<$peer> {
                stream.peer_addr()
            }

            fn listen(listener: Self::Listener) -> io::Result<net::$listener> {
                net::$listener::from_std(listener)
            }

            fn accept(
                listener: &net::$listener,
            ) -> impl Future<Output = io::Result<(net::$stream, $peer)>> + Send {
                listener.accept()
            }

            fn poll_accept(
                listener: &net::$listener,
                cx: &mut Context<'_>,
            ) -> Poll<io::Result<(net::$stream, $peer)>> {
                listener.poll_accept(cx)
            }

            fn into_listener(listener: net::$listener) -> io::Result<Self::Listener> {
                listener.into_std()
            }
        }

        native!($family: net::$stream, it => it, reads, writes);
        native!($family: net::$halves::ReadHalf<'_>, it => it.as_ref(), reads);
        native!($family: net::$halves::WriteHalf<'_>, it => it.as_ref(), writes);
        native!($family: net::$halves::OwnedReadHalf, it => it.as_ref(), reads);
        native!($family: net::$halves::OwnedWriteHalf, it => it.as_ref(), writes);
        half!($family: net::$halves::ReadHalf<'_>, ReadHalf, readable, until_readable, Readable);
        half!($family: net::$halves::WriteHalf<'_>, WriteHalf, writable, until_writable, Writable);
        half!($family: net::$halves::OwnedReadHalf, ReadHalf, readable, until_readable, Readable);
        half!($family: net::$halves::OwnedWriteHalf, WriteHalf, writable, until_writable, Writable);
    };
    ($family:ty: $part:ty, $it:ident => $stream:expr, $($io_trait:ident),*) => {
        impl Part<$family> for $part {
            fn stream(&self) -> &<$family as Native>::Stream {
                let $it = self;
                $stream
            }
        }

        // Of each type by itself: what is generic is compiled where it is used, in which less of tokio is inlined.
        $($io_trait!([] Io<$family, $part>, it => it);)*
    };
}

// tokio 1.54 tries a new TCP stream by itself ...
native!(Tcp: TcpStream, TcpListener, tcp, std::net::SocketAddr, (), poll_read);
#[cfg(unix)]
native!(Unix: UnixStream, UnixListener, unix, net::unix::SocketAddr, [bool; 2], poll_read_up_to_descriptors);

/// As tokio does, which takes it that a read that does not fill its buffer leaves nothing behind (`io/poll_evented.rs`).
fn poll_read(
    io: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    Pin::new(io).poll_read(cx, buf)
}

/// Until there is nothing. A read of a Unix stream ends where descriptors do that were sent with its bytes (unix(7)), and the peer may
/// send nothing more until what is behind them has been read.
#[cfg(unix)]
fn poll_read_up_to_descriptors(
    io: &mut impl Part<Unix>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let stream = io.stream();
    loop {
        std::task::ready!(stream.poll_read_ready(cx))?;
        match stream.try_read(buf.initialize_unfilled()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return Poll::Ready(read.map(|read| buf.advance(read))),
        }
    }
}
