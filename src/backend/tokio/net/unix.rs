use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockAddr, SockRef};
use tokio::io::{Interest, ReadBuf};
use tokio::runtime::Handle;

use super::listener::Listener;
use super::stream::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, WriteHalf};
use super::{enter, or_untold, poll_untold, untold};
use crate::backend::tokio::time::pause;
use crate::runtime;
use crate::runtime::net::family::{StdSocket, Unix};
use crate::runtime::net::path::{cannot, check, probe};
use crate::runtime::net::{Descriptor, descriptor, lends};

pub(in crate::backend::tokio) type UnixStream = Stream<Unix>;
pub(in crate::backend::tokio) type UnixListener = Listener<Unix>;

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a, Unix>;
    type WriteHalf<'a> = WriteHalf<'a, Unix>;
    type OwnedReadHalf = OwnedReadHalf<Unix>;
    type OwnedWriteHalf = OwnedWriteHalf<Unix>;

    fn split_mut(&mut self) -> (ReadHalf<'_, Unix>, WriteHalf<'_, Unix>) {
        self.halves()
    }

    fn into_split(self) -> (OwnedReadHalf<Unix>, OwnedWriteHalf<Unix>) {
        self.into_halves()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(Into::into)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr().map(Into::into)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixStream> {
        self.into_blocking()
    }
}

impl runtime::UnixListener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        self.accepted().await
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        self.poll_accepted(cx)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        pause(&self.handle, duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr().map(Into::into)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixListener> {
        self.into_blocking()
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
        self.socket.try_io(Interest::WRITABLE, || Ok(())).is_err()
    }

    fn std(&self) -> io::Result<std_unix::UnixDatagram> {
        Ok(descriptor(self).try_clone_to_owned()?.into())
    }
}

lends!([] UnixDatagram, it => descriptor(&it.socket));

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        check(path)?;
        cannot("connect to", path, self.socket.connect(path))
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let untold = || SockRef::from(&self.socket).send(buf);
        or_untold(self.socket.send(buf), || self.is_untold(), untold).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.socket.poll_send(cx, buf) {
            Poll::Pending => poll_untold(cx, || SockRef::from(&self.socket).send(buf)),
            ready => ready,
        }
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        match untold(self.is_untold(), || self.std()?.recv(buf)).await {
            Some(result) => result,
            None => self.socket.recv(buf).await,
        }
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buf);
        match self.socket.poll_recv(cx, &mut read) {
            Poll::Pending if self.is_untold() => poll_untold(cx, || self.std()?.recv(buf)),
            polled => polled.map_ok(|()| read.filled().len()),
        }
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        check(path)?;
        let peer = SockAddr::unix(path)?;
        let told = async {
            tokio::task::consume_budget().await;
            loop {
                self.socket.writable().await?;
                match self.socket.try_send_to(buf, path) {
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
        check(path.as_ref())?;
        let peer = SockAddr::unix(&path)?;
        match self.socket.poll_send_to(cx, buf, path) {
            Poll::Pending => poll_untold(cx, || SockRef::from(&self.socket).send_to(buf, &peer)),
            ready => ready,
        }
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        if let Some(result) = untold(self.is_untold(), || self.std()?.recv_from(buf)).await {
            return result;
        }
        let (len, peer) = self.socket.recv_from(buf).await?;
        Ok((len, peer.into()))
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut read = ReadBuf::new(buf);
        match self.socket.poll_recv_from(cx, &mut read) {
            Poll::Pending if self.is_untold() => poll_untold(cx, || self.std()?.recv_from(buf)),
            polled => polled.map_ok(|peer| (read.filled().len(), peer.into())),
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
