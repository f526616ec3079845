//! How to bring a runtime: a backend outside the crate, on plain threads, with no async runtime behind it.
//!
//! It is written against the public API alone, and has the whole contract: the suite at the foot of this file says
//! so. Two pools of threads run tasks and blocking closures, a third thread keeps the time, a fourth one asks mio
//! which sockets are ready. Each part ends its threads when the last that uses it is dropped; no part has to be
//! told.

// mio watches sockets of the standard library by their descriptors, and only Unix has those.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net as std_unix;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread::{self, Thread};
use std::time::Instant;

use futures::FutureExt;
use futures::channel::oneshot;
use mio::unix::SourceFd;
use mio::{Interest, Token};

use anyrt::runtime::{self, BoxFuture, BoxJob, UnixNet};
use anyrt::socket::{
    Reactor, Registered, Source, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use anyrt::{AnyRuntime, BlockOn, Net, Spawn, Time};

/// The runtime, which lives as long as a clone of it. Neither its threads nor its tasks hold one.
#[derive(Clone, Debug)]
struct Threads(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    workers: Pool,
    blocking: Pool,
    clock: mpsc::Sender<Alarm>,
    sockets: Sockets,
}

impl Threads {
    fn new(workers: usize, blocking: usize) -> io::Result<Self> {
        Ok(Self(Arc::new(Parts {
            workers: Pool::new(workers)?,
            blocking: Pool::new(blocking)?,
            clock: start_clock()?,
            sockets: Sockets::new()?,
        })))
    }
}

/// A number that nothing else has.
fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Spawn for Threads {
    fn execute(&self, task: BoxFuture) {
        self.0.workers.spawn(task);
    }

    fn execute_blocking(&self, job: BoxJob) {
        self.0.blocking.spawn(Box::pin(async { job() }));
    }
}

/// Threads that run tasks, until it is dropped.
struct Pool(Arc<Queue>);

#[derive(Default)]
struct Queue {
    tasks: Mutex<Tasks>,
    changed: Condvar,
}

/// Every task there is. The lock is never held while a future is polled or dropped.
#[derive(Default)]
struct Tasks {
    ready: VecDeque<Task>,
    /// Those that a thread polls, and whether they were woken meanwhile.
    polled: HashMap<usize, bool>,
    /// Those that wait to be woken.
    idle: HashMap<usize, Task>,
    stopped: bool,
}

struct Task {
    id: usize,
    waker: Waker,
    future: BoxFuture,
}

impl Pool {
    fn new(threads: usize) -> io::Result<Self> {
        let pool = Self(Arc::default());
        for _ in 0..threads {
            let queue = pool.0.clone();
            thread::Builder::new().spawn(move || queue.work())?;
        }
        Ok(pool)
    }

    fn spawn(&self, future: BoxFuture) {
        let id = unique();
        let waker = Waker::from(Arc::new(TaskWaker { id, queue: self.0.clone() }));
        self.0.tasks.lock().unwrap().ready.push_back(Task { id, waker, future });
        self.0.changed.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.tasks.lock().unwrap().stopped = true;
        self.0.changed.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Queue {
    fn work(&self) {
        while let Some(mut task) = self.next() {
            let poll = task.future.as_mut().poll(&mut Context::from_waker(&task.waker));
            let mut tasks = self.tasks.lock().unwrap();
            let woken = tasks.polled.remove(&task.id).unwrap_or_default();
            if poll.is_ready() || tasks.stopped {
                drop(tasks);
            } else if woken {
                tasks.ready.push_back(task);
            } else {
                tasks.idle.insert(task.id, task);
            }
        }
        // The first thread to leave drops the tasks that are left; each of the others has dropped its own.
        let mut tasks = self.tasks.lock().unwrap();
        let left = (std::mem::take(&mut tasks.ready), std::mem::take(&mut tasks.idle));
        drop(tasks);
        drop(left);
    }

    fn next(&self) -> Option<Task> {
        let nothing_to_do = |tasks: &mut Tasks| tasks.ready.is_empty() && !tasks.stopped;
        let mut tasks = self.changed.wait_while(self.tasks.lock().unwrap(), nothing_to_do).unwrap();
        let task = if tasks.stopped { None } else { tasks.ready.pop_front() }?;
        tasks.polled.insert(task.id, false);
        Some(task)
    }
}

/// It knows its task by number only, so it may outlive it.
struct TaskWaker {
    id: usize,
    queue: Arc<Queue>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut tasks = self.queue.tasks.lock().unwrap();
        if let Some(task) = tasks.idle.remove(&self.id) {
            tasks.ready.push_back(task);
            self.queue.changed.notify_one();
        } else if let Some(woken) = tasks.polled.get_mut(&self.id) {
            *woken = true;
        }
    }
}

impl BlockOn for Threads {
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
        let waker = Waker::from(unpark.clone());
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            while !unpark.woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    }
}

struct Unpark {
    thread: Thread,
    /// The future may park its thread as well, and be the one whom `unpark` reaches.
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Time for Threads {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { clock: self.0.clock.clone(), id: unique(), deadline, state: State::New }
    }
}

/// When to wake whom, or nobody any more.
type Alarm = ((Instant, usize), Option<Waker>);

/// A thread that rings alarms until nobody can set one.
fn start_clock() -> io::Result<mpsc::Sender<Alarm>> {
    let (clock, alarms) = mpsc::channel::<Alarm>();
    thread::Builder::new().spawn(move || {
        let mut pending = BTreeMap::<(Instant, usize), Waker>::new();
        loop {
            let now = Instant::now();
            let alarm = match pending.first_entry() {
                Some(first) if first.key().0 <= now => {
                    Waker::wake(first.remove());
                    continue;
                }
                Some(first) => alarms.recv_timeout(first.key().0 - now),
                None => alarms.recv().map_err(mpsc::RecvTimeoutError::from),
            };
            match alarm {
                Ok((key, Some(waker))) => drop(pending.insert(key, waker)),
                Ok((key, None)) => drop(pending.remove(&key)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(clock)
}

#[derive(Debug)]
struct Sleep {
    clock: mpsc::Sender<Alarm>,
    id: usize,
    deadline: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Waiting(Waker),
    Elapsed,
}

impl Sleep {
    fn set_alarm(&self, waker: Option<Waker>) {
        // The clock runs until its last sender is gone.
        let _ = self.clock.send(((self.deadline, self.id), waker));
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &self.state {
            State::Elapsed => return Poll::Ready(()),
            State::Waiting(_) if self.deadline <= Instant::now() => {
                self.state = State::Elapsed;
                return Poll::Ready(());
            }
            State::Waiting(waker) if waker.will_wake(cx.waker()) => {}
            // Also when the time is up: every sleep yields once.
            State::New | State::Waiting(_) => {
                self.set_alarm(Some(cx.waker().clone()));
                self.state = State::Waiting(cx.waker().clone());
            }
        }
        Poll::Pending
    }
}

impl runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_elapsed(&self) -> bool {
        matches!(self.state, State::Elapsed)
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        if let State::Waiting(waker) = &self.state {
            let waker = waker.clone();
            self.set_alarm(None);
            self.deadline = deadline;
            self.set_alarm(Some(waker));
        } else {
            self.deadline = deadline;
            self.state = State::New;
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let State::Waiting(_) = self.state {
            self.set_alarm(None);
        }
    }
}

impl Net for Threads {
    type TcpStream = TcpStream<Sockets>;
    type TcpListener = TcpListener<Sockets>;
    type UdpSocket = UdpSocket<Sockets>;

    async fn connect_addr(&self, addr: SocketAddr) -> io::Result<Self::TcpStream> {
        let socket =
            self.0.sockets.register(std::net::TcpStream::from(mio::net::TcpStream::connect(addr)?))?;
        loop {
            socket.watch.ready(Interest::WRITABLE).await?;
            if let Some(error) = socket.get_ref().take_error()? {
                return Err(error);
            }
            // mio may wake too early; only this is sure.
            if socket.get_ref().peer_addr().is_ok() {
                return Ok(TcpStream::new(socket));
            }
        }
    }

    fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream> {
        TcpStream::from_std(&self.0.sockets, stream)
    }

    fn tcp_listener_from_std(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener> {
        TcpListener::from_std(&self.0.sockets, listener)
    }

    fn udp_socket_from_std(&self, socket: std::net::UdpSocket) -> io::Result<Self::UdpSocket> {
        UdpSocket::from_std(&self.0.sockets, socket)
    }
}

impl UnixNet for Threads {
    type UnixStream = UnixStream<Sockets>;
    type UnixListener = UnixListener<Sockets>;
    type UnixDatagram = UnixDatagram<Sockets>;

    fn unix_stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<Self::UnixStream> {
        UnixStream::from_std(&self.0.sockets, stream)
    }

    fn unix_listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<Self::UnixListener> {
        UnixListener::from_std(&self.0.sockets, listener)
    }

    fn unix_datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<Self::UnixDatagram> {
        UnixDatagram::from_std(&self.0.sockets, socket)
    }
}

/// Sockets that a thread watches until it is dropped, and all of them too.
#[derive(Clone, Debug)]
struct Sockets(Arc<Watcher>);

#[derive(Debug)]
struct Watcher {
    registry: mio::Registry,
    stop: mio::Waker,
    waiting: Arc<Mutex<Waiting>>,
}

/// Whom to tell when a socket is ready for something.
type Waiting = BTreeMap<(Token, Interest), Vec<oneshot::Sender<()>>>;

const STOP: Token = Token(usize::MAX);

impl Sockets {
    fn new() -> io::Result<Self> {
        let mut poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let stop = mio::Waker::new(&registry, STOP)?;
        let sockets = Self(Arc::new(Watcher { registry, stop, waiting: Arc::default() }));
        let waiting = sockets.0.waiting.clone();
        thread::Builder::new().spawn(move || {
            let mut events = mio::Events::with_capacity(64);
            loop {
                // It fails when a signal interrupts it, and leaves no events then.
                let _ = poll.poll(&mut events, None);
                for event in &events {
                    if event.token() == STOP {
                        return;
                    }
                    let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                    let writable = event.is_writable() || event.is_write_closed() || event.is_error();
                    for (interest, ready) in [(Interest::READABLE, readable), (Interest::WRITABLE, writable)]
                    {
                        let key = (event.token(), interest);
                        let told = if ready { waiting.lock().unwrap().remove(&key) } else { None };
                        for tell in told.into_iter().flatten() {
                            let _ = tell.send(());
                        }
                    }
                }
            }
        })?;
        Ok(sockets)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.stop.wake();
    }
}

impl Reactor for Sockets {
    type Registered<S: Source> = Watched<S>;

    fn register<S: Source>(&self, socket: S) -> io::Result<Watched<S>> {
        let watch = Watch { fd: socket.as_fd().as_raw_fd(), token: Token(unique()), watcher: self.0.clone() };
        let both = Interest::READABLE | Interest::WRITABLE;
        self.0.registry.register(&mut SourceFd(&watch.fd), watch.token, both)?;
        Ok(Watched { reading: Asked::default(), writing: Asked::default(), watch, socket })
    }
}

/// Its fields are dropped in this order: the watch ends before the socket is closed.
#[derive(Debug)]
struct Watched<S> {
    reading: Asked,
    writing: Asked,
    watch: Watch,
    socket: S,
}

/// What was asked for by a task that polled and did not come back for the answer yet.
type Asked = Mutex<Option<oneshot::Receiver<()>>>;

#[derive(Debug)]
struct Watch {
    fd: RawFd,
    token: Token,
    watcher: Arc<Watcher>,
}

impl Watch {
    /// Asks to be told when the socket is ready, also when it has become so already.
    fn ask(&self, interest: Interest) -> io::Result<oneshot::Receiver<()>> {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.watcher.waiting.lock().unwrap();
        let others = waiting.entry((self.token, interest)).or_default();
        others.retain(|other| !other.is_canceled());
        others.push(tell);
        let wanted = waiting.range((self.token, Interest::READABLE)..=(self.token, Interest::WRITABLE));
        let wanted = wanted.fold(interest, |all, (&(_, each), _)| all | each);
        // mio tells what changes, and what is the case when it is asked anew: nothing is missed that came after
        // the operation that would have blocked and before this.
        self.watcher.registry.reregister(&mut SourceFd(&self.fd), self.token, wanted)?;
        Ok(told)
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        // The sender is not dropped before this.
        let _ = self.ask(interest)?.await;
        Ok(())
    }

    fn poll_ready(&self, interest: Interest, asked: &Asked, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut asked = asked.lock().unwrap();
        let told = match &mut *asked {
            Some(told) => told,
            none => none.insert(self.ask(interest)?),
        };
        let _ = ready!(told.poll_unpin(cx));
        *asked = None;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.watcher.registry.deregister(&mut SourceFd(&self.fd));
        let mut waiting = self.watcher.waiting.lock().unwrap();
        for interest in [Interest::READABLE, Interest::WRITABLE] {
            waiting.remove(&(self.token, interest));
        }
    }
}

impl<S: Source> Registered<S> for Watched<S> {
    fn get_ref(&self) -> &S {
        &self.socket
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_ready(Interest::READABLE, &self.reading, cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_ready(Interest::WRITABLE, &self.writing, cx)
    }

    async fn readable(&self) -> io::Result<()> {
        self.watch.ready(Interest::READABLE).await
    }

    async fn writable(&self) -> io::Result<()> {
        self.watch.ready(Interest::WRITABLE).await
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
