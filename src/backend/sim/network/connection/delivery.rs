//! Delivery from one end of a connection to the other: in order, with retransmission.

use std::io;
use std::task::Poll;

use super::{Conn, End, Fd, SleepState, gone};
use crate::backend::sim::clock::{Clock, NetEvent};
use crate::backend::sim::log::{Kind, hash};
use crate::backend::sim::network::path::Path;
use crate::backend::sim::network::paths::{Gate, gate};
use crate::backend::sim::network::{Errno, Network};
use crate::backend::sim::random::Random;
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::{How, Waiter};

/// Number of retransmissions of a lost packet: the first after 200 ms, each later one after twice the time, up to two
/// minutes, as on Linux (tcp(7), `tcp_retries2`). Together 924.6 s.
const RESENDS: u32 = 15;
const RESEND: u64 = 200_000_000;
const LONGEST_RESEND: u64 = 120_000_000_000;

/// A packet on its way to one end of a connection.
pub(super) struct Packet {
    at: u64,
    // Number of times it was lost.
    tries: u32,
    what: What,
    // For the log.
    message: u64,
}

impl Packet {
    pub(super) fn len(&self) -> usize {
        self.what.len()
    }

    pub(super) fn was_lost(&self) -> bool {
        self.tries > 0
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum What {
    Accepted,
    Data(usize),
    End,
    Reset,
}

impl What {
    /// Of its data.
    fn len(self) -> usize {
        if let Self::Data(len) = self { len } else { 0 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "answer",
            Self::Data(_) => "data",
            Self::End => "end",
            Self::Reset => "reset",
        }
    }
}

/// Returns the delay before a packet that was lost this many times is sent again.
fn resend(tries: u32) -> u64 {
    (RESEND << tries).min(LONGEST_RESEND)
}

impl End {
    #[inline]
    fn data_arrives(&self, clock: &mut Clock, id: Id, len: usize, message: u64) {
        clock.record(Kind::DataArrived, id.number, hash(self.inbox.get(self.arrived, len)));
        clock.trace.arrived(message);
    }

    #[inline]
    fn data_is_there(&mut self, clock: &mut Clock, len: usize) {
        self.arrived += len;
        self.reader.move_to(&mut clock.woken);
    }
}

impl Conn {
    /// Whether data is for this end, and nothing else is to be done about it.
    #[inline]
    fn takes_data(&self, to: usize) -> bool {
        self.ends[to].held && !self.ends[to].reset && !self.is_loop
    }

    /// Sends a packet on the path to one end, behind all earlier packets to that end.
    fn send(
        &mut self,
        clock: &mut Clock,
        (path, random): (&mut Path, &mut Random),
        id: Id,
        to: usize,
        what: What,
    ) {
        let is_next = self.ends[to].flight.is_empty();
        let len = what.len();
        if let Some(at) = path.plain_arrival(random, clock.nanos, len) {
            let begins = self.ends[to].inbox.len() - len;
            let route = || (what.name(), self.path(to));
            let message = clock.sent(id.number, route, || self.shown(to, begins, len));
            self.ends[to].flight.push(Packet { at, tries: 0, what, message });
        } else {
            self.send_pieces(clock, (path, random), id, to, what);
        }
        if let Some(first) = self.ends[to].flight.first().filter(|_| is_next) {
            clock.add(first.at, NetEvent::Arrive { conn: id, to });
        }
    }

    /// As `send`, without the event.
    #[inline(never)]
    fn send_pieces(
        &mut self,
        clock: &mut Clock,
        (path, random): (&mut Path, &mut Random),
        id: Id,
        to: usize,
        what: What,
    ) {
        let mut left = what.len();
        // Pieces of one write leave one after the other.
        let mut leaves = clock.nanos;
        loop {
            let len = path.segment(random, left);
            let mut at = path.arrival(random, leaves, len);
            leaves += 1 + len as u64 * 4 / 5;
            let begins = self.ends[to].inbox.len() - left;
            let route = || (what.name(), self.path(to));
            let message = clock.sent(id.number, route, || self.shown(to, begins, len));
            let mut tries = 0;
            // Whether an answer is lost has been drawn before.
            while what != What::Accepted && tries <= RESENDS && path.loses(random) {
                clock.record(Kind::Lost, id.number, len as u64);
                clock.trace.on_path(self.path(to));
                at = at.saturating_add(resend(tries));
                tries += 1;
            }
            // A reset is never retransmitted.
            if what == What::Reset && tries > 0 {
                break;
            }
            let what = if let What::Data(_) = what { What::Data(len) } else { what };
            self.ends[to].flight.push(Packet { at, tries, what, message });
            left -= len;
            if left == 0 {
                break;
            }
        }
    }
}

impl Network {
    /// Reads what has arrived at one end, and the descriptors that came with it. Bytes that do not fit into the buffers can be
    /// read later.
    pub(crate) fn read(
        &mut self,
        clock: &mut Clock,
        (id, side): (Id, usize),
        buf: &mut [u8],
        take: bool,
        fds: &mut Vec<Fd>,
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<usize>> {
        let Self { conns, paths, .. } = self;
        let Some(conn) = conns.get_mut(id).filter(|conn| !conn.ends[side].crashed) else { return gone() };
        let is_unix = conn.is_unix();
        let end = &mut conn.ends[side];
        if end.arrived > 0 {
            let len = end.fds.limit(buf.len().min(end.arrived));
            buf[..len].copy_from_slice(end.inbox.get(0, len));
            if take {
                end.inbox.take(len);
                end.fds.take(len, fds);
                end.arrived -= len;
                let waiting = end.inbox.len();
                if is_unix {
                    end.memory.read(len);
                    if end.memory.has_much_room() {
                        conn.ends[1 - side].writer.move_to(&mut clock.woken);
                    }
                } else if !conn.ends[1 - side].writer.is_empty() {
                    let (from, to) = conn.path(side);
                    let path = paths.get(from, to);
                    if waiting + path.worth_sending() <= path.buffer() {
                        conn.ends[1 - side].writer.move_to(&mut clock.woken);
                    }
                }
            }
            return Poll::Ready(Ok(len));
        }
        // A Unix socket knows it at once, and nothing is left to be read before it.
        let is_reset = is_unix && end.ended && end.flight.any(|packet| packet.what == What::Reset);
        if is_reset && !std::mem::replace(&mut end.reset, true) {
            return Poll::Ready(Err(Errno::ConnectionReset.into()));
        }
        // Nothing that happens after the end of a TCP stream changes it: errors are for who writes (`SOCK_DONE`).
        if end.ended && !(is_unix && end.error.is_some()) {
            return Poll::Ready(Ok(0));
        }
        if let Some(errno) = end.error.take() {
            return Poll::Ready(Err(errno.into()));
        }
        if end.reset {
            return Poll::Ready(Ok(0));
        }
        clock.dropped.extend(end.reader.add(waiter, How::Polls));
        Poll::Pending
    }

    /// Writes at one end, up to the free space in the buffer of the other end. Descriptors go with the first byte.
    pub(crate) fn write(
        &mut self,
        clock: &mut Clock,
        (id, side): (Id, usize),
        bufs: &[io::IoSlice<'_>],
        fds: &mut Vec<Fd>,
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<usize>> {
        let Self { conns, paths, random, .. } = self;
        let Some(conn) = conns.get_mut(id).filter(|conn| !conn.ends[side].crashed) else { return gone() };
        let to = 1 - side;
        // A Unix socket knows at once that its peer is gone (`unix_stream_sendmsg`).
        let is_unix = conn.is_unix();
        let is_gone = is_unix && (conn.ends[side].reset || !conn.ends[to].held);
        let end = &mut conn.ends[side];
        if is_gone {
            return Poll::Ready(Err(Errno::BrokenPipe.into()));
        }
        if let Some(errno) = end.error.take() {
            return Poll::Ready(Err(errno.into()));
        }
        if end.shut || end.reset {
            return Poll::Ready(Err(Errno::BrokenPipe.into()));
        }
        let (from_host, to_host) = conn.path(to);
        let path = paths.get_mut(from_host, to_host);
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        // Avoids sending a few bytes at a time when the reader reads a few bytes at a time (RFC 1122, 4.2.3.4).
        let (room, least) = match is_unix {
            true => (conn.ends[to].memory.room(len), 1),
            false => (path.buffer().saturating_sub(conn.ends[to].inbox.len()), len.min(path.worth_sending())),
        };
        if room < least {
            clock.dropped.extend(conn.ends[side].writer.add(waiter, How::Polls));
            return Poll::Pending;
        }
        let len = path.taken(random, len.min(room));
        let mut left = len;
        for buf in bufs {
            let part = &buf[..buf.len().min(left)];
            conn.ends[to].inbox.extend(part);
            left -= part.len();
        }
        let end = &mut conn.ends[to];
        if is_unix {
            end.memory.written(len);
        }
        end.fds.sent(fds, end.inbox.len(), len);
        conn.send(clock, (path, random), id, to, What::Data(len));
        Poll::Ready(Ok(len))
    }

    /// Whether a read at one end would return at once: with bytes, the end of the stream, or an error.
    pub(crate) fn is_readable(
        &mut self,
        clock: &mut Clock,
        (id, side): (Id, usize),
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(conn) = self.conn(id, side) else { return gone() };
        let end = &mut conn.ends[side];
        if end.arrived > 0 || end.error.is_some() || end.ended || end.reset {
            return Poll::Ready(Ok(()));
        }
        clock.dropped.extend(end.reader.add(waiter, How::Awaits));
        Poll::Pending
    }

    /// Whether a write at one end would return at once: the buffer has space, or there is an error.
    pub(crate) fn is_writable(
        &mut self,
        clock: &mut Clock,
        (id, side): (Id, usize),
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { conns, paths, .. } = self;
        let Some(conn) = conns.get_mut(id).filter(|conn| !conn.ends[side].crashed) else { return gone() };
        let (from_host, to_host) = conn.path(1 - side);
        let path = paths.get(from_host, to_host);
        let has_room = match conn.is_unix() {
            true => conn.ends[1 - side].memory.has_room(),
            false => conn.ends[1 - side].inbox.len() + path.worth_sending() <= path.buffer(),
        };
        let end = &mut conn.ends[side];
        if has_room || end.error.is_some() || end.shut || end.reset {
            return Poll::Ready(Ok(()));
        }
        clock.dropped.extend(end.writer.add(waiter, How::Awaits));
        Poll::Pending
    }

    /// Sends a packet to one end of a connection, behind all earlier packets to that end.
    pub(super) fn send(&mut self, clock: &mut Clock, id: Id, to: usize, what: What) {
        let Self { conns, paths, random, .. } = self;
        let Some(conn) = conns.get_mut(id) else { return };
        let (from_host, to_host) = conn.path(to);
        conn.send(clock, (paths.get_mut(from_host, to_host), random), id, to, what);
    }

    /// The first packet in flight to one end of a connection is due, and perhaps more of them.
    pub(in super::super) fn arrive(&mut self, clock: &mut Clock, id: Id, to: usize) {
        while let Some(conn) = self.conns.get_mut(id) {
            let (from_host, to_host) = conn.path(to);
            let Some(first) = conn.ends[to].flight.first() else { return };
            if first.at > clock.nanos {
                clock.add(first.at, NetEvent::Arrive { conn: id, to });
                return;
            }
            if first.tries > RESENDS {
                return self.time_out(clock, id, 1 - to);
            }
            let (what, message) = (first.what, first.message);
            match (gate(&self.hosts, &self.paths, from_host, to_host), what) {
                (Gate::Held, _) => {
                    return self.keep(clock, from_host, to_host, NetEvent::Arrive { conn: id, to });
                }
                // Most packets are of this kind, so that it is not looked up again.
                (Gate::Open, What::Data(len)) if conn.takes_data(to) => {
                    let end = &mut conn.ends[to];
                    end.data_arrives(clock, id, len, message);
                    end.flight.remove_first();
                    end.heard_at = clock.nanos;
                    end.data_is_there(clock, len);
                    if end.flight.is_empty() {
                        return;
                    }
                }
                (Gate::Open, _) if self.deliver(clock, id, to, what, message) => {}
                (gate @ (Gate::Open | Gate::Cut), _) => self.send_again(clock, id, to, gate),
            }
        }
    }

    /// Returns whether the packet was accepted. If not, the sender is notified, and retransmits it until it is
    /// acknowledged.
    fn deliver(&mut self, clock: &mut Clock, id: Id, to: usize, what: What, message: u64) -> bool {
        let Some(conn) = self.conns.get_mut(id) else { return false };
        let is_failed = matches!(conn.progress, SleepState::Failed(_));
        let end = &mut conn.ends[to];
        let nobody = match what {
            What::Accepted => is_failed,
            What::Data(_) => !end.held || end.reset,
            What::End => end.reset,
            What::Reset => false,
        };
        if let What::Data(len) = what {
            end.data_arrives(clock, id, len, message);
        }
        if nobody {
            self.send(clock, id, 1 - to, What::Reset);
            return false;
        }
        end.flight.remove_first();
        end.heard_at = clock.nanos;
        match what {
            What::Accepted => {
                clock.record(Kind::ConnectionOpened, id.number, 0);
                clock.trace.arrived(message);
                conn.progress = SleepState::Open;
                end.writer.move_to(&mut clock.woken);
            }
            What::Data(len) => {
                end.data_is_there(clock, len);
                self.loop_back(clock, id);
            }
            What::End => {
                clock.record(Kind::EndArrived, id.number, 0);
                clock.trace.arrived(message);
                end.ended = true;
                end.reader.move_to(&mut clock.woken);
                self.loop_back(clock, id);
                let conn = self.conns.get(id);
                if conn.is_some_and(|conn| conn.ends[to].shut_first) {
                    self.free_port_of(clock, id, to);
                }
            }
            What::Reset => self.was_reset(clock, id, to, message),
        }
        true
    }

    /// Of a socket that is connected to itself: it reads what it has written.
    fn loop_back(&mut self, clock: &mut Clock, id: Id) {
        let Some(conn) = self.conns.get_mut(id).filter(|conn| conn.is_loop) else { return };
        let [client, server] = &mut conn.ends;
        client.inbox.extend(server.inbox.get(0, server.arrived));
        server.inbox.take(server.arrived);
        client.arrived += std::mem::take(&mut server.arrived);
        client.ended |= server.ended;
        client.reader.move_to(&mut clock.woken);
    }

    /// The first packet in flight did not arrive.
    fn send_again(&mut self, clock: &mut Clock, id: Id, to: usize, gate: Gate) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if gate == Gate::Cut {
            clock.record(Kind::Cut, id.number, 0);
            clock.trace.on_path(conn.path(to));
        }
        let sender_is_gone = conn.ends[1 - to].reset;
        let Some(first) = conn.ends[to].flight.first() else { return };
        let (what, tries) = (first.what, first.tries);
        if sender_is_gone || what == What::Reset {
            conn.ends[to].clear_flight();
        } else {
            first.at = clock.nanos + resend(tries);
            first.tries += 1;
        }
        if what == What::Accepted && tries == 0 {
            self.give_up_in_time(clock, id);
        }
    }

    /// The sender gives up after this time without an acknowledgement.
    pub(super) fn time_out(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        clock.record(Kind::TimedOut, id.number, 0);
        clock.trace.on_path(conn.path(1 - side));
        conn.ends[1 - side].clear_flight();
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            end.error = Some(Errno::TimedOut);
        }
        end.move_waiters(&mut clock.woken);
        self.free_port_of(clock, id, side);
    }
}
