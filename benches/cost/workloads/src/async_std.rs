//! async-std, on one thread.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_std::io::{ReadExt as _, WriteExt as _};
use async_std::net::{TcpListener, TcpStream};
use async_std::stream::StreamExt as _;
use async_std::{stream, task};
use harness::{Implementation, Way};

use crate::through_anyrt::Setup;

pub(crate) const GLOBAL: &[Implementation] = implementations!("async-std", Native, Global);

#[derive(Clone)]
pub(crate) struct Global;

impl Setup for Global {
    type Runtime = anyrt::AsyncStd;

    fn start() -> anyrt::AsyncStd {
        anyrt::AsyncStd::global()
    }
}

#[derive(Clone)]
pub(crate) struct Native;

impl Way for Native {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn start() -> Self {
        Self
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(task::spawn(future));
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        task::spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        task::sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        async_std::future::timeout(duration, future)
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        task::yield_now()
    }

    async fn interval(&self, period: Duration, ticks: u64) {
        let mut interval = stream::interval(period);
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
}
