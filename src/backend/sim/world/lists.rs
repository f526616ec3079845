//! The lists that a simulation leaves to the next one of its thread.

use std::cell::Cell;

use super::State;
use super::driving::Main;
use crate::backend::sim::clock::{Event, Queue};
use crate::backend::sim::lists::List;
use crate::backend::sim::network::NetworkLists;
use crate::backend::sim::tasks::TaskLists;

#[derive(Default)]
pub(super) struct Lists {
    pub(super) events: Queue<Event>,
    pub(super) network: NetworkLists,
    pub(super) tasks: TaskLists,
    pub(super) mains: Vec<Main>,
}

thread_local! {
    static LEFT: Cell<Option<Lists>> = const { Cell::new(None) };
}

impl Lists {
    /// Those that were left here, or new ones.
    pub(super) fn found() -> Self {
        // At the end of a thread there are none any more.
        LEFT.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // What is in them is dropped before they are left: its destructors may run another simulation.
        let lists = Lists {
            events: self.clock.lists(),
            network: self.network.lists(),
            tasks: self.tasks.lists(),
            mains: self.mains.emptied(),
        };
        let _ = LEFT.try_with(|left| left.set(Some(lists)));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use futures::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::net::TcpStream;
    use crate::runtime::TcpListener;
    use crate::time::sleep;
    use crate::{BlockOn, Net, Sim, Spawn};

    /// Hosts that talk to `main`. Some tasks, timers, connections and bytes are left at its end.
    fn begin(seed: u64, hosts: u8) -> Sim {
        let sim = Sim::builder().log(true).with_seed(seed);
        for n in 0..hosts {
            let host = sim.host(&format!("host {n}"), [10, 0, 1, n]).unwrap();
            // With no handle of the simulation, which would keep it.
            host.spawn(async move {
                sleep(Duration::from_millis(n.into())).await;
                let mut stream = TcpStream::connect("main:80").await.unwrap();
                stream.write_all(&[n; 100]).await.unwrap();
                sleep(Duration::from_secs(n.into())).await;
            })
            .detach();
        }
        sim.block_on(async {
            let listener = sim.tcp_bind("0.0.0.0:80").await.unwrap();
            for _ in 0..hosts / 2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_exact(&mut [0; 10]).await.unwrap();
            }
        });
        sim
    }

    fn told(sim: &Sim) -> (u64, String) {
        (sim.trace_hash(), sim.log().to_string())
    }

    /// On a thread to which nothing was left.
    fn expected(seed: u64, hosts: u8) -> (u64, String) {
        thread::spawn(move || told(&begin(seed, hosts))).join().unwrap()
    }

    #[test]
    fn simulation_is_what_it_is_whatever_was_left() {
        for (seed, hosts) in [(1, 4), (2, 20), (1, 4), (3, 0), (2, 20)] {
            assert_eq!(told(&begin(seed, hosts)), expected(seed, hosts));
            let left = LEFT.take().unwrap();
            assert!(left.mains.is_empty() && left.mains.capacity() > 0);
            LEFT.set(Some(left));
        }
    }

    #[test]
    fn two_simulations_at_a_time_have_lists_of_their_own() {
        drop(begin(1, 4));
        let (one, other) = (begin(1, 4), begin(2, 8));
        assert_eq!((told(&one), told(&other)), (expected(1, 4), expected(2, 8)));
        // It leaves them where it is dropped.
        thread::spawn(move || drop(one)).join().unwrap();
        drop(other);
        assert_eq!(told(&begin(1, 4)), expected(1, 4));
    }
}
