//! Crashes and restarts of hosts; and the end of the simulation.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use async_task::Runnable;

use super::{State, World};
use crate::backend::sim::faults::Power;
use crate::backend::sim::panics::Panic;
use crate::backend::sim::schedule::Ready;
use crate::backend::sim::slots::Id;

/// What a host runs whenever it starts.
pub(crate) type Boot = Arc<dyn Fn(&Arc<World>) + Send + Sync>;

/// The program of a host has panicked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BootPanicked {
    host: String,
    pub(crate) panic: Panic,
}

impl fmt::Display for BootPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program of host {:?} {}", self.host, self.panic)
    }
}

/// A task that has to go.
pub(super) struct Refused {
    pub(super) task: Id,
    pub(super) host: usize,
    pub(super) runnable: Runnable,
}

impl World {
    /// Drops every task.
    pub(crate) fn close(self: &Arc<Self>) {
        let (is_first, runnables, wakers, _boots) = self.with(|state| {
            let is_first = state.begin_refusing();
            state.closed = true;
            // Waiters on other runtimes are woken.
            state.network.stop(&mut state.clock.woken);
            state.clock.stop();
            let (runnables, wakers) = state.tasks.dismiss(None);
            (is_first, runnables, wakers, std::mem::take(&mut state.boots))
        });
        self.dismiss(is_first, runnables, wakers);
    }

    /// Crashes a host: its tasks are dropped.
    pub(crate) fn crash(self: &Arc<Self>, host: usize) {
        self.end_tasks(host, |state| state.network.go_down(&mut state.clock, host));
    }

    /// Kills the process of a host: its tasks are dropped.
    pub(crate) fn kill(self: &Arc<Self>, host: usize) {
        self.end_tasks(host, |state| state.network.kill(&mut state.clock, host));
    }

    fn end_tasks(self: &Arc<Self>, host: usize, goes: impl FnOnce(&mut State) -> bool) {
        let (is_first, (runnables, wakers)) = self.with(|state| {
            let is_first = state.begin_refusing();
            let tasks = if goes(state) { state.tasks.dismiss(Some(host)) } else { Default::default() };
            (is_first, tasks)
        });
        self.dismiss(is_first, runnables, wakers);
    }

    /// Drops tasks: each waiting task is scheduled once more, and dropped when no wake is in progress.
    fn dismiss(self: &Arc<Self>, is_first: bool, runnables: Vec<Ready>, wakers: Vec<Waker>) {
        wakers.into_iter().for_each(Waker::wake);
        runnables.into_iter().for_each(|ready| {
            if let Some(runnable) = ready.runnable {
                self.schedule(ready.task, runnable);
            }
        });
        if is_first {
            while let Some(refused) = self.with(State::take_refused) {
                refused.into_iter().for_each(|task| self.refuse(task));
            }
        }
        self.save_log();
    }

    /// Sets what a host runs whenever it starts, and runs it if it is up.
    pub(crate) fn set_boot(self: &Arc<Self>, host: usize, boot: Boot) {
        let (_before, up) =
            self.with(|state| (state.boots.insert(host, boot.clone()), state.network.is_up(host)));
        if up {
            boot(self);
        }
    }

    /// The program of a host has panicked: nobody else hears of it.
    pub(crate) fn boot_panicked(&self, host: usize, panic: Panic) {
        self.with(|state| {
            let host = state.network.host_name(host).to_owned();
            state.boot_panicked.get_or_insert(BootPanicked { host, panic });
        });
    }

    /// Returns which program of a host was the first to panic.
    pub(crate) fn which_boot_panicked(&self) -> Option<BootPanicked> {
        self.with(|state| state.boot_panicked.clone())
    }

    /// A host starts, unless it is up.
    pub(crate) fn start(self: &Arc<Self>, host: usize) {
        let boot = self.with(|state| {
            if state.is_closed() || !state.network.go_up(&mut state.clock, host) {
                return None;
            }
            state.boots.get(&host).cloned()
        });
        if let Some(boot) = boot {
            boot(self);
        }
    }

    pub(super) fn turn(self: &Arc<Self>, power: Power) {
        match power {
            Power::Off(host) => self.crash(host),
            Power::On(host) => self.start(host),
        }
    }
}

impl State {
    /// From now on tasks that have to be dropped are collected, until [`take_refused`](Self::take_refused) takes them.
    /// Returns whether this is the outermost call: a destructor of such a task may cause another one.
    fn begin_refusing(&mut self) -> bool {
        let is_first = self.refused.is_none();
        self.refused.get_or_insert_default();
        is_first
    }

    /// Tasks that were refused. `None`: refused tasks are dropped at once from now on.
    fn take_refused(&mut self) -> Option<Vec<Refused>> {
        if self.refused.take_if(|refused| refused.is_empty()).is_some() {
            return None;
        }
        self.refused.as_mut().map(std::mem::take)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{BlockOn, Sim, Spawn};

    #[test]
    fn stopped_simulation_is_freed_though_its_tasks_own_it() {
        let sim = Sim::builder().with_seed(1);
        let world = Arc::downgrade(&sim.world);
        let [waits, boots] = [sim.clone(), sim.clone()];
        sim.this_host().boot(move |_| {
            let boots = boots.clone();
            async move { boots.yield_now().await }
        });
        drop(sim.spawn(async move {
            std::future::pending::<()>().await;
            drop(waits);
        }));
        sim.block_on(sim.yield_now());
        sim.shutdown_timeout(Duration::ZERO).unwrap();
        drop(sim);
        assert!(world.upgrade().is_none());
    }
}
