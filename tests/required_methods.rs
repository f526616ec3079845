//! A backend that implements only the required methods keeps the whole contract.
#![allow(clippy::unwrap_used)]

use std::io;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

#[cfg(unix)]
use anyrt::runtime::UnixNet;
#[cfg(unix)]
use anyrt::runtime::backend::UnixNetBackend;
use anyrt::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
use anyrt::{AnyRuntime, BlockOn, Net, Smol, Spawn, Time};

/// smol, with only the required methods: its task handles come from anyrt.
#[derive(Clone, Debug)]
struct Required(Smol);

impl SpawnBackend for Required {
    fn execute(&self, task: BoxFuture) {
        self.0.execute(task);
    }

    fn execute_blocking(&self, job: BoxJob) {
        self.0.execute_blocking(job);
    }
}

impl Spawn for Required {}

impl BlockOnBackend for Required {
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        self.0.run_until(future)
    }
}

impl BlockOn for Required {}

impl Time for Required {
    type Sleep = <Smol as Time>::Sleep;

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl NetBackend for Required {
    async fn finish_connect(&self, stream: std::net::TcpStream) -> io::Result<<Self as Net>::TcpStream> {
        self.0.finish_connect(stream).await
    }

    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<<Self as Net>::TcpStream> {
        self.0.adopt_tcp_stream(stream)
    }

    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<<Self as Net>::TcpListener> {
        self.0.adopt_tcp_listener(listener)
    }

    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<<Self as Net>::UdpSocket> {
        self.0.adopt_udp_socket(socket)
    }
}

impl Net for Required {
    type TcpStream = <Smol as Net>::TcpStream;
    type TcpListener = <Smol as Net>::TcpListener;
    type UdpSocket = <Smol as Net>::UdpSocket;
}

#[cfg(unix)]
impl UnixNetBackend for Required {
    fn adopt_unix_stream(&self, stream: std_unix::UnixStream) -> io::Result<<Self as UnixNet>::UnixStream> {
        self.0.adopt_unix_stream(stream)
    }

    fn adopt_unix_listener(
        &self,
        listener: std_unix::UnixListener,
    ) -> io::Result<<Self as UnixNet>::UnixListener> {
        self.0.adopt_unix_listener(listener)
    }

    fn adopt_unix_datagram(
        &self,
        socket: std_unix::UnixDatagram,
    ) -> io::Result<<Self as UnixNet>::UnixDatagram> {
        self.0.adopt_unix_datagram(socket)
    }
}

#[cfg(unix)]
impl UnixNet for Required {
    type UnixStream = <Smol as UnixNet>::UnixStream;
    type UnixListener = <Smol as UnixNet>::UnixListener;
    type UnixDatagram = <Smol as UnixNet>::UnixDatagram;
}

/// Number of blocking closures that fill its pool.
const POOL: usize = 8;

fn required() -> Required {
    Required(Smol::builder().worker_threads(2).blocking_threads(POOL).build().unwrap())
}

/// Runs a task inside `execute`, and does not catch its panic.
#[derive(Clone, Debug)]
struct Inline;

impl SpawnBackend for Inline {
    fn execute(&self, task: BoxFuture) {
        futures::executor::block_on(task);
    }

    fn execute_blocking(&self, job: BoxJob) {
        job();
    }
}

impl Spawn for Inline {}

struct PanicsOnDrop(&'static str);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("{}", self.0)
    }
}

/// A future whose output is another future with a panicking destructor.
struct Ready(#[allow(dead_code, reason = "it is there to be dropped")] PanicsOnDrop);

impl Future for Ready {
    type Output = PanicsOnDrop;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<PanicsOnDrop> {
        Poll::Ready(PanicsOnDrop("the output"))
    }
}

#[test]
fn task_of_which_all_destructors_panic_does_not() {
    let handle = Inline.spawn(Ready(PanicsOnDrop("the future")));
    let error = futures::executor::block_on(handle).map(std::mem::forget).unwrap_err();
    assert_eq!(error.into_panic().downcast_ref(), Some(&"the future".to_owned()));
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker panics");
    }
}

#[test]
fn task_whose_handle_has_a_waker_that_panics_does_not() {
    /// Forwards tasks to another runtime.
    #[derive(Clone, Debug)]
    struct Queue(mpsc::Sender<BoxFuture>);

    impl SpawnBackend for Queue {
        fn execute(&self, task: BoxFuture) {
            self.0.send(task).unwrap();
        }

        fn execute_blocking(&self, job: BoxJob) {
            job();
        }
    }

    impl Spawn for Queue {}

    let (queue, tasks) = mpsc::channel();
    let mut handle = Queue(queue).spawn(async { 7 });
    let waker = Waker::from(Arc::new(Panics));
    assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
    futures::executor::block_on(tasks.recv().unwrap());
    assert_eq!(futures::executor::block_on(handle).unwrap(), 7);
}

anyrt::conformance! {
    required: required(),
        Capabilities::ALL.blocking_threads(POOL).without_shutdown("that is no required method")
            .without_descriptors("that is none either");
    any: AnyRuntime::custom(required()),
        Capabilities::ALL.blocking_threads(POOL).without_shutdown("that is no required method")
            .without_descriptors("that is none either");
}
