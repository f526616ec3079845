//! Connections: what TCP and Unix sockets have in common.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::link::Gate;
use super::{Addr, Network, crashed};
use crate::backend::sim::clock::NetEvent as Event;
use crate::backend::sim::log::{Flight, Kind, Wait, hash_of_both};
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::set;
use crate::backend::sim::world::{State, World};
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

pub(super) const CLIENT: usize = 0;
pub(super) const SERVER: usize = 1;

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

/// Our end of a connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Socket {
    world: Arc<World>,
    conn: Id,
    side: usize,
    // Apart, for streams of every runtime are as large as one of these.
    pub(super) addrs: Box<Addrs>,
}

#[derive(Clone, Debug)]
pub(super) struct Addrs {
    pub(super) local: Addr,
    pub(super) peer: Addr,
}

impl Socket {
    /// Asks for a connection to `to`, on `host`.
    pub(super) fn ask(
        world: &Arc<World>,
        (from_host, from): (usize, Addr),
        (host, to): (usize, Addr),
        options: SocketOptions,
    ) -> Self {
        let addrs = Box::new(Addrs { local: from.clone(), peer: to.clone() });
        let conn = world.with(|state| {
            let number = state.clock.number();
            let asked = End::new(host, to, SocketOptions::default(), false);
            let ends = [End::new(from_host, from, options, true), asked];
            let mut asking =
                Conn { asked_at: state.clock.nanos, request: 0, progress: Progress::Asked, ends };
            asking.request = state.clock.sent(number, || asking.flight(SERVER, "request", 0, 0));
            let conn = state.network.conns.insert(number, asking);
            state.after(from_host, host, Event::Ask { conn, tries: 0 });
            conn
        });
        Self { world: world.clone(), conn, side: CLIENT, addrs }
    }

    /// The other end of that.
    pub(super) fn accepted(world: Arc<World>, conn: Id, [peer, local]: [Addr; 2]) -> Self {
        Self { world, conn, side: SERVER, addrs: Box::new(Addrs { local, peer }) }
    }

    /// Both ends of a connection that nobody had to ask for.
    #[cfg(unix)]
    pub(super) fn pair(world: &Arc<World>, host: usize) -> [Self; 2] {
        let conn = world.with(|state| {
            let number = state.clock.number();
            let end = || End::new(host, Addr::Path(None), SocketOptions::default(), true);
            let ends = [end(), end()];
            let pair = Conn { asked_at: state.clock.nanos, request: 0, progress: Progress::Open, ends };
            state.network.conns.insert(number, pair)
        });
        let addrs = Box::new(Addrs { local: Addr::Path(None), peer: Addr::Path(None) });
        [CLIENT, SERVER].map(|side| Self { world: world.clone(), conn, side, addrs: addrs.clone() })
    }

    /// Waits until whoever listens has it in the queue.
    pub(super) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("connect to", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waker| {
            let Some(conn) = state.network.conn(self.conn, self.side) else { return gone() };
            match conn.progress {
                Progress::Asked | Progress::Accepted => {
                    state.clock.dropped.extend(set(&mut conn.ends[CLIENT].writer, waker));
                    Poll::Pending
                }
                Progress::Open => Poll::Ready(Ok(())),
                Progress::Failed(kind) => Poll::Ready(Err(kind.into())),
            }
        })
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        take: bool,
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let wait = || Wait::Socket("read from", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waker| {
            let Network { conns, hosts, .. } = &mut state.network;
            let Some(conn) = conns.get_mut(self.conn).filter(|conn| !conn.ends[self.side].crashed) else {
                return gone();
            };
            let (from, to) = conn.path(self.side);
            let end = &mut conn.ends[self.side];
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
                        state.clock.woken.extend(conn.ends[1 - self.side].writer.take());
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
            state.clock.dropped.extend(set(&mut end.reader, waker));
            Poll::Pending
        })
    }

    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wait = || Wait::Socket("write to", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waker| {
            let Network { conns, hosts, .. } = &mut state.network;
            let Some(conn) = conns.get_mut(self.conn).filter(|conn| !conn.ends[self.side].crashed) else {
                return gone();
            };
            let end = &mut conn.ends[self.side];
            if let Some(kind) = end.error.take() {
                return Poll::Ready(Err(kind.into()));
            }
            if end.shut || end.reset {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
            let to = 1 - self.side;
            let (from_host, to_host) = conn.path(to);
            let path = &hosts[from_host].paths[to_host];
            let room = path.buffer().saturating_sub(conn.ends[to].inbox.len());
            // Not a few bytes at a time, for ever, when it is read a few bytes at a time (RFC 1122, 4.2.3.4).
            let len: usize = bufs.iter().map(|buf| buf.len()).sum();
            if len == 0 {
                return Poll::Ready(Ok(0));
            }
            if room < len.min(path.worth_sending()) {
                state.clock.dropped.extend(set(&mut conn.ends[self.side].writer, waker));
                return Poll::Pending;
            }
            let len = len.min(room);
            let mut left = len;
            for buf in bufs {
                let part = &buf[..buf.len().min(left)];
                conn.ends[to].inbox.extend(part);
                left -= part.len();
            }
            state.send(self.conn, to, What::Data(len));
            Poll::Ready(Ok(len))
        })
    }

    /// Says goodbye to the peer.
    pub(super) fn shutdown(&self) {
        self.world.with(|state| state.shutdown(self.conn, self.side));
    }

    /// Reads or changes what can be set.
    pub(super) fn options<T>(&self, of: impl FnOnce(&mut SocketOptions, &mut u32) -> T) -> io::Result<T> {
        self.world.with(|state| {
            let conn = state.network.conn(self.conn, self.side).ok_or_else(crashed)?;
            let end = &mut conn.ends[self.side];
            Ok(of(&mut end.options, &mut end.ttl))
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.world.with(|state| state.close(self.conn, self.side));
    }
}

/// No connection is forgotten as long as somebody holds an end of it, and their host is up.
pub(super) fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(crashed()))
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

