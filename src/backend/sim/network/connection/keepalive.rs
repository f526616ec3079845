//! Keepalive probes, which find out that a peer is gone.
//!
//! A probe that is answered changes nothing. So there are none in the queue of events until something happens that
//! might leave one without an answer: a crash of the peer, or a partition.

use std::time::Duration;

use super::delivery::What;
use super::{CLIENT, Conn, End, SERVER, SleepState};
use crate::backend::sim::clock::{Clock, NetEvent};
use crate::backend::sim::network::paths::Gate;
use crate::backend::sim::network::{Errno, Network};
use crate::backend::sim::slots::Id;
use crate::runtime::net::Keepalive;

/// What the system has for a time that is not set (tcp(7)): in seconds, and a number.
const TIME: u64 = 7_200;
const INTERVAL: u64 = 75;
const RETRIES: u32 = 9;

/// The most that it takes (`MAX_TCP_KEEPIDLE`, which `MAX_TCP_KEEPINTVL` is as well, and `MAX_TCP_KEEPCNT`).
const LONGEST: Duration = Duration::from_secs(32_767);
const MOST_RETRIES: u32 = 127;

/// Checks what the system takes.
pub(crate) fn check_keepalive(keepalive: Option<Keepalive>) -> Result<(), Errno> {
    let Some(Keepalive { time, interval, retries }) = keepalive else { return Ok(()) };
    let is_long = [time, interval].into_iter().flatten().any(|time| time > LONGEST);
    if is_long || retries > Some(MOST_RETRIES) { Err(Errno::InvalidArgument) } else { Ok(()) }
}

/// These times; those that are missing are as `before`, or else the defaults of the system.
pub(crate) fn all_times(keepalive: Keepalive, before: Option<Keepalive>) -> Keepalive {
    let before = before.unwrap_or_default();
    let Keepalive { time, interval, retries } = keepalive.in_whole_seconds();
    Keepalive {
        time: time.or(before.time).or(Some(Duration::from_secs(TIME))),
        interval: interval.or(before.interval).or(Some(Duration::from_secs(INTERVAL))),
        retries: retries.or(before.retries).or(Some(RETRIES)),
    }
}

impl End {
    fn times(&self) -> Option<Times> {
        let Keepalive { time, interval, retries } = self.options.keepalive?.in_whole_seconds();
        let nanos = |seconds: u64| seconds.saturating_mul(1_000_000_000);
        Some(Times {
            time: nanos(time.map_or(TIME, |time| time.as_secs())),
            interval: nanos(interval.map_or(INTERVAL, |interval| interval.as_secs())),
            retries: retries.unwrap_or(RETRIES),
        })
    }

    /// When the next probe is due, if all before it had an answer.
    fn next_probe(&self, clock: &Clock, times: &Times) -> u64 {
        let silent = clock.nanos.saturating_sub(self.heard_at);
        self.heard_at.saturating_add((silent / times.time + 1).saturating_mul(times.time))
    }
}

/// In nanoseconds.
struct Times {
    time: u64,
    interval: u64,
    retries: u32,
}

impl Network {
    /// Between these hosts something has happened that probes may find out.
    pub(in super::super) fn suspect(&mut self, clock: &mut Clock, is_path: impl Fn(usize, usize) -> bool) {
        let suspects: Vec<_> = self.conns.iter().flat_map(|(id, conn)| conn.suspects(id, &is_path)).collect();
        for (id, side) in suspects {
            self.await_probe(clock, id, side);
        }
    }

    /// The option was set, or changed: a probe that is due earlier now is sent then (`tcp_sock_set_keepidle`).
    pub(crate) fn keepalive_changed(&mut self, clock: &mut Clock, (id, side): (Id, usize)) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        let (Some(due), Some(times)) = (end.probe_at, end.times()) else {
            return self.await_probe(clock, id, side);
        };
        let at = match end.probes {
            0 => end.next_probe(clock, &times),
            _ => end.heard_at.saturating_add(times.time).max(clock.nanos),
        };
        // What is due too early finds that out when it happens.
        if at < due {
            end.probe_at = Some(at);
            clock.add(at, NetEvent::Probe { conn: id, side });
        }
    }

    /// Schedules the next of the probes that have been sent since the peer was last heard.
    fn await_probe(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        let Some(times) = end.times().filter(|_| end.probe_at.is_none()) else { return };
        end.probes = 0;
        let at = end.next_probe(clock, &times);
        end.probe_at = Some(at);
        clock.add(at, NetEvent::Probe { conn: id, side });
    }

    /// A probe is sent, if it is time for one.
    pub(in super::super) fn probe(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if end.probe_at != Some(clock.nanos) {
            // One that was due later, before the option was changed.
            return;
        }
        end.probe_at = None;
        let end = &conn.ends[side];
        let Some(times) = end.times().filter(|_| conn.is_probed(side)) else { return };
        let (probes, heard_at) = (end.probes, end.heard_at);
        let (from, to) = conn.path(1 - side);
        let peer_is_gone = conn.ends[1 - side].crashed;
        if clock.nanos < heard_at.saturating_add(times.time) {
            return self.await_probe(clock, id, side);
        }
        if probes >= times.retries {
            return self.time_out(clock, id, side);
        }
        let gates = [self.gate(from, to), self.gate(to, from)];
        if gates.contains(&Gate::Cut) {
            let Some(conn) = self.conns.get_mut(id) else { return };
            let at = clock.nanos.saturating_add(times.interval);
            conn.ends[side].probes += 1;
            conn.ends[side].probe_at = Some(at);
            clock.add(at, NetEvent::Probe { conn: id, side });
        } else if peer_is_gone {
            // A host that knows nothing of the connection says so.
            self.send(clock, id, side, What::Reset);
        }
    }
}

impl Conn {
    /// The ends that send probes on such a path.
    fn suspects(&self, id: Id, is_path: impl Fn(usize, usize) -> bool) -> impl Iterator<Item = (Id, usize)> {
        let ends = [CLIENT, SERVER].map(|side| {
            let (from, to) = self.path(1 - side);
            let is_one = (is_path(from, to) || is_path(to, from)) && self.is_probed(side);
            (is_one && self.ends[side].times().is_some()).then_some((id, side))
        });
        ends.into_iter().flatten()
    }

    fn is_probed(&self, side: usize) -> bool {
        let (end, is_open) =
            (&self.ends[side], matches!(self.progress, SleepState::Open | SleepState::Accepted));
        is_open && end.held && !end.reset && !end.crashed && !self.is_unix()
    }
}
