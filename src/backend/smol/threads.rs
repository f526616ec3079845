use std::io;
use std::sync::Arc;
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
    pub(super) fn start(count: usize) -> io::Result<Self> {
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an executor with 0 threads runs nothing: ask for 1 or more",
            ));
        }
        let (running, stopped) = bounded(1);
        let threads = Self { executor: Arc::new(Executor::new()), _running: running };
        for n in 1..=count {
            let (executor, stopped) = (threads.executor.clone(), stopped.clone());
            thread::Builder::new().name(format!("anyrt-smol-{n}")).spawn(move || run(executor, stopped))?;
        }
        Ok(threads)
    }
}

/// One worker. The last to leave drops the executor, and with it the tasks that are left.
fn run(executor: Arc<Executor<'static>>, stopped: Receiver<()>) {
    // Tasks never panic here: see `async_io::task`.
    let _ = smol::block_on(executor.run(stopped.recv()));
}
