//! `AnyRuntime`, one type for any runtime; its timers and sockets; and the runtime that this thread is in.

pub(crate) mod at_hand;
mod context;
mod convert;
mod custom;
#[cfg(feature = "futures-task")]
mod futures_rt;
mod handle;
#[cfg(feature = "hyper")]
mod hyper_rt;
pub(crate) mod net;
pub(crate) mod one_of;
pub(crate) mod time;
#[cfg(feature = "watch")]
mod watched;
mod within;
mod wrapped;

use std::any::Any;
#[cfg(any(test, feature = "conformance"))]
use std::any::TypeId;
use std::fmt;
use std::future::Future;
#[cfg(feature = "macros")]
use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::io;
use std::mem;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::panic::Location;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use self::context::EnterGuard;
pub(crate) use self::context::{Ownership, enter, innermost, native_context};
pub use self::within::Within;
pub use self::wrapped::TaskMeta;

use self::custom::Custom;
use self::wrapped::Wrapped;
use crate::backend::{MaybeAsyncStd, MaybeSim, MaybeSimHost, MaybeSmol, MaybeTokio};
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
use crate::runtime::net::{ConnectOptions, ListenOptions};
use crate::runtime::task::JoinHandle;
#[cfg(feature = "macros")]
use crate::runtime::task::coop::Turn;
use crate::runtime::{BlockOn, Driver, Net, Runtime, ShutdownReport, Spawn, Time};
#[cfg(unix)]
use crate::runtime::{
    UnixNet,
    backend::{UnixNetBackend, WatchFd},
};
#[cfg(feature = "macros")]
use crate::thread::Scope;

/// Handle to any runtime: one of the compiled-in backends, or one of your own.
///
/// It is a type without parameters, for a field of a struct, and so are its sockets and timers. Tasks, timers and
/// sockets created through a handle run on that handle's runtime, even if they are awaited elsewhere. On the
/// compiled-in backends only large futures are boxed; with debug assertions on, every task and blocking closure is,
/// because that compiles faster.
///
/// ```
/// use std::io;
///
/// use anyrt::{AnyRuntime, Net, Spawn, net::TcpStream, task::JoinHandle};
///
/// #[derive(Clone)]
/// pub struct Client {
///     runtime: AnyRuntime,
/// }
///
/// impl Client {
///     /// On the runtime that this is called in.
///     pub fn new() -> Self {
///         Self::on(AnyRuntime::current())
///     }
///
///     /// On a runtime of the caller's choice.
///     pub fn on(runtime: impl Into<AnyRuntime>) -> Self {
///         Self { runtime: runtime.into() }
///     }
///
///     pub fn ping(&self) -> JoinHandle<io::Result<TcpStream>> {
///         let runtime = self.runtime.clone();
///         self.runtime.spawn(async move { runtime.tcp_connect("localhost:7000").await })
///     }
/// }
/// ```
///
/// It implements the traits of [`runtime`](crate::runtime), so it is a [`Runtime`] like any other. Two handles are
/// equal, and have the same hash, if they are of the same runtime.
///
/// # Dropping
///
/// A handle made from an owned runtime keeps it alive, as any clone of that runtime does. A handle from
/// [`current`](Self::current) is weak: it does not.
///
/// <details><summary>Scenarios</summary>
///
/// `handles_of_one_runtime_are_equal`.</details>
#[derive(Clone)]
#[must_use = "a handle does nothing by itself: what is called on it, or inside its `enter` or `within`, runs on it"]
pub struct AnyRuntime {
    repr: Repr,
}

#[derive(Clone)]
enum Repr {
    Tokio(MaybeTokio),
    Smol(MaybeSmol),
    AsyncStd(MaybeAsyncStd),
    Sim(MaybeSim),
    Other(Other),
}

/// Custom and wrapped runtimes. Another variant of [`Repr`] would make its `match` a table, which costs each call some instructions.
#[derive(Clone)]
enum Other {
    Custom(Custom),
    Wrapped(Arc<Wrapped>),
}

