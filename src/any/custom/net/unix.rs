use std::fmt;
use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

use super::listener::{self, Listener};
use super::stream::{self, Erases, Io, OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, Twins, WriteHalf};
use super::{Boxed, TryIo, attempt, declare, erase, forward};
use crate::runtime::net::family::{Unix, listener_items, stream_items};
use crate::runtime::{self, Descriptor, Interest, UCred, fd_tries, stream_tries, unix_calls, unix_tries};

pub(crate) type UnixStream = Stream<Unix>;
pub(crate) type UnixListener = Listener<Unix>;

impl Twins for Unix {
    type DynStream = dyn ErasedStream;
    type DynListener = dyn listener::Erased<Unix>;
}

impl<S: runtime::UnixStream> Erases<S> for Unix {
    fn erase(stream: S) -> UnixStream {
        Io { io: Box::new(stream) }
    }
}

impl UnixStream {
    pub(in crate::any::custom) fn new<S: runtime::UnixStream>(stream: S) -> Self {
        Unix::erase(stream)
    }
}

impl UnixListener {
    pub(in crate::any::custom) fn new<L: runtime::UnixListener>(listener: L) -> Self {
        Self { listener: Box::new(listener) }
    }
}

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a, Unix>;
    type WriteHalf<'a> = WriteHalf<'a, Unix>;
    type OwnedReadHalf = OwnedReadHalf<Unix>;
    type OwnedWriteHalf = OwnedWriteHalf<Unix>;

    stream_items!(std_unix::UnixStream);
    stream_tries!(forward);
    fd_tries!(forward);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    fn peer_cred(&self) -> io::Result<UCred> {
        self.io.peer_cred()
    }
}

impl runtime::UnixListener for UnixListener {
    listener_items!(UnixStream, SocketAddr, std_unix::UnixListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The object-safe twin of [`runtime::UnixStream`].
pub(crate) trait ErasedStream: stream::Erased<Unix> {
    stream_tries!(declare);
    fd_tries!(declare);
    fn peer_cred(&self) -> io::Result<UCred>;
}

impl<S: runtime::UnixStream> ErasedStream for S {
    stream_tries!(erase UnixStream);
    fd_tries!(erase UnixStream);

    fn peer_cred(&self) -> io::Result<UCred> {
        runtime::UnixStream::peer_cred(self)
    }
}

/// The object-safe twin of [`runtime::UnixDatagram`].
trait ErasedDatagram: fmt::Debug + Send + Sync {
    fn connect(&self, path: &Path) -> io::Result<()>;
    unix_calls!(declare);
    unix_tries!(declare);
    fn try_send_to(&self, buf: &[u8], path: &Path) -> io::Result<usize>;
    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()>;
    fn send_to<'a>(&'a self, buf: &'a [u8], path: &'a Path) -> Boxed<'a, io::Result<usize>>;
    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], path: &Path) -> Poll<io::Result<usize>>;
    fn local_addr(&self) -> io::Result<SocketAddr>;
    fn peer_addr(&self) -> io::Result<SocketAddr>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<std_unix::UnixDatagram>;
}

impl<S: runtime::UnixDatagram> ErasedDatagram for S {
    fn connect(&self, path: &Path) -> io::Result<()> {
        runtime::UnixDatagram::connect(self, path)
    }

    unix_calls!(erase UnixDatagram);
    unix_tries!(erase UnixDatagram);

    fn try_send_to(&self, buf: &[u8], path: &Path) -> io::Result<usize> {
        runtime::UnixDatagram::try_send_to(self, buf, path)
    }

    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()> {
        runtime::UnixDatagram::try_io(self, interest, operation)
    }

    fn send_to<'a>(&'a self, buf: &'a [u8], path: &'a Path) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::UnixDatagram::send_to(self, buf, path))
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], path: &Path) -> Poll<io::Result<usize>> {
        runtime::UnixDatagram::poll_send_to(self, cx, buf, path)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        runtime::UnixDatagram::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        runtime::UnixDatagram::peer_addr(self)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        runtime::UnixDatagram::descriptor(self)
    }

    fn into_std(self: Box<Self>) -> io::Result<std_unix::UnixDatagram> {
        runtime::UnixDatagram::into_std(*self)
    }
}

/// A socket for datagrams, of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct UnixDatagram {
    io: Box<dyn ErasedDatagram>,
}

impl UnixDatagram {
    pub(in crate::any::custom) fn new<S: runtime::UnixDatagram>(socket: S) -> Self {
        Self { io: Box::new(socket) }
    }
}

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.io.connect(path.as_ref())
    }

    unix_calls!(forward);
    unix_tries!(forward);

    fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.io.try_send_to(buf, path.as_ref())
    }

    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        attempt(operation, |call| self.io.try_io(interest, call))
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.io.send_to(buf, path.as_ref()).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_send_to(cx, buf, path.as_ref())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.io.descriptor()
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        self.io.into_std()
    }
}
