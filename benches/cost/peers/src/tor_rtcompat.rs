//! tor-rtcompat: one trait for all operations.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use futures::lock::Mutex;
use futures::{AsyncReadExt as _, AsyncWriteExt as _, Stream, StreamExt as _};
use harness::{Operation, Way};
use tor_rtcompat::async_std::AsyncStdRustlsRuntime;
use tor_rtcompat::tokio::TokioRustlsRuntime;
use tor_rtcompat::{
    Blocking as _, NetStreamListener, NetStreamProvider, Runtime, SleepProvider as _, SleepProviderExt as _,
    SpawnExt as _,
};

/// It has no yield and no intervals.
const LACKS: &[Operation] = &[Operation::Yield, Operation::Current, Operation::Interval];

#[derive(Clone)]
pub(crate) struct Tokio(TokioRustlsRuntime, &'static tokio::runtime::Runtime);

#[derive(Clone)]
pub(crate) struct AsyncStd(AsyncStdRustlsRuntime);

type Connection<R> = <R as NetStreamProvider>::Stream;

/// There, a listener is a stream.
pub(crate) struct Listener<R: Runtime>(
    Mutex<Pin<Box<dyn Stream<Item = io::Result<(Connection<R>, SocketAddr)>> + Send>>>,
);

fn provider() {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Way for Tokio {
    const LACKS: &'static [Operation] = LACKS;
    type Stream = Connection<TokioRustlsRuntime>;
    type Listener = Listener<TokioRustlsRuntime>;

    fn start() -> Self {
        provider();
        let runtime = crate::tokio();
        Self(TokioRustlsRuntime::from(runtime.handle().clone()), runtime)
    }

    crate::in_tokio!(self => self.1);

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn_with_handle(future).expect("it runs")
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(async move { drop(future.await) }).expect("it runs");
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        self.0.sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.0.timeout(duration, future)
    }

    async fn listen(&self, addr: SocketAddr) -> io::Result<(Self::Listener, SocketAddr)> {
        let listener = NetStreamProvider::listen(&self.0, &addr, &Default::default()).await?;
        let addr = listener.local_addr()?;
        Ok((Listener(Mutex::new(Box::pin(listener.incoming()))), addr))
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.0.lock().await.next().await.expect("it has no end")?.0)
    }

    async fn connect(&self, addr: SocketAddr) -> io::Result<Self::Stream> {
        NetStreamProvider::connect(&self.0, &addr, &Default::default()).await
    }

    async fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> io::Result<usize> {
        stream.read(buf).await
    }

    async fn write_all(stream: &mut Self::Stream, buf: &[u8]) -> io::Result<()> {
        stream.write_all(buf).await
    }
}

impl Way for AsyncStd {
    const LACKS: &'static [Operation] = LACKS;
    type Stream = Connection<AsyncStdRustlsRuntime>;
    type Listener = Listener<AsyncStdRustlsRuntime>;

    fn start() -> Self {
        provider();
        Self(AsyncStdRustlsRuntime::create().expect("it is there"))
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn_with_handle(future).expect("it runs")
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(async move { drop(future.await) }).expect("it runs");
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        self.0.sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.0.timeout(duration, future)
    }

    async fn listen(&self, addr: SocketAddr) -> io::Result<(Self::Listener, SocketAddr)> {
        let listener = NetStreamProvider::listen(&self.0, &addr, &Default::default()).await?;
        let addr = listener.local_addr()?;
        Ok((Listener(Mutex::new(Box::pin(listener.incoming()))), addr))
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.0.lock().await.next().await.expect("it has no end")?.0)
    }

    async fn connect(&self, addr: SocketAddr) -> io::Result<Self::Stream> {
        NetStreamProvider::connect(&self.0, &addr, &Default::default()).await
    }

    async fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> io::Result<usize> {
        stream.read(buf).await
    }

    async fn write_all(stream: &mut Self::Stream, buf: &[u8]) -> io::Result<()> {
        stream.write_all(buf).await
    }
}