impl Other {
    #[cold]
    fn has(&self, driver: Driver) -> bool {
        match self {
            Self::Custom(_) => true,
            Self::Wrapped(wrapped) => wrapped.runtime.has(driver),
        }
    }
}

/// Does `$do` with whatever runtime it is. What is wrapped is another `AnyRuntime`; or it is `$wrapped`.
macro_rules! each {
    ($repr:expr, $it:ident => $do:expr) => {
        each!($repr, $it => $do, wrapped => {
            let $it = &wrapped.runtime;
            $do
        })
    };
    ($repr:expr, $it:ident => $do:expr, $wrapped:ident => $do_wrapped:expr) => {
        match $repr {
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            Repr::Tokio($it) => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            Repr::Smol($it) => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            Repr::AsyncStd($it) => $do,
            #[allow(unreachable_code, reason = "a backend that is not compiled in makes nothing")]
            Repr::Sim($it) => $do,
            Repr::Other(other) => match other {
                Other::Custom($it) => $do,
                #[allow(clippy::useless_conversion, reason = "what is inside of a wrapper makes the types of this room already")]
                Other::Wrapped($wrapped) => $do_wrapped,
            },
        }
    };
}

/// Likewise, of a [`plain`](AnyRuntime::plain) one.
macro_rules! each_plain {
    ($repr:expr, $it:ident => $do:expr) => {
        each!($repr, $it => $do, _wrapped => unreachable!("it is plain"))
    };
}

impl AnyRuntime {
    /// Wraps a runtime that anyrt has no backend for.
    ///
    /// Tasks that are spawned through the handle find this runtime as the current one. Two handles are equal if one is
    /// a clone of the other. If `runtime` is one of anyrt's own types, which happens in generic code, the result is the
    /// same as `AnyRuntime::from`.
    ///
    /// # Examples
    ///
    /// With this impl, functions that take `impl Into<AnyRuntime>` accept the runtime:
    ///
    /// ```
    /// # use anyrt::Runtime;
    /// # fn mine(my_runtime: impl Runtime) -> anyrt::AnyRuntime {
    /// use anyrt::AnyRuntime;
    ///
    /// AnyRuntime::custom(my_runtime)
    /// # }
    /// ```
    pub fn custom<R: Runtime>(runtime: R) -> Self {
        Self::known(&runtime).unwrap_or_else(|| Custom::new(runtime).into())
    }

