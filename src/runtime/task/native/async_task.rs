//! Tasks of async-task, made to keep the contract without an allocation of our own.
//!
//! async-task 4.7 has no abort but dropping the task, loses the value or the panic of a poll that was in progress,
//! and aborts the process when a destructor panics. So the future is wrapped ([`Guarded`]), and so is its output
//! ([`Output`]): neither lets a panic out. The value that async-task would throw away finds its handle through
//! [`ABORTED`], a side door that stands open only between an abort and the end of its task.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use async_task::FallibleTask;
use pin_project_lite::pin_project;

use crate::runtime::task::catch_panic::{Payload, catch_panic, discard};
use crate::runtime::task::coop::Turn;
use crate::runtime::task::{
    AbortHandle, Id, JoinError, JoinHandle, Native, NativeAbort, Number, Slot, polled_after_completion,
};
use crate::thread::scope::is_driving;
use crate::thread::{RuntimeKind, Scope, lock};

/// An executor whose tasks these are.
pub(crate) trait Executor {
    /// The kind of the runtime.
    const KIND: RuntimeKind;

    /// The place of a task that waits among those that have to go when the executor stops.
    type Waiting: Send;

    /// The task that is being polled is pending.
    fn wait(_: &Waker) -> Option<Self::Waiting> {
        None
    }

    /// Whether the task that is being polled has to go.
    fn is_closed(_: Option<&Self::Waiting>) -> bool {
        false
    }

    /// Whether the task that is being polled is to be as if its handle had aborted it.
    fn is_cancelled() -> bool {
        false
    }

    /// The task that is being polled has panicked.
    fn panicked(_: &Payload) {}
}

/// Wraps `future` for an executor, which starts it with `spawn`.
pub(crate) fn spawn<H, F>(
    number: Number,
    future: F,
    spawn: impl FnOnce(Guarded<H, F>) -> async_task::Task<Output<F::Output>>,
) -> JoinHandle<F::Output>
where
    H: Executor,
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    handle(number, spawn(Guarded { number, future: Some(future), waiting: None }))
}

/// Wraps `job` for a pool, which starts it with `spawn`.
pub(crate) fn spawn_blocking<H, F, T>(
    number: Number,
    job: F,
    spawn: impl FnOnce(Job<H, F, T>) -> async_task::Task<Output<T>>,
) -> JoinHandle<T>
where
    H: Executor,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    handle(number, spawn(Job { number, job: Some(job), types: PhantomData }))
}

fn handle<T: Send + 'static>(number: Number, task: async_task::Task<Output<T>>) -> JoinHandle<T> {
    JoinHandle::from_async_task(Handle {
        core: Core::new(number, State::Running(Task { task: task.fallible() }), Sends::new),
    })
}

/// What a simulation does when a handle to one of its tasks is pending where nobody drives async code.
#[allow(dead_code, reason = "without a simulation nobody sets it")]
pub(crate) static WAIT_IN_CLOSURE: OnceLock<fn(&Waker)> = OnceLock::new();

/// The slots of tasks that were aborted and are not over yet.
struct Aborted {
    // Lets every other task see, without the lock, that it is not meant.
    len: AtomicUsize,
    slots: Mutex<BTreeMap<Number, Arc<dyn Any + Send + Sync>>>,
}

static ABORTED: Aborted = Aborted { len: AtomicUsize::new(0), slots: Mutex::new(BTreeMap::new()) };

impl Aborted {
    fn insert<T: Send + 'static>(&self, slot: Arc<Slot<T>>) {
        let mut slots = lock(&self.slots);
        slots.insert(slot.number(), slot);
        self.len.store(slots.len(), Ordering::Relaxed);
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.len.load(Ordering::Relaxed) == 0
    }

    #[inline]
    fn remove(&self, number: Number) -> Option<Arc<dyn Any + Send + Sync>> {
        if self.is_empty() { None } else { self.remove_from_table(number) }
    }

    #[cold]
    #[inline(never)]
    fn remove_from_table(&self, number: Number) -> Option<Arc<dyn Any + Send + Sync>> {
        let mut slots = lock(&self.slots);
        let slot = slots.remove(&number);
        self.len.store(slots.len(), Ordering::Relaxed);
        slot
    }

    /// A task ended without an output: tells its handle, if that has aborted it.
    fn end<T: Send + 'static>(&self, number: Number, dropped: Result<(), Payload>) {
        // Pairs with the fence in `Core::abort`: either we see the slot, or that sees that the task is closed.
        fence(Ordering::SeqCst);
        // The number belongs to one task, and that has one type of output.
        if let Some(slot) = self.remove(number).and_then(|slot| slot.downcast::<Slot<T>>().ok()) {
            slot.complete(Err(match dropped {
                Ok(()) => JoinError::cancelled(number),
                Err(payload) => JoinError::panicked(number, payload),
            }));
        } else {
            discard(dropped);
        }
    }
}

