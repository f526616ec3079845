//! Connections and who listens for them: what TCP and Unix sockets have in common.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Addr, Event, Link, Network, Waiters};
use crate::backend::sim::log::{Flight, Line};
use crate::backend::sim::trace::{Kind, hash};
use crate::backend::sim::world::{self, State, Wait, World};
use crate::net::options::SocketOptions;

/// What one end takes that is not yet read, as `SO_RCVBUF` of the systems it is. Whoever writes more waits.
pub(super) const BUFFER: usize = 1 << 16;

/// So much room there has to be for whoever has waited, or all that is needed.
const WORTH_SENDING: usize = BUFFER / 4;

/// How often one asks again where the queue is full, the first time after a second and then after twice as long: as Linux
/// does (tcp(7), `tcp_syn_retries`).
const RETRIES: u32 = 6;
const RETRY: u64 = 1_000_000_000;

/// A connection: an end for whoever has asked for it, and one for whoever was asked.
pub(super) struct Conn {
    link: Link,
    progress: Progress,
    ends: [End; 2],
}

impl Conn {
    pub(super) fn waiters(&mut self) -> impl Iterator<Item = &mut Waiters> {
        self.ends.iter_mut().flat_map(|end| [&mut end.readers, &mut end.writers])
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
    inbox: VecDeque<u8>,
    // What is on its way to the inbox and counts for its size.
    coming: usize,
    // When the last of that arrives: nothing overtakes it.
    last: u64,
    ended: bool,
    // Our own side is closed.
    shut: bool,
    // Reported once.
    error: Option<ErrorKind>,
    reset: bool,
    held: bool,
    readers: Waiters,
    writers: Waiters,
}

impl End {
    fn new(host: usize, addr: Addr, options: SocketOptions) -> Self {
        Self {
            host,
            addr,
            options,
            ttl: super::TTL,
            inbox: VecDeque::new(),
            coming: 0,
            last: 0,
            ended: false,
            shut: false,
            error: None,
            reset: false,
            held: true,
            readers: Waiters::default(),
            writers: Waiters::default(),
        }
    }
}

/// A socket that listens.
pub(super) struct Listening {
    pub(super) host: usize,
    pub(super) addr: Addr,
    pub(super) options: SocketOptions,
    pub(super) ttl: u32,
    backlog: usize,
    queue: VecDeque<u64>,
    waiters: Waiters,
}

impl Listening {
    pub(super) fn waiters(&mut self) -> impl Iterator<Item = &mut Waiters> {
        [&mut self.waiters].into_iter()
    }

    pub(super) fn new(host: usize, addr: Addr, options: SocketOptions, backlog: usize) -> Self {
        Self {
            host,
            addr,
            options,
            ttl: super::TTL,
            backlog,
            queue: VecDeque::new(),
            waiters: Waiters::default(),
        }
    }
}

/// Our end of a connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Socket {
    world: Arc<World>,
    conn: u64,
    side: usize,
    pub(super) local: Addr,
    pub(super) peer: Addr,
}

impl Socket {
    /// Asks for a connection to `to`, on `host`.
    pub(super) fn ask(
        world: &Arc<World>,
        (from_host, from): (usize, Addr),
        (host, to): (usize, Addr),
        link: Link,
        options: SocketOptions,
    ) -> Self {
        let (local, peer) = (from.clone(), to.clone());
        let conn = world.with(|state| {
            let conn = state.number();
            let ends = [End::new(from_host, from, options), End::new(host, to, SocketOptions::default())];
            state.network.conns.insert(conn, Conn { link, progress: Progress::Asked, ends });
            state.log_sent(conn, SERVER, Line::Asked, "request", &[]);
            state.after(link, Event::Ask { conn, tries: 0 });
            conn
        });
        Self { world: world.clone(), conn, side: CLIENT, local, peer }
    }

    /// Both ends of a connection that nobody had to ask for.
    #[cfg(unix)]
    pub(super) fn pair(world: &Arc<World>, host: usize) -> [Self; 2] {
        let conn = world.with(|state| {
            let conn = state.number();
            let end = || End::new(host, Addr::Path(None), SocketOptions::default());
            let pair = Conn { link: Link::Loopback, progress: Progress::Open, ends: [end(), end()] };
            state.network.conns.insert(conn, pair);
            conn
        });
        let (local, peer) = (Addr::Path(None), Addr::Path(None));
        [CLIENT, SERVER].map(|side| Self {
            world: world.clone(),
            conn,
            side,
            local: local.clone(),
            peer: peer.clone(),
        })
    }

