//! Connections: what TCP and Unix sockets have in common.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::task::{Poll, Waker};

use super::paths::Gate;
use super::{Addr, Network, crashed};
use crate::backend::sim::clock::{Clock, NetEvent};
use crate::backend::sim::log::{Flight, Kind, hash_of_both};
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::{Waiter, set};
use crate::net::options::SocketOptions;

/// How often one asks again who gets no answer, the first time after a second and then after twice as long: as Linux does
/// (tcp(7), `tcp_syn_retries`). Once all that has passed one gives up.
const RETRIES: u32 = 6;
const RETRY: u64 = 1_000_000_000;

/// How often what is lost is sent again, the first time after 200 ms and then after twice as long, up to two minutes: as
/// Linux does (tcp(7), `tcp_retries2`). That is 924.6 s in all.
const RESENDS: u32 = 15;
const RESEND: u64 = 200_000_000;
const LONGEST_RESEND: u64 = 120_000_000_000;

/// A connection: an end for whoever has asked for it, and one for whoever was asked.
pub(super) struct Conn {
    asked_at: u64,
    // For the log.
    request: u64,
    progress: Progress,
    ends: [End; 2],
}

impl Conn {
    /// From which host to which.
    fn path(&self, to: usize) -> (usize, usize) {
        (self.ends[1 - to].host, self.ends[to].host)
    }

    /// For the log: what goes to one end. Its bytes are in the inbox from `at` on.
    #[cold]
    fn flight(&self, to: usize, what: &'static str, at: usize, len: usize) -> Flight {
        let (front, back) = self.ends[to].readable(at, len);
        let ends = [&self.ends[1 - to], &self.ends[to]];
        Flight::new(what, self.path(to), ends.map(|end| end.addr.to_string()), (front, back))
    }

    pub(super) fn take_waiters(&mut self) -> impl Iterator<Item = Waker> {
        self.ends.iter_mut().flat_map(End::take_waiters)
    }
}

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

enum Progress {
    Asked,
    /// It is there for the one who was asked, and the other does not know it yet.
    Accepted,
    Open,
    Failed(ErrorKind),
}

struct End {
    host: usize,
    addr: Addr,
    options: SocketOptions,
    ttl: u32,
    // What has arrived, and behind it what is on its way.
    inbox: VecDeque<u8>,
    arrived: usize,
    // What is on its way: only the first of it has an event, so that nothing overtakes it.
    flight: VecDeque<Packet>,
    ended: bool,
    // Our own side is closed.
    shut: bool,
    // Reported once.
    error: Option<ErrorKind>,
    reset: bool,
    held: bool,
    // With its host.
    crashed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl End {
    fn new(host: usize, addr: Addr, options: SocketOptions, held: bool) -> Self {
        Self {
            host,
            addr,
            options,
            ttl: super::TTL,
            inbox: VecDeque::new(),
            arrived: 0,
            flight: VecDeque::new(),
            ended: false,
            shut: false,
            error: None,
            reset: false,
            held,
            crashed: false,
            reader: None,
            writer: None,
        }
    }

    /// Whoever waits for anything here.
    fn take_waiters(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.reader.take().into_iter().chain(self.writer.take())
    }

    /// Nobody sends any more what is on its way here.
    fn clear_flight(&mut self) {
        self.flight.clear();
        self.inbox.truncate(self.arrived);
    }

    /// What is to be read, in the two places where it is.
    #[inline]
    fn readable(&self, from: usize, len: usize) -> (&[u8], &[u8]) {
        let (front, back) = self.inbox.as_slices();
        let split = front.len();
        (
            &front[from.min(split)..(from + len).min(split)],
            &back[from.saturating_sub(split)..(from + len).saturating_sub(split)],
        )
    }
}

/// What is on its way to one end of a connection.
struct Packet {
    at: u64,
    // How often it was lost.
    tries: u32,
    what: What,
    // For the log.
    message: u64,
}

impl Packet {
    fn len(&self) -> usize {
        if let What::Data(len) = self.what { len } else { 0 }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Accepted,
    Data(usize),
    End,
    Reset,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "answer",
            Self::Data(_) => "data",
            Self::End => "end",
            Self::Reset => "reset",
        }
    }
}

