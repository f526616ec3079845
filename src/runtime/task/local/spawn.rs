//! The functions that find the set that this code is in.

use std::fmt;
use std::future::Future;
use std::io;

use super::tasks::Tasks;
use crate::runtime::task::JoinHandle;

/// Spawns a task, which need not be `Send`, in the current [`LocalSet`](super::LocalSet); see
/// [`LocalSet::spawn_local`](super::LocalSet::spawn_local).
///
/// The current set is the one whose task or [`run_until`](super::LocalSet::run_until) this thread is polling; of nested sets, the
/// innermost.
///
/// # Panics
///
/// If called outside of a set; the message says what to write. Tasks of [`spawn`](crate::spawn) are outside of all
/// sets. See [`try_spawn_local`].
///
/// # Examples
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
///
/// use anyrt::task::{JoinError, LocalSet, spawn_local};
///
/// async fn collect() -> Result<Vec<u32>, JoinError> {
///     let numbers = Rc::new(RefCell::new(Vec::new()));
///     let there = numbers.clone();
///     LocalSet::new()
///         .run_until(async {
///             spawn_local(async move { there.borrow_mut().push(42) }).await
///         })
///         .await?;
///     Ok(numbers.take())
/// }
/// # assert_eq!(futures::executor::block_on(collect()).unwrap(), [42]);
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `local_task_is_not_send`, `local_spawn_outside_of_a_set_is_an_error`, `local_spawn_finds_the_innermost_set`.</details>
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match Tasks::current() {
        Some(tasks) => tasks.spawn(future),
        None => panic!("anyrt: {NoLocalSet}"),
    }
}

/// Spawns a local task as [`spawn_local`] does, or returns an error outside of a [`LocalSet`](super::LocalSet).
///
/// # Errors
///
/// [`NoLocalSet`] outside of a set; the future is dropped.
///
/// <details><summary>Scenarios</summary>
///
/// `local_spawn_outside_of_a_set_is_an_error`.</details>
#[track_caller]
pub fn try_spawn_local<F>(future: F) -> Result<JoinHandle<F::Output>, NoLocalSet>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match Tasks::current() {
        Some(tasks) => Ok(tasks.spawn(future)),
        None => Err(NoLocalSet),
    }
}

/// Error of [`try_spawn_local`] outside of a [`LocalSet`](super::LocalSet). Its text says what to write.
///
/// It converts into an [`io::Error`] of kind `Unsupported`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoLocalSet;

/// The text of its `Display`, which `unwrap` prints.
impl fmt::Debug for NoLocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `tests/messages.rs` compiles what it says to write.
impl fmt::Display for NoLocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`spawn_local` was called outside of a `LocalSet`. Run the code in one: \
             `anyrt::task::LocalSet::new().run_until(my_future).await`. Tasks of `spawn` are in no set.",
        )
    }
}

impl std::error::Error for NoLocalSet {}

impl From<NoLocalSet> for io::Error {
    fn from(error: NoLocalSet) -> Self {
        io::Error::new(io::ErrorKind::Unsupported, error)
    }
}