pin_project! {
    /// The future of a task, which neither panics nor drops a future whose destructor would.
    pub(crate) struct Guarded<H: Executor, F: Future>
    where
        F::Output: Send,
        F::Output: 'static,
    {
        number: Number,
        waiting: Option<H::Waiting>,
        // Taken when it is done, so that its state is dropped before its handle resumes.
        #[pin]
        future: Option<F>,
    }

    impl<H: Executor, F: Future> PinnedDrop for Guarded<H, F>
    where
        F::Output: Send,
        F::Output: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.future.is_some() {
                end_unfinished(this);
            }
        }
    }
}

/// The future is dropped before it has completed.
#[cold]
#[inline(never)]
fn end_unfinished<H: Executor, F: Future>(task: Pin<&mut Guarded<H, F>>)
where
    F::Output: Send + 'static,
{
    let mut this = task.project();
    let _scope = Scope::task(H::KIND, this.number.get());
    let dropped = catch_panic(|| this.future.set(None));
    ABORTED.end::<F::Output>(*this.number, dropped);
}

impl<H: Executor, F: Future> Future for Guarded<H, F>
where
    F::Output: Send + 'static,
{
    type Output = Output<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let number = *this.number;
        let (_scope, _turn) = (Scope::task(H::KIND, number.get()), Turn::begin());
        let mut result = None;
        if H::is_closed(this.waiting.as_ref()) {
            result = Some(Err(JoinError::runtime_gone(number)));
        } else if H::is_cancelled() {
            result = Some(Err(JoinError::cancelled(number)));
        }
        let ended = catch_panic(|| {
            if result.is_none() {
                // No executor polls a future again that has completed.
                let Some(future) = this.future.as_mut().as_pin_mut() else { return false };
                let Poll::Ready(value) = future.poll(cx) else { return false };
                result = Some(Ok(value));
            }
            this.future.set(None);
            true
        });
        match ended {
            Ok(true) => {}
            Ok(false) => {
                // It is `None` here. The compiler cannot prove that in each poll, and would check it.
                mem::forget(result);
                if this.waiting.is_none() {
                    *this.waiting = H::wait(cx.waker());
                }
                return Poll::Pending;
            }
            Err(payload) => {
                let panicked =
                    JoinError::panicked(number, panic_of::<H, F>(this.future, payload, result.take()));
                result = Some(Err(panicked));
            }
        }
        Poll::Ready(Output { number, ways: || Ways::of(|task| Scope::task(H::KIND, task)), result })
    }
}

/// The panic of a poll, or of a destructor.
#[cold]
#[inline(never)]
fn panic_of<H: Executor, F: Future>(
    mut future: Pin<&mut Option<F>>,
    payload: Payload,
    result: Option<Result<F::Output, JoinError>>,
) -> Payload {
    if result.is_some() {
        // The destructor's: there is an output that nobody will see.
        discard(result);
        return payload;
    }
    H::panicked(&payload);
    catch_panic(|| future.set(None)).err().unwrap_or(payload)
}

/// A closure in the pool, which may be dropped there without having run.
pub(crate) struct Job<H: Executor, F, T: Send + 'static> {
    number: Number,
    job: Option<F>,
    types: PhantomData<fn(H) -> T>,
}

impl<H: Executor, F: FnOnce() -> T, T: Send + 'static> Job<H, F, T> {
    pub(crate) fn run(mut self) -> Output<T> {
        let _scope = Scope::blocking(H::KIND, self.number.get());
        let number = self.number;
        let panicked = |payload| JoinError::panicked(number, payload);
        let result = self.job.take().map(|job| catch_panic(job).map_err(panicked));
        Output { number, ways: || Ways::of(|task| Scope::blocking(H::KIND, task)), result }
    }
}