/// How long one waits before what was lost so often is sent again.
fn resend(tries: u32) -> u64 {
    (RESEND << tries).min(LONGEST_RESEND)
}

/// No connection is forgotten as long as somebody holds an end of it, and their host is up.
pub(super) fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(crashed()))
}

impl Network {
    /// Asks for a connection to `to`, on `host`.
    pub(crate) fn ask(
        &mut self,
        clock: &mut Clock,
        (from_host, from): (usize, Addr),
        (host, to): (usize, Addr),
        options: SocketOptions,
    ) -> Id {
        let number = clock.number();
        let asked = End::new(host, to, SocketOptions::default(), false);
        let ends = [End::new(from_host, from, options, true), asked];
        let mut asking = Conn { asked_at: clock.nanos, request: 0, progress: Progress::Asked, ends };
        asking.request = clock.sent(number, || asking.flight(SERVER, "request", 0, 0));
        let conn = self.conns.insert(number, asking);
        self.after(clock, from_host, host, NetEvent::Ask { conn, tries: 0 });
        conn
    }

    /// A connection that nobody had to ask for, from a host to itself.
    #[cfg(unix)]
    pub(crate) fn pair(&mut self, clock: &mut Clock, host: usize) -> Id {
        let end = || End::new(host, Addr::Path(None), SocketOptions::default(), true);
        let ends = [end(), end()];
        let pair = Conn { asked_at: clock.nanos, request: 0, progress: Progress::Open, ends };
        self.conns.insert(clock.number(), pair)
    }

    /// Waits until whoever listens has it in the queue.
    pub(crate) fn connected(
        &mut self,
        clock: &mut Clock,
        id: Id,
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(conn) = self.conn(id, CLIENT) else { return gone() };
        match conn.progress {
            Progress::Asked | Progress::Accepted => {
                clock.dropped.extend(set(&mut conn.ends[CLIENT].writer, waiter));
                Poll::Pending
            }
            Progress::Open => Poll::Ready(Ok(())),
            Progress::Failed(kind) => Poll::Ready(Err(kind.into())),
        }
    }

