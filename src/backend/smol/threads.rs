use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Weak};
use std::thread;

use smol::Executor;
use smol::channel::{Receiver, Sender, bounded};

/// An executor and the threads that run it, until this is dropped.
#[derive(Debug)]
pub(super) struct Threads {
    pub(super) executor: Arc<Executor<'static>>,
    // Nothing is ever sent: its threads stop when it is dropped.
    _running: Sender<()>,
}

impl Threads {
    pub(super) fn start(count: usize) -> io::Result<Arc<Self>> {
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an executor with 0 threads runs nothing: ask for 1 or more",
            ));
        }
        let (running, stopped) = bounded(1);
        let threads = Arc::new(Self { executor: Arc::new(Executor::new()), _running: running });
        for n in 1..=count {
            let (executor, stopped) = (threads.executor.clone(), stopped.clone());
            let here = Arc::downgrade(&threads);
            let worker = move || {
                let _working = Working::with(here);
                run(executor, stopped);
            };
            thread::Builder::new().name(format!("anyrt-smol-{n}")).spawn(worker)?;
        }
        Ok(threads)
    }
}

/// One worker. The last to leave drops the executor, and with it the tasks that are left.
fn run(executor: Arc<Executor<'static>>, stopped: Receiver<()>) {
    // Tasks never panic here: see `async_io::task`.
    let _ = smol::block_on(executor.run(stopped.recv()));
}

thread_local! {
    static HERE: RefCell<Option<Weak<Threads>>> = const { RefCell::new(None) };
}

/// The executor of ours that this thread works for.
pub(super) fn here() -> Option<Weak<Threads>> {
    HERE.try_with(|here| here.borrow().clone()).ok().flatten()
}

/// This thread works for an executor of ours until this is dropped.
pub(super) struct Working {
    before: Option<Weak<Threads>>,
}

impl Working {
    pub(super) fn with(threads: Weak<Threads>) -> Self {
        Self { before: HERE.replace(Some(threads)) }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let before = self.before.take();
        let _ = HERE.try_with(|here| here.replace(before));
    }
}