impl<H: Executor, F, T: Send + 'static> Drop for Job<H, F, T> {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            let _scope = Scope::blocking(H::KIND, self.number.get());
            ABORTED.end::<T>(self.number, catch_panic(|| drop(job)));
        }
    }
}

/// The output of a task, until its handle takes it.
pub(crate) struct Output<T> {
    number: Number,
    // Asked only for an output that nobody claims, and that has a destructor or an aborted handle.
    ways: fn() -> Ways<T>,
    result: Option<Result<T, JoinError>>,
}

impl<T> Output<T> {
    #[inline]
    fn claim(mut self) -> Result<T, JoinError> {
        let (number, result) = (self.number, self.result.take());
        // Nothing is left in it to be dropped.
        mem::forget(self);
        result.unwrap_or_else(|| Err(JoinError::runtime_gone(number)))
    }
}

impl<T> Drop for Output<T> {
    #[inline]
    fn drop(&mut self) {
        // Claimed, nearly always. Otherwise the task was detached, or aborted while it completed.
        if let Some(result) = self.result.take() {
            if result.is_ok() && const { !mem::needs_drop::<T>() } && ABORTED.is_empty() {
                mem::forget(result);
            } else {
                unclaimed(self.number, self.ways, result);
            }
        }
    }
}

/// An output without a handle, or with one that has aborted the task.
#[cold]
#[inline(never)]
fn unclaimed<T>(number: Number, ways: fn() -> Ways<T>, result: Result<T, JoinError>) {
    let has_destructor = mem::needs_drop::<T>() || result.is_err();
    let _scope = has_destructor.then(|| (ways().scope)(number.get()));
    match ABORTED.remove(number) {
        Some(slot) => (ways().to_slot)(slot, result),
        None => discard(result),
    }
}

/// Where an output goes that its handle has not claimed.
struct Ways<T> {
    /// What it is dropped in.
    scope: fn(u64) -> Scope,
    /// Into the slot of its handle, which has aborted the task.
    to_slot: fn(Arc<dyn Any + Send + Sync>, Result<T, JoinError>),
}

impl<T: Send + 'static> Ways<T> {
    fn of(scope: fn(u64) -> Scope) -> Self {
        let to_slot = |slot: Arc<dyn Any + Send + Sync>, result| {
            // The number belongs to one task, and that has one type of output.
            if let Ok(slot) = slot.downcast::<Slot<T>>() {
                slot.complete(result);
            }
        };
        Self { scope, to_slot }
    }
}

pub(crate) struct Handle<T> {
    core: Core<T>,
}

/// The task of a handle.
struct Core<T> {
    number: Number,
    state: Mutex<State<T>>,
    sends: fn() -> Sends<T>,
}

/// What asks for an output that is `Send`. A handle does not, because it may be that of a local task; so it is told how.
struct Sends<T> {
    open: fn(Arc<Slot<T>>),
    abort_handle: fn(Arc<Core<T>>) -> AbortHandle,
    waker: fn(Arc<Core<T>>) -> Waker,
}

impl<T: Send + 'static> Sends<T> {
    fn new() -> Self {
        Self {
            open: |slot| ABORTED.insert(slot),
            abort_handle: |core| AbortHandle::shared(core),
            waker: Waker::from,
        }
    }
}

enum State<T> {
    Running(Task<T>),
    /// Somebody is polling it, without the lock.
    Polled(Meanwhile),
    Aborted(Arc<Slot<T>>),
    /// There are handles that can abort it, besides this one.
    Shared(Arc<Core<T>>),
    /// Detached, or its output was taken.
    Over,
}

/// Requests to a task while it is polled, and the answer to `is_finished`.
#[derive(Default)]
struct Meanwhile {
    was_finished: bool,
    abort: bool,
    wake: bool,
}

struct Task<T> {
    task: FallibleTask<Output<T>>,
}

impl<T> Task<T> {
    fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Detaches the task.
    fn detach(mut self, number: Number) {
        if self.is_finished() {
            // An output that is there already is dropped where we are.
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = Pin::new(&mut self.task).poll(&mut cx) {
                discard(claim(number, output));
            }
        }
        self.task.detach();
    }
}

