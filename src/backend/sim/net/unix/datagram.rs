//! Unix datagrams, which are in the queue of their receiver at once, or wait for room there.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::path as addr;
use crate::backend::sim::log::{Flight, Kind, Wait, hash};
use crate::backend::sim::net::{Addr, How, Waiting, crashed, no_real_sockets};
use crate::backend::sim::world::{State, World};
use crate::net::unix::{cannot, check};
use crate::runtime;

/// Datagrams that wait to be received; whoever sends one more waits. The default of Linux (`net.unix.max_dgram_qlen`).
const QUEUE: usize = 10;

/// A socket, as the network knows it.
pub(in crate::backend::sim::net) struct Letterbox {
    pub(in crate::backend::sim::net) host: usize,
    path: Option<PathBuf>,
    peer: Option<u64>,
    queue: VecDeque<(Option<PathBuf>, Vec<u8>)>,
    readers: Waiting,
    // Those who wait for room.
    writers: Waiting,
}

impl Letterbox {
    pub(in crate::backend::sim::net) fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.readers, &mut self.writers].into_iter()
    }
}

/// A Unix datagram socket in memory.
///
/// What is sent is there at once. Ten may wait to be received; whoever sends more waits.
pub struct UnixDatagram {
    world: Arc<World>,
    host: usize,
    number: u64,
}

impl UnixDatagram {
    pub(in crate::backend::sim) fn bind(
        world: &Arc<World>,
        host: usize,
        path: Option<&Path>,
    ) -> io::Result<Self> {
        path.map_or(Ok(()), check)?;
        let number = world.with(|state| {
            state.network.check_up(host)?;
            if let Some(path) = path {
                if state.network.is_taken(host, path) {
                    return cannot("bind to", path, Err(ErrorKind::AddrInUse.into()));
                }
            }
            let number = state.clock.number();
            let letterbox = Letterbox {
                host,
                path: path.map(Path::to_owned),
                peer: None,
                queue: VecDeque::new(),
                readers: Waiting::default(),
                writers: Waiting::default(),
            };
            state.network.letterboxes.insert(number, letterbox);
            Ok(number)
        })?;
        Ok(Self { world: world.clone(), host, number })
    }

    pub(in crate::backend::sim) fn pair(world: &Arc<World>, host: usize) -> io::Result<(Self, Self)> {
        let (a, b) = (Self::bind(world, host, None)?, Self::bind(world, host, None)?);
        a.set_peer(b.number);
        b.set_peer(a.number);
        Ok((a, b))
    }

    fn set_peer(&self, peer: u64) {
        self.world.with(|state| {
            if let Some(letterbox) = state.network.letterboxes.get_mut(&self.number) {
                letterbox.peer = Some(peer);
            }
        });
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        check(path)?;
        cannot("connect to", path, self.world.with(|state| state.network.letterbox_at(self.host, path)))
    }

