use std::any::Any;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::Id;
use super::catch_panic::Payload;
use crate::thread::lock;

/// Error of a task that has no output: it panicked, was aborted, or its runtime is gone.
///
/// <details><summary>Scenarios</summary>
///
/// `panic_reaches_the_handle`, `abort_cancels_a_pending_task`, `join_error_converts_to_io_error`,
/// `join_error_display`.</details>
pub struct JoinError {
    repr: Repr,
}

enum Repr {
    Cancelled(Id),
    // In a box, so that an error takes no more room in the result of a task that has an output.
    Panicked(Box<Panicked>),
    RuntimeGone(Id),
    LocalSetGone(Id),
}

struct Panicked {
    id: Id,
    // A mutex only because a payload is not `Sync` and errors are expected to be.
    payload: Mutex<Payload>,
}

impl JoinError {
    pub(crate) fn cancelled(id: impl Into<Id>) -> Self {
        Self { repr: Repr::Cancelled(id.into()) }
    }

    pub(crate) fn panicked(id: impl Into<Id>, payload: Payload) -> Self {
        Self { repr: Repr::Panicked(Box::new(Panicked { id: id.into(), payload: Mutex::new(payload) })) }
    }

    pub(crate) fn runtime_gone(id: impl Into<Id>) -> Self {
        Self { repr: Repr::RuntimeGone(id.into()) }
    }

    pub(crate) fn local_set_gone(id: impl Into<Id>) -> Self {
        Self { repr: Repr::LocalSetGone(id.into()) }
    }

    /// Returns the id of the task.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `id_stays_when_a_task_is_aborted`.</details>
    pub fn id(&self) -> Id {
        match &self.repr {
            Repr::Cancelled(id) | Repr::RuntimeGone(id) | Repr::LocalSetGone(id) => *id,
            Repr::Panicked(panicked) => panicked.id,
        }
    }

    /// Returns whether the task was aborted before it had an output: by one of its handles, by a set, or by `cancel`.
    ///
    /// It is `false` if the task ended because its runtime stopped: see [`is_runtime_gone`](Self::is_runtime_gone).
    /// tokio's own `is_cancelled` is true in both cases, so code from tokio that treats a shutdown like an abort asks
    /// for both:
    ///
    /// ```
    /// use anyrt::task::JoinError;
    ///
    /// fn ends_in_order(error: &JoinError) -> bool {
    ///     error.is_cancelled() || error.is_runtime_gone()
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `abort_cancels_a_pending_task`, `shutdown_drops_every_task`.</details>
    pub fn is_cancelled(&self) -> bool {
        matches!(self.repr, Repr::Cancelled(_))
    }

    /// Returns whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.repr, Repr::Panicked(_))
    }

    /// Returns whether the runtime was gone before the task had an output: it was shut down or dropped, before or after
    /// the task was spawned. For a local task: whether its [`LocalSet`](crate::task::LocalSet) was dropped.
    ///
    /// Never together with [`is_cancelled`](Self::is_cancelled).
    pub fn is_runtime_gone(&self) -> bool {
        matches!(self.repr, Repr::RuntimeGone(_) | Repr::LocalSetGone(_))
    }

    /// Returns the payload of the panic, for [`std::panic::resume_unwind`] or a downcast.
    ///
    /// # Panics
    ///
    /// If the task did not panic; see [`try_into_panic`](Self::try_into_panic).
    ///
    /// # Examples
    ///
    /// ```
    /// async fn join<T: Send + 'static>(handle: anyrt::task::JoinHandle<T>) -> Option<T> {
    ///     match handle.await {
    ///         Ok(value) => Some(value),
    ///         Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
    ///         Err(_) => None,
    ///     }
    /// }
    /// ```
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("anyrt: `into_panic` of a task that did not panic: {error}"),
        }
    }

    /// Returns the payload of the panic, or the error itself.
    ///
    /// # Errors
    ///
    /// The error itself, when the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, Self> {
        match self.repr {
            Repr::Panicked(panicked) => {
                Ok(panicked.payload.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
            repr => Err(Self { repr }),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Cancelled(_) => f.write_str("task was cancelled"),
            Repr::RuntimeGone(_) => f.write_str("task was dropped because its runtime is gone"),
            Repr::LocalSetGone(_) => f.write_str("task was dropped because its `LocalSet` is gone"),
            Repr::Panicked(panicked) => {
                let message = message(&**lock(&panicked.payload));
                match message {
                    Some(message) => write!(f, "task panicked with message {message:?}"),
                    None => f.write_str("task panicked"),
                }
            }
        }
    }
}

/// The text of a panic: a copy, because what it is written to is the user's.
fn message(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repr {
            // It is what an `unwrap` prints, and tokio's would be cancelled.
            Repr::RuntimeGone(_) | Repr::LocalSetGone(_) => {
                write!(f, "JoinError({self}; nobody aborted it, so it is not `is_cancelled()`)")
            }
            _ => write!(f, "JoinError({self})"),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        io::Error::other(error)
    }
}