    /// Waits until whoever listens has it in the queue.
    pub(super) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = Wait::Socket("connect to", self.peer.ip());
        self.world.operate(cx, wait, |state, waker| {
            let Some(conn) = state.network.conns.get_mut(&self.conn) else { return gone() };
            match conn.progress {
                Progress::Asked | Progress::Accepted => {
                    state.dropped.extend(conn.ends[CLIENT].writers.set(waker));
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
        self.world.operate(cx, Wait::Socket("read from", self.peer.ip()), |state, waker| {
            let Some(conn) = state.network.conns.get_mut(&self.conn) else { return gone() };
            let end = &mut conn.ends[self.side];
            if !end.inbox.is_empty() {
                let len = buf.len().min(end.inbox.len());
                let (front, back) = end.inbox.as_slices();
                let first = len.min(front.len());
                buf[..first].copy_from_slice(&front[..first]);
                buf[first..len].copy_from_slice(&back[..len - first]);
                if take {
                    end.inbox.drain(..len);
                    if end.inbox.len() + end.coming <= BUFFER - WORTH_SENDING {
                        state.woken.extend(conn.ends[1 - self.side].writers.take());
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
            state.dropped.extend(end.readers.set(waker));
            Poll::Pending
        })
    }

    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.world.operate(cx, Wait::Socket("write to", self.peer.ip()), |state, waker| {
            let Some(conn) = state.network.conns.get_mut(&self.conn) else { return gone() };
            let end = &mut conn.ends[self.side];
            if let Some(kind) = end.error.take() {
                return Poll::Ready(Err(kind.into()));
            }
            if end.shut || end.reset {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
            let to = 1 - self.side;
            let room = BUFFER.saturating_sub(conn.ends[to].inbox.len() + conn.ends[to].coming);
            // Not a few bytes at a time, for ever, when it is read a few bytes at a time (RFC 1122, 4.2.3.4).
            let len: usize = bufs.iter().map(|buf| buf.len()).sum();
            if len == 0 {
                return Poll::Ready(Ok(0));
            }
            if room < len.min(WORTH_SENDING) {
                state.dropped.extend(conn.ends[self.side].writers.set(waker));
                return Poll::Pending;
            }
            let mut bytes = Vec::with_capacity(len.min(room));
            for buf in bufs {
                bytes.extend_from_slice(&buf[..buf.len().min(room - bytes.len())]);
            }
            let len = bytes.len();
            conn.ends[to].coming += len;
            state.log_sent(self.conn, to, Line::To(to), "data", &bytes);
            state.send(self.conn, to, Event::Data { conn: self.conn, to, bytes });
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
            let conn = state.network.conns.get_mut(&self.conn).ok_or(ErrorKind::NotConnected)?;
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

/// No connection is forgotten as long as somebody holds an end of it.
fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(ErrorKind::NotConnected.into()))
}

/// A socket that listens. Dropping it resets what nobody has accepted.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) world: Arc<World>,
    pub(super) local: Addr,
    number: u64,
}

impl Acceptor {
    pub(super) fn new(world: &Arc<World>, state: &mut State, listening: Listening) -> Self {
        let (number, local) = (state.number(), listening.addr.clone());
        state.network.listening.insert(number, listening);
        Self { world: world.clone(), local, number }
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Socket>> {
        let wait = Wait::Socket("accept at", self.local.ip());
        let polled = self.world.operate(cx, wait, |state, waker| {
            let Some(listening) = state.network.listening.get_mut(&self.number) else { return Poll::Pending };
            match listening.queue.pop_front() {
                Some(conn) => Poll::Ready(Ok((conn, state.network.addrs(conn)))),
                None => {
                    listening.waiters.add(waker);
                    Poll::Pending
                }
            }
        });
        polled.map_ok(|(conn, [peer, local])| Socket {
            world: self.world.clone(),
            conn,
            side: SERVER,
            local,
            peer,
        })
    }

    pub(super) fn with<T>(&self, of: impl FnOnce(&mut Listening) -> T) -> io::Result<T> {
        self.world.with(|state| {
            let listening = state.network.listening.get_mut(&self.number);
            Ok(of(listening.ok_or(ErrorKind::NotConnected)?))
        })
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.world.with(|state| {
            let Some(listening) = state.network.listening.remove(&self.number) else { return };
            state.dropped.extend(listening.waiters);
            for conn in listening.queue {
                state.reset(conn, SERVER);
                state.close(conn, SERVER);
            }
        });
    }
}

impl Network {
    /// Of the one who asked, and of the one who was asked.
    fn addrs(&self, conn: u64) -> [Addr; 2] {
        match self.conns.get(&conn) {
            Some(Conn { ends: [client, server], .. }) => [client.addr.clone(), server.addr.clone()],
            None => [Addr::Path(None), Addr::Path(None)],
        }
    }
}

impl State {
    /// Something happens as long from now as the link takes.
    pub(super) fn after(&mut self, link: Link, event: Event) {
        let at = self.nanos + self.delay(link);
        self.add_event(at, world::Event::Net(event));
    }

    /// Something goes to one end of a connection, after everything that went there before.
    fn send(&mut self, conn: u64, to: usize, event: Event) {
        let Some(link) = self.network.conns.get(&conn).map(|conn| conn.link) else { return };
        let at = self.nanos + self.delay(link);
        let Some(conn) = self.network.conns.get_mut(&conn) else { return };
        let at = at.max(conn.ends[to].last);
        conn.ends[to].last = at;
        self.add_event(at, world::Event::Net(event));
    }

    /// The log hears of what goes to one end.
    fn log_sent(&mut self, number: u64, to: usize, line: Line, what: &'static str, bytes: &[u8]) {
        let task = self.whose_turn();
        let (Some(log), Some(conn)) = (self.trace.log(), self.network.conns.get(&number)) else { return };
        let ends = [&conn.ends[1 - to], &conn.ends[to]];
        let flight = Flight {
            message: 0,
            what,
            hosts: ends.map(|end| end.host),
            addrs: ends.map(|end| end.addr.to_string()),
            bytes: bytes.len(),
            payload: hash(bytes),
        };
        let flight = log.sent(self.nanos, task, number, flight);
        log.on_its_way(self.nanos, number, line, flight);
    }

    fn shutdown(&mut self, number: u64, side: usize) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        let end = &mut conn.ends[side];
        if !std::mem::replace(&mut end.shut, true) && !end.reset {
            self.log_sent(number, 1 - side, Line::To(1 - side), "end", &[]);
            self.send(number, 1 - side, Event::End { conn: number, to: 1 - side });
        }
    }

    /// Breaks it off: the peer sees a reset.
    fn reset(&mut self, number: u64, side: usize) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            self.log_sent(number, 1 - side, Line::To(1 - side), "reset", &[]);
            self.send(number, 1 - side, Event::Reset { conn: number, to: 1 - side });
        }
    }

    /// Nobody holds this end any more.
    fn close(&mut self, number: u64, side: usize) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        let end = &mut conn.ends[side];
        end.held = false;
        let wakers = end.readers.take().into_iter().chain(end.writers.take());
        self.dropped.extend(wakers);
        let unread = !end.inbox.is_empty();
        end.inbox.clear();
        let lingers = end.options.linger.is_none_or(|linger| !linger.is_zero());
        if matches!(conn.progress, Progress::Asked | Progress::Failed(_)) {
            self.network.conns.remove(&number);
            return;
        }
        if unread || !lingers {
            self.reset(number, side);
        } else {
            self.shutdown(number, side);
        }
        self.forget(number);
    }

    /// Forgets a connection that nobody holds an end of.
    fn forget(&mut self, number: u64) {
        if self.network.conns.get(&number).is_some_and(|conn| conn.ends.iter().all(|end| !end.held)) {
            self.network.conns.remove(&number);
        }
    }

    /// A connection is asked for.
    pub(super) fn asked(&mut self, number: u64, tries: u32) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        self.trace.record(self.nanos, Kind::ConnectionAsked, number, 0);
        self.trace.arrived(number, Line::Asked);
        let (link, server) = (conn.link, &mut conn.ends[SERVER]);
        let Some(listening) =
            self.network.listening.values_mut().find(|it| it.takes(server.host, &server.addr))
        else {
            self.log_sent(number, CLIENT, Line::Refused, "refusal", &[]);
            self.after(link, Event::Answer { conn: number, failed: Some(ErrorKind::ConnectionRefused) });
            return;
        };
        if !listening.has_room() {
            if tries < RETRIES {
                let at = self.nanos + (RETRY << tries);
                self.add_event(at, world::Event::Net(Event::Ask { conn: number, tries: tries + 1 }));
            } else {
                self.after(link, Event::Answer { conn: number, failed: Some(ErrorKind::TimedOut) });
            }
            return;
        }
        listening.queue.push_back(number);
        server.options = listening.options.clone();
        server.ttl = listening.ttl;
        conn.progress = Progress::Accepted;
        self.woken.extend(listening.waiters.take());
        self.log_sent(number, CLIENT, Line::To(CLIENT), "answer", &[]);
        self.send(number, CLIENT, Event::Answer { conn: number, failed: None });
    }

    /// The answer is there.
    pub(super) fn answered(&mut self, number: u64, failed: Option<ErrorKind>) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        let kind = if failed.is_none() { Kind::ConnectionOpened } else { Kind::ConnectionRefused };
        self.trace.record(self.nanos, kind, number, 0);
        self.trace.arrived(number, if failed.is_none() { Line::To(CLIENT) } else { Line::Refused });
        conn.progress = failed.map_or(Progress::Open, Progress::Failed);
        self.woken.extend(conn.ends[CLIENT].writers.take());
    }

    pub(super) fn data(&mut self, number: u64, to: usize, bytes: Vec<u8>) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        self.trace.record(self.nanos, Kind::DataArrived, number, hash(&bytes));
        self.trace.arrived(number, Line::To(to));
        let end = &mut conn.ends[to];
        end.coming -= bytes.len();
        if end.held && !end.reset {
            end.inbox.extend(bytes);
            self.woken.extend(end.readers.take());
        } else {
            // There is nobody to read it.
            self.woken.extend(conn.ends[1 - to].writers.take());
            self.log_sent(number, 1 - to, Line::To(1 - to), "reset", &[]);
            self.send(number, 1 - to, Event::Reset { conn: number, to: 1 - to });
        }
    }

    pub(super) fn ended(&mut self, number: u64, to: usize) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        self.trace.record(self.nanos, Kind::EndArrived, number, 0);
        self.trace.arrived(number, Line::To(to));
        conn.ends[to].ended = true;
        self.woken.extend(conn.ends[to].readers.take());
    }

