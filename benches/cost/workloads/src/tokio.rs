//! tokio: one thread that does everything, or workers.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use harness::{Called, Implementation, Operation, Way};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::through_anyrt::Setup;

pub(crate) const CURRENT_THREAD: &[Implementation] =
    implementations!("tokio-ct", Native<CurrentThread>, CurrentThread);
pub(crate) const MULTI_THREAD: &[Implementation] =
    implementations!("tokio-mt", Native<MultiThread>, MultiThread);

#[derive(Clone)]
pub(crate) struct CurrentThread;

#[derive(Clone)]
pub(crate) struct MultiThread;

pub(crate) trait Flavour: Clone + Send + Sync + 'static {
    fn build() -> Runtime;
}

impl Flavour for CurrentThread {
    fn build() -> Runtime {
        build(&mut Builder::new_current_thread())
    }
}

impl Flavour for MultiThread {
    fn build() -> Runtime {
        build(&mut Builder::new_multi_thread())
    }
}

fn build(builder: &mut Builder) -> Runtime {
    builder.enable_all().build().expect("there are descriptors and threads")
}

impl Setup for CurrentThread {
    type Runtime = anyrt::Tokio;

    const BLOCKS_ON: bool = true;

    fn start() -> anyrt::Tokio {
        Self::build().into()
    }
}

impl Setup for MultiThread {
    type Runtime = anyrt::Tokio;

    const BLOCKS_ON: bool = true;

    fn start() -> anyrt::Tokio {
        Self::build().into()
    }
}

/// tokio itself. Its runtime is never dropped, because it must not be dropped in a task.
#[derive(Clone)]
pub(crate) struct Native<S> {
    runtime: &'static Runtime,
    setup: PhantomData<S>,
}

impl<S: Flavour> Way for Native<S> {
    const LACKS: &'static [Operation] = &[];

    type Stream = TcpStream;
    type Listener = TcpListener;

    fn start() -> Self {
        Self { runtime: Box::leak(Box::new(S::build())), setup: PhantomData }
    }

    fn block_on<F>(&self, main: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.block_on(async { tokio::spawn(Called::new(main)).await.expect("it does not panic") })
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(tokio::spawn(future));
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        tokio::task::spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        tokio::time::sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        tokio::time::timeout(duration, future)
    }

    fn current() -> impl Sized {
        Handle::current()
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        tokio::task::yield_now()
    }

    async fn interval(&self, period: Duration, ticks: u64) {
        let mut interval = tokio::time::interval(period);
        for _ in 0..ticks {
            interval.tick().await;
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
}