    /// Makes this the current runtime of this thread while the guard lives.
    ///
    /// Tasks that are polled on this thread meanwhile still find their own runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// fn set_up(runtime: &anyrt::AnyRuntime) {
    ///     let _guard = runtime.enter();
    ///     // As in a task of `runtime`:
    ///     anyrt::spawn(async { println!("hello") }).detach();
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `enter_makes_it_current`, `enter_guards_nest`, `enter_guards_may_be_dropped_out_of_order`,
    /// `enter_guard_outlives_its_block_on`, `enter_guards_end_further_in_than_they_began`, `enter_belongs_to_its_thread`,
    /// `task_under_a_foreign_guard_finds_its_own`.</details>
    pub fn enter(&self) -> EnterGuard<'_> {
        enter(self.clone())
    }

    /// Wraps a future so that it finds this runtime as the current one, wherever it is polled.
    ///
    /// Under the executor of another crate, such as `futures::executor::block_on`, no runtime is current; in a task of
    /// another runtime, that runtime is. Code inside the wrapped future finds this runtime instead. If this runtime is
    /// tokio, its context is entered as well, so libraries written for tokio work.
    ///
    /// The future does not move to this runtime: it is polled where it is awaited. It keeps a clone of this handle
    /// until it is dropped.
    ///
    /// # Dropping
    ///
    /// The future finds this runtime in its destructor, too; but, as with [`enter`](Self::enter), not if it is dropped
    /// in the destructor of a thread-local.
    ///
    /// # Panics
    ///
    /// On tokio, if the future keeps a guard of tokio's `Handle::enter` over an `.await`: tokio 1.54 requires that its
    /// guards are dropped in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[cfg(feature = "smol")] {
    /// let runtime = anyrt::AnyRuntime::from(anyrt::Smol::global());
    /// let waits = runtime.within(async { anyrt::time::sleep(Duration::from_millis(1)).await });
    /// futures::executor::block_on(waits);
    /// # }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `within_makes_it_current_in_each_poll`, `within_makes_it_current_in_the_destructor`.</details>
    pub fn within<F: Future>(&self, future: F) -> Within<F> {
        Within::new(self.clone(), future)
    }

    /// Returns a handle to the same runtime that wraps every task spawned through it, for example in a tracing span.
    ///
    /// `hook` is called for each task or blocking closure that is spawned, and returns its wrapper. The wrapper is
    /// called whenever the task runs: for each poll, for the destructor, or for the closure. It must call its argument
    /// exactly once. This way a tracing span, or any other thread-local context, follows into tasks that libraries
    /// spawn.
    ///
    /// Tasks that a wrapped task spawns on the current runtime are wrapped as well: this handle is the
    /// [current](Self::current) one inside, and in [`block_on`](BlockOn::block_on) of this handle. Not wrapped are
    /// tasks spawned with tokio's or smol's own functions, the future of a `block_on`, timers and sockets.
    ///
    /// The new handle is equal to the original. Wrapping it again adds a wrapper inside the first. Each task is boxed
    /// together with its wrapper; other handles cost nothing extra.
    ///
    /// # Dropping
    ///
    /// `hook` is dropped with the last handle and the last task that it wraps.
    ///
    /// # Panics
    ///
    /// Never itself. A panic of the wrapper is a panic of its task; a panic of `hook` unwinds into the caller of
    /// `spawn`.
    ///
    /// # Examples
    ///
    /// Example with a span of `tracing`: a wrapper for `Span::current()` and `Span::in_scope`
    /// (`examples/recipes/src/tracing.rs` in the repository):
    ///
    /// ```
    /// # struct Span;
    /// # impl Span {
    /// #     fn current() -> Self { Self }
    /// #     fn in_scope<T>(&self, code: impl FnOnce() -> T) -> T { code() }
    /// # }
    /// use anyrt::AnyRuntime;
    ///
    /// /// Whatever is spawned is in the span of who spawns it.
    /// fn traced(runtime: &AnyRuntime) -> AnyRuntime {
    ///     runtime.wrap_tasks(|_task| {
    ///         let span = Span::current();
    ///         move |step: &mut dyn FnMut()| span.in_scope(step)
    ///     })
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `wrapper_is_around_each_poll`, `wrapper_is_around_destructors`, `wrapper_is_around_blocking_closures`,
    /// `wrapper_follows_into_what_a_task_spawns`, `wrapper_is_told_of_its_task`, `wrapper_is_dropped_with_its_handles`, `wrappers_nest`, `wrapper_may_panic`.</details>
    pub fn wrap_tasks<H, W>(&self, hook: H) -> Self
    where
        H: Fn(&TaskMeta<'_>) -> W + Send + Sync + 'static,
        W: FnMut(&mut dyn FnMut()) + Send + 'static,
    {
        let wrapped = match &self.repr {
            Repr::Other(Other::Wrapped(outer)) => Wrapped::hooked(&outer.runtime, Some(outer), hook),
            _ => Wrapped::hooked(self, None, hook),
        };
        Self::from_wrapped(wrapped)
    }

    /// Returns a weak handle to the same runtime, which does not keep it alive.
    pub(crate) fn unowned(&self) -> Self {
        each!(&self.repr, it => it.unowned().into(), wrapped => Self::from_wrapped(wrapped.unowned()))
    }

    /// The runtime without its wrapper.
    #[inline]
    fn plain(&self) -> &Repr {
        match &self.repr {
            Repr::Other(Other::Wrapped(wrapped)) => &wrapped.runtime.repr,
            plain => plain,
        }
    }

    /// Whether timers, or sockets, work on it.
    #[inline]
    pub(crate) fn has(&self, driver: Driver) -> bool {
        match &self.repr {
            Repr::Tokio(it) => it.has(driver),
            Repr::Smol(_) | Repr::AsyncStd(_) | Repr::Sim(_) => true,
            Repr::Other(other) => other.has(driver),
        }
    }

    /// [`Spawn::yield_now`], given the handle for good.
    pub(crate) async fn into_yield(self) {
        each!(&self.repr, it => it.yield_now().await, wrapped => {
            each_plain!(&wrapped.runtime.repr, it => it.yield_now().await);
        });
    }

    #[inline]
    #[track_caller]
    fn spawn_on_it<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        each!(&self.repr, it => it.spawn(future), wrapped => self.spawn_wrapped(wrapped, None, Box::pin(future)))
    }

    /// Of a future that is in a box already: each that is not would be compiled twice for each backend.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn spawn_wrapped<T: Send + 'static>(
        &self,
        wrapped: &Arc<Wrapped>,
        name: Option<&str>,
        future: Pin<Box<dyn Future<Output = T> + Send>>,
    ) -> JoinHandle<T> {
        let (future, _spawning) = wrapped.wrap(&TaskMeta::new(name, false), future);
        // As in `spawn`: a box like this one has been compiled there.
        #[cfg(all(debug_assertions, not(test)))]
        let future: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(future);
        match name {
            None => each_plain!(&wrapped.runtime.repr, it => it.spawn(future)),
            Some(name) => wrapped.runtime.spawn_named(name, future),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn spawn_blocking_wrapped<T: Send + 'static>(
        &self,
        wrapped: &Arc<Wrapped>,
        name: Option<&str>,
        job: Box<dyn FnOnce() -> T + Send>,
    ) -> JoinHandle<T> {
        let (job, _spawning) = wrapped.wrap(&TaskMeta::new(name, true), job);
        let job: Box<dyn FnOnce() -> T + Send> = Box::new(move || job.call(|job| job()));
        match name {
            None => each_plain!(&wrapped.runtime.repr, it => it.spawn_blocking(job)),
            Some(name) => wrapped.runtime.spawn_blocking_named(name, job),
        }
    }

    fn from_wrapped(it: Arc<Wrapped>) -> Self {
        Self { repr: Repr::Other(Other::Wrapped(it)) }
    }

    pub(crate) fn from_custom(it: Custom) -> Self {
        Self { repr: Repr::Other(Other::Custom(it)) }
    }
}

