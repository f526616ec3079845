//! A runtime on which every operation fails, to detect code that uses the wrong runtime.

use std::future::Future;
use std::io;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::runtime::{self, BlockOn, BoxFuture, BoxJob, Net, Spawn, Time};
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

impl Spawn for Elsewhere {
    fn execute(&self, task: BoxFuture) {
        drop(task);
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(job);
    }
}

impl BlockOn for Elsewhere {
    fn run_until<F: Future>(&self, _: F) -> F::Output {
        panic!("this is the wrong runtime")
    }
}

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

impl Net for Elsewhere {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;
    type UdpSocket = net::UdpSocket;

    async fn finish_connect(&self, _: std::net::TcpStream) -> io::Result<net::TcpStream> {
        refused()
    }

    fn tcp_stream_from_std(&self, _: std::net::TcpStream) -> io::Result<net::TcpStream> {
        refused()
    }

    fn tcp_listener_from_std(&self, _: std::net::TcpListener) -> io::Result<net::TcpListener> {
        refused()
    }

    fn udp_socket_from_std(&self, _: std::net::UdpSocket) -> io::Result<net::UdpSocket> {
        refused()
    }
}

#[cfg(unix)]
impl runtime::UnixNet for Elsewhere {
    type UnixStream = net::UnixStream;
    type UnixListener = net::UnixListener;
    type UnixDatagram = net::UnixDatagram;

    fn unix_stream_from_std(&self, _: std_unix::UnixStream) -> io::Result<net::UnixStream> {
        refused()
    }

    fn unix_listener_from_std(&self, _: std_unix::UnixListener) -> io::Result<net::UnixListener> {
        refused()
    }

    fn unix_datagram_from_std(&self, _: std_unix::UnixDatagram) -> io::Result<net::UnixDatagram> {
        refused()
    }
}
