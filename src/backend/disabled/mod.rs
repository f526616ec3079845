//! Placeholder for a backend that is not compiled in: a runtime without values.

mod stream;
mod udp;
#[cfg(unix)]
mod unix;

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::backend::FindCurrent;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
use crate::runtime::net::io_traits::{Reads, Writes, reads, writes};
use crate::runtime::{BlockOn, Driver, Net, Sleep, Spawn, Time};
use crate::thread::RuntimeKind;

/// A runtime, and everything that it would make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Disabled {}

impl Disabled {
    pub(crate) fn unowned(&self) -> Self {
        match *self {}
    }

    pub(crate) fn has(&self, _: Driver) -> bool {
        match *self {}
    }

    pub(crate) fn poll_signal<T>(&self, _: &Context<'_>) -> Poll<T> {
        match *self {}
    }
}

pub(crate) fn current() -> Option<Disabled> {
    None
}

pub(crate) fn sleep(_: std::time::Duration) -> Option<Disabled> {
    None
}

pub(crate) fn enter(runtime: &Disabled) -> Option<Disabled> {
    match *runtime {}
}

/// The methods of a list in `runtime`.
macro_rules! never {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, _: $type)*) -> io::Result<$output> {
            match *self {}
        })*
    };
    ($($(#[$doc:meta])* fn $name:ident, $poll:ident(
        $($buf:ident: &$($mut:ident)? [u8])? $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            async fn $name(&self, $(_: &$($mut)? [u8])? $(, _: $type)*) -> io::Result<$output> {
                match *self {}
            }

            fn $poll(&self, _: &mut Context<'_>, $(_: &$($mut)? [u8])? $(, _: $type)*) -> Poll<io::Result<$output>> {
                match *self {}
            }
        )*
    };
}
use never;

impl FindCurrent for Disabled {
    #[inline]
    fn find_current(_: RuntimeKind) -> Option<Self> {
        None
    }
}

impl SpawnBackend for Disabled {
    fn execute(&self, _: BoxFuture) {
        match *self {}
    }

    fn execute_blocking(&self, _: BoxJob) {
        match *self {}
    }
}

impl Spawn for Disabled {}

impl BlockOnBackend for Disabled {
    fn run_until<F: Future>(&self, _: F) -> F::Output {
        match *self {}
    }
}

impl BlockOn for Disabled {}

impl Time for Disabled {
    type Sleep = Self;

    fn now(&self) -> Instant {
        match *self {}
    }

    fn sleep_until(&self, _: Instant) -> Self {
        match *self {}
    }
}

impl Sleep for Disabled {
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

impl Future for Disabled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }
}

impl NetBackend for Disabled {
    async fn finish_connect(&self, _: std::net::TcpStream) -> io::Result<Self> {
        match *self {}
    }

    fn adopt_tcp_stream(&self, _: std::net::TcpStream) -> io::Result<Self> {
        match *self {}
    }

    fn adopt_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<Self> {
        match *self {}
    }

    fn adopt_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Self> {
        match *self {}
    }
}

impl Net for Disabled {
    type TcpStream = Self;
    type TcpListener = Self;
    type UdpSocket = Self;
}

impl Reads for Disabled {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }
}

impl Writes for Disabled {
    fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_write_vectored(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

reads!([] Disabled, it => it);
writes!([] Disabled, it => it);
