//! Wakers of a polled socket: only the last task that polled is woken.
//!
//! async-io 2.6 wakes the task that another one displaces (`reactor.rs`, `poll_ready`), so two tasks that poll one
//! socket would wake each other for ever. A reactor that always gets the same waker displaces no task.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use crate::thread::lock;

/// What a task waits for.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Read,
    Write,
}

/// Those who wait for a socket that any task can poll.
#[derive(Debug, Default)]
pub(super) struct Shared(OnceLock<Box<[Last; 2]>>);

impl Shared {
    pub(super) fn poll<T>(
        &self,
        way: Way,
        cx: &mut Context<'_>,
        ask: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.0.get_or_init(Box::default)[way as usize].poll(cx, ask)
    }
}

/// Those who wait for a stream: one task each way, as a rule, which the reactor is shown as it is. Another one comes when the
/// stream moves, or is behind a lock.
#[derive(Debug, Default)]
pub(super) struct Own {
    // Which task the reactor has been asked to wake; 0 for none.
    asked: [u32; 2],
    several: Option<Box<[Last; 2]>>,
}

impl Own {
    /// Whether the reactor has been asked, and had nothing to say.
    pub(super) fn is_asked(&self, way: Way) -> bool {
        self.asked[way as usize] != 0
    }

    pub(super) fn poll(
        &mut self,
        way: Way,
        cx: &mut Context<'_>,
        ask: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        let (task, asked) = (name(cx.waker()), &mut self.asked[way as usize]);
        let polled = match &mut self.several {
            None if *asked == 0 || *asked == task => ask(cx),
            several => several.get_or_insert_default()[way as usize].poll(cx, ask),
        };
        *asked = if polled.is_pending() { task } else { 0 };
        polled
    }
}

/// Tells tasks apart, and keeps none of them alive. Two that have one name are taken for one.
fn name(waker: &Waker) -> u32 {
    (waker.data().addr() >> 3) as u32 | 1
}

/// The waker that the reactor is shown, and the last task that polled.
struct Last {
    shown: Waker,
    task: Arc<Task>,
}

// Without a look behind the lock: a writer that it is formatted into may poll this very socket.
impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Last").finish_non_exhaustive()
    }
}

impl Default for Last {
    fn default() -> Self {
        let task = Arc::<Task>::default();
        Self { shown: task.clone().into(), task }
    }
}

impl Last {
    fn poll<T>(&self, cx: &mut Context<'_>, ask: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.task.set(cx.waker());
        ask(&mut Context::from_waker(&self.shown))
    }
}

#[derive(Default)]
struct Task(Mutex<Option<Waker>>);

impl Task {
    fn set(&self, waker: &Waker) {
        if !self.lock().as_ref().is_some_and(|last| last.will_wake(waker)) {
            // Under the lock it is neither cloned nor dropped.
            let waker = waker.clone();
            let _displaced = self.lock().replace(waker);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        lock(&self.0)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let last = self.lock().take();
        if let Some(last) = last {
            last.wake();
        }
    }
}
