//! Connections end: closed, reset, or gone with a host.

use super::delivery::What;
use super::{CLIENT, Conn, End, SERVER, SleepState};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::log::Kind;
use crate::backend::sim::network::{Addr, Errno, Network};
use crate::backend::sim::slots::Id;

impl Network {
    pub(crate) fn shutdown(&mut self, clock: &mut Clock, (id, side): (Id, usize)) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if !std::mem::replace(&mut end.shut, true) && !end.reset {
            end.shut_first = !end.ended;
            self.send(clock, id, 1 - side, What::End);
        }
    }

    /// Resets the connection: the peer sees a reset.
    pub(in super::super) fn reset(&mut self, clock: &mut Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        end.shut = true;
        if !std::mem::replace(&mut end.reset, true) {
            self.send(clock, id, 1 - side, What::Reset);
            self.free_port_of(clock, id, side);
        }
    }

    /// This end was dropped.
    pub(crate) fn close(&mut self, clock: &mut Clock, (id, side): (Id, usize)) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let end = &mut conn.ends[side];
        if end.crashed {
            return;
        }
        end.held = false;
        if conn.is_loop {
            conn.ends[SERVER].held = false;
        }
        let end = &mut conn.ends[side];
        end.move_waiters(&mut clock.dropped);
        // What is on its way to a Unix socket is there, as far as the system is concerned.
        let is_unix = matches!(end.addr, Addr::Path(_));
        let unread = end.arrived > 0 || is_unix && end.inbox.len() > 0;
        end.clear_arrived();
        let lingers = end.options.linger.is_none_or(|linger| !linger.is_zero());
        if matches!(conn.progress, SleepState::Asked | SleepState::Failed(_)) {
            // The listener may have it nevertheless.
            end.reset = true;
            self.free_port_of(clock, id, side);
            self.forget(clock, id);
            return;
        }
        if unread || !lingers {
            self.reset(clock, id, side);
        } else {
            self.shutdown(clock, (id, side));
        }
        self.forget(clock, id);
    }

    /// Forgets a connection that nobody holds an end of.
    fn forget(&mut self, clock: &Clock, id: Id) {
        if self.conns.get(id).is_some_and(|conn| conn.ends.iter().all(|end| !end.held)) {
            self.free_port_of(clock, id, CLIENT);
            self.free_port_of(clock, id, SERVER);
            self.conns.forget(id);
        }
    }

    /// All connections between two hosts are reset, for both ends.
    pub(in super::super) fn break_off(&mut self, clock: &mut Clock, a: usize, b: usize) {
        let is_between = |conn: &Conn| [(a, b), (b, a)].contains(&conn.path(CLIENT));
        let ids: Vec<_> = self.conns.iter().filter(|(_, conn)| is_between(conn)).map(|(id, _)| id).collect();
        for id in ids {
            let Some(conn) = self.conns.get_mut(id) else { continue };
            if !matches!(conn.progress, SleepState::Accepted | SleepState::Open) {
                continue;
            }
            conn.ends.iter_mut().for_each(End::clear_flight);
            for side in [CLIENT, SERVER] {
                self.was_reset(clock, id, side, 0);
            }
            self.fail(clock, id, Errno::ConnectionReset, Kind::ConnectionRefused, 0);
        }
    }

    /// The process of a host was killed: the system closes its ends.
    pub(in super::super) fn close_connections(&mut self, clock: &mut Clock, host: usize) {
        let ids: Vec<_> = self.conns.iter().map(|(id, _)| id).collect();
        for id in ids {
            for side in [CLIENT, SERVER] {
                let Some(conn) = self.conns.get_mut(id) else { break };
                let end = &mut conn.ends[side];
                if end.host != host || !end.held || end.crashed {
                    continue;
                }
                end.move_waiters(&mut clock.woken);
                self.close(clock, (id, side));
                if let Some(conn) = self.conns.get_mut(id) {
                    conn.ends[side].crashed = true;
                }
            }
        }
    }

    /// A host has crashed: its ends vanish without a message to their peers.
    pub(in super::super) fn crash_connections(&mut self, clock: &mut Clock, host: usize) {
        let ids: Vec<_> = self.conns.iter().map(|(id, _)| id).collect();
        for id in ids {
            for side in [CLIENT, SERVER] {
                let Some(conn) = self.conns.get_mut(id) else { break };
                let not_there_yet = side == SERVER && matches!(conn.progress, SleepState::Asked);
                let end = &mut conn.ends[side];
                if end.host != host || end.crashed || not_there_yet {
                    continue;
                }
                (end.crashed, end.held, end.shut, end.reset, end.error) = (true, false, true, true, None);
                end.clear_arrived();
                end.move_waiters(&mut clock.woken);
                let peer = &mut conn.ends[1 - side];
                peer.writer.move_to(&mut clock.woken);
                let lost = peer.flight.lose_what_was_lost();
                peer.keep(peer.inbox.len() - lost);
            }
            self.forget(clock, id);
        }
    }

    pub(super) fn was_reset(&mut self, clock: &mut Clock, id: Id, to: usize, message: u64) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        clock.record(Kind::ResetArrived, id.number, 0);
        clock.trace.on_path(conn.path(1 - to));
        clock.trace.arrived(message);
        // Nobody sends any more what the other end has not got.
        conn.ends[1 - to].clear_flight();
        let is_unix = conn.is_unix();
        let end = &mut conn.ends[to];
        if !std::mem::replace(&mut end.reset, true) {
            // Linux, `tcp_reset`: after the end of the stream there is nothing left to be reset but writing.
            end.error = Some(if end.ended && !is_unix { Errno::BrokenPipe } else { Errno::ConnectionReset });
        }
        end.move_waiters(&mut clock.woken);
        self.free_port_of(clock, id, to);
    }
}
