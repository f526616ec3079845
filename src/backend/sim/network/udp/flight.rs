//! Datagrams on their way.

use std::net::SocketAddr;

use super::{QUEUE, memory};
use crate::backend::sim::clock::{Clock, Datagram, NetEvent, Refusal};
use crate::backend::sim::log::{Kind, hash};
use crate::backend::sim::network::paths::Gate;
use crate::backend::sim::network::{Errno, Network};

impl Network {
    pub(super) fn send_to_one(
        &mut self,
        clock: &mut Clock,
        (socket, from_host): (u64, usize),
        bytes: &[u8],
        from: SocketAddr,
        (host, to): (usize, SocketAddr),
    ) {
        let shown = || ([from, to].map(|addr| addr.to_string()), bytes);
        let message = clock.sent(socket, || ("datagram", (from_host, host)), shown);
        let datagram = Datagram { socket, from_host, from, host, to, bytes: bytes.to_vec(), message };
        let (path, random) = self.path(from_host, host);
        if path.duplicates(random) {
            clock.record(Kind::Duplicated, socket, 0);
            clock.trace.on_path((from_host, host));
            self.launch(clock, datagram.clone());
        }
        self.launch(clock, datagram);
    }

    fn launch(&mut self, clock: &mut Clock, datagram: Datagram) {
        let Datagram { socket, from_host, host, .. } = datagram;
        let (path, random) = self.path(from_host, host);
        let mut at = path.arrival(random, clock.nanos, datagram.bytes.len());
        if path.loses_datagram(random, datagram.bytes.len()) {
            clock.record(Kind::Lost, socket, hash(&datagram.bytes));
            return clock.trace.on_path((from_host, host));
        }
        if let Some(longer) = path.reordering(random) {
            at = at.saturating_add(longer);
        } else if let Some(bound) = self.datagrams.bound.get_mut(&socket) {
            at = at.max(bound.last);
            bound.last = at;
        }
        clock.add(at, NetEvent::Datagram(Box::new(datagram)));
    }

    pub(in super::super) fn datagram(&mut self, clock: &mut Clock, datagram: Box<Datagram>) {
        match self.gate(datagram.from_host, datagram.host) {
            Gate::Open => {}
            Gate::Held => {
                return self.keep(clock, datagram.from_host, datagram.host, NetEvent::Datagram(datagram));
            }
            Gate::Cut => {
                let Datagram { socket, from_host, host, bytes, .. } = *datagram;
                clock.record(Kind::Cut, socket, hash(&bytes));
                return clock.trace.on_path((from_host, host));
            }
        }
        let Datagram { socket, from_host, from, host, to, bytes, message } = *datagram;
        clock.record(Kind::DatagramArrived, socket, hash(&bytes));
        clock.trace.arrived(message);
        if self.datagrams.is_to_many(to) {
            for receiver in self.datagrams.members(host, from, to) {
                self.queue(clock, receiver, from, bytes.clone());
            }
            return;
        }
        if let Some(receiver) = self.datagrams.receiver(host, from, to) {
            return self.queue(clock, receiver, from, bytes);
        }
        // Only a socket that is connected to the address is notified (udp(7)).
        let hears = self.datagrams.bound.get(&socket).is_some_and(|it| it.peer == Some(to));
        if hears && !self.is_lost(host, from_host) {
            let shown = || ([to, from].map(|addr| addr.to_string()), &[][..]);
            let message = clock.sent(socket, || ("refusal", (host, from_host)), shown);
            let refusal = Refusal { socket, from: host, to: from_host, message };
            self.after(clock, host, from_host, NetEvent::DatagramRefused(Box::new(refusal)));
        }
    }

    fn queue(&mut self, clock: &mut Clock, receiver: u64, from: SocketAddr, bytes: Vec<u8>) {
        let Some(bound) = self.datagrams.bound.get_mut(&receiver) else { return };
        let memory = memory(bytes.len());
        if bound.queued + memory <= QUEUE {
            bound.queued += memory;
            bound.queue.push_back((from, bytes));
            bound.waiters.move_to(&mut clock.woken);
        }
    }

    pub(in super::super) fn datagram_refused(&mut self, clock: &mut Clock, refusal: Box<Refusal>) {
        let Refusal { socket, from, to, message } = *refusal;
        match self.gate(from, to) {
            Gate::Open => {}
            Gate::Held => {
                return self.keep(clock, from, to, NetEvent::DatagramRefused(refusal));
            }
            Gate::Cut => {
                clock.record(Kind::Cut, socket, 0);
                return clock.trace.on_path((from, to));
            }
        }
        clock.record(Kind::DatagramRefused, socket, 0);
        clock.trace.arrived(message);
        if let Some(bound) = self.datagrams.bound.get_mut(&socket) {
            bound.error = Some(Errno::ConnectionRefused);
            bound.waiters.move_to(&mut clock.woken);
            bound.senders.move_to(&mut clock.woken);
        }
    }
}