#[inline]
fn claim<T>(number: Number, output: Option<Output<T>>) -> Result<T, JoinError> {
    match output {
        Some(output) => output.claim(),
        None => Err(JoinError::runtime_gone(number)),
    }
}

/// The result of a poll of a task.
enum Polled<T> {
    Task(Poll<Option<Output<T>>>),
    Aborted(Arc<Slot<T>>),
    Over,
}

impl<T> Core<T> {
    fn new(number: Number, state: State<T>, sends: fn() -> Sends<T>) -> Self {
        Self { number, state: Mutex::new(state), sends }
    }

    fn abort(&self) {
        let mut state = lock(&self.state);
        match &mut *state {
            State::Running(task) if !task.is_finished() => {
                let slot = Arc::new(Slot::new(self.number));
                ((self.sends)().open)(slot.clone());
                fence(Ordering::SeqCst);
                // It may have ended just now, perhaps before it could see the slot.
                if task.is_finished() && ABORTED.remove(self.number).is_some() {
                    return;
                }
                let running = mem::replace(&mut *state, State::Aborted(slot));
                drop(state);
                // Dropping a task of async-task cancels it, and wakes its waiter.
                drop(running);
            }
            State::Polled(meanwhile) => meanwhile.abort = true,
            State::Shared(core) => {
                let core = core.clone();
                drop(state);
                core.abort();
            }
            State::Running(_) | State::Aborted(_) | State::Over => {}
        }
    }

    fn is_finished(&self) -> bool {
        match &*lock(&self.state) {
            State::Running(task) => task.is_finished(),
            State::Polled(meanwhile) => meanwhile.was_finished,
            State::Aborted(slot) => slot.is_finished(),
            State::Shared(core) => core.is_finished(),
            State::Over => true,
        }
    }

    /// Polls the task, which nobody else can see meanwhile; what they ask for is done afterwards.
    fn poll(&self, cx: &mut Context<'_>) -> Polled<T> {
        loop {
            let mut state = lock(&self.state);
            let Some(mut task) = state.take_running() else {
                return match &mut *state {
                    State::Polled(meanwhile) => {
                        meanwhile.wake = true;
                        Polled::Task(Poll::Pending)
                    }
                    State::Aborted(slot) => Polled::Aborted(slot.clone()),
                    _ => Polled::Over,
                };
            };
            *state = State::Polled(Meanwhile { was_finished: task.is_finished(), ..Meanwhile::default() });
            drop(state);

            let polled = Pin::new(&mut task.task).poll(cx);

            let (next, over) =
                if polled.is_ready() { (State::Over, Some(task)) } else { (State::Running(task), None) };
            let before = mem::replace(&mut *lock(&self.state), next);
            drop(over);
            match before {
                State::Polled(Meanwhile { abort: true, .. }) if polled.is_pending() => self.abort(),
                State::Polled(Meanwhile { wake: true, .. }) if polled.is_pending() => {}
                _ => return Polled::Task(polled),
            }
        }
    }

    /// Detaches the task; returns its output if it has completed already.
    fn detach(self: &Arc<Self>) -> Option<Output<T>> {
        // async-task keeps an output for as long as there is a `Task`, and the abort handles need that. So the last
        // waiter is ourselves, and drops the output.
        let waker = ((self.sends)().waker)(self.clone());
        match self.poll(&mut Context::from_waker(&waker)) {
            Polled::Task(Poll::Ready(output)) => return output,
            Polled::Aborted(slot) => slot.detach(),
            Polled::Task(Poll::Pending) | Polled::Over => {}
        }
        None
    }
}

/// The task has completed, without a handle.
impl<T: Send + 'static> Wake for Core<T> {
    fn wake(self: Arc<Self>) {
        drop(self.detach());
    }
}

