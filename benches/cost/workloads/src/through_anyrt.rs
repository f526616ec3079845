//! anyrt in its three ways.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use anyrt::runtime::TcpListener as _;
use anyrt::watch::WatchOptions;
use anyrt::{AnyRuntime, Net, Runtime, Spawn, Time, net};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use harness::{Absent, Called, Operation, Way};

/// Set-up of a runtime.
pub(crate) trait Setup: Clone + Send + Sync + 'static {
    type Runtime: Runtime + Into<AnyRuntime>;

    /// Whether the thread in `block_on` is the only worker, or drives nothing. (Otherwise it drives timers and
    /// sockets.)
    const BLOCKS_ON: bool = false;

    fn start() -> Self::Runtime;
}

/// `runtime.spawn(…)`, where the type of the runtime is known.
#[derive(Clone)]
pub(crate) struct Traits<S: Setup>(S::Runtime);

/// `runtime.spawn(…)`, where it is an `AnyRuntime`.
#[derive(Clone)]
pub(crate) struct Any<S: Setup> {
    any: AnyRuntime,
    _setup: PhantomData<S>,
}

/// `anyrt::spawn(…)`.
#[derive(Clone)]
pub(crate) struct Free<S: Setup>(S::Runtime);

/// `runtime.spawn(…)`, where it is a watched `AnyRuntime`.
#[derive(Clone)]
pub(crate) struct Watched<S: Setup> {
    watched: AnyRuntime,
    _setup: PhantomData<S>,
}

/// Methods that call a handle, which is `$handle` of `$self`.
macro_rules! with_handle {
    ($self:ident => $handle:expr) => {
        fn spawn<F>(&$self, future: F) -> impl Future<Output: Send> + Send + 'static
        where
            F: Future + Send + 'static,
            F::Output: Send + 'static,
        {
            $handle.spawn(future)
        }

        fn detach<F>(&$self, future: F)
        where
            F: Future + Send + 'static,
            F::Output: Send + 'static,
        {
            drop($handle.spawn(future));
        }

        fn spawn_blocking<F, T>(&$self, job: F) -> impl Future<Output: Send> + Send + 'static
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            $handle.spawn_blocking(job)
        }

        fn sleep(&$self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
            $handle.sleep(duration)
        }

        fn timeout<F>(&$self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
        where
            F: Future + Send,
            F::Output: Send,
        {
            $handle.timeout(duration, future)
        }

        fn yield_now(&$self) -> impl Future<Output: Send> + Send {
            $handle.yield_now()
        }

        fn interval(&$self, period: Duration, ticks: u64) -> impl Future<Output = ()> + Send {
            self::ticks($handle.interval(period), ticks)
        }

        async fn listen(&$self, addr: SocketAddr) -> io::Result<(Self::Listener, SocketAddr)> {
            let listener = $handle.tcp_bind(addr).await?;
            let addr = listener.local_addr()?;
            Ok((listener, addr))
        }

        fn connect(&$self, addr: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send {
            $handle.tcp_connect(addr)
        }
    };
}

macro_rules! with_streams {
    () => {
        async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
            Ok(listener.accept().await?.0)
        }

        async fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> io::Result<usize> {
            stream.read(buf).await
        }

        async fn write_all(stream: &mut Self::Stream, buf: &[u8]) -> io::Result<()> {
            stream.write_all(buf).await
        }
    };
}

/// A task, and a thread that waits for it, as natively.
macro_rules! blocks_on {
    ($self:ident => $runtime:expr) => {
        fn block_on<F>(&$self, main: F) -> F::Output
        where
            F: Future + Send + 'static,
            F::Output: Send + 'static,
        {
            block_on::<S, _, _>(&$runtime, main)
        }
    };
}

impl<S: Setup> Way for Traits<S> {
    type Stream = <S::Runtime as Net>::TcpStream;
    type Listener = <S::Runtime as Net>::TcpListener;

    fn start() -> Self {
        Self(S::start())
    }

    blocks_on!(self => self.0);
    with_handle!(self => self.0);
    with_streams!();
}

/// Only what is in its budgets: each operation takes a second to compile.
impl<S: Setup> Way for Watched<S> {
    const LACKS: &'static [Operation] = &[
        Operation::SpawnBlocking,
        Operation::TimeoutReady,
        Operation::TimeoutPending,
        Operation::Yield,
        Operation::Current,
        Operation::TcpPingPong,
        Operation::TcpThroughput,
        Operation::Tcp256,
        Operation::Interval,
    ];

    type Stream = Absent;
    type Listener = Absent;

    fn start() -> Self {
        let options = WatchOptions::new().warn_after(Duration::from_secs(10));
        let watched = S::start().into().watch(options).expect("the system has a thread");
        Self { watched, _setup: PhantomData }
    }

    blocks_on!(self => self.watched);

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.watched.spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(self.watched.spawn(future));
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        self.watched.sleep(duration)
    }
}

impl<S: Setup> Way for Any<S> {
    type Stream = net::TcpStream;
    type Listener = net::TcpListener;

    fn start() -> Self {
        Self { any: S::start().into(), _setup: PhantomData }
    }

    blocks_on!(self => self.any);
    with_handle!(self => self.any);
    with_streams!();
}

impl<S: Setup> Way for Free<S> {
    const LACKS: &'static [Operation] = &[];

    type Stream = net::TcpStream;
    type Listener = net::TcpListener;

    fn start() -> Self {
        Self(S::start())
    }

    blocks_on!(self => self.0);
    with_streams!();

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        anyrt::spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(anyrt::spawn(future));
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        anyrt::spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        anyrt::time::sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        anyrt::time::timeout(duration, future)
    }

    fn current() -> impl Sized {
        AnyRuntime::current()
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        anyrt::yield_now()
    }

    async fn interval(&self, period: Duration, ticks: u64) {
        self::ticks(anyrt::time::interval(period), ticks).await
    }

    async fn listen(&self, addr: SocketAddr) -> io::Result<(Self::Listener, SocketAddr)> {
        let listener = net::TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    }

    fn connect(&self, addr: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send {
        net::TcpStream::connect(addr)
    }
}

fn block_on<S: Setup, R: Runtime, F>(runtime: &R, main: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if S::BLOCKS_ON {
        return runtime.block_on(runtime.spawn(Called::new(main))).expect("it does not panic");
    }
    let (done, wait) = mpsc::channel();
    drop(runtime.spawn(Called::new(async move {
        // The receiver exists until it gets the result.
        let _ = done.send(main.await);
    })));
    wait.recv().expect("the task does not panic")
}

async fn ticks<R: Time>(mut interval: anyrt::time::Interval<R>, ticks: u64) {
    for _ in 0..ticks {
        interval.tick().await;
    }
}

/// The implementations of a runtime: its own, and the three of anyrt.
macro_rules! implementations {
    ($name:literal, $native:ty, $setup:ty) => {
        &[
            harness::Implementation::of::<$native>(concat!($name, "/native")),
            harness::Implementation::of::<$crate::through_anyrt::Traits<$setup>>(concat!($name, "/traits")),
            harness::Implementation::of::<$crate::through_anyrt::Any<$setup>>(concat!($name, "/any")),
            harness::Implementation::of::<$crate::through_anyrt::Free<$setup>>(concat!($name, "/free")),
            harness::Implementation::of::<$crate::through_anyrt::Watched<$setup>>(concat!($name, "/watched")),
        ]
    };
}