impl AnyRuntime {
    /// Whether a runtime of this type is found without a handle.
    #[cfg(any(test, feature = "conformance"))]
    pub(crate) fn knows<R: 'static>() -> bool {
        let known = [
            TypeId::of::<Self>(),
            TypeId::of::<MaybeTokio>(),
            TypeId::of::<MaybeSmol>(),
            TypeId::of::<MaybeAsyncStd>(),
            TypeId::of::<MaybeSim>(),
            TypeId::of::<MaybeSimHost>(),
        ];
        known.contains(&TypeId::of::<R>())
    }

    /// The same runtime, if it is of a type that is compiled in.
    pub(crate) fn known<R: 'static>(runtime: &R) -> Option<Self> {
        fn downcast<T: Clone + Into<AnyRuntime> + 'static>(runtime: &dyn Any) -> Option<AnyRuntime> {
            runtime.downcast_ref::<T>().cloned().map(Into::into)
        }

        downcast::<Self>(runtime)
            .or_else(|| downcast::<MaybeTokio>(runtime))
            .or_else(|| downcast::<MaybeSmol>(runtime))
            .or_else(|| downcast::<MaybeAsyncStd>(runtime))
            .or_else(|| downcast::<MaybeSim>(runtime))
            .or_else(|| downcast::<MaybeSimHost>(runtime))
    }
}

