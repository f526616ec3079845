//! smol: its global executor, or an owned one.

use std::future::Future;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use harness::{Implementation, Way};
use smol::Executor;
use smol::io::{AsyncReadExt as _, AsyncWriteExt as _};
use smol::net::{TcpListener, TcpStream};
use smol::stream::StreamExt as _;
use smol::{Task, Timer};

use crate::through_anyrt::Setup;

pub(crate) const GLOBAL: &[Implementation] = implementations!("smol", Native, Global);
pub(crate) const OWNED: &[Implementation] = implementations!("smol-own", NativeOwned, Owned);

#[derive(Clone)]
pub(crate) struct Global;

#[derive(Clone)]
pub(crate) struct Owned;

impl Setup for Global {
    type Runtime = anyrt::Smol;

    fn start() -> anyrt::Smol {
        anyrt::Smol::global()
    }
}

impl Setup for Owned {
    type Runtime = anyrt::Smol;

    fn start() -> anyrt::Smol {
        anyrt::Smol::with_threads(1).expect("there is a thread")
    }
}

/// `smol::spawn`, whose executor has one thread.
#[derive(Clone)]
pub(crate) struct Native;

/// An executor in a static, and a thread that runs it.
#[derive(Clone)]
pub(crate) struct NativeOwned(&'static Executor<'static>);

/// The operations of both, except tasks.
macro_rules! way {
    ($spawn:expr) => {
        type Stream = TcpStream;
        type Listener = TcpListener;

        fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
        where
            F: Future + Send + 'static,
            F::Output: Send + 'static,
        {
            $spawn(self, future)
        }

        fn detach<F>(&self, future: F)
        where
            F: Future + Send + 'static,
            F::Output: Send + 'static,
        {
            let task: Task<_> = $spawn(self, future);
            task.detach();
        }

        fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            smol::unblock(job)
        }

        fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
            Timer::after(duration)
        }

        /// As in smol's documentation.
        fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
        where
            F: Future + Send,
            F::Output: Send,
        {
            smol::future::or(async { Some(future.await) }, async move {
                Timer::after(duration).await;
                None
            })
        }

        fn yield_now(&self) -> impl Future<Output: Send> + Send {
            smol::future::yield_now()
        }

        async fn interval(&self, period: Duration, ticks: u64) {
            let mut interval = Timer::interval(period);
            for _ in 0..ticks {
                interval.next().await;
            }
        }

        async fn listen(&self, addr: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
            let listener = TcpListener::bind(addr).await?;
            let addr = listener.local_addr()?;
            Ok((listener, addr))
        }

        async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
            Ok(listener.accept().await?.0)
        }

        fn connect(&self, addr: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send {
            TcpStream::connect(addr)
        }

        async fn read(stream: &mut TcpStream, buf: &mut [u8]) -> io::Result<usize> {
            stream.read(buf).await
        }

        async fn write_all(stream: &mut TcpStream, buf: &[u8]) -> io::Result<()> {
            stream.write_all(buf).await
        }
    };
}

impl Way for Native {
    fn start() -> Self {
        Self
    }

    way!(|_: &Self, future| smol::spawn(future));
}

static EXECUTOR: OnceLock<Executor<'static>> = OnceLock::new();

impl Way for NativeOwned {
    fn start() -> Self {
        let executor = EXECUTOR.get_or_init(Executor::new);
        thread::spawn(|| smol::block_on(executor.run(pending::<()>())));
        Self(executor)
    }

    way!(|this: &Self, future| this.0.spawn(future));
}