    fn poll_transmit(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<&Path>,
        how: How,
    ) -> Poll<io::Result<usize>> {
        to.map_or(Ok(()), check)?;
        let wait = || Wait::Socket("send a datagram", None);
        self.world.operate(cx, wait, |state, waker| {
            if !state.network.letterboxes.contains_key(&self.number) {
                return Poll::Ready(Err(crashed()));
            }
            let to = match to {
                Some(path) => state.network.letterbox_at(self.host, path),
                None => {
                    let peer =
                        state.network.letterboxes.get(&self.number).and_then(|letterbox| letterbox.peer);
                    peer.ok_or_else(|| {
                        io::Error::new(ErrorKind::NotConnected, "the socket is connected to nobody")
                    })
                }
            };
            let from =
                state.network.letterboxes.get(&self.number).and_then(|letterbox| letterbox.path.clone());
            let Some(letterbox) = state.network.letterboxes.get_mut(&to?) else {
                return Poll::Ready(Err(ErrorKind::ConnectionRefused.into()));
            };
            if letterbox.queue.len() >= QUEUE {
                state.clock.dropped.extend(letterbox.writers.add(waker, how));
                return Poll::Pending;
            }
            let message = state.clock.sent(self.number, || {
                let addrs = [&from, &letterbox.path].map(|path| Addr::Path(path.clone()).to_string());
                Flight::new("datagram", (self.host, self.host), addrs, (buf, &[]))
            });
            letterbox.queue.push_back((from, buf.to_vec()));
            state.clock.woken.append(letterbox.readers.take());
            state.clock.record(Kind::DatagramArrived, self.number, hash(buf));
            state.clock.trace.arrived(message);
            Poll::Ready(Ok(buf.len()))
        })
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        how: How,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let wait = || Wait::Socket("receive a datagram", None);
        let received = self.world.operate(cx, wait, |state, waker| {
            let Some(letterbox) = state.network.letterboxes.get_mut(&self.number) else {
                return Poll::Ready(Err(crashed()));
            };
            match letterbox.queue.pop_front() {
                Some(datagram) => {
                    state.clock.woken.append(letterbox.writers.take());
                    Poll::Ready(Ok(datagram))
                }
                None => {
                    state.clock.dropped.extend(letterbox.readers.add(waker, how));
                    Poll::Pending
                }
            }
        });
        received.map(|received| {
            let (from, bytes) = received?;
            let len = bytes.len().min(buf.len());
            buf[..len].copy_from_slice(&bytes[..len]);
            Ok((len, addr(&Addr::Path(from))?))
        })
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDatagram").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Drop for UnixDatagram {
    fn drop(&mut self) {
        self.world.with(|state| {
            if let Some(mut letterbox) = state.network.letterboxes.remove(&self.number) {
                state.clock.dropped.append(letterbox.readers.take());
                // They find out that it is gone.
                state.clock.woken.append(letterbox.writers.take());
            }
        });
    }
}

impl super::super::Network {
    fn letterbox_at(&self, host: usize, path: &Path) -> io::Result<u64> {
        let mut letterboxes = self.letterboxes.iter();
        let found = letterboxes.find(|(_, it)| it.host == host && it.path.as_deref() == Some(path));
        found
            .map(|(number, _)| *number)
            .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "no socket is bound there, on this host"))
    }

    /// Whether a socket of either kind is at this path.
    pub(super) fn is_taken(&self, host: usize, path: &Path) -> bool {
        let addr = Addr::Path(Some(path.to_owned()));
        self.letterbox_at(host, path).is_ok() || self.listening.values().any(|it| it.takes(host, &addr))
    }
}

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.set_peer(self.find(path.as_ref())?);
        Ok(())
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_transmit(cx, buf, None, How::Awaits)).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_transmit(cx, buf, None, How::Polls)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).await.map(|(len, _)| len)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buf, How::Polls).map_ok(|(len, _)| len)
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref().to_owned();
        poll_fn(|cx| self.poll_transmit(cx, buf, Some(&path), How::Awaits)).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        self.poll_transmit(cx, buf, Some(path.as_ref()), How::Polls)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_receive(cx, buf, How::Awaits)).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_receive(cx, buf, How::Polls)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        let path = self.world.with(|state| {
            state.network.letterboxes.get(&self.number).and_then(|letterbox| letterbox.path.clone())
        });
        addr(&Addr::Path(path))
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        let path = self.world.with(|state: &mut State| {
            let letterboxes = &state.network.letterboxes;
            let peer = letterboxes.get(&self.number).and_then(|letterbox| letterbox.peer)?;
            Some(letterboxes.get(&peer).and_then(|letterbox| letterbox.path.clone()))
        });
        addr(&Addr::Path(path.ok_or(ErrorKind::NotConnected)?))
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        no_real_sockets()
    }
}

impl From<UnixDatagram> for crate::net::UnixDatagram {
    fn from(socket: UnixDatagram) -> Self {
        Self::sim(socket)
    }
}