impl State {
    /// Something goes to one end of a connection, after everything that went there before.
    fn send(&mut self, id: Id, to: usize, what: What) {
        let Network { conns, hosts, .. } = &mut self.network;
        let Some(conn) = conns.get_mut(id) else { return };
        let (from_host, to_host) = conn.path(to);
        let path = &mut hosts[from_host].paths[to_host];
        let waiting = conn.ends[to].flight.len();
        let mut left = if let What::Data(len) = what { len } else { 0 };
        loop {
            let len = path.segment(&mut self.network_random, left);
            let mut at = path.arrival(&mut self.network_random, self.clock.nanos, len);
            let begins = conn.ends[to].inbox.len() - left;
            let message = self.clock.sent(id.number, || conn.flight(to, what.name(), begins, len));
            let mut tries = 0;
            // Of an answer it is known already.
            while what != What::Accepted && tries <= RESENDS && path.loses(&mut self.network_random) {
                self.clock.record(Kind::Lost, id.number, len as u64);
                self.clock.trace.on_path((from_host, to_host));
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
            self.await_first(id, to);
        }
    }

    /// What is first on its way is due when it is.
    fn await_first(&mut self, id: Id, to: usize) {
        let conn = self.network.conns.get(id);
        if let Some(first) = conn.and_then(|conn| conn.ends[to].flight.front()) {
            self.clock.add(first.at, Event::Arrive { conn: id, to });
        }
    }

    fn shutdown(&mut self, id: Id, side: usize) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if !std::mem::replace(&mut end.shut, true) && !end.reset {
            self.send(id, 1 - side, What::End);
        }
    }

