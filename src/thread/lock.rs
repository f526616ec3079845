//! Locks, and the one rule for them.
//!
//! **Under a lock nothing of the user's is called, cloned, woken, dropped or formatted.** A waker, an output or the payload of a
//! panic may ask the very object that is locked, in its destructor for example, and then its thread waits for itself. So
//! what comes in is cloned before the lock, and what goes out is dropped or woken after it. A task of async-task is not
//! polled under a lock either: it clones, drops and wakes wakers (async-task 4.7 `header.rs`, `register` and `notify`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Locks, also after a panic: no code that panics runs under a lock, so what it guards is whole.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps `waker` in its place behind a lock, instead of the one before; false if there is no place.
pub(crate) fn keep_waker<T>(
    mutex: &Mutex<T>,
    waker: &Waker,
    place: impl Fn(&mut T) -> Option<&mut Option<Waker>>,
) -> bool {
    let mut cloned = None;
    loop {
        let mut state = lock(mutex);
        let Some(kept) = place(&mut state) else { return false };
        if kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            return true;
        }
        if cloned.is_some() {
            std::mem::swap(kept, &mut cloned);
            // The one before is dropped now, with `cloned`.
            return true;
        }
        drop(state);
        cloned = Some(waker.clone());
    }
}
