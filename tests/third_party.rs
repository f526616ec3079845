//! Example of a custom runtime: a backend outside of the crate, on plain threads, without an async runtime.
//!
//! It uses only the public API, and the suite at the end of this file tests the whole contract. Some threads poll
//! tasks, some run blocking closures, one runs the timers, and one asks mio which sockets are ready. Each thread ends
//! when nobody is left who could give it work; neither threads nor tasks hold a handle to their runtime.

// mio watches a socket of the standard library through its descriptor (`SourceFd`), which exists only on Unix.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net as std_unix;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::{Duration, Instant};
use std::{iter, mem, thread};

use futures::{FutureExt, channel::oneshot, future};
use mio::{Events, Interest, Registry, Token, unix::SourceFd};

use anyrt::runtime::backend::{
    BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend, UnixNetBackend, WatchFd,
};
use anyrt::runtime::{self, ShutdownReport, UnixNet, poll_budget};
use anyrt::socket::{
    Reactor, Registered, Source, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
    watch_fd,
};
use anyrt::{AnyRuntime, BlockOn, Net, Spawn, Time};

/// Handle to the runtime: a sender to each kind of thread.
#[derive(Clone, Debug)]
struct Threads {
    workers: mpsc::Sender<BoxJob>,
    blocking: mpsc::Sender<BoxJob>,
    clock: Clock,
    sockets: Sockets,
    stopped: future::Shared<oneshot::Receiver<()>>,
    running: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    unfinished: Arc<Unfinished>,
}

impl Threads {
    fn new(workers: usize, blocking: usize) -> io::Result<Self> {
        let (running, stopped) = oneshot::channel();
        let clock = Clock(start_clock()?);
        Ok(Self {
            workers: start_pool(workers)?,
            blocking: start_pool(blocking)?,
            sockets: Sockets::new(clock.clone())?,
            clock,
            stopped: stopped.shared(),
            running: Arc::new(Mutex::new(Some(running))),
            unfinished: Arc::default(),
        })
    }
}

/// Threads that run jobs, until the last sender is dropped.
fn start_pool(threads: usize) -> io::Result<mpsc::Sender<BoxJob>> {
    let (sender, jobs) = mpsc::channel::<BoxJob>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..threads {
        let jobs = jobs.clone();
        // The lock is not held while a job runs.
        let next = move || jobs.lock().unwrap().recv().ok();
        thread::Builder::new().spawn(|| iter::from_fn(next).for_each(|job| job()))?;
    }
    Ok(sender)
}

impl SpawnBackend for Threads {
    fn execute(&self, task: BoxFuture) {
        self.unfinished.count(|left| left.tasks += 1);
        let unfinished = self.unfinished.clone();
        // The end of the runtime wakes every task; a task that finds the runtime stopped ends.
        let future = future::select(self.stopped.clone(), task).map(move |over| {
            drop(over);
            unfinished.count(|left| left.tasks -= 1);
        });
        let unfinished = Mutex::new(Some((Box::pin(future) as BoxFuture, self.workers.clone())));
        Arc::new(Task { unfinished, wakes: AtomicUsize::new(0) }).wake();
    }

    fn execute_blocking(&self, job: BoxJob) {
        let (stopped, unfinished) = (self.stopped.clone(), self.unfinished.clone());
        let _ = self.blocking.send(Box::new(move || {
            unfinished.count(|left| left.blocking += 1);
            if stopped.now_or_never().is_none() {
                job();
            }
            unfinished.count(|left| left.blocking -= 1);
        }));
    }
}

impl Spawn for Threads {}

/// Number of tasks, and of running closures.
#[derive(Debug, Default)]
struct Unfinished(Mutex<ShutdownReport>, Condvar);

impl Unfinished {
    fn count(&self, change: impl FnOnce(&mut ShutdownReport)) {
        change(&mut self.0.lock().unwrap());
        self.1.notify_all();
    }
}

/// It may outlive its future, because wakers may: after the end it holds neither a future nor threads.
struct Task {
    unfinished: Mutex<Option<(BoxFuture, mpsc::Sender<BoxJob>)>>,
    /// The first wake queues a turn; wakes during that turn make it queue another one.
    wakes: AtomicUsize,
}

