//! A runtime on which every operation fails, to detect code that uses the wrong runtime.

use std::future::Future;
use std::io;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

#[cfg(unix)]
use crate::runtime::backend::UnixNetBackend;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
use crate::runtime::{self, BlockOn, Net, Spawn, Time};
use crate::{AnyRuntime, net};

/// Not the runtime under test.
pub(super) fn elsewhere() -> AnyRuntime {
    AnyRuntime::custom(Elsewhere)
}

#[derive(Clone, Debug)]
struct Elsewhere;

fn refused<T>() -> io::Result<T> {
    Err(io::Error::other("this is the wrong runtime"))
}

impl SpawnBackend for Elsewhere {
    fn execute(&self, task: BoxFuture) {
        drop(task);
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(job);
    }
}

impl Spawn for Elsewhere {}

impl BlockOnBackend for Elsewhere {
    fn run_until<F: Future>(&self, _: F) -> F::Output {
        panic!("this is the wrong runtime")
    }
}

impl BlockOn for Elsewhere {}

impl Time for Elsewhere {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep(deadline)
    }
}

/// It never ends.
#[derive(Debug)]
struct Sleep(Instant);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.0
    }

    fn is_elapsed(&self) -> bool {
        false
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.0 = deadline;
    }
}

impl NetBackend for Elsewhere {
    async fn finish_connect(&self, _: std::net::TcpStream) -> io::Result<net::TcpStream> {
        refused()
    }

    fn adopt_tcp_stream(&self, _: std::net::TcpStream) -> io::Result<net::TcpStream> {
        refused()
    }

    fn adopt_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<net::TcpListener> {
        refused()
    }

    fn adopt_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<net::UdpSocket> {
        refused()
    }
}

impl Net for Elsewhere {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;
    type UdpSocket = net::UdpSocket;
}

#[cfg(unix)]
impl UnixNetBackend for Elsewhere {
    fn adopt_unix_stream(&self, _: std_unix::UnixStream) -> io::Result<net::UnixStream> {
        refused()
    }

    fn adopt_unix_listener(&self, _: std_unix::UnixListener) -> io::Result<net::UnixListener> {
        refused()
    }

    fn adopt_unix_datagram(&self, _: std_unix::UnixDatagram) -> io::Result<net::UnixDatagram> {
        refused()
    }
}

#[cfg(unix)]
impl runtime::UnixNet for Elsewhere {
    type UnixStream = net::UnixStream;
    type UnixListener = net::UnixListener;
    type UnixDatagram = net::UnixDatagram;
}
