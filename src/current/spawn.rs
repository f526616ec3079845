//! Free functions on the current runtime.

use std::future::Future;

use super::find_kept;
use crate::AnyRuntime;
#[cfg(any(not(debug_assertions), test))]
use crate::any::at_hand::at_hand;
use crate::runtime::task::JoinHandle;
use crate::runtime::{Driver, NoRuntime};

/// Spawns a task on the current runtime; see [`Spawn::spawn`](crate::Spawn::spawn).
///
/// # Panics
///
/// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write. See
/// [`try_spawn`].
///
/// # Examples
///
/// ```
/// async fn double() -> u32 {
///     anyrt::spawn(async { 21 * 2 }).await.expect("it neither panics nor is it aborted")
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[inline]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // A debug build compiles a task for each type of output, not for each future: see `AnyRuntime`.
    #[cfg(any(not(debug_assertions), test))]
    at_hand!(runtime => return crate::Spawn::spawn(&runtime, future));
    spawn_on_current(future)
}

#[inline(never)]
#[track_caller]
fn spawn_on_current<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    AnyRuntime::current().spawn(future)
}

/// Spawns a task as [`spawn`] does, or returns an error if no runtime is current.
///
/// # Errors
///
/// [`NoRuntime`]; the future is dropped.
#[track_caller]
pub fn try_spawn<F>(future: F) -> Result<JoinHandle<F::Output>, NoRuntime>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Ok(AnyRuntime::try_current()?.spawn(future))
}

/// Runs a blocking closure on the current runtime; see [`Spawn::spawn_blocking`](crate::Spawn::spawn_blocking).
///
/// # Panics
///
/// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write. See
/// [`try_spawn_blocking`].
///
/// # Examples
///
/// ```
/// async fn read() -> std::io::Result<String> {
///     anyrt::spawn_blocking(|| std::fs::read_to_string("notes.txt")).await?
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn spawn_blocking<F, T>(job: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    AnyRuntime::current().spawn_blocking(job)
}

/// Runs a blocking closure as [`spawn_blocking`] does, or returns an error if no runtime is current.
///
/// # Errors
///
/// [`NoRuntime`]; the closure is dropped.
#[track_caller]
pub fn try_spawn_blocking<F, T>(job: F) -> Result<JoinHandle<T>, NoRuntime>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Ok(AnyRuntime::try_current()?.spawn_blocking(job))
}

/// Runs a future to completion on this thread, in the current runtime; see
/// [`BlockOn::block_on`](crate::BlockOn::block_on).
///
/// # Panics
///
/// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write. See
/// [`try_block_on`]. And, as `BlockOn::block_on`, on a thread that is driving async code.
///
/// <details><summary>Scenarios</summary>
///
/// `block_on_without_a_handle`.</details>
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    match try_block_on(future) {
        Ok(output) => output,
        Err(error) => error.panic(),
    }
}

/// Blocks on a future as [`block_on`] does, or returns an error if no runtime is current.
///
/// # Errors
///
/// [`NoRuntime`]; the future is dropped.
///
/// # Panics
///
/// As [`block_on`], on a thread that is driving async code.
#[track_caller]
pub fn try_block_on<F: Future>(future: F) -> Result<F::Output, NoRuntime> {
    // Only its owner drives a `current_thread` runtime of tokio; a guard and the default are owners.
    Ok(find_kept(Driver::None)?.block_on(future))
}

/// Yields once, so that every other runnable task gets a turn; see [`Spawn::yield_now`](crate::Spawn::yield_now).
///
/// # Panics
///
/// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write. See
/// [`try_yield_now`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn yield_now() -> impl Future<Output = ()> + Send + 'static {
    AnyRuntime::current().into_yield()
}

/// Yields as [`yield_now`] does, or returns an error if no runtime is current.
///
/// # Errors
///
/// [`NoRuntime`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn try_yield_now() -> Result<impl Future<Output = ()> + Send + 'static, NoRuntime> {
    Ok(AnyRuntime::try_current()?.into_yield())
}