#[allow(dead_code, reason = "without its backend nobody asks")]
impl AnyRuntime {
    pub(crate) fn from_tokio(it: MaybeTokio) -> Self {
        Self { repr: Repr::Tokio(it) }
    }

    pub(crate) fn from_smol(it: MaybeSmol) -> Self {
        Self { repr: Repr::Smol(it) }
    }

    pub(crate) fn from_async_std(it: MaybeAsyncStd) -> Self {
        Self { repr: Repr::AsyncStd(it) }
    }

    pub(crate) fn from_sim(it: MaybeSim) -> Self {
        Self { repr: Repr::Sim(it) }
    }

    pub(crate) fn into_tokio(self) -> Result<MaybeTokio, Self> {
        match self.repr {
            Repr::Tokio(it) => Ok(it),
            Repr::Other(Other::Wrapped(it)) => {
                it.runtime.clone().into_tokio().map_err(|_| Self { repr: Repr::Other(Other::Wrapped(it)) })
            }
            repr => Err(Self { repr }),
        }
    }

    pub(crate) fn into_smol(self) -> Result<MaybeSmol, Self> {
        match self.repr {
            Repr::Smol(it) => Ok(it),
            Repr::Other(Other::Wrapped(it)) => {
                it.runtime.clone().into_smol().map_err(|_| Self { repr: Repr::Other(Other::Wrapped(it)) })
            }
            repr => Err(Self { repr }),
        }
    }

    pub(crate) fn into_async_std(self) -> Result<MaybeAsyncStd, Self> {
        match self.repr {
            Repr::AsyncStd(it) => Ok(it),
            Repr::Other(Other::Wrapped(it)) => it
                .runtime
                .clone()
                .into_async_std()
                .map_err(|_| Self { repr: Repr::Other(Other::Wrapped(it)) }),
            repr => Err(Self { repr }),
        }
    }

    pub(crate) fn into_sim(self) -> Result<MaybeSim, Self> {
        match self.repr {
            Repr::Sim(it) => Ok(it),
            Repr::Other(Other::Wrapped(it)) => {
                it.runtime.clone().into_sim().map_err(|_| Self { repr: Repr::Other(Other::Wrapped(it)) })
            }
            repr => Err(Self { repr }),
        }
    }
}

/// Whether both are handles to one runtime.
impl PartialEq for AnyRuntime {
    fn eq(&self, other: &Self) -> bool {
        match (self.plain(), other.plain()) {
            (Repr::Tokio(a), Repr::Tokio(b)) => a == b,
            (Repr::Smol(a), Repr::Smol(b)) => a == b,
            (Repr::AsyncStd(a), Repr::AsyncStd(b)) => a == b,
            (Repr::Sim(a), Repr::Sim(b)) => a == b,
            (Repr::Other(Other::Custom(a)), Repr::Other(Other::Custom(b))) => a == b,
            _ => false,
        }
    }
}

impl Eq for AnyRuntime {}

impl Hash for AnyRuntime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let plain = self.plain();
        mem::discriminant(plain).hash(state);
        each_plain!(plain, it => it.hash(state));
    }
}

/// What kind of a runtime it is: `AnyRuntime(tokio)`; of a custom one, what that says itself.
impl fmt::Debug for AnyRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.plain() {
            Repr::Tokio(_) => "tokio",
            Repr::Smol(_) => "smol",
            Repr::AsyncStd(_) => "async-std",
            Repr::Sim(_) => "sim",
            Repr::Other(Other::Custom(custom)) => return f.debug_tuple("AnyRuntime").field(custom).finish(),
            Repr::Other(Other::Wrapped(_)) => "wrapped",
        };
        write!(f, "AnyRuntime({name})")
    }
}

impl SpawnBackend for AnyRuntime {
    fn execute(&self, task: BoxFuture) {
        each!(&self.repr, it => it.execute(task), wrapped => drop(self.spawn_wrapped(wrapped, None, task)));
    }

    fn execute_blocking(&self, job: BoxJob) {
        each!(
            &self.repr,
            it => it.execute_blocking(job),
            wrapped => drop(self.spawn_blocking_wrapped(wrapped, None, job))
        );
    }

