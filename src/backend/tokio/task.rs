//! tokio's join handle, whose rules are the contract's except for how an abort and a shutdown are told apart.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::task::JoinHandle;

use crate::task::{AbortHandle, JoinError, Native, NativeAbort};

pub(crate) use tokio::task::AbortHandle as Abort;

pub(crate) struct Handle<T> {
    handle: JoinHandle<T>,
    // tokio says "cancelled" of an aborted task and of one whose runtime is gone.
    abortable: AtomicBool,
}

impl<T> From<JoinHandle<T>> for Handle<T> {
    fn from(handle: JoinHandle<T>) -> Self {
        Self { handle, abortable: AtomicBool::new(false) }
    }
}

impl<T> Handle<T> {
    #[cold]
    fn error(&self, error: tokio::task::JoinError) -> JoinError {
        match error.try_into_panic() {
            Ok(payload) => JoinError::panicked(payload),
            Err(_) if self.abortable.load(Ordering::Relaxed) => JoinError::cancelled(),
            Err(_) => JoinError::runtime_gone(),
        }
    }
}

impl<T: Send + 'static> Native<T> for Handle<T> {
    fn abort_handle(&self) -> AbortHandle {
        self.abortable.store(true, Ordering::Relaxed);
        AbortHandle::tokio(self.handle.abort_handle())
    }
}

impl<T: Send> NativeAbort for Handle<T> {
    fn abort(&self) {
        self.abortable.store(true, Ordering::Relaxed);
        self.handle.abort();
    }

    fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.handle).poll(cx));
        Poll::Ready(result.map_err(|error| self.error(error)))
    }
}

impl NativeAbort for Abort {
    fn abort(&self) {
        self.abort();
    }

    fn is_finished(&self) -> bool {
        self.is_finished()
    }
}
