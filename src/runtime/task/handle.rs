use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::native::{async_task, tokio as tokio_task};
use super::{Id, JoinError, Slot};

/// Handle to a spawned task or blocking closure: awaits its output, or aborts it.
///
/// The handle is a future: awaiting it returns `Ok(output)` or a [`JoinError`], and never unwinds. It can be awaited
/// anywhere: on any thread and under any executor, also of another runtime. It is `Send` if the output is.
///
/// # Cancel safety
///
/// `&mut handle` can be dropped and awaited again.
///
/// # Dropping
///
/// Detaches the task, which continues to run; its output is dropped where the task completes, with its runtime current.
/// If the task has completed, its output is dropped at once, on the thread that drops the handle, where that thread's
/// runtime is current. A panic of the output's destructor is caught.
///
/// # Panics
///
/// If it is polled after it has completed.
///
/// # Examples
///
/// ```
/// async fn both<R: anyrt::Spawn>(runtime: R) -> Result<u32, anyrt::task::JoinError> {
///     let one = runtime.spawn(async { 1 });
///     let two = runtime.spawn(async { 2 });
///     Ok(one.await? + two.await?)
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `drop_detaches`, `dropping_a_finished_handle_drops_the_output`,
/// `destructor_panic_in_a_dropped_handle_is_contained`, `future_is_dropped_before_its_handle_resumes`,
/// `handle_can_be_awaited_on_a_plain_thread`, `handle_can_be_awaited_by_reference`,
/// `detached_output_is_dropped_at_completion`, `handle_in_a_timeout_leaves_its_task_running`,
/// `handle_wakes_the_last_waker`, `handle_polled_after_completion_panics`,
/// `drop_of_a_handle_while_its_task_completes`, `waker_may_ask_its_handle`, `waker_may_abort_its_task`,
/// `output_of_a_dropped_handle_finds_what_its_holder_does`.</details>
#[must_use = "dropping a handle detaches its task; say `handle.detach()` if that is meant"]
pub struct JoinHandle<T> {
    repr: Repr<T>,
}

enum Repr<T> {
    AsyncTask(async_task::Handle<T>),
    Other(Other<T>),
}

// One enum of the three would be a word larger: the handle of async-task has room for one more variant.
enum Other<T> {
    Tokio(tokio_task::Handle<T>),
    Slot(SlotHandle<T>),
}

/// A handle of a runtime that has handles of its own.
///
/// Dropping it detaches; after [`abort`](NativeAbort::abort) it completes once the future has been dropped.
pub(crate) trait Native<T>: NativeAbort + Future<Output = Result<T, JoinError>> + Unpin {
    fn abort_handle(&self) -> AbortHandle;

    /// Without the budget of its runtime, for a set that has one for all of them.
    fn poll_unconstrained(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        Pin::new(self).poll(cx)
    }
}

/// What a handle can do without knowing the output.
pub(crate) trait NativeAbort {
    fn id(&self) -> Id;
    fn abort(&self);
    fn is_finished(&self) -> bool;
}

/// The handle of a [`Slot`].
struct SlotHandle<T> {
    slot: Arc<Slot<T>>,
    // Does not know the output, which may have to stay on its thread.
    task: Arc<dyn NativeAbort + Send + Sync>,
}

impl<T> NativeAbort for Slot<T> {
    fn id(&self) -> Id {
        self.number().into()
    }

    fn abort(&self) {
        self.abort();
    }

    fn is_finished(&self) -> bool {
        self.is_finished()
    }
}

impl<T> Drop for SlotHandle<T> {
    fn drop(&mut self) {
        self.slot.detach();
    }
}

/// Runs `$do` on whatever handle this is.
macro_rules! each {
    ($repr:expr, $handle:ident => $do:expr) => {
        match $repr {
            Repr::AsyncTask($handle) => $do,
            Repr::Other(Other::Tokio($handle)) => $do,
            Repr::Other(Other::Slot(SlotHandle { task: $handle, .. })) => $do,
        }
    };
}

