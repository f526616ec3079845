//! The functions that a driver needs of its runtime, over three runtimes.
//!
//! The runtime is tokio if this thread is in its context, and otherwise a compiled-in one. There is no way to ask smol
//! whether a thread is its own: with async-std compiled in as well, smol is used, which works under either.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cfg_if::cfg_if;
use futures::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "tokio")]
use tokio::runtime::Handle;

#[cfg(feature = "tokio")]
use crate::compat::Compat;

pub(crate) type Socket = Box<dyn ReadWrite>;

pub(crate) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for S {}

pub(crate) async fn connect_tcp(host: &str, port: u16) -> io::Result<Socket> {
    #[cfg(feature = "tokio")]
    if Handle::try_current().is_ok() {
        let socket = tokio::net::TcpStream::connect((host, port)).await?;
        socket.set_nodelay(true)?;
        return Ok(Box::new(Compat(socket)));
    }
    cfg_if! {
        if #[cfg(feature = "smol")] {
            let socket = smol::net::TcpStream::connect((host, port)).await?;
            socket.set_nodelay(true)?;
            Ok(Box::new(socket))
        } else if #[cfg(feature = "async-std")] {
            let socket = async_std::net::TcpStream::connect((host, port)).await?;
            socket.set_nodelay(true)?;
            Ok(Box::new(socket))
        } else {
            missing_rt((host, port))
        }
    }
}

pub(crate) async fn sleep(duration: Duration) {
    #[cfg(feature = "tokio")]
    if Handle::try_current().is_ok() {
        return tokio::time::sleep(duration).await;
    }
    cfg_if! {
        if #[cfg(feature = "smol")] {
            smol::Timer::after(duration).await;
        } else if #[cfg(feature = "async-std")] {
            async_std::task::sleep(duration).await;
        } else {
            missing_rt(duration)
        }
    }
}

pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> io::Result<F::Output> {
    #[cfg(feature = "tokio")]
    if Handle::try_current().is_ok() {
        return Ok(tokio::time::timeout(duration, future).await?);
    }
    cfg_if! {
        if #[cfg(feature = "smol")] {
            let elapsed = async {
                smol::Timer::after(duration).await;
                Err(io::ErrorKind::TimedOut.into())
            };
            smol::future::or(async { Ok(future.await) }, elapsed).await
        } else if #[cfg(feature = "async-std")] {
            let result = async_std::future::timeout(duration, future).await;
            result.map_err(|_| io::ErrorKind::TimedOut.into())
        } else {
            missing_rt((duration, future))
        }
    }
}

pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[cfg(feature = "tokio")]
    if let Ok(tokio) = Handle::try_current() {
        return JoinHandle::Tokio(tokio.spawn(future));
    }
    cfg_if! {
        if #[cfg(feature = "smol")] {
            JoinHandle::Smol(Some(smol::spawn(future)))
        } else if #[cfg(feature = "async-std")] {
            JoinHandle::AsyncStd(async_std::task::spawn(future))
        } else {
            missing_rt(future)
        }
    }
}

pub(crate) fn spawn_blocking<F, T>(job: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    #[cfg(feature = "tokio")]
    if let Ok(tokio) = Handle::try_current() {
        return JoinHandle::Tokio(tokio.spawn_blocking(job));
    }
    cfg_if! {
        if #[cfg(feature = "smol")] {
            JoinHandle::Smol(Some(smol::unblock(job)))
        } else if #[cfg(feature = "async-std")] {
            JoinHandle::AsyncStd(async_std::task::spawn_blocking(job))
        } else {
            missing_rt(job)
        }
    }
}

/// A panic of the task unwinds into the code that awaits the handle.
#[allow(dead_code, reason = "which variants are made depends on the features")]
pub(crate) enum JoinHandle<T> {
    #[cfg(feature = "tokio")]
    Tokio(tokio::task::JoinHandle<T>),
    // Empty only during the drop.
    #[cfg(feature = "smol")]
    Smol(Option<smol::Task<T>>),
    #[cfg(feature = "async-std")]
    AsyncStd(async_std::task::JoinHandle<T>),
    // Uses `T` when no runtime is compiled in.
    Missing(PhantomData<fn() -> T>),
}

impl<T> Future for JoinHandle<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match &mut *self {
            #[cfg(feature = "tokio")]
            Self::Tokio(task) => Pin::new(task).poll(cx).map_err(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => error.into(),
            }),
            #[cfg(feature = "smol")]
            Self::Smol(Some(task)) => Pin::new(task).poll(cx).map(Ok),
            #[cfg(feature = "async-std")]
            Self::AsyncStd(task) => Pin::new(task).poll(cx).map(Ok),
            _ => missing_rt(cx),
        }
    }
}

/// Dropping a handle detaches its task; smol would cancel it.
impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        #[cfg(feature = "smol")]
        if let Self::Smol(task) = self {
            if let Some(task) = task.take() {
                task.detach();
            }
        }
    }
}

/// # Panics
///
/// Always.
fn missing_rt<T>(_unused: T) -> ! {
    if cfg!(feature = "tokio") {
        panic!("the driver was called outside of a tokio runtime");
    }
    panic!("the driver needs one of the features `tokio`, `smol` and `async-std`");
}
