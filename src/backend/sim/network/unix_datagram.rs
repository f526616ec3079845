//! Unix datagrams: a send puts the datagram into the receiver's queue at once, or waits for room there.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::task::Poll;

use super::{Addr, Bound, Network, crashed};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::log::{Flight, Kind, hash};
use crate::backend::sim::waiters::{How, Waiter, Waiting};
use crate::runtime::net::path::cannot;

/// Number of queued datagrams beyond which a sender waits. The default of Linux (`net.unix.max_dgram_qlen`).
const QUEUE: usize = 10;

/// A socket for Unix datagrams.
#[derive(Default)]
pub(super) struct UnixBound {
    host: usize,
    path: Option<PathBuf>,
    peer: Option<u64>,
    queue: VecDeque<(Option<PathBuf>, Vec<u8>)>,
    readers: Waiting,
    // Senders that wait for room in the queue.
    writers: Waiting,
}

impl Bound for UnixBound {
    fn host(&self) -> usize {
        self.host
    }

    fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.readers, &mut self.writers].into_iter()
    }
}

impl Network {
    pub(crate) fn bind_unix(
        &mut self,
        clock: &mut Clock,
        host: usize,
        path: Option<&Path>,
    ) -> io::Result<u64> {
        self.check_up(host)?;
        if let Some(path) = path.filter(|path| self.is_taken(host, path)) {
            return cannot("bind to", path, Err(ErrorKind::AddrInUse.into()));
        }
        let number = clock.number();
        let bound = UnixBound { host, path: path.map(Path::to_owned), ..UnixBound::default() };
        self.unix_datagrams.insert(number, bound);
        Ok(number)
    }

    pub(crate) fn unbind_unix(&mut self, clock: &mut Clock, number: u64) {
        if let Some(mut bound) = self.unix_datagrams.remove(&number) {
            clock.dropped.append(bound.readers.take());
            // Waiting senders find out that the receiver is gone.
            clock.woken.append(bound.writers.take());
        }
    }

    /// Sets the default peer of a socket.
    pub(crate) fn connect_unix(&mut self, number: u64, peer: u64) {
        if let Some(bound) = self.unix_datagrams.get_mut(&number) {
            bound.peer = Some(peer);
        }
    }

    pub(crate) fn send_unix(
        &mut self,
        clock: &mut Clock,
        (host, number): (usize, u64),
        buf: &[u8],
        to: Option<&Path>,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<usize>> {
        let Some(sender) = self.unix_datagrams.get(&number) else { return Poll::Ready(Err(crashed())) };
        let from = sender.path.clone();
        let to = match to {
            Some(path) => self.unix_bound_at(host, path)?,
            None => sender
                .peer
                .ok_or_else(|| io::Error::new(ErrorKind::NotConnected, "the socket is not connected"))?,
        };
        let Some(bound) = self.unix_datagrams.get_mut(&to) else {
            return Poll::Ready(Err(ErrorKind::ConnectionRefused.into()));
        };
        if bound.queue.len() >= QUEUE {
            clock.dropped.extend(bound.writers.add(waiter, how));
            return Poll::Pending;
        }
        let message = clock.sent(number, || {
            let addrs = [&from, &bound.path].map(|path| Addr::Path(path.clone()).to_string());
            Flight::new("datagram", (host, host), addrs, (buf, &[]))
        });
        bound.queue.push_back((from, buf.to_vec()));
        clock.woken.append(bound.readers.take());
        clock.record(Kind::DatagramArrived, number, hash(buf));
        clock.trace.arrived(message);
        Poll::Ready(Ok(buf.len()))
    }

    /// Whether a receive would return at once.
    pub(crate) fn unix_readable(
        &mut self,
        clock: &mut Clock,
        number: u64,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<()>> {
        let Some(bound) = self.unix_datagrams.get_mut(&number) else { return Poll::Ready(Err(crashed())) };
        if !bound.queue.is_empty() {
            return Poll::Ready(Ok(()));
        }
        clock.dropped.extend(bound.readers.add(waiter, how));
        Poll::Pending
    }

    /// Returns whether the peer has room, or there is no peer to wait for.
    pub(crate) fn unix_writable(
        &mut self,
        clock: &mut Clock,
        number: u64,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<()>> {
        let Some(bound) = self.unix_datagrams.get(&number) else { return Poll::Ready(Err(crashed())) };
        let peer = bound.peer.and_then(|peer| self.unix_datagrams.get_mut(&peer));
        match peer.filter(|peer| peer.queue.len() >= QUEUE) {
            Some(full) => {
                clock.dropped.extend(full.writers.add(waiter, how));
                Poll::Pending
            }
            None => Poll::Ready(Ok(())),
        }
    }

    /// Returns the first queued datagram, and the path of its sender.
    pub(crate) fn receive_unix(
        &mut self,
        clock: &mut Clock,
        number: u64,
        waiter: &mut Waiter<'_>,
        how: How,
    ) -> Poll<io::Result<(Option<PathBuf>, Vec<u8>)>> {
        let Some(bound) = self.unix_datagrams.get_mut(&number) else {
            return Poll::Ready(Err(crashed()));
        };
        match bound.queue.pop_front() {
            Some(datagram) => {
                clock.woken.append(bound.writers.take());
                Poll::Ready(Ok(datagram))
            }
            None => {
                clock.dropped.extend(bound.readers.add(waiter, how));
                Poll::Pending
            }
        }
    }

    pub(crate) fn unix_path(&self, number: u64) -> Option<PathBuf> {
        self.unix_datagrams.get(&number).and_then(|bound| bound.path.clone())
    }

    pub(crate) fn unix_peer(&self, number: u64) -> Option<u64> {
        self.unix_datagrams.get(&number).and_then(|bound| bound.peer)
    }

    pub(crate) fn unix_bound_at(&self, host: usize, path: &Path) -> io::Result<u64> {
        let mut unix_datagrams = self.unix_datagrams.iter();
        let found = unix_datagrams.find(|(_, it)| it.host == host && it.path.as_deref() == Some(path));
        found
            .map(|(number, _)| *number)
            .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "no socket is bound there, on this host"))
    }

    /// Whether a socket of either kind is bound to this path.
    pub(super) fn is_taken(&self, host: usize, path: &Path) -> bool {
        let addr = Addr::Path(Some(path.to_owned()));
        self.unix_bound_at(host, path).is_ok() || self.listening.values().any(|it| it.takes(host, &addr))
    }
}