impl<T> JoinHandle<T> {
    /// Aborts the task: its future is dropped at its next await, on a thread of its runtime.
    ///
    /// The future may not be dropped yet when this returns: await the handle, or use [`cancel`](Self::cancel), to wait
    /// for that. A task that is just completing keeps its value or its panic. Aborting a task that has finished or was
    /// aborted has no effect. A blocking closure that has started cannot be aborted.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `abort_cancels_a_pending_task`, `abort_before_the_first_poll`, `abort_twice_is_fine`,
    /// `abort_after_completion_keeps_the_value`, `abort_after_a_panic_keeps_the_panic`,
    /// `abort_while_running_stops_at_the_next_await`, `abort_keeps_the_value_of_a_poll_in_progress`,
    /// `abort_never_loses_a_panic`, `task_can_abort_itself`, `abort_wakes_whoever_waits`,
    /// `abort_leaves_descendants_alone`, `abort_races_with_completion`.</details>
    pub fn abort(&self) {
        each!(&self.repr, handle => handle.abort());
    }

    /// Aborts the task now; when awaited, waits until its future has been dropped.
    ///
    /// # Errors
    ///
    /// A [`JoinError`] with `is_cancelled`, unless the task had completed or was just completing.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `cancel_waits_for_the_destructor`, `cancel_acts_without_being_polled`,
    /// `destructor_panic_of_an_aborted_task_is_reported`.</details>
    pub fn cancel(self) -> Self {
        self.abort();
        self
    }

    /// Returns a handle that can only abort the task. It does not keep the output alive.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `abort_handle_aborts`, `abort_handle_outlives_the_handle`,
    /// `abort_handle_does_not_cancel_when_dropped`, `abort_handle_keeps_no_output`,
    /// `abort_handle_sees_completion`.</details>
    pub fn abort_handle(&self) -> AbortHandle {
        match &self.repr {
            Repr::AsyncTask(handle) => handle.abort_handle(),
            Repr::Other(Other::Tokio(handle)) => handle.abort_handle(),
            Repr::Other(Other::Slot(SlotHandle { task, .. })) => AbortHandle::shared(task.clone()),
        }
    }

    /// Returns whether the task is over: completed, panicked, or aborted and dropped.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `is_finished_tells`, `is_finished_after_an_abort`.</details>
    pub fn is_finished(&self) -> bool {
        each!(&self.repr, handle => handle.is_finished())
    }

    /// Returns the id of the task; see [`Id`].
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `ids_of_tasks_differ`, `id_in_a_task_is_that_of_its_handle`, `id_stays_when_a_task_is_aborted`.</details>
    pub fn id(&self) -> Id {
        each!(&self.repr, handle => handle.id())
    }

    /// Detaches the task, as dropping the handle does.
    ///
    /// # Examples
    ///
    /// ```
    /// fn log_later(line: String) {
    ///     anyrt::spawn(async move { println!("{line}") }).detach();
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `drop_detaches`.</details>
    pub fn detach(self) {
        drop(self);
    }

    /// Turns this handle into one that aborts the task when it is dropped.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `abort_on_drop_aborts`, `abort_on_drop_passes_the_value_on`,
    /// `abort_on_drop_can_be_detached`.</details>
    pub fn abort_on_drop(self) -> AbortOnDropHandle<T> {
        AbortOnDropHandle { handle: Some(self) }
    }

    pub(super) fn poll_unconstrained(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        match &mut self.repr {
            Repr::AsyncTask(handle) => handle.poll_unconstrained(cx),
            Repr::Other(Other::Tokio(handle)) => handle.poll_unconstrained(cx),
            Repr::Other(Other::Slot(SlotHandle { slot, .. })) => slot.poll_join(cx),
        }
    }