    // Only the simulation shows names: what is compiled for others is that of a task without one.
    #[track_caller]
    fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match &self.repr {
            Repr::Sim(it) => {
                let future: Pin<Box<dyn Future<Output = F::Output> + Send>> = Box::pin(future);
                it.spawn_named(name, future)
            }
            Repr::Other(Other::Wrapped(wrapped)) => self.spawn_wrapped(wrapped, Some(name), Box::pin(future)),
            _ => self.spawn(future),
        }
    }

    #[track_caller]
    fn spawn_blocking_named<F, T>(&self, name: &str, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match &self.repr {
            Repr::Sim(it) => {
                let job: Box<dyn FnOnce() -> T + Send> = Box::new(job);
                it.spawn_blocking_named(name, job)
            }
            Repr::Other(Other::Wrapped(wrapped)) => {
                self.spawn_blocking_wrapped(wrapped, Some(name), Box::new(job))
            }
            _ => self.spawn_blocking(job),
        }
    }
}

impl Spawn for AnyRuntime {
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // What tasks are made of takes most of the time that a crate of tests compiles: here it would be compiled for every future
        // and each backend, and so it is for every type of output (`report attributes` of `benches/cost`). Not by a `cfg!`: what
        // a branch mentions is collected by the compiler even where it is never taken.
        // Our own suite runs what a release does.
        #[cfg(all(debug_assertions, not(test)))]
        {
            let future: Pin<Box<dyn Future<Output = F::Output> + Send>> = Box::pin(future);
            self.spawn_on_it(future)
        }
        #[cfg(any(not(debug_assertions), test))]
        if const { size_of::<F>() >= crate::runtime::task::LARGE } {
            self.spawn_on_it(Box::pin(future))
        } else {
            self.spawn_on_it(future)
        }
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // As for a future.
        #[cfg(all(debug_assertions, not(test)))]
        let job: Box<dyn FnOnce() -> T + Send> = Box::new(job);
        each!(
            &self.repr,
            it => it.spawn_blocking(job),
            wrapped => self.spawn_blocking_wrapped(wrapped, None, Box::new(job))
        )
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        self.clone().into_yield()
    }

    fn random_seed(&self) -> u64 {
        each!(&self.repr, it => it.random_seed())
    }
}

impl AnyRuntime {
    /// [`block_on`](BlockOn::block_on), which a watch says is called there.
    #[cfg(feature = "macros")]
    #[track_caller]
    pub(crate) fn block_on_at<F: Future>(
        &self,
        called_at: &'static Location<'static>,
        future: F,
    ) -> F::Output {
        let _scope = Scope::block_on();
        let mut future = pin!(future);
        let future = poll_fn(|cx| {
            let _turn = Turn::begin();
            future.as_mut().poll(cx)
        });
        self.run_until_at(called_at, future)
    }

    #[track_caller]
    fn run_until_at<F: Future>(&self, called_at: &'static Location<'static>, future: F) -> F::Output {
        each!(&self.repr, it => it.run_until(future), wrapped => {
            let mut output = None;
            {
                // Of one type: each future would be compiled twice for each backend.
                let run: Pin<&mut dyn Future<Output = ()>> = pin!(async {
                    let _entered = self.enter();
                    output = Some(future.await);
                });
                let run = wrapped.block_on(called_at, run);
                each_plain!(&wrapped.runtime.repr, it => it.run_until(run));
            }
            match output {
                Some(output) => output,
                None => unreachable!("it runs until the future is done"),
            }
        })
    }
}

impl BlockOnBackend for AnyRuntime {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        self.run_until_at(Location::caller(), future)
    }

    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        each!(&self.repr, it => it.stop(timeout))
    }
}

impl BlockOn for AnyRuntime {}

impl Time for AnyRuntime {
    type Sleep = time::Sleep;

    fn now(&self) -> Instant {
        each!(&self.repr, it => it.now())
    }

