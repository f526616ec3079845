//! The families of sockets that have streams, TCP and Unix, and what they have in common.
//!
//! Each layer writes its stream, its halves and its listener once, over [`Family`]; what differs stays with the family. The
//! traits in `runtime` are implemented outside of this crate, so they cannot have a supertrait for it: [`Stream`] and
//! [`Listener`] are what they have in common, of any type that has one of them.

use std::fmt;
use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use crate::runtime::{self, Descriptor, Interest, ReuniteError};

/// The family of TCP.
pub(crate) type Tcp = std::net::TcpStream;

/// The family of Unix sockets.
#[cfg(unix)]
pub(crate) type Unix = std::os::unix::net::UnixStream;

/// What each socket of the standard library can, which has no trait for it.
#[cfg_attr(
    not(any(unix, windows)),
    allow(
        unreachable_pub,
        reason = "it is in the bounds of the sockets over a reactor, which are not there"
    )
)]
pub trait StdSocket: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// The same socket in non-blocking mode.
    fn nonblocking(self) -> io::Result<Self>;

    /// The same socket in blocking mode, as the standard library creates it.
    fn blocking(self) -> io::Result<Self>;
}

macro_rules! std_sockets {
    ($($socket:ty),*) => {
        $(impl StdSocket for $socket {
            fn nonblocking(self) -> io::Result<Self> {
                self.set_nonblocking(true)?;
                Ok(self)
            }

            fn blocking(self) -> io::Result<Self> {
                self.set_nonblocking(false)?;
                Ok(self)
            }
        })*
    };
}

std_sockets!(std::net::TcpStream, std::net::TcpListener, std::net::UdpSocket);
#[cfg(unix)]
std_sockets!(
    std::os::unix::net::UnixStream,
    std::os::unix::net::UnixListener,
    std::os::unix::net::UnixDatagram
);

/// A family, which goes by the name of its stream in the standard library.
#[cfg_attr(
    not(any(unix, windows)),
    allow(
        unreachable_pub,
        reason = "it is in the bounds of the sockets over a reactor, which are not there"
    )
)]
pub trait Family: StdSocket {
    /// The address of a socket.
    type Addr: fmt::Debug + Send + 'static;
    /// The socket that listens.
    type Listener: StdSocket;
}

/// What [`runtime::TcpStream`] and [`runtime::UnixStream`] have in common.
pub(crate) trait Stream<F: Family>:
    AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Sized + Unpin + 'static
{
    type ReadHalf<'a>: runtime::ReadHalf<Addr = F::Addr> + 'a;
    type WriteHalf<'a>: runtime::WriteHalf<Addr = F::Addr> + 'a;
    type OwnedReadHalf: runtime::ReadHalf<Addr = F::Addr> + 'static;
    type OwnedWriteHalf: runtime::WriteHalf<Addr = F::Addr> + 'static;

    fn split_mut(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>);
    fn into_split(self) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf);
    fn reunite(
        read: Self::OwnedReadHalf,
        write: Self::OwnedWriteHalf,
    ) -> Result<Self, ReuniteError<Self::OwnedReadHalf, Self::OwnedWriteHalf>>;
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;
    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T>;
    fn local_addr(&self) -> io::Result<F::Addr>;
    fn peer_addr(&self) -> io::Result<F::Addr>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self) -> io::Result<F>;
}

/// What [`runtime::TcpListener`] and [`runtime::UnixListener`] have in common.
pub(crate) trait Listener<F: Family>: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    type Stream: Stream<F>;

    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, F::Addr)>> + Send;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, F::Addr)>>;
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;
    fn local_addr(&self) -> io::Result<F::Addr>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self) -> io::Result<F::Listener>;
}