    /// The handle of a task that `task` aborts, and whose result comes into `slot`.
    pub(super) fn from_parts(slot: Arc<Slot<T>>, task: Arc<dyn NativeAbort + Send + Sync>) -> Self {
        Self { repr: Repr::Other(Other::Slot(SlotHandle { slot, task })) }
    }
}

impl<T: Send + 'static> JoinHandle<T> {
    pub(crate) fn from_slot(slot: Arc<Slot<T>>) -> Self {
        Self::from_parts(slot.clone(), slot)
    }
}

#[allow(dead_code, reason = "without its backend nobody makes one")]
impl<T> JoinHandle<T> {
    pub(crate) fn from_tokio(handle: tokio_task::Handle<T>) -> Self {
        Self { repr: Repr::Other(Other::Tokio(handle)) }
    }

    pub(crate) fn from_async_task(handle: async_task::Handle<T>) -> Self {
        Self { repr: Repr::AsyncTask(handle) }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.repr {
            Repr::AsyncTask(handle) => Pin::new(handle).poll(cx),
            Repr::Other(Other::Tokio(handle)) => Pin::new(handle).poll(cx),
            Repr::Other(Other::Slot(SlotHandle { slot, .. })) => slot.poll_join(cx),
        }
    }
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

/// Handle that can abort a task but not await it; returned by [`JoinHandle::abort_handle`].
#[derive(Clone)]
pub struct AbortHandle {
    repr: AbortRepr,
}

#[derive(Clone)]
enum AbortRepr {
    Tokio(tokio_task::Abort),
    Shared(Arc<dyn NativeAbort + Send + Sync>),
}

impl AbortHandle {
    #[allow(dead_code, reason = "without its backend nobody makes one")]
    pub(crate) fn tokio(handle: tokio_task::Abort) -> Self {
        Self { repr: AbortRepr::Tokio(handle) }
    }

    pub(crate) fn shared(handle: Arc<dyn NativeAbort + Send + Sync>) -> Self {
        Self { repr: AbortRepr::Shared(handle) }
    }

    /// Aborts the task; see [`JoinHandle::abort`].
    pub fn abort(&self) {
        match &self.repr {
            AbortRepr::Tokio(handle) => handle.abort(),
            AbortRepr::Shared(handle) => handle.abort(),
        }
    }

    /// Returns whether the task is over; see [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        match &self.repr {
            AbortRepr::Tokio(handle) => handle.is_finished(),
            AbortRepr::Shared(handle) => handle.is_finished(),
        }
    }

    /// Returns the id of the task; see [`JoinHandle::id`].
    pub fn id(&self) -> Id {
        match &self.repr {
            AbortRepr::Tokio(handle) => handle.id(),
            AbortRepr::Shared(handle) => handle.id(),
        }
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// A [`JoinHandle`] whose task is aborted when it is dropped; see [`JoinHandle::abort_on_drop`].
#[must_use = "dropping it aborts its task"]
pub struct AbortOnDropHandle<T> {
    // Empty only after `detach`.
    handle: Option<JoinHandle<T>>,
}

impl<T> AbortOnDropHandle<T> {
    /// Turns this back into a handle that detaches the task when it is dropped.
    pub fn detach(mut self) -> JoinHandle<T> {
        match self.handle.take() {
            Some(handle) => handle,
            None => unreachable!("`detach` consumes the handle"),
        }
    }

    /// Aborts the task; see [`JoinHandle::abort`].
    pub fn abort(&self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }

    /// Returns whether the task is over; see [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.handle.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Returns the id of the task; see [`JoinHandle::id`].
    pub fn id(&self) -> Id {
        match &self.handle {
            Some(handle) => handle.id(),
            None => unreachable!("`detach` consumes the handle"),
        }
    }
}

impl<T> Future for AbortOnDropHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.handle {
            Some(handle) => Pin::new(handle).poll(cx),
            None => unreachable!("`detach` consumes the handle"),
        }
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        self.abort();
    }
}

impl<T> fmt::Debug for AbortOnDropHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AbortOnDropHandle").field(&self.handle).finish()
    }
}