impl<T> State<T> {
    /// Takes the task out, if nobody has aborted it and there are no abort handles.
    #[inline]
    fn take_running(&mut self) -> Option<Task<T>> {
        match mem::replace(self, Self::Over) {
            Self::Running(task) => Some(task),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Out of the way of tasks that nobody can abort.
    #[cold]
    #[inline(never)]
    fn poll_shared(&mut self, number: Number, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let polled = match self {
            Self::Aborted(slot) => Polled::Aborted(slot.clone()),
            Self::Shared(core) => core.poll(cx),
            // async-task would say that the task was cancelled.
            Self::Running(_) | Self::Polled(_) | Self::Over => Polled::Over,
        };
        match polled {
            Polled::Task(polled) => {
                let output = ready!(polled);
                *self = Self::Over;
                Poll::Ready(claim(number, output))
            }
            Polled::Aborted(slot) => slot.poll_join(cx),
            Polled::Over => polled_after_completion(),
        }
    }

    /// Detaches a task that was aborted, or that has abort handles.
    #[cold]
    #[inline(never)]
    fn detach_shared(&mut self) {
        match mem::replace(self, Self::Over) {
            Self::Aborted(slot) => slot.detach(),
            // An output that is there already is dropped where we are.
            Self::Shared(core) => discard(core.detach().map(Output::claim)),
            Self::Running(_) | Self::Polled(_) | Self::Over => {}
        }
    }
}

impl<T> Native<T> for Handle<T> {
    fn abort_handle(&self) -> AbortHandle {
        let mut state = lock(&self.core.state);
        let core = match &*state {
            State::Shared(core) => core.clone(),
            _ => {
                let ours = mem::replace(&mut *state, State::Over);
                let core = Arc::new(Core::new(self.core.number, ours, self.core.sends));
                *state = State::Shared(core.clone());
                core
            }
        };
        drop(state);
        ((self.core.sends)().abort_handle)(core)
    }
}

impl<T> NativeAbort for Handle<T> {
    fn id(&self) -> Id {
        self.core.number.into()
    }

    fn abort(&self) {
        self.core.abort();
    }

    fn is_finished(&self) -> bool {
        self.core.is_finished()
    }
}

impl<T> NativeAbort for Core<T> {
    fn id(&self) -> Id {
        self.number.into()
    }

    fn abort(&self) {
        self.abort();
    }

    fn is_finished(&self) -> bool {
        self.is_finished()
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, JoinError>;

    // A call, so that futures awaiting a handle of another kind do not contain this.
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let number = self.core.number;
        let state = self.core.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Running(task) = state {
            if let Poll::Ready(output) = Pin::new(&mut task.task).poll(cx) {
                // Nothing is left in it to be cancelled, so it need not be dropped.
                if let Some(task) = state.take_running() {
                    task.task.detach();
                }
                return Poll::Ready(claim(number, output));
            }
        } else if let Poll::Ready(result) = state.poll_shared(number, cx) {
            return Poll::Ready(result);
        }
        if !is_driving() {
            waits_outside(number, cx.waker());
        }
        Poll::Pending
    }
}

/// A handle waits where nothing is driven: in a blocking closure perhaps, which in a simulation waits for ever.
#[cold]
#[inline(never)]
fn waits_outside(number: Number, waker: &Waker) {
    if let (true, Some(wait)) = (number.is_simulated(), WAIT_IN_CLOSURE.get()) {
        wait(waker);
    }
}

impl<T> Drop for Handle<T> {
    #[inline]
    fn drop(&mut self) {
        let state = self.core.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        match state.take_running() {
            Some(task) => task.detach(self.core.number),
            None if matches!(state, State::Over) => {}
            None => state.detach_shared(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    enum Nowhere {}

    impl Executor for Nowhere {
        const KIND: RuntimeKind = RuntimeKind::Smol;
        type Waiting = Infallible;
    }

    struct Panics(&'static str);

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("{}", self.0);
        }
    }

    /// Done at once, with a state and an output whose destructors panic.
    struct Done {
        _state: Panics,
    }

    impl Future for Done {
        type Output = Panics;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Panics> {
            Poll::Ready(Panics("of the output"))
        }
    }

    #[test]
    fn two_destructors_that_panic_end_a_task_and_nothing_else() {
        let mut started = None;
        let handle = spawn::<Nowhere, _>(Number::next(), Done { _state: Panics("of the state") }, |future| {
            let (runnable, task) = async_task::spawn(future, |_| {});
            started = Some(runnable);
            task
        });
        started.unwrap().run();
        let Err(error) = futures::executor::block_on(handle) else { panic!("its state has no output") };
        assert_eq!(error.into_panic().downcast_ref::<String>().unwrap(), "of the state");
    }
}
