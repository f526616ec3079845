//! What stands in for a backend that is not compiled in: a runtime that cannot exist.

mod stream;
mod udp;
#[cfg(unix)]
mod unix;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_io::{AsyncRead, AsyncWrite};

use crate::AnyRuntime;
use crate::current::Driver;
use crate::runtime::{BlockOn, BoxFuture, BoxJob, Net, Sleep, Spawn, Time};
use crate::task::{AbortHandle, JoinError, Native, NativeAbort};

/// A runtime, and everything that it would make.
#[derive(Clone, Debug, PartialEq)]
pub enum Absent {}

impl Absent {
    pub(crate) fn unowned(&self) -> Self {
        match *self {}
    }

    pub(crate) fn has(&self, _: Driver) -> bool {
        match *self {}
    }
}

/// A task, which nothing can be in.
pub(crate) type Task = Infallible;

pub(crate) fn task() -> Option<Task> {
    None
}

pub(crate) fn current() -> Option<Absent> {
    None
}

pub(crate) fn poll_budget(_: &mut Context<'_>) -> Poll<()> {
    Poll::Ready(())
}

pub(crate) fn spend_budget() {}

pub(crate) fn wait_in_closure(_: &Waker) {}

/// The methods of a list in `runtime`.
macro_rules! never {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, _: $type)*) -> io::Result<$output> {
            match *self {}
        })*
    };
    ($(fn $name:ident, $poll:ident(
        $buf:ident: &$($mut:ident)? [u8] $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            async fn $name(&self, _: &$($mut)? [u8] $(, _: $type)*) -> io::Result<$output> {
                match *self {}
            }

            fn $poll(&self, _: &mut Context<'_>, _: &$($mut)? [u8] $(, _: $type)*) -> Poll<io::Result<$output>> {
                match *self {}
            }
        )*
    };
}
use never;

/// What it makes is of any type.
macro_rules! into {
    ($($type:ty),*) => {
        $(impl From<Absent> for $type {
            fn from(absent: Absent) -> Self {
                match absent {}
            }
        })*
    };
}

into!(AnyRuntime, crate::time::Sleep, crate::net::TcpStream, crate::net::TcpListener, crate::net::UdpSocket);
#[cfg(unix)]
into!(crate::net::UnixStream, crate::net::UnixListener, crate::net::UnixDatagram);

impl Spawn for Absent {
    fn execute(&self, _: BoxFuture) {
        match *self {}
    }

    fn execute_blocking(&self, _: BoxJob) {
        match *self {}
    }
}

impl BlockOn for Absent {
    fn run_until<F: Future>(&self, _: F) -> F::Output {
        match *self {}
    }
}

impl Time for Absent {
    type Sleep = Self;

    fn now(&self) -> Instant {
        match *self {}
    }

    fn sleep_until(&self, _: Instant) -> Self {
        match *self {}
    }
}

impl Sleep for Absent {
    fn deadline(&self) -> Instant {
        match *self {}
    }

    fn is_elapsed(&self) -> bool {
        match *self {}
    }

    fn reset(self: Pin<&mut Self>, _: Instant) {
        match *self {}
    }
}

impl Future for Absent {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }
}

impl Net for Absent {
    type TcpStream = Self;
    type TcpListener = Self;
    type UdpSocket = Self;

    async fn finish_connect(&self, _: std::net::TcpStream) -> io::Result<Self> {
        match *self {}
    }

    fn tcp_stream_from_std(&self, _: std::net::TcpStream) -> io::Result<Self> {
        match *self {}
    }

    fn tcp_listener_from_std(&self, _: std::net::TcpListener) -> io::Result<Self> {
        match *self {}
    }

    fn udp_socket_from_std(&self, _: std::net::UdpSocket) -> io::Result<Self> {
        match *self {}
    }
}

impl AsyncRead for Absent {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }
}

impl AsyncWrite for Absent {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

/// The native join handle.
pub(crate) struct Handle<T> {
    never: Infallible,
    _output: PhantomData<fn() -> T>,
}

impl<T> Native<T> for Handle<T> {
    fn abort_handle(&self) -> AbortHandle {
        match self.never {}
    }
}

impl<T> NativeAbort for Handle<T> {
    fn abort(&self) {
        match self.never {}
    }

    fn is_finished(&self) -> bool {
        match self.never {}
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.never {}
    }
}

#[derive(Clone)]
pub(crate) struct Abort(Infallible);

impl NativeAbort for Abort {
    fn abort(&self) {
        match self.0 {}
    }

    fn is_finished(&self) -> bool {
        match self.0 {}
    }
}
