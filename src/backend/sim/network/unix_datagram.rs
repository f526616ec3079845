//! Unix datagrams: a send puts the datagram into the receiver's queue at once, or waits for room there.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::task::Poll;

use super::socket_files::SocketKind;
use super::{Addr, Bound, Errno, Network, crashed};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::log::{Kind, hash};
use crate::backend::sim::waiters::{How, Waiter, Waiting};
use crate::runtime::net::path::cannot;

/// Number of queued datagrams beyond which a sender waits: `net.unix.max_dgram_qlen` of Linux, and the one beyond it
/// (`unix_recvq_full`).
const QUEUE: usize = 11;

/// Size of the send buffer (`net.core.wmem_default`). It is full once the datagrams that were not received take as much.
const SEND_BUFFER: usize = 212_992;

/// Maximum size of a datagram (`unix_dgram_sendmsg`).
const LARGEST: usize = SEND_BUFFER - 32;

/// A socket for Unix datagrams.
#[derive(Default)]
pub(super) struct UnixBound {
    host: usize,
    path: Option<PathBuf>,
    peer: Option<u64>,
    queue: VecDeque<Queued>,
    // Memory of what was sent and not received yet.
    unreceived: usize,
    readers: Waiting,
    // Senders that wait for room in the queue.
    writers: Waiting,
    // Tasks of this socket that wait for room in its send buffer.
    senders: Waiting,
}

struct Queued {
    from: u64,
    path: Option<PathBuf>,
    bytes: Vec<u8>,
}

impl UnixBound {
    /// Of what has the number `own`. Two that are connected to each other have no limit but their send buffers, and nor has
    /// one that sends to itself (`unix_dgram_sendmsg`).
    fn is_full_for(&self, own: u64, sender: u64) -> bool {
        sender != own && self.peer != Some(sender) && self.queue.len() >= QUEUE
    }
}

impl Bound for UnixBound {
    fn host(&self) -> usize {
        self.host
    }

    fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.readers, &mut self.writers, &mut self.senders].into_iter()
    }
}