    /// Breaks it off: the peer sees a reset.
    pub(super) fn reset(&mut self, id: Id, side: usize) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            self.send(id, 1 - side, What::Reset);
        }
    }

    /// Nobody holds this end any more.
    pub(super) fn close(&mut self, id: Id, side: usize) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if end.crashed {
            return;
        }
        end.held = false;
        let wakers = end.take_waiters();
        self.clock.dropped.extend(wakers);
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
            self.reset(id, side);
        } else {
            self.shutdown(id, side);
        }
        self.forget(id);
    }

    /// Forgets a connection that nobody holds an end of.
    fn forget(&mut self, id: Id) {
        if self.network.conns.get(id).is_some_and(|conn| conn.ends.iter().all(|end| !end.held)) {
            self.network.conns.remove(id);
        }
    }

    /// A connection is asked for.
    pub(super) fn asked(&mut self, id: Id, tries: u32) {
        let Some(conn) = self.network.conns.get(id) else { return };
        if !matches!(conn.progress, Progress::Asked) {
            return;
        }
        let ((from, to), request) = (conn.path(SERVER), conn.request);
        match self.network.gate(from, to) {
            Gate::Held => return self.keep(from, to, Event::Ask { conn: id, tries }),
            Gate::Cut => return self.ask_again(id, tries, Kind::Cut),
            Gate::Open => {}
        }
        if self.is_lost(from, to) || self.network.gate(to, from) == Gate::Cut || self.is_lost(to, from) {
            return self.ask_again(id, tries, Kind::Lost);
        }
        self.clock.record(Kind::ConnectionAsked, id.number, 0);
        self.clock.trace.arrived(request);
        let Network { conns, listening, .. } = &mut self.network;
        let Some(conn) = conns.get_mut(id) else { return };
        let server = &mut conn.ends[SERVER];
        let Some(listening) = listening.values_mut().find(|it| it.takes(server.host, &server.addr)) else {
            let flight = || conn.flight(CLIENT, "refusal", 0, 0);
            let message = self.clock.sent(id.number, flight);
            self.after(to, from, Event::Refused { conn: id, tries, message });
            return;
        };
        if !listening.has_room() {
            return self.ask_again(id, tries, Kind::Lost);
        }
        listening.queue.push_back(id);
        server.options = listening.options.clone();
        server.ttl = listening.ttl;
        server.held = true;
        conn.progress = Progress::Accepted;
        self.clock.woken.append(listening.waiters.take());
        self.send(id, CLIENT, What::Accepted);
    }

    /// There was no answer.
    fn ask_again(&mut self, id: Id, tries: u32, why: Kind) {
        let Some(conn) = self.network.conns.get(id) else { return };
        self.clock.record(why, id.number, 0);
        self.clock.trace.on_path(conn.path(SERVER));
        if tries == RETRIES {
            return self.give_up_in_time(id);
        }
        let (from, to) = conn.path(SERVER);
        let asks_at = (conn.asked_at + (RETRY << (tries + 1)) - RETRY).max(self.clock.nanos);
        let at = self.network.path(from, to).arrival(&mut self.network_random, asks_at, 0);
        self.clock.add(at, Event::Ask { conn: id, tries: tries + 1 });
    }

    fn give_up_in_time(&mut self, id: Id) {
        let Some(conn) = self.network.conns.get(id) else { return };
        let at = conn.asked_at + (RETRY << (RETRIES + 1)) - RETRY;
        self.clock.add(at, Event::GiveUp { conn: id });
    }

    pub(super) fn give_up(&mut self, id: Id) {
        self.fail(id, ErrorKind::TimedOut, Kind::TimedOut, 0);
    }

    pub(super) fn refused(&mut self, id: Id, tries: u32, message: u64) {
        let Some(conn) = self.network.conns.get(id) else { return };
        let (from, to) = conn.path(CLIENT);
        match self.network.gate(from, to) {
            Gate::Held => self.keep(from, to, Event::Refused { conn: id, tries, message }),
            Gate::Cut => self.ask_again(id, tries, Kind::Cut),
            Gate::Open => self.fail(id, ErrorKind::ConnectionRefused, Kind::ConnectionRefused, message),
        }
    }

    /// Whoever has asked gets no connection.
    fn fail(&mut self, id: Id, error: ErrorKind, kind: Kind, message: u64) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        if matches!(conn.progress, Progress::Asked | Progress::Accepted) {
            self.clock.record(kind, id.number, 0);
            self.clock.trace.on_path(conn.path(SERVER));
            self.clock.trace.arrived(message);
            conn.progress = Progress::Failed(error);
            self.clock.woken.extend(conn.ends[CLIENT].writer.take());
        }
    }

    /// What is first on its way to one end of a connection is due, and perhaps more.
    pub(super) fn arrive(&mut self, id: Id, to: usize) {
        while let Some(conn) = self.network.conns.get_mut(id) {
            let (from_host, to_host) = conn.path(to);
            let Some(first) = conn.ends[to].flight.front() else { return };
            if first.at > self.clock.nanos {
                break;
            }
            if first.tries > RESENDS {
                return self.time_out(id, 1 - to);
            }
            let (what, message) = (first.what, first.message);
            let gate = self.network.gate(from_host, to_host);
            match gate {
                Gate::Held => return self.keep(from_host, to_host, Event::Arrive { conn: id, to }),
                Gate::Open if self.deliver(id, to, what, message) => {}
                Gate::Open | Gate::Cut => {
                    self.send_again(id, to, gate);
                }
            }
        }
        self.await_first(id, to);
    }

    /// Whether it was taken. If not, whoever has sent it is told, and does so again until they hear of it.
    fn deliver(&mut self, id: Id, to: usize, what: What, message: u64) -> bool {
        let Some(conn) = self.network.conns.get_mut(id) else { return false };
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
            self.clock.record(Kind::DataArrived, id.number, hash_of_both(front, back));
            self.clock.trace.arrived(message);
        }
        if nobody {
            self.send(id, 1 - to, What::Reset);
            return false;
        }
        end.flight.pop_front();
        match what {
            What::Accepted => {
                self.clock.record(Kind::ConnectionOpened, id.number, 0);
                self.clock.trace.arrived(message);
                conn.progress = Progress::Open;
                self.clock.woken.extend(end.writer.take());
            }
            What::Data(len) => {
                end.arrived += len;
                self.clock.woken.extend(end.reader.take());
            }
            What::End => {
                self.clock.record(Kind::EndArrived, id.number, 0);
                self.clock.trace.arrived(message);
                end.ended = true;
                self.clock.woken.extend(end.reader.take());
            }
            What::Reset => self.was_reset(id, to, message),
        }
        true
    }

    /// What is first on its way has not arrived.
    fn send_again(&mut self, id: Id, to: usize, gate: Gate) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        if gate == Gate::Cut {
            self.clock.record(Kind::Cut, id.number, 0);
            self.clock.trace.on_path(conn.path(to));
        }
        let sender_is_gone = conn.ends[1 - to].reset;
        let Some(first) = conn.ends[to].flight.front_mut() else { return };
        let (what, tries) = (first.what, first.tries);
        if sender_is_gone || what == What::Reset {
            conn.ends[to].clear_flight();
        } else {
            first.at = self.clock.nanos + resend(tries);
            first.tries += 1;
        }
        if what == What::Accepted && tries == 0 {
            self.give_up_in_time(id);
        }
    }

    /// Whoever has sent for so long without an answer gives up.
    fn time_out(&mut self, id: Id, side: usize) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        self.clock.record(Kind::TimedOut, id.number, 0);
        self.clock.trace.on_path(conn.path(1 - side));
        conn.ends[1 - side].clear_flight();
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            end.error = Some(ErrorKind::TimedOut);
        }
        self.clock.woken.extend(end.take_waiters());
    }

    /// All connections between two hosts are reset, for both ends.
    pub(super) fn break_off(&mut self, a: usize, b: usize) {
        let is_between = |conn: &Conn| [(a, b), (b, a)].contains(&conn.path(CLIENT));
        let ids: Vec<_> =
            self.network.conns.iter().filter(|(_, conn)| is_between(conn)).map(|(id, _)| id).collect();
        for id in ids {
            let Some(conn) = self.network.conns.get_mut(id) else { continue };
            if !matches!(conn.progress, Progress::Accepted | Progress::Open) {
                continue;
            }
            conn.ends.iter_mut().for_each(End::clear_flight);
            for side in [CLIENT, SERVER] {
                self.was_reset(id, side, 0);
            }
            self.fail(id, ErrorKind::ConnectionReset, Kind::ConnectionRefused, 0);
        }
    }

    /// A host has lost its power: its ends are gone, and say nothing of it.
    pub(in crate::backend::sim) fn crash_connections(&mut self, host: usize) {
        let ids: Vec<_> = self.network.conns.iter().map(|(id, _)| id).collect();
        for id in ids {
            for side in [CLIENT, SERVER] {
                let Some(conn) = self.network.conns.get_mut(id) else { break };
                let not_there_yet = side == SERVER && matches!(conn.progress, Progress::Asked);
                let end = &mut conn.ends[side];
                if end.host != host || end.crashed || not_there_yet {
                    continue;
                }
                (end.crashed, end.held, end.shut, end.reset, end.error) = (true, false, true, true, None);
                end.inbox.drain(..end.arrived);
                end.arrived = 0;
                self.clock.woken.extend(end.take_waiters());
                let peer = &mut conn.ends[1 - side];
                self.clock.woken.extend(peer.writer.take());
                // What was lost is not sent again, and nothing arrives without what was sent before it.
                let kept = peer.flight.iter().take_while(|packet| packet.tries == 0).count();
                let lost: usize = peer.flight.drain(kept..).map(|packet| packet.len()).sum();
                peer.inbox.truncate(peer.inbox.len() - lost);
            }
            self.forget(id);
        }
    }

    fn was_reset(&mut self, id: Id, to: usize, message: u64) {
        let Some(conn) = self.network.conns.get_mut(id) else { return };
        self.clock.record(Kind::ResetArrived, id.number, 0);
        self.clock.trace.on_path(conn.path(1 - to));
        self.clock.trace.arrived(message);
        // Nobody sends any more what the other end has not got.
        conn.ends[1 - to].clear_flight();
        let end = &mut conn.ends[to];
        if !std::mem::replace(&mut end.reset, true) {
            // Linux, `tcp_reset`: after the end of the stream there is nothing left to be reset but writing.
            end.error = Some(if end.ended { ErrorKind::BrokenPipe } else { ErrorKind::ConnectionReset });
        }
        self.clock.woken.extend(end.take_waiters());
    }
}

impl State {
    /// Whether a port of `host` is taken by a connection, or by one that listens.
    pub(super) fn tcp_port_is_taken(&self, host: usize, port: u16) -> bool {
        let is_it = |addr: &Addr| addr.ip().is_some_and(|addr| addr.port() == port);
        self.network.listening.values().any(|it| it.host == host && is_it(&it.addr))
            || self
                .network
                .conns
                .values()
                .flat_map(|conn| &conn.ends)
                .any(|end| end.host == host && !end.crashed && is_it(&end.addr))
    }
}