    fn system_time(&self) -> SystemTime {
        each!(&self.repr, it => it.system_time())
    }

    fn sleep_until(&self, deadline: Instant) -> time::Sleep {
        each!(&self.repr, it => it.sleep_until(deadline).into())
    }

    fn sleep(&self, duration: Duration) -> time::Sleep {
        each!(&self.repr, it => it.sleep(duration).into())
    }
}

impl NetBackend for AnyRuntime {
    async fn finish_connect(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        each_plain!(self.plain(), it => it.finish_connect(stream).await.map(Into::into))
    }

    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        each!(&self.repr, it => it.adopt_tcp_stream(stream).map(Into::into))
    }

    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<net::TcpListener> {
        each!(&self.repr, it => it.adopt_tcp_listener(listener).map(Into::into))
    }

    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<net::UdpSocket> {
        each!(&self.repr, it => it.adopt_udp_socket(socket).map(Into::into))
    }

    async fn connect_addr(&self, addr: SocketAddr, options: &ConnectOptions) -> io::Result<net::TcpStream> {
        each_plain!(self.plain(), it => it.connect_addr(addr, options).await.map(Into::into))
    }

    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<net::TcpListener> {
        each!(&self.repr, it => it.bind_addr(addr, options).map(Into::into))
    }

    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<net::UdpSocket> {
        each!(&self.repr, it => it.udp_bind_addr(addr).map(Into::into))
    }

    async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        each_plain!(self.plain(), it => it.resolve(host, port).await)
    }
}

impl Net for AnyRuntime {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;
    type UdpSocket = net::UdpSocket;
}

#[cfg(unix)]
impl UnixNetBackend for AnyRuntime {
    fn adopt_unix_stream(&self, stream: std_unix::UnixStream) -> io::Result<net::unix::UnixStream> {
        each!(&self.repr, it => it.adopt_unix_stream(stream).map(Into::into))
    }

    fn adopt_unix_listener(&self, listener: std_unix::UnixListener) -> io::Result<net::unix::UnixListener> {
        each!(&self.repr, it => it.adopt_unix_listener(listener).map(Into::into))
    }

    fn adopt_unix_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<net::unix::UnixDatagram> {
        each!(&self.repr, it => it.adopt_unix_datagram(socket).map(Into::into))
    }

    async fn unix_connect_path(&self, path: PathBuf) -> io::Result<net::unix::UnixStream> {
        each_plain!(self.plain(), it => it.unix_connect_path(path).await.map(Into::into))
    }

    fn unix_bind_path(&self, path: &Path) -> io::Result<net::unix::UnixListener> {
        each!(&self.repr, it => it.unix_bind_path(path).map(Into::into))
    }

    fn unix_datagram_bind_path(&self, path: &Path) -> io::Result<net::unix::UnixDatagram> {
        each!(&self.repr, it => it.unix_datagram_bind_path(path).map(Into::into))
    }

    fn unix_remove_path(&self, path: &Path) -> io::Result<()> {
        each!(&self.repr, it => it.unix_remove_path(path))
    }

    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        each!(&self.repr, it => it.watch_fd(fd))
    }
}

#[cfg(unix)]
impl UnixNet for AnyRuntime {
    type UnixStream = net::unix::UnixStream;
    type UnixListener = net::unix::UnixListener;
    type UnixDatagram = net::unix::UnixDatagram;

    fn unix_pair(&self) -> io::Result<(Self::UnixStream, Self::UnixStream)> {
        each!(&self.repr, it => it.unix_pair().map(|(a, b)| (a.into(), b.into())))
    }

    fn unix_datagram_unbound(&self) -> io::Result<Self::UnixDatagram> {
        each!(&self.repr, it => it.unix_datagram_unbound().map(Into::into))
    }

    fn unix_datagram_pair(&self) -> io::Result<(Self::UnixDatagram, Self::UnixDatagram)> {
        each!(&self.repr, it => it.unix_datagram_pair().map(|(a, b)| (a.into(), b.into())))
    }
}
