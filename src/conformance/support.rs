//! What scenarios are made of.

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc as threads};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::future::{BoxFuture, LocalBoxFuture};
use futures::io::{AsyncRead, AsyncReadExt};
use socket2::{Domain, Socket, Type};

use super::run::pool_size;
use crate::runtime::Runtime;
use crate::task::JoinHandle;

/// What most scenarios give to a runtime, in a box: whatever has a type of its own is compiled for each backend, and on
/// `AnyRuntime` for all of them, into some fifty functions. Where the future itself matters it is spawned as it is.
pub(super) trait Boxed: Runtime {
    #[track_caller]
    fn spawn_boxed<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let future: BoxFuture<'static, T> = Box::pin(future);
        self.spawn(future)
    }

    #[track_caller]
    fn spawn_blocking_boxed<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let job: Box<dyn FnOnce() -> T + Send> = Box::new(job);
        self.spawn_blocking(job)
    }

    #[track_caller]
    fn block_on_boxed<T>(&self, future: impl Future<Output = T>) -> T {
        let future: LocalBoxFuture<'_, T> = Box::pin(future);
        self.block_on(future)
    }
}

impl<R: Runtime> Boxed for R {}

/// Longer than anything takes that works, shorter than the limit of a scenario.
pub(super) const LONG: Duration = Duration::from_secs(30);

pub(super) const LOOPBACK: &str = "127.0.0.1:0";

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A value that tells when it is dropped: keep the first, watch the second.
pub(super) fn canary() -> (Canary, Watch) {
    let (alive, watch) = oneshot::channel();
    (Canary(alive), Watch(watch))
}

#[derive(Debug)]
pub(super) struct Canary(#[allow(dead_code, reason = "all it does is to be dropped")] oneshot::Sender<()>);

pub(super) struct Watch(oneshot::Receiver<()>);

impl Watch {
    /// Waits until the canary is dropped.
    pub(super) async fn dropped(&mut self) {
        assert!((&mut self.0).await.is_err());
    }

    pub(super) fn is_dropped(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

/// Awaits `future`, and says when it was pending in its first poll.
pub(super) async fn waiting<F: Future>(future: F, waits: oneshot::Sender<()>) -> F::Output {
    let (mut future, mut waits) = (pin!(future), Some(waits));
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if let Some(waits) = waits.take() {
            assert!(polled.is_pending(), "nothing has happened yet");
            waits.send(()).unwrap();
        }
        // It is not polled again before it is woken: that would find what happened without a waker.
        polled
    })
    .await
}

/// Its destructor panics.
pub(super) struct PanicsOnDrop(pub(super) &'static str);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        std::panic::panic_any(self.0);
    }
}

/// A waker that tells when it is woken.
pub(super) struct Bell(mpsc::UnboundedSender<()>);

pub(super) fn bell() -> (Waker, mpsc::UnboundedReceiver<()>) {
    let (sender, receiver) = mpsc::unbounded();
    (Waker::from(Arc::new(Bell(sender))), receiver)
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.unbounded_send(());
    }
}

/// Everything up to the end. `read_to_end` fills what is left of its buffer with zeros, before each of its polls.
pub(super) async fn read_all<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let (mut all, mut buf) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        match stream.read(&mut buf).await.unwrap() {
            0 => return all,
            len => all.extend_from_slice(&buf[..len]),
        }
    }
}

/// Polls once with `waker`.
pub(super) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Polls once, and nobody is woken.
pub(super) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

/// What is ready, as `now_or_never` has it.
pub(super) fn ready<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A future that counts its polls.
pub(super) struct Counted<F> {
    future: F,
    polls: Arc<AtomicUsize>,
}

pub(super) fn counted<F: Future + Unpin>(future: F) -> (Counted<F>, Arc<AtomicUsize>) {
    let polls = Arc::new(AtomicUsize::new(0));
    (Counted { future, polls: polls.clone() }, polls)
}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.future).poll(cx)
    }
}

/// The message of a panic.
pub(super) fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "",
    }
}

/// Closures that fill the blocking pool until this is dropped. Those of another scenario may wait in its queue.
pub(super) fn fill_pool<R: Runtime>(rt: &R) -> Vec<(threads::Sender<()>, JoinHandle<()>)> {
    (0..pool_size())
        .map(|_| {
            let (release, released) = threads::channel();
            let blocked = rt.spawn_blocking_boxed(move || {
                // It ends, with an error, when the other side is dropped.
                let _: Result<(), _> = released.recv();
            });
            (release, blocked)
        })
        .collect()
}

/// Runs `future` under an executor that knows no runtime.
pub(super) async fn on_a_plain_thread<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    fn start<T: Send + 'static>(future: BoxFuture<'static, T>) -> oneshot::Receiver<T> {
        let (done, finished) = oneshot::channel();
        thread::spawn(move || done.send(futures::executor::block_on(future)).ok());
        finished
    }

    start(Box::pin(future)).await.expect("the thread does not panic")
}

/// An address that nobody listens on, nor will while this lives: it is bound.
///
/// That of a connection would not do. Linux lets a connect choose the port of one, and a socket that connects to its own
/// port is connected with itself.
pub(super) struct Closed(Socket);

impl Closed {
    pub(super) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&LOOPBACK.parse::<SocketAddr>().unwrap().into()).unwrap();
        Self(socket)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap().as_socket().unwrap()
    }
}

/// An address that never answers. Only Linux has one on loopback: a queue that is full, to which it accepts nothing.
pub(super) struct Silent {
    listener: Socket,
    _queue: Vec<Socket>,
}

impl Silent {
    pub(super) fn new(scenario: &str) -> Option<Self> {
        if cfg!(not(target_os = "linux")) {
            let _ = writeln!(io::stderr(), "skipped {scenario}: every address of this system answers");
            return None;
        }
        let tcp = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = tcp();
        listener.bind(&LOOPBACK.parse::<SocketAddr>().unwrap().into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap();
        let queue = (0..3).map(|_| {
            let client = tcp();
            client.set_nonblocking(true).unwrap();
            // The first takes the only place there is.
            let _in_progress = client.connect(&addr);
            client
        });
        Some(Self { _queue: queue.collect(), listener })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}
