//! agnostic: a type parameter, with associated functions.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use agnostic::Runtime;
use agnostic::net::{Net, TcpListener as _, TcpStream as _};
use agnostic::smol::SmolRuntime;
use agnostic::tokio::TokioRuntime;
use futures::StreamExt as _;
use harness::Way;

pub(crate) type Tokio = Agnostic<TokioRuntime>;
pub(crate) type Smol = Agnostic<SmolRuntime>;

pub(crate) struct Agnostic<R> {
    // The current runtime.
    tokio: Option<&'static tokio::runtime::Runtime>,
    runtime: PhantomData<R>,
}

impl<R> Clone for Agnostic<R> {
    fn clone(&self) -> Self {
        Self { tokio: self.tokio, runtime: PhantomData }
    }
}

impl<R: Runtime> Way for Agnostic<R> {
    type Stream = <R::Net as Net>::TcpStream;
    type Listener = <R::Net as Net>::TcpListener;

    fn start() -> Self {
        let tokio = (R::name() == "tokio").then(crate::tokio);
        Self { tokio, runtime: PhantomData }
    }

    fn block_on<F>(&self, main: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.tokio {
            Some(runtime) => runtime.block_on(async { tokio::spawn(main).await.expect("it does not panic") }),
            None => smol::block_on(smol::spawn(main)),
        }
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        R::spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        R::spawn_detach(future);
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        R::spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        R::sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        R::timeout(duration, future)
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        R::yield_now()
    }

    async fn interval(&self, period: Duration, ticks: u64) {
        let mut interval = R::interval(period);
        for _ in 0..ticks {
            interval.next().await;
        }
    }

    async fn listen(&self, addr: SocketAddr) -> io::Result<(Self::Listener, SocketAddr)> {
        let listener = Self::Listener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.accept().await?.0)
    }

    fn connect(&self, addr: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send {
        Self::Stream::connect(addr)
    }

    async fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> io::Result<usize> {
        futures::AsyncReadExt::read(stream, buf).await
    }

    async fn write_all(stream: &mut Self::Stream, buf: &[u8]) -> io::Result<()> {
        futures::AsyncWriteExt::write_all(stream, buf).await
    }
}
