//! Advancing the clock from outside.

use std::time::Duration;

use super::Sim;
use crate::backend::sim::clock::END;
use crate::backend::sim::world::{Entered, Step};
use crate::thread::{RuntimeKind, Scope};

impl Sim {
    /// Runs the simulation for `duration` of virtual time, and stops exactly then. The clock ends after 292 years.
    ///
    /// # Panics
    ///
    /// As `block_on`, except that a simulation in which nothing will happen any more is not an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{Sim, Spawn, Time};
    ///
    /// let sim = Sim::new()?;
    /// let there = sim.clone();
    /// let task = sim.spawn(async move { there.sleep(Duration::from_secs(2)).await });
    /// sim.advance(Duration::from_millis(1_999));
    /// assert!(!task.is_finished());
    /// sim.advance(Duration::from_millis(1));
    /// assert!(task.is_finished());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn advance(&self, duration: Duration) {
        let duration = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let nanos = self.world.with(|state| state.clock.nanos.saturating_add(duration).min(END));
        self.run_all(Some(nanos));
        self.world.with(|state| state.clock.nanos = state.clock.nanos.max(nanos));
    }

    /// Runs until the simulation is idle: no task is ready, no timer is set, and no packet is in flight. The clock
    /// advances as far as needed.
    ///
    /// # Panics
    ///
    /// As `block_on`, except that an idle simulation is not an error: this call waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{Sim, Spawn, Time};
    ///
    /// let sim = Sim::new()?;
    /// let there = sim.clone();
    /// let _task = sim.spawn(async move { there.sleep(Duration::from_secs(60)).await });
    /// sim.advance_until_stalled();
    /// assert_eq!(sim.elapsed(), Duration::from_secs(60));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn advance_until_stalled(&self) {
        self.run_all(None);
    }

    /// Runs everything that happens until then, or at all.
    #[track_caller]
    fn run_all(&self, until: Option<u64>) {
        let _driver = Scope::block_on();
        let _scope = Scope::within(RuntimeKind::Sim);
        let driving = self.world.drive(self.host, std::panic::Location::caller());
        let _entered = Entered::enter(&self.world, self.host);
        loop {
            match driving.next(until) {
                // Nobody waits here for anything.
                Step::PollMain => {}
                Step::Idle => return,
                Step::Wrong(why) => panic!("{why}"),
            }
        }
    }
}
