//! Tasks that wait, and are woken.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use async_task::Runnable;

use super::current::Entered;
use super::driving::this_thread;
use super::power::Refused;
use super::{State, World, Wrong, gone};
use crate::backend::sim::log::Wait;
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::Waiter;
use crate::runtime::task::coop;

/// Maximum number of polls in one blocking closure of something that only the simulation can make ready.
const LOOKS: u32 = 100_000;

impl World {
    /// Performs an operation of a socket, which counts for the budget of its task. A pending operation changes nothing.
    pub(crate) fn operate<T>(
        &self,
        cx: &mut Context<'_>,
        wait: impl Fn() -> Wait,
        operation: impl FnMut(&mut State, &mut Waiter<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.operate_expecting(false, cx, wait, operation)
    }

    /// As [`operate`](Self::operate). If it is expected to wait, one turn of the lock is spared.
    #[inline]
    pub(crate) fn operate_expecting<T>(
        &self,
        to_wait: bool,
        cx: &mut Context<'_>,
        wait: impl Fn() -> Wait,
        mut operation: impl FnMut(&mut State, &mut Waiter<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        coop::poll(cx, |cx| {
            let mut waiter = Waiter::new(cx.waker());
            if to_wait {
                waiter.clone_it();
            }
            let mut waits_here = false;
            loop {
                let result = self.with(|state| {
                    if state.closed {
                        return Poll::Ready(Err(gone()));
                    }
                    let result = operation(state, &mut waiter);
                    if result.is_pending() && !waiter.wants_clone() {
                        waits_here = state.tasks.waits(&mut state.clock, wait());
                    }
                    result
                });
                if waits_here {
                    self.wait_in_closure(cx.waker());
                }
                if !waiter.looks_again() {
                    return result;
                }
            }
        })
    }

    /// As [`operate`](Self::operate), but returns `WouldBlock` instead of waiting.
    pub(crate) fn try_operate<T>(
        &self,
        operation: impl FnOnce(&mut State, &mut Waiter<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        self.with(|state| {
            if state.closed {
                return Err(gone());
            }
            match operation(state, &mut Waiter::nobody()) {
                Poll::Ready(result) => result,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            }
        })
    }

    /// Waits for a signal, which never arrives.
    #[cfg(feature = "signal")]
    pub(crate) fn wait_for_signal(&self, waker: &Waker) {
        if self.with(|state| state.tasks.waits_for_signal(&mut state.clock)) {
            self.wait_in_closure(waker);
        }
    }

    /// A task is woken. Once the world is closed, or its host has crashed, it is dropped instead, and its handle says that the
    /// runtime is gone.
    pub(crate) fn schedule(self: &Arc<Self>, task: Id, runnable: Runnable) {
        let refused = self.with(|state| {
            if !state.is_alive(task) {
                let host = state.tasks.get(task).map_or(0, |task| task.host);
                let runnable = Refused { task, host, runnable };
                // The caller of the waker may hold a lock that the task's destructor takes, as in h2 0.4.
                if let Some(refused) = &mut state.refused {
                    refused.push(runnable);
                    return None;
                }
                return Some(runnable);
            }
            self.heed_strangers(state, task);
            state.tasks.wake(&mut state.clock, task, Some(runnable));
            None
        });
        if let Some(refused) = refused {
            self.refuse(refused);
        }
    }

    /// Drops a task.
    pub(super) fn refuse(self: &Arc<Self>, Refused { task, host, runnable }: Refused) {
        let _entered = Entered::enter(self, host);
        let polling = self.begin_poll("destructor", task);
        drop(runnable);
        if let Some(polling) = polling {
            self.end_poll(polling);
        }
    }

    pub(crate) fn wake_main(&self, task: Id) {
        self.with(|state| {
            let innermost = state.mains.last().is_some_and(|main| main.task == task);
            self.heed_strangers(state, task);
            let Some(main) = state.mains.iter_mut().find(|main| main.task == task) else { return };
            if !std::mem::replace(&mut main.woken, true) && innermost {
                state.tasks.wake(&mut state.clock, task, None);
            }
        });
    }

    /// A blocking closure polls in a way that lets no other task run: `block_on` of another crate, which would sleep
    /// for ever on the very thread that has to make progress. So it is woken at once, and panics after too many polls;
    /// occasional polls are fine.
    #[cold]
    pub(crate) fn wait_in_closure(&self, waker: &Waker) {
        if self.driver.load(Ordering::Relaxed) != this_thread() {
            return;
        }
        let Some(task) = self.with(|state| state.tasks.closure(&state.clock)) else { return };
        let wrong = self.with(|state| {
            state.clock.turn.looks += 1;
            let what = "a blocking closure waits for the simulation, which runs on the thread of the closure, with a \
                        `block_on` that is not of the simulation. Write `anyrt::block_on` there, or await it in a task";
            (state.clock.turn.looks > LOOKS).then(|| state.tell(&self.seed, what, Some(task)))
        });
        match wrong {
            Some(wrong) => panic!("{wrong}"),
            None => waker.wake_by_ref(),
        }
    }

    /// Whether another thread is driving the simulation.
    pub(crate) fn is_driven_elsewhere(&self) -> bool {
        let driver = self.driver.load(Ordering::Relaxed);
        driver != 0 && driver != this_thread()
    }

    /// A task is woken. While a thread drives the simulation, no other thread may wake its tasks.
    fn heed_strangers(&self, state: &mut State, task: Id) {
        // Waking a task that has ended is harmless.
        if self.is_driven_elsewhere() && state.tasks.get(task).is_some() {
            state.wrong.get_or_insert(Wrong::WokenByAStranger(task));
        }
    }

    /// A task is woken that may be in the middle of a poll, where the executor does not see the wake.
    pub(crate) fn woken(&self, task: Id) {
        if self.is_driven_elsewhere() {
            self.with(|state| self.heed_strangers(state, task));
        }
    }
}
