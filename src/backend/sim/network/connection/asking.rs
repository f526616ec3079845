//! Connection setup: requests that are accepted or refused.

use std::io;
use std::task::Poll;

use super::delivery::What;
use super::{CLIENT, Conn, End, SERVER, SleepState, gone};
use crate::backend::sim::clock::{Clock, NetEvent};
use crate::backend::sim::log::Kind;
use crate::backend::sim::network::paths::Gate;
use crate::backend::sim::network::ports::Use;
#[cfg(unix)]
use crate::backend::sim::network::socket_files::SocketKind;
use crate::backend::sim::network::{Addr, Errno, Network};
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::{How, Waiter};
use crate::runtime::net::options::SocketOptions;

/// How often one asks again who gets no answer, the first time after a second and then after twice as long: as Linux does
/// (tcp(7), `tcp_syn_retries`). Once all that has passed one gives up.
const RETRIES: u32 = 6;
const RETRY: u64 = 1_000_000_000;

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
        let asking = Conn {
            asked_at: clock.nanos,
            request: 0,
            progress: SleepState::Asked,
            is_loop: false,
            ends: [
                End::new(from_host, from, options, true),
                End::new(host, to, SocketOptions::default(), false),
            ],
        };
        let conn = self.conns.insert(number, asking);
        if let Some(asking) = self.conns.get_mut(conn) {
            let route = || ("request", (from_host, host));
            asking.request = clock.sent(number, route, || asking.shown(SERVER, 0, 0));
        }
        self.after(clock, from_host, host, NetEvent::Ask { conn, tries: 0 });
        conn
    }

    /// A connection that nobody had to ask for, from a host to itself.
    #[cfg(unix)]
    pub(crate) fn pair(&mut self, clock: &mut Clock, host: usize) -> Id {
        let end = || End::new(host, Addr::Path(None), SocketOptions::default(), true);
        let ends = [end(), end()];
        let pair =
            Conn { asked_at: clock.nanos, request: 0, progress: SleepState::Open, is_loop: false, ends };
        self.conns.insert(clock.number(), pair)
    }

    /// Waits until the listener has queued the connection.
    pub(crate) fn connected(
        &mut self,
        clock: &mut Clock,
        id: Id,
        waiter: &mut Waiter<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(conn) = self.conn(id, CLIENT) else { return gone() };
        match conn.progress {
            SleepState::Asked | SleepState::Accepted => {
                clock.dropped.extend(conn.ends[CLIENT].writer.add(waiter, How::Polls));
                Poll::Pending
            }
            SleepState::Open => Poll::Ready(Ok(())),
            SleepState::Failed(errno) => Poll::Ready(Err(errno.into())),
        }
    }

    /// A connection is asked for.
    pub(in super::super) fn asked(&mut self, clock: &mut Clock, id: Id, tries: u32) {
        let Some(conn) = self.conns.get(id) else { return };
        if !matches!(conn.progress, SleepState::Asked) {
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
        let Self { conns, listening, random, .. } = self;
        let Some(conn) = conns.get_mut(id) else { return };
        let is_loop = from == to && conn.ends[CLIENT].addr == conn.ends[SERVER].addr && !conn.is_unix();
        let server = &mut conn.ends[SERVER];
        let number = match &server.addr {
            Addr::Ip(addr) => self.ports.listener(to, *addr, random),
            #[cfg(unix)]
            Addr::Path(Some(path)) => self.files.find(to, path, SocketKind::Stream).ok(),
            Addr::Path(_) => None,
        };
        let Some(listening) = number.and_then(|number| listening.get_mut(&number)) else {
            if is_loop {
                // Its own request is an answer to it (RFC 9293, 3.5: simultaneous open).
                server.held = true;
                conn.is_loop = true;
                conn.progress = SleepState::Accepted;
                return self.send(clock, id, CLIENT, What::Accepted);
            }
            let route = || ("refusal", conn.path(CLIENT));
            let message = clock.sent(id.number, route, || conn.shown(CLIENT, 0, 0));
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
        conn.progress = SleepState::Accepted;
        if let Some(ends) = conn.ends_of(SERVER) {
            self.ports.connect(to, ends, Use::new(false, listening.share));
        }
        listening.waiters.move_to(&mut clock.woken);
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

    pub(super) fn give_up_in_time(&mut self, clock: &mut Clock, id: Id) {
        let Some(conn) = self.conns.get(id) else { return };
        let at = conn.asked_at + (RETRY << (RETRIES + 1)) - RETRY;
        clock.add(at, NetEvent::GiveUp { conn: id });
    }

    pub(in super::super) fn give_up(&mut self, clock: &mut Clock, id: Id) {
        self.fail(clock, id, Errno::TimedOut, Kind::TimedOut, 0);
    }

    pub(in super::super) fn refused(&mut self, clock: &mut Clock, id: Id, tries: u32, message: u64) {
        let Some(conn) = self.conns.get(id) else { return };
        let (from, to) = conn.path(CLIENT);
        match self.gate(from, to) {
            Gate::Held => self.keep(clock, from, to, NetEvent::Refused { conn: id, tries, message }),
            Gate::Cut => self.ask_again(clock, id, tries, Kind::Cut),
            Gate::Open => self.fail(clock, id, Errno::ConnectionRefused, Kind::ConnectionRefused, message),
        }
    }

    /// The connecting side gets no connection.
    pub(super) fn fail(&mut self, clock: &mut Clock, id: Id, error: Errno, kind: Kind, message: u64) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if matches!(conn.progress, SleepState::Asked | SleepState::Accepted) {
            clock.record(kind, id.number, 0);
            clock.trace.on_path(conn.path(SERVER));
            clock.trace.arrived(message);
            conn.progress = SleepState::Failed(error);
            conn.ends[CLIENT].writer.move_to(&mut clock.woken);
            self.free_port_of(clock, id, CLIENT);
        }
    }
}