/// Memory that a datagram takes of the send buffer (`skb->truesize`): what it needs is allocated in powers of two up to
/// two pages, and in pages beyond.
fn memory(len: usize) -> usize {
    // Of its header, and behind its bytes.
    const HEADER: usize = 256;
    const FOOTER: usize = 320;
    const PAGE: usize = 4096;
    if len + FOOTER <= 2 * PAGE {
        HEADER + (len + FOOTER).next_power_of_two().max(512)
    } else {
        HEADER + len.next_multiple_of(PAGE) + PAGE
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
        let number = clock.number();
        if let Some(path) = path {
            let bound = self.files.bind(host, path, SocketKind::Datagram, number);
            cannot("bind to", path, bound)?;
        }
        let bound = UnixBound { host, path: path.map(Path::to_owned), ..UnixBound::default() };
        self.unix_datagrams.insert(number, bound);
        Ok(number)
    }

    pub(crate) fn unbind_unix(&mut self, clock: &mut Clock, number: u64) {
        let Some(mut bound) = self.unix_datagrams.remove(&number) else { return };
        if let Some(path) = &bound.path {
            self.files.leave(bound.host, path, SocketKind::Datagram, number);
        }
        bound.readers.move_to(&mut clock.dropped);
        bound.senders.move_to(&mut clock.dropped);
        // Waiting senders find out that the receiver is gone.
        bound.writers.move_to(&mut clock.woken);
        for Queued { from, bytes, .. } in bound.queue {
            self.received(clock, from, bytes.len());
        }
    }

    /// A datagram has left the send buffer of its sender.
    fn received(&mut self, clock: &mut Clock, from: u64, len: usize) {
        if let Some(sender) = self.unix_datagrams.get_mut(&from) {
            sender.unreceived = sender.unreceived.saturating_sub(memory(len));
            sender.senders.move_to(&mut clock.woken);
        }
    }

    /// Connects a socket to that at a path.
    pub(crate) fn connect_unix(&mut self, host: usize, number: u64, path: &Path) -> io::Result<()> {
        let peer = self.files.find(host, path, SocketKind::Datagram)?;
        self.check_may_send(number, peer)?;
        self.set_unix_peer(number, peer);
        Ok(())
    }

    /// Sets the default peer of a socket.
    pub(crate) fn set_unix_peer(&mut self, number: u64, peer: u64) {
        if let Some(bound) = self.unix_datagrams.get_mut(&number) {
            bound.peer = Some(peer);
        }
    }

    /// A connected socket receives from its peer only (`unix_may_send`).
    fn check_may_send(&self, from: u64, to: u64) -> Result<(), Errno> {
        match self.unix_datagrams.get(&to) {
            None => Err(Errno::ConnectionRefused),
            Some(bound) if bound.peer.is_some_and(|peer| peer != from) => Err(Errno::NotPermitted),
            Some(_) => Ok(()),
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
        let Some(sender) = self.unix_datagrams.get_mut(&number) else { return Poll::Ready(Err(crashed())) };
        if buf.len() > LARGEST {
            return Poll::Ready(Err(Errno::TooLong.into()));
        }
        if to.is_none() && sender.peer.is_none() {
            return Poll::Ready(Err(Errno::NotConnected.into()));
        }
        if sender.unreceived >= SEND_BUFFER {
            clock.dropped.extend(sender.senders.add(waiter, how));
            return Poll::Pending;
        }
        let (from, peer) = (sender.path.clone(), sender.peer);
        let to = match to {
            Some(path) => self.files.find(host, path, SocketKind::Datagram)?,
            None => peer.ok_or(Errno::NotConnected)?,
        };
        if self.unix_datagrams.get(&to).is_none() {
            let mut lost = VecDeque::new();
            // A peer that is gone is no peer any more.
            if let Some(sender) = self.unix_datagrams.get_mut(&number).filter(|_| peer == Some(to)) {
                sender.peer = None;
                // "Messages are lost" (`unix_dgram_disconnected`).
                lost = std::mem::take(&mut sender.queue);
            }
            for Queued { from, bytes, .. } in lost {
                self.received(clock, from, bytes.len());
            }
            return Poll::Ready(Err(Errno::ConnectionRefused.into()));
        }
        self.check_may_send(number, to)?;
        let Some(bound) = self.unix_datagrams.get_mut(&to) else { return Poll::Ready(Err(crashed())) };
        if bound.is_full_for(to, number) {
            clock.dropped.extend(bound.writers.add(waiter, how));
            return Poll::Pending;
        }
        let message = clock.sent(
            number,
            || ("datagram", (host, host)),
            || ([&from, &bound.path].map(|path| Addr::Path(path.clone()).to_string()), buf),
        );
        bound.queue.push_back(Queued { from: number, path: from, bytes: buf.to_vec() });
        bound.readers.move_to(&mut clock.woken);
        if let Some(sender) = self.unix_datagrams.get_mut(&number) {
            sender.unreceived += memory(buf.len());
        }
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

    /// Returns whether the send buffer and the peer have room, or there is no peer to wait for.
    pub(crate) fn unix_writable(
        &mut self,
        clock: &mut Clock,
        number: u64,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<()>> {
        let Some(bound) = self.unix_datagrams.get_mut(&number) else { return Poll::Ready(Err(crashed())) };
        if bound.unreceived >= SEND_BUFFER {
            clock.dropped.extend(bound.senders.add(waiter, how));
            return Poll::Pending;
        }
        let peer = bound.peer.and_then(|peer| Some((peer, self.unix_datagrams.get_mut(&peer)?)));
        match peer.filter(|(own, peer)| peer.is_full_for(*own, number)) {
            Some((_, full)) => {
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
            Some(Queued { from, path, bytes }) => {
                bound.writers.move_to(&mut clock.woken);
                self.received(clock, from, bytes.len());
                Poll::Ready(Ok((path, bytes)))
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
}
