//! Threads that end: destructors of thread-locals, in which a runtime's own thread-locals may be gone already.
//!
//! Every runtime keeps something for its `block_on` there, and panics where it is gone (async-io 2.6 and futures-lite 2.6 a
//! parker, tokio 1.54 a parker and its context), which aborts the process in such a destructor.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::thread::lock;

struct Sentinel;

impl Drop for Sentinel {
    // It is there to be gone.
    fn drop(&mut self) {}
}

thread_local! {
    static SENTINEL: Sentinel = const { Sentinel };
}

/// Drives `future` with the `block_on` of a runtime, or without one where its thread-locals may be gone.
pub(crate) fn block_on<F: Future>(future: F, native_block_on: impl FnOnce(F) -> F::Output) -> F::Output {
    if locals_may_be_gone() {
        return block_on_bare(future);
    }
    let _noted = Noted;
    native_block_on(future)
}

/// Notes, when it is dropped, that this thread has thread-locals of a runtime.
///
/// The later one was made the sooner it is destroyed, so the sentinel is gone before theirs.
pub(crate) struct Noted;

impl Drop for Noted {
    fn drop(&mut self) {
        let _ = SENTINEL.try_with(|_| ());
    }
}

/// Whether thread-locals that were noted may be gone.
pub(crate) fn locals_may_be_gone() -> bool {
    SENTINEL.try_with(|_| ()).is_err()
}

/// Needs no thread-local.
pub(crate) fn block_on_bare<F: Future>(future: F) -> F::Output {
    let parker = Arc::new(Parker::default());
    let waker = Waker::from(parker.clone());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let woken = lock(&parker.woken);
        let woken = parker.wakes.wait_while(woken, |woken| !*woken);
        *woken.unwrap_or_else(PoisonError::into_inner) = false;
    }
}

#[derive(Default)]
struct Parker {
    woken: Mutex<bool>,
    wakes: Condvar,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        *lock(&self.woken) = true;
        self.wakes.notify_one();
    }
}