macro_rules! family {
    ($family:ty, $listener:ty, $addr:ty: $stream_trait:ident, $listener_trait:ident) => {
        impl Family for $family {
            type Addr = $addr;
            type Listener = $listener;
        }

        impl<S: runtime::$stream_trait> Stream<$family> for S {
            type ReadHalf<'a> = S::ReadHalf<'a>;
            type WriteHalf<'a> = S::WriteHalf<'a>;
            type OwnedReadHalf = S::OwnedReadHalf;
            type OwnedWriteHalf = S::OwnedWriteHalf;

            fn split_mut(&mut self) -> (S::ReadHalf<'_>, S::WriteHalf<'_>) {
                runtime::$stream_trait::split_mut(self)
            }

            fn into_split(self) -> (S::OwnedReadHalf, S::OwnedWriteHalf) {
                runtime::$stream_trait::into_split(self)
            }

            fn reunite(
                read: S::OwnedReadHalf,
                write: S::OwnedWriteHalf,
            ) -> Result<S, ReuniteError<S::OwnedReadHalf, S::OwnedWriteHalf>> {
                S::reunite(read, write)
            }

            fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
                runtime::$stream_trait::readable(self)
            }

            fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
                runtime::$stream_trait::writable(self)
            }

            fn try_io<T>(
                &self,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                runtime::$stream_trait::try_io(self, interest, operation)
            }

            fn local_addr(&self) -> io::Result<$addr> {
                runtime::$stream_trait::local_addr(self)
            }

            fn peer_addr(&self) -> io::Result<$addr> {
                runtime::$stream_trait::peer_addr(self)
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                runtime::$stream_trait::descriptor(self)
            }

            fn into_std(self) -> io::Result<$family> {
                runtime::$stream_trait::into_std(self)
            }
        }

        impl<L: runtime::$listener_trait> Listener<$family> for L {
            type Stream = L::Stream;

            fn accept(&self) -> impl Future<Output = io::Result<(L::Stream, $addr)>> + Send {
                runtime::$listener_trait::accept(self)
            }

            fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(L::Stream, $addr)>> {
                runtime::$listener_trait::poll_accept(self, cx)
            }

            fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
                runtime::$listener_trait::sleep(self, duration)
            }

            fn local_addr(&self) -> io::Result<$addr> {
                runtime::$listener_trait::local_addr(self)
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                runtime::$listener_trait::descriptor(self)
            }

            fn into_std(self) -> io::Result<$listener> {
                runtime::$listener_trait::into_std(self)
            }
        }
    };
}

family!(Tcp, std::net::TcpListener, std::net::SocketAddr: TcpStream, TcpListener);
#[cfg(unix)]
family!(Unix, std::os::unix::net::UnixListener, std::os::unix::net::SocketAddr: UnixStream, UnixListener);

/// Items of [`runtime::TcpStream`] or of [`runtime::UnixStream`], for a stream that has what they do whatever its family.
macro_rules! stream_items {
    ($std_stream:ty) => {
        fn split_mut(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>) {
            self.halves()
        }

        fn into_split(self) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf) {
            self.into_halves()
        }

        fn reunite(
            read: Self::OwnedReadHalf,
            write: Self::OwnedWriteHalf,
        ) -> Result<Self, $crate::runtime::ReuniteError<Self::OwnedReadHalf, Self::OwnedWriteHalf>> {
            Self::of_halves(read, write)
        }

        fn readable(&self) -> impl Future<Output = std::io::Result<()>> + Send {
            self.until_readable()
        }

        fn writable(&self) -> impl Future<Output = std::io::Result<()>> + Send {
            self.until_writable()
        }

        fn try_io<T>(
            &self,
            interest: $crate::runtime::Interest,
            operation: impl FnOnce() -> std::io::Result<T>,
        ) -> std::io::Result<T> {
            self.attempt(interest, operation)
        }

        fn descriptor(&self) -> Option<$crate::runtime::Descriptor<'_>> {
            self.lent()
        }

        fn into_std(self) -> std::io::Result<$std_stream> {
            self.into_blocking()
        }
    };
}
pub(crate) use stream_items;

/// As [`stream_items`], for a listener.
macro_rules! listener_items {
    ($stream:ty, $addr:ty, $std_listener:ty) => {
        type Stream = $stream;

        fn accept(&self) -> impl Future<Output = std::io::Result<($stream, $addr)>> + Send {
            self.accepted()
        }

        fn poll_accept(
            &self,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<($stream, $addr)>> {
            self.poll_accepted(cx)
        }

        fn sleep(&self, duration: std::time::Duration) -> impl Future<Output = ()> + Send + 'static {
            self.timer(duration)
        }

        fn descriptor(&self) -> Option<$crate::runtime::Descriptor<'_>> {
            self.lent()
        }

        fn into_std(self) -> std::io::Result<$std_listener> {
            self.into_blocking()
        }
    };
}
pub(crate) use listener_items;

/// The methods of a stream that try an operation once, for what passes them on; as `udp_options`.
macro_rules! stream_tries {
    ($forward:ident $($trait:ident)?) => {
        $crate::runtime::read_tries!($forward $($trait)?);
        $crate::runtime::write_tries!($forward $($trait)?);
    };
}
pub(crate) use stream_tries;

/// Those that read, which a read half has as well.
macro_rules! read_tries {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Reads the bytes that have arrived, without waiting.
            fn try_read(buf: &mut [u8]) -> usize;
            /// Reads what is there into several buffers, without waiting.
            fn try_read_vectored(bufs: &mut [std::io::IoSliceMut<'_>]) -> usize;
        }
    };
}
pub(crate) use read_tries;

/// Those that write.
macro_rules! write_tries {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Writes as much as fits into the send buffer, without waiting.
            fn try_write(buf: &[u8]) -> usize;
            /// Writes as much of several buffers as there is room for, without waiting.
            fn try_write_vectored(bufs: &[std::io::IoSlice<'_>]) -> usize;
        }
    };
}
pub(crate) use write_tries;