    pub(super) fn was_reset(&mut self, number: u64, to: usize) {
        let Some(conn) = self.network.conns.get_mut(&number) else { return };
        self.trace.record(self.nanos, Kind::ResetArrived, number, 0);
        self.trace.arrived(number, Line::To(to));
        let end = &mut conn.ends[to];
        if !std::mem::replace(&mut end.reset, true) {
            // Linux, `tcp_reset`: after the end of the stream there is nothing left to be reset but writing.
            end.error = Some(if end.ended { ErrorKind::BrokenPipe } else { ErrorKind::ConnectionReset });
        }
        self.woken.extend(end.readers.take().into_iter().chain(end.writers.take()));
    }
}

impl Listening {
    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < self.backlog
    }

    /// Whether a connection to `addr` is for it.
    pub(super) fn takes(&self, host: usize, addr: &Addr) -> bool {
        self.host == host
            && match (&self.addr, addr) {
                (Addr::Ip(ours), Addr::Ip(addr)) => covers(*ours, *addr),
                (Addr::Path(ours), Addr::Path(path)) => ours == path,
                _ => false,
            }
    }
}

/// Whether a socket that is bound to `ours` gets what is sent to `addr`.
pub(super) fn covers(ours: SocketAddr, addr: SocketAddr) -> bool {
    ours.port() == addr.port()
        && ours.is_ipv4() == addr.is_ipv4()
        && (ours.ip().is_unspecified() || ours.ip() == addr.ip())
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
                .any(|end| end.host == host && is_it(&end.addr))
    }
}