    /// Reads what has arrived at one end; what is not taken stays to be read.
    pub(crate) fn read(
        &mut self,
        clock: &mut Clock,
        (id, side): (Id, usize),
        buf: &mut [u8],
        take: bool,
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<usize>> {
        let Self { conns, hosts, .. } = self;
        let Some(conn) = conns.get_mut(id).filter(|conn| !conn.ends[side].crashed) else { return gone() };
        let (from, to) = conn.path(side);
        let end = &mut conn.ends[side];
        if end.arrived > 0 {
            let len = buf.len().min(end.arrived);
            let (front, back) = end.readable(0, len);
            buf[..front.len()].copy_from_slice(front);
            if !back.is_empty() {
                buf[front.len()..len].copy_from_slice(back);
            }
            if take {
                end.inbox.drain(..len);
                end.arrived -= len;
                let (waiting, path) = (end.inbox.len(), &hosts[from].paths[to]);
                if waiting + path.worth_sending() <= path.buffer() {
                    clock.woken.extend(conn.ends[1 - side].writer.take());
                }
            }
            return Poll::Ready(Ok(len));
        }
        if let Some(kind) = end.error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        if end.ended || end.reset {
            return Poll::Ready(Ok(0));
        }
        clock.dropped.extend(set(&mut end.reader, waiter));
        Poll::Pending
    }

    /// Writes at one end, as much as the other has room for.
    pub(crate) fn write(
        &mut self,
        clock: &mut Clock,
        (id, side): (Id, usize),
        bufs: &[io::IoSlice<'_>],
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<usize>> {
        let Self { conns, hosts, .. } = self;
        let Some(conn) = conns.get_mut(id).filter(|conn| !conn.ends[side].crashed) else { return gone() };
        let end = &mut conn.ends[side];
        if let Some(kind) = end.error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        if end.shut || end.reset {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let to = 1 - side;
        let (from_host, to_host) = conn.path(to);
        let path = &hosts[from_host].paths[to_host];
        let room = path.buffer().saturating_sub(conn.ends[to].inbox.len());
        // Not a few bytes at a time, for ever, when it is read a few bytes at a time (RFC 1122, 4.2.3.4).
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        if room < len.min(path.worth_sending()) {
            clock.dropped.extend(set(&mut conn.ends[side].writer, waiter));
            return Poll::Pending;
        }
        let len = len.min(room);
        let mut left = len;
        for buf in bufs {
            let part = &buf[..buf.len().min(left)];
            conn.ends[to].inbox.extend(part);
            left -= part.len();
        }
        self.send(clock, id, to, What::Data(len));
        Poll::Ready(Ok(len))
    }

    /// What can be set at one end, and its TTL.
    pub(crate) fn options(&mut self, id: Id, side: usize) -> io::Result<(&mut SocketOptions, &mut u32)> {
        let end = &mut self.conn(id, side).ok_or_else(crashed)?.ends[side];
        Ok((&mut end.options, &mut end.ttl))
    }
}

impl Network {
    /// A connection, unless the host of this end has crashed.
    fn conn(&mut self, id: Id, side: usize) -> Option<&mut Conn> {
        self.conns.get_mut(id).filter(|conn| !conn.ends[side].crashed)
    }

    /// Whoever waits to write from one host to another.
    pub(super) fn writers(&mut self, from: usize, to: usize) -> Vec<Waker> {
        let ends = self.conns.values_mut().flat_map(|conn| {
            let hosts = [CLIENT, SERVER].map(|side| conn.path(1 - side));
            conn.ends.iter_mut().zip(hosts).filter(|(_, path)| *path == (from, to))
        });
        ends.flat_map(|(end, _)| end.writer.take()).collect()
    }

    /// Of the one who asked, and of the one who was asked.
    pub(super) fn addrs(&self, conn: Id) -> [Addr; 2] {
        match self.conns.get(conn) {
            Some(Conn { ends: [client, server], .. }) => [client.addr.clone(), server.addr.clone()],
            None => [Addr::Path(None), Addr::Path(None)],
        }
    }
}

impl Network {
    /// Something goes to one end of a connection, after everything that went there before.
    fn send(&mut self, clock: &mut Clock, id: Id, to: usize, what: What) {
        let Self { conns, hosts, random, .. } = self;
        let Some(conn) = conns.get_mut(id) else { return };
        let (from_host, to_host) = conn.path(to);
        let path = &mut hosts[from_host].paths[to_host];
        let waiting = conn.ends[to].flight.len();
        let mut left = if let What::Data(len) = what { len } else { 0 };
        loop {
            let len = path.segment(random, left);
            let mut at = path.arrival(random, clock.nanos, len);
            let begins = conn.ends[to].inbox.len() - left;
            let message = clock.sent(id.number, || conn.flight(to, what.name(), begins, len));
            let mut tries = 0;
            // Of an answer it is known already.
            while what != What::Accepted && tries <= RESENDS && path.loses(random) {
                clock.record(Kind::Lost, id.number, len as u64);
                clock.trace.on_path((from_host, to_host));
                at = at.saturating_add(resend(tries));
                tries += 1;
            }
            // Nobody sends a reset again.
            if what == What::Reset && tries > 0 {
                break;
            }
            let what = if let What::Data(_) = what { What::Data(len) } else { what };
            conn.ends[to].flight.push_back(Packet { at, tries, what, message });
            left -= len;
            if left == 0 {
                break;
            }
        }
        if waiting == 0 {
            self.await_first(clock, id, to);
        }
    }

    /// What is first on its way is due when it is.
    fn await_first(&mut self, clock: &mut Clock, id: Id, to: usize) {
        let conn = self.conns.get(id);
        if let Some(first) = conn.and_then(|conn| conn.ends[to].flight.front()) {
            clock.add(first.at, NetEvent::Arrive { conn: id, to });
        }
    }

    pub(crate) fn shutdown(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if !std::mem::replace(&mut end.shut, true) && !end.reset {
            self.send(clock, id, 1 - side, What::End);
        }
    }

    /// Breaks it off: the peer sees a reset.
    pub(super) fn reset(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            self.send(clock, id, 1 - side, What::Reset);
        }
    }

    /// Nobody holds this end any more.
    pub(crate) fn close(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if end.crashed {
            return;
        }
        end.held = false;
        let wakers = end.take_waiters();
        clock.dropped.extend(wakers);
        let unread = end.arrived > 0;
        end.inbox.drain(..end.arrived);
        end.arrived = 0;
        let lingers = end.options.linger.is_none_or(|linger| !linger.is_zero());
        if matches!(conn.progress, Progress::Asked | Progress::Failed(_)) {
            // Whoever listens may have it nevertheless.
            end.reset = true;
            self.forget(id);
            return;
        }
        if unread || !lingers {
            self.reset(clock, id, side);
        } else {
            self.shutdown(clock, id, side);
        }
        self.forget(id);
    }

    /// Forgets a connection that nobody holds an end of.
    fn forget(&mut self, id: Id) {
        if self.conns.get(id).is_some_and(|conn| conn.ends.iter().all(|end| !end.held)) {
            self.conns.remove(id);
        }
    }

    /// A connection is asked for.
    pub(super) fn asked(&mut self, clock: &mut Clock, id: Id, tries: u32) {
        let Some(conn) = self.conns.get(id) else { return };
        if !matches!(conn.progress, Progress::Asked) {
            return;
        }
        let ((from, to), request) = (conn.path(SERVER), conn.request);
        match self.gate(from, to) {
            Gate::Held => return self.keep(clock, from, to, NetEvent::Ask { conn: id, tries }),
            Gate::Cut => return self.ask_again(clock, id, tries, Kind::Cut),
            Gate::Open => {}
        }
        if self.is_lost(from, to) || self.gate(to, from) == Gate::Cut || self.is_lost(to, from) {
            return self.ask_again(clock, id, tries, Kind::Lost);
        }
        clock.record(Kind::ConnectionAsked, id.number, 0);
        clock.trace.arrived(request);
        let Self { conns, listening, .. } = self;
        let Some(conn) = conns.get_mut(id) else { return };
        let server = &mut conn.ends[SERVER];
        let Some(listening) = listening.values_mut().find(|it| it.takes(server.host, &server.addr)) else {
            let flight = || conn.flight(CLIENT, "refusal", 0, 0);
            let message = clock.sent(id.number, flight);
            self.after(clock, to, from, NetEvent::Refused { conn: id, tries, message });
            return;
        };
        if !listening.has_room() {
            return self.ask_again(clock, id, tries, Kind::Lost);
        }
        listening.queue.push_back(id);
        server.options = listening.options.clone();
        server.ttl = listening.ttl;
        server.held = true;
        conn.progress = Progress::Accepted;
        clock.woken.append(listening.waiters.take());
        self.send(clock, id, CLIENT, What::Accepted);
    }

    /// There was no answer.
    fn ask_again(&mut self, clock: &mut Clock, id: Id, tries: u32, why: Kind) {
        let Some(conn) = self.conns.get(id) else { return };
        clock.record(why, id.number, 0);
        clock.trace.on_path(conn.path(SERVER));
        if tries == RETRIES {
            return self.give_up_in_time(clock, id);
        }
        let (from, to) = conn.path(SERVER);
        let asks_at = (conn.asked_at + (RETRY << (tries + 1)) - RETRY).max(clock.nanos);
        let (path, random) = self.path(from, to);
        let at = path.arrival(random, asks_at, 0);
        clock.add(at, NetEvent::Ask { conn: id, tries: tries + 1 });
    }

    fn give_up_in_time(&mut self, clock: &mut Clock, id: Id) {
        let Some(conn) = self.conns.get(id) else { return };
        let at = conn.asked_at + (RETRY << (RETRIES + 1)) - RETRY;
        clock.add(at, NetEvent::GiveUp { conn: id });
    }

    pub(super) fn give_up(&mut self, clock: &mut Clock, id: Id) {
        self.fail(clock, id, ErrorKind::TimedOut, Kind::TimedOut, 0);
    }

    pub(super) fn refused(&mut self, clock: &mut Clock, id: Id, tries: u32, message: u64) {
        let Some(conn) = self.conns.get(id) else { return };
        let (from, to) = conn.path(CLIENT);
        match self.gate(from, to) {
            Gate::Held => self.keep(clock, from, to, NetEvent::Refused { conn: id, tries, message }),
            Gate::Cut => self.ask_again(clock, id, tries, Kind::Cut),
            Gate::Open => {
                self.fail(clock, id, ErrorKind::ConnectionRefused, Kind::ConnectionRefused, message)
            }
        }
    }

    /// Whoever has asked gets no connection.
    fn fail(&mut self, clock: &mut Clock, id: Id, error: ErrorKind, kind: Kind, message: u64) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if matches!(conn.progress, Progress::Asked | Progress::Accepted) {
            clock.record(kind, id.number, 0);
            clock.trace.on_path(conn.path(SERVER));
            clock.trace.arrived(message);
            conn.progress = Progress::Failed(error);
            clock.woken.extend(conn.ends[CLIENT].writer.take());
        }
    }

    /// What is first on its way to one end of a connection is due, and perhaps more.
    pub(super) fn arrive(&mut self, clock: &mut Clock, id: Id, to: usize) {
        while let Some(conn) = self.conns.get_mut(id) {
            let (from_host, to_host) = conn.path(to);
            let Some(first) = conn.ends[to].flight.front() else { return };
            if first.at > clock.nanos {
                break;
            }
            if first.tries > RESENDS {
                return self.time_out(clock, id, 1 - to);
            }
            let (what, message) = (first.what, first.message);
            let gate = self.gate(from_host, to_host);
            match gate {
                Gate::Held => return self.keep(clock, from_host, to_host, NetEvent::Arrive { conn: id, to }),
                Gate::Open if self.deliver(clock, id, to, what, message) => {}
                Gate::Open | Gate::Cut => {
                    self.send_again(clock, id, to, gate);
                }
            }
        }
        self.await_first(clock, id, to);
    }

    /// Whether it was taken. If not, whoever has sent it is told, and does so again until they hear of it.
    fn deliver(&mut self, clock: &mut Clock, id: Id, to: usize, what: What, message: u64) -> bool {
        let Some(conn) = self.conns.get_mut(id) else { return false };
        let is_failed = matches!(conn.progress, Progress::Failed(_));
        let end = &mut conn.ends[to];
        let nobody = match what {
            What::Accepted => is_failed,
            What::Data(_) => !end.held || end.reset,
            What::End => end.reset,
            What::Reset => false,
        };
        if let What::Data(len) = what {
            let (front, back) = end.readable(end.arrived, len);
            clock.record(Kind::DataArrived, id.number, hash_of_both(front, back));
            clock.trace.arrived(message);
        }
        if nobody {
            self.send(clock, id, 1 - to, What::Reset);
            return false;
        }
        end.flight.pop_front();
        match what {
            What::Accepted => {
                clock.record(Kind::ConnectionOpened, id.number, 0);
                clock.trace.arrived(message);
                conn.progress = Progress::Open;
                clock.woken.extend(end.writer.take());
            }
            What::Data(len) => {
                end.arrived += len;
                clock.woken.extend(end.reader.take());
            }
            What::End => {
                clock.record(Kind::EndArrived, id.number, 0);
                clock.trace.arrived(message);
                end.ended = true;
                clock.woken.extend(end.reader.take());
            }
            What::Reset => self.was_reset(clock, id, to, message),
        }
        true
    }

    /// What is first on its way has not arrived.
    fn send_again(&mut self, clock: &mut Clock, id: Id, to: usize, gate: Gate) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if gate == Gate::Cut {
            clock.record(Kind::Cut, id.number, 0);
            clock.trace.on_path(conn.path(to));
        }
        let sender_is_gone = conn.ends[1 - to].reset;
        let Some(first) = conn.ends[to].flight.front_mut() else { return };
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

    /// Whoever has sent for so long without an answer gives up.
    fn time_out(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        clock.record(Kind::TimedOut, id.number, 0);
        clock.trace.on_path(conn.path(1 - side));
        conn.ends[1 - side].clear_flight();
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            end.error = Some(ErrorKind::TimedOut);
        }
        clock.woken.extend(end.take_waiters());
    }

    /// All connections between two hosts are reset, for both ends.
    pub(super) fn break_off(&mut self, clock: &mut Clock, a: usize, b: usize) {
        let is_between = |conn: &Conn| [(a, b), (b, a)].contains(&conn.path(CLIENT));
        let ids: Vec<_> = self.conns.iter().filter(|(_, conn)| is_between(conn)).map(|(id, _)| id).collect();
        for id in ids {
            let Some(conn) = self.conns.get_mut(id) else { continue };
            if !matches!(conn.progress, Progress::Accepted | Progress::Open) {
                continue;
            }
            conn.ends.iter_mut().for_each(End::clear_flight);
            for side in [CLIENT, SERVER] {
                self.was_reset(clock, id, side, 0);
            }
            self.fail(clock, id, ErrorKind::ConnectionReset, Kind::ConnectionRefused, 0);
        }
    }

    /// A host has lost its power: its ends are gone, and say nothing of it.
    pub(super) fn crash_connections(&mut self, clock: &mut Clock, host: usize) {
        let ids: Vec<_> = self.conns.iter().map(|(id, _)| id).collect();
        for id in ids {
            for side in [CLIENT, SERVER] {
                let Some(conn) = self.conns.get_mut(id) else { break };
                let not_there_yet = side == SERVER && matches!(conn.progress, Progress::Asked);
                let end = &mut conn.ends[side];
                if end.host != host || end.crashed || not_there_yet {
                    continue;
                }
                (end.crashed, end.held, end.shut, end.reset, end.error) = (true, false, true, true, None);
                end.inbox.drain(..end.arrived);
                end.arrived = 0;
                clock.woken.extend(end.take_waiters());
                let peer = &mut conn.ends[1 - side];
                clock.woken.extend(peer.writer.take());
                // What was lost is not sent again, and nothing arrives without what was sent before it.
                let kept = peer.flight.iter().take_while(|packet| packet.tries == 0).count();
                let lost: usize = peer.flight.drain(kept..).map(|packet| packet.len()).sum();
                peer.inbox.truncate(peer.inbox.len() - lost);
            }
            self.forget(id);
        }
    }

    fn was_reset(&mut self, clock: &mut Clock, id: Id, to: usize, message: u64) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        clock.record(Kind::ResetArrived, id.number, 0);
        clock.trace.on_path(conn.path(1 - to));
        clock.trace.arrived(message);
        // Nobody sends any more what the other end has not got.
        conn.ends[1 - to].clear_flight();
        let end = &mut conn.ends[to];
        if !std::mem::replace(&mut end.reset, true) {
            // Linux, `tcp_reset`: after the end of the stream there is nothing left to be reset but writing.
            end.error = Some(if end.ended { ErrorKind::BrokenPipe } else { ErrorKind::ConnectionReset });
        }
        clock.woken.extend(end.take_waiters());
    }
}

impl Network {
    /// Whether a port of `host` is taken by a connection, or by one that listens.
    pub(super) fn tcp_port_is_taken(&self, host: usize, port: u16) -> bool {
        let is_it = |addr: &Addr| addr.ip().is_some_and(|addr| addr.port() == port);
        self.listening.values().any(|it| it.host == host && is_it(&it.addr))
            || self
                .conns
                .values()
                .flat_map(|conn| &conn.ends)
                .any(|end| end.host == host && !end.crashed && is_it(&end.addr))
    }
}
