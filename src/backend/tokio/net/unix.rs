use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::ReadBuf;
use tokio::runtime::Handle;

use super::datagram::{datagram, receives};
use super::listener::Listener;
use super::stream::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, WriteHalf};
use super::{attempt, counted, enter, or_untold, poll_untold, untold};
use crate::runtime::net::family::{StdSocket, Unix, listener_items, stream_items};
use crate::runtime::net::path::{addr, cannot, probe};
use crate::runtime::net::{Descriptor, descriptor, lends};
use crate::runtime::{self, Interest};

pub(in crate::backend::tokio) type UnixStream = Stream<Unix>;
pub(in crate::backend::tokio) type UnixListener = Listener<Unix>;

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a, Unix>;
    type WriteHalf<'a> = WriteHalf<'a, Unix>;
    type OwnedReadHalf = OwnedReadHalf<Unix>;
    type OwnedWriteHalf = OwnedWriteHalf<Unix>;

    stream_items!(std_unix::UnixStream);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(Into::into)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr().map(Into::into)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn peer_cred(&self) -> io::Result<runtime::UCred> {
        let peer = self.io.peer_cred()?;
        Ok(runtime::UCred::new(peer.uid(), peer.gid(), peer.pid()))
    }
}

impl runtime::UnixListener for UnixListener {
    listener_items!(UnixStream, SocketAddr, std_unix::UnixListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr().map(Into::into)
    }
}

/// tokio's socket, with the handle whose context another one is registered in when there is no room.
#[derive(Debug)]
pub struct UnixDatagram {
    socket: tokio::net::UnixDatagram,
    handle: Handle,
}

impl UnixDatagram {
    pub(in crate::backend::tokio) fn from_std(
        handle: &Handle,
        socket: std_unix::UnixDatagram,
    ) -> io::Result<Self> {
        let socket = socket.nonblocking()?;
        let _context = handle.enter();
        let socket = tokio::net::UnixDatagram::from_std(socket)?;
        Ok(Self { socket, handle: handle.clone() })
    }

    pub(crate) fn into_native(self) -> tokio::net::UnixDatagram {
        self.socket
    }

    /// As of a UDP socket.
    fn is_untold(&self) -> bool {
        self.socket.try_io(tokio::io::Interest::WRITABLE, || Ok(())).is_err()
    }

    fn std(&self) -> io::Result<std_unix::UnixDatagram> {
        Ok(descriptor(self).try_clone_to_owned()?.into())
    }
}

lends!([] UnixDatagram, it => descriptor(&it.socket));

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        cannot("connect to", path, SockRef::from(&self.socket).connect(&addr(path)?))
    }

    datagram!(SocketAddr);

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        let peer = addr(path)?;
        let told = async {
            tokio::task::consume_budget().await;
            loop {
                self.socket.writable().await?;
                let send = || SockRef::from(&self.socket).send_to(buf, &peer);
                match self.socket.try_io(tokio::io::Interest::WRITABLE, send) {
                    // There may be no room on the other side: that our side has some is no news, and tokio 1.54 tries
                    // again and again.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let probe = {
                            let _context = enter(&self.handle)?;
                            tokio::net::UnixDatagram::from_std(probe(path)?)?
                        };
                        probe.writable().await?;
                    }
                    result => return result,
                }
            }
        };
        let untold = || SockRef::from(&self.socket).send_to(buf, &peer);
        or_untold(told, || self.is_untold(), untold).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        let peer = addr(path.as_ref())?;
        let send = || SockRef::from(&self.socket).send_to(buf, &peer);
        // tokio's own takes no abstract name.
        while self.socket.poll_send_ready(cx)?.is_ready() {
            match self.socket.try_io(tokio::io::Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
        poll_untold(cx, send)
    }

    async fn readable(&self) -> io::Result<()> {
        counted(self.socket.readable()).await
    }

    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(cx)
    }

    async fn writable(&self) -> io::Result<()> {
        counted(self.socket.writable()).await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_send_ready(cx)
    }

    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        attempt(operation, |call| self.socket.try_io(interest.into(), call), || self.is_untold())
    }

    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self.socket.try_recv_from(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.is_untold() => {
                self.std()?.recv_from(buf)
            }
            received => received.map(|(len, peer)| (len, peer.into())),
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr().map(Into::into)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr().map(Into::into)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        self.socket.into_std()?.blocking()
    }
}