impl Task {
    fn turn(self: Arc<Self>) {
        let wakes = self.wakes.load(SeqCst);
        let mut unfinished = self.unfinished.lock().unwrap();
        let Some((future, _)) = &mut *unfinished else { return };
        if future.as_mut().poll(&mut Context::from_waker(&self.clone().into())).is_ready() {
            *unfinished = None;
            return;
        }
        drop(unfinished);
        if self.wakes.swap(0, SeqCst) > wakes {
            self.wake();
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.wakes.fetch_add(1, SeqCst) == 0 {
            if let Some((_, workers)) = &*self.unfinished.lock().unwrap() {
                let task = self.clone();
                let _ = workers.send(Box::new(|| task.turn()));
            }
        }
    }
}

impl BlockOnBackend for Threads {
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        // Not `thread::park`: the future may park this thread as well, and consume a wake-up of ours.
        let (bell, rings) = mpsc::sync_channel(1);
        let waker = Waker::from(Arc::new(Bell(bell)));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => rings.recv().unwrap(),
            }
        }
    }

    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        // As the last handle does. While all workers are stuck, the other tasks are not dropped and count as left.
        drop(self.running.lock().unwrap().take());
        let Unfinished(left, changed) = &*self.unfinished;
        let (left, _) =
            changed.wait_timeout_while(left.lock().unwrap(), timeout, |left| !left.is_empty()).unwrap();
        Ok(left.clone())
    }
}

impl BlockOn for Threads {}

struct Bell(mpsc::SyncSender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.try_send(());
    }
}

impl Time for Threads {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        self.clock.sleep_until(deadline)
    }
}

#[derive(Clone, Debug)]
struct Clock(mpsc::Sender<Alarm>);

impl Clock {
    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { clock: self.clone(), key: (deadline, unique()), waker: None, polled: false, elapsed: false }
    }
}

/// Returns a unique number.
fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, SeqCst)
}

/// A time and a waker; `None` removes the alarm. The number distinguishes alarms of the same time.
type Alarm = ((Instant, usize), Option<Waker>);

/// Starts a thread that rings alarms until the last sender is dropped.
fn start_clock() -> io::Result<mpsc::Sender<Alarm>> {
    let (sender, alarms) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut pending = BTreeMap::<(Instant, usize), Waker>::new();
        loop {
            let now = Instant::now();
            while let Some(due) = pending.first_entry().filter(|first| first.key().0 <= now) {
                due.remove().wake();
            }
            let next = pending.first_key_value().map_or(Duration::MAX, |(key, _)| key.0 - now);
            match alarms.recv_timeout(next) {
                Ok((key, Some(waker))) => drop(pending.insert(key, waker)),
                Ok((key, None)) => drop(pending.remove(&key)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(sender)
}

#[derive(Debug)]
struct Sleep {
    clock: Clock,
    key: (Instant, usize),
    waker: Option<Waker>,
    polled: bool,
    elapsed: bool,
}

impl Sleep {
    fn set_alarm(&mut self, waker: Option<Waker>) {
        let _ = self.clock.0.send((self.key, waker.clone()));
        self.waker = waker;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.elapsed && self.key.0 <= Instant::now() {
            if !mem::replace(&mut self.polled, true) {
                ready!(poll_budget(cx));
            }
            self.elapsed = true;
        }
        if self.elapsed {
            return Poll::Ready(());
        }
        self.polled = true;
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.set_alarm(Some(cx.waker().clone()));
        }
        Poll::Pending
    }
}

impl runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.key.0
    }

    fn is_elapsed(&self) -> bool {
        self.elapsed
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        let waker = self.waker.clone();
        self.set_alarm(None);
        self.key.0 = deadline;
        self.polled = false;
        if !mem::take(&mut self.elapsed) {
            self.set_alarm(waker);
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.set_alarm(None);
    }
}

impl NetBackend for Threads {
    async fn finish_connect(&self, stream: std::net::TcpStream) -> io::Result<TcpStream<Sockets>> {
        TcpStream::finish_connect(&self.sockets, stream).await
    }

    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<TcpStream<Sockets>> {
        TcpStream::from_std(&self.sockets, stream)
    }

    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<TcpListener<Sockets>> {
        TcpListener::from_std(&self.sockets, listener)
    }

    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<UdpSocket<Sockets>> {
        UdpSocket::from_std(&self.sockets, socket)
    }
}

impl Net for Threads {
    type TcpStream = TcpStream<Sockets>;
    type TcpListener = TcpListener<Sockets>;
    type UdpSocket = UdpSocket<Sockets>;
}

impl UnixNetBackend for Threads {
    fn adopt_unix_stream(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream<Sockets>> {
        UnixStream::from_std(&self.sockets, stream)
    }

    fn adopt_unix_listener(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener<Sockets>> {
        UnixListener::from_std(&self.sockets, listener)
    }

    fn adopt_unix_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram<Sockets>> {
        UnixDatagram::from_std(&self.sockets, socket)
    }

    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        watch_fd(&self.sockets, fd)
    }
}

impl UnixNet for Threads {
    type UnixStream = UnixStream<Sockets>;
    type UnixListener = UnixListener<Sockets>;
    type UnixDatagram = UnixDatagram<Sockets>;
}

/// Wakes tasks when mio reports events of their sockets.
#[derive(Clone, Debug)]
struct Sockets {
    registry: Arc<Registry>,
    waiting: Arc<Mutex<Waiting>>,
    clock: Clock,
    _running: Arc<mio::net::UnixStream>,
}

/// Tasks that wait to read, and tasks that wait to write; `None` if mio has reported an event since.
type Waiting = HashMap<Token, [Option<Vec<Waker>>; 2]>;

const READ: usize = 0;
const WRITE: usize = 1;

impl Sockets {
    fn new(clock: Clock) -> io::Result<Self> {
        let mut poll = mio::Poll::new()?;
        let registry = Arc::new(poll.registry().try_clone()?);
        let (running, mut stopped) = mio::net::UnixStream::pair()?;
        registry.register(&mut stopped, Token(usize::MAX), Interest::READABLE)?;
        let waiting = Arc::<Mutex<Waiting>>::default();
        let sockets = Self { registry, waiting: waiting.clone(), clock, _running: Arc::new(running) };
        thread::Builder::new().spawn(move || {
            let mut events = Events::with_capacity(64);
            // Nothing can be read until the other end is dropped.
            while stopped.read(&mut [0]).is_err() {
                // It fails if a signal interrupts it; then there are no events.
                let _ = poll.poll(&mut events, None);
                let mut woken = Vec::new();
                for event in &events {
                    if let Some([readers, writers]) = waiting.lock().unwrap().get_mut(&event.token()) {
                        // An error that a receive finds is no data: of UDP it is a refusal.
                        if event.is_readable() || event.is_read_closed() || event.is_error() {
                            woken.extend(readers.take());
                        }
                        if event.is_writable() || event.is_write_closed() {
                            woken.extend(writers.take());
                        }
                    }
                }
                woken.into_iter().flatten().for_each(Waker::wake);
            }
        })?;
        Ok(sockets)
    }
}

impl Reactor for Sockets {
    type Registered<S: Source> = Watched<S>;

    fn register<S: Source>(&self, socket: S) -> io::Result<Watched<S>> {
        let watch = Watch { fd: socket.as_fd().as_raw_fd(), token: Token(unique()), sockets: self.clone() };
        self.registry.register(&mut SourceFd(&watch.fd), watch.token, Interest::READABLE)?;
        Ok(Watched { watch, socket })
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn peer_cred(stream: std::os::fd::BorrowedFd<'_>) -> io::Result<runtime::UCred> {
        let peer = rustix::net::sockopt::socket_peercred(stream)?;
        let (uid, gid) = (peer.uid.as_raw(), peer.gid.as_raw());
        Ok(runtime::UCred::new(uid, gid, Some(peer.pid.as_raw_nonzero().get())))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.clock.sleep_until(Instant::now() + duration)
    }
}

/// A socket. Its watch is the first field, so it is dropped before the socket is closed.
#[derive(Debug)]
struct Watched<S> {
    watch: Watch,
    socket: S,
}

#[derive(Debug)]
struct Watch {
    fd: RawFd,
    token: Token,
    sockets: Sockets,
}

impl Watch {
    /// Ready if mio has reported a change since this was last ready.
    fn poll(&self, way: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = self.sockets.waiting.lock().unwrap();
        let ways = waiting.entry(self.token).or_default();
        let Some(wakers) = &mut ways[way] else {
            ways[way] = Some(Vec::new());
            return Poll::Ready(Ok(()));
        };
        wakers.retain(|waker| !waker.will_wake(cx.waker()));
        wakers.push(cx.waker().clone());
        let both = Interest::READABLE | Interest::WRITABLE;
        let interest = if ways[WRITE].as_ref().is_none_or(Vec::is_empty) { Interest::READABLE } else { both };
        // A new registration reports the present state again. So no event is lost: neither one after the operation that
        // would have blocked, nor one that another task was woken for and did not use.
        self.sockets.registry.reregister(&mut SourceFd(&self.fd), self.token, interest)?;
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.sockets.registry.deregister(&mut SourceFd(&self.fd));
        let _wakers = self.sockets.waiting.lock().unwrap().remove(&self.token);
    }
}

impl<S: Source> Registered<S> for Watched<S> {
    fn get_ref(&self) -> &S {
        &self.socket
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll(READ, cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll(WRITE, cx)
    }

    async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_readable(cx)).await
    }

    async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_writable(cx)).await
    }

    fn into_inner(self) -> io::Result<S> {
        Ok(self.socket)
    }
}

const BLOCKING: usize = 4;

fn threads() -> Threads {
    Threads::new(2, BLOCKING).unwrap()
}

anyrt::conformance! {
    threads: threads(), Capabilities::ALL.blocking_threads(BLOCKING);
    any: AnyRuntime::custom(threads()), Capabilities::ALL.blocking_threads(BLOCKING);
}
