//! The pool: a bounded number of connections, and a limit on each wait. It uses runtimes only through `Runtime`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::lock::Mutex;

use super::driver::{Config, Connection};
use super::runtime::Runtime;

/// Time limits of the steps of [`Pool::get`].
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) wait: Duration,
    pub(crate) create: Duration,
    pub(crate) recycle: Duration,
}

/// The reason why there is no connection.
#[derive(Debug)]
pub(crate) enum PoolError {
    Wait,
    Create,
    Driver(io::Error),
}

impl From<io::Error> for PoolError {
    fn from(error: io::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<PoolError> for io::Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Wait => Self::new(io::ErrorKind::TimedOut, "no connection came back in time"),
            PoolError::Create => Self::new(io::ErrorKind::TimedOut, "no connection was made in time"),
            PoolError::Driver(error) => error,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    settings: Settings,
    limits: Limits,
    slots: Mutex<UnboundedReceiver<Slot>>,
    returned: UnboundedSender<Slot>,
    discarded: Arc<AtomicU32>,
}

/// Source of the configuration: a file or a vault, so it may block.
pub(crate) type Settings = Arc<dyn Fn() -> io::Result<Config> + Send + Sync>;

/// Permit for one connection, with the connection if it is open.
type Slot = Option<Connection>;

impl Pool {
    pub(crate) fn new(
        settings: Settings,
        size: usize,
        limits: Limits,
        runtime: Option<Runtime>,
    ) -> io::Result<Self> {
        let runtime = Runtime::of_pool(runtime)?;
        let (returned, slots) = unbounded();
        let shared = Shared {
            runtime,
            settings,
            limits,
            slots: Mutex::new(slots),
            returned,
            discarded: Arc::default(),
        };
        for _ in 0..size {
            shared.put_back(None);
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) async fn get(&self) -> Result<Pooled, PoolError> {
        let Shared { runtime, limits, slots, .. } = &*self.shared;
        let slot = runtime.timeout(limits.wait, async { slots.lock().await.next().await });
        // The queue never ends: the pool holds a sender.
        let slot = slot.await.flatten().ok_or(PoolError::Wait)?;
        // From here on, the slot goes back however this function ends.
        let mut pooled = Pooled { connection: None, pool: self.shared.clone() };
        if let Some(idle) = slot {
            if let Some(Ok(())) = runtime.timeout(limits.recycle, idle.ping()).await {
                pooled.connection = Some(idle);
                return Ok(pooled);
            }
            self.shared.discard(idle);
        }
        let made = runtime.timeout(limits.create, self.shared.create()).await;
        pooled.connection = Some(made.ok_or(PoolError::Create)??);
        Ok(pooled)
    }

    /// Number of connections that were discarded.
    pub(crate) fn discarded(&self) -> u32 {
        self.shared.discarded.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn create(&self) -> io::Result<Connection> {
        let settings = self.settings.clone();
        let config = self.runtime.spawn_blocking(move || settings()).await??;
        Connection::connect(&config).await
    }

    /// Destructors of some drivers block, so they must not run on a worker.
    fn discard(&self, connection: Connection) {
        let discarded = self.discarded.clone();
        self.runtime.spawn_blocking_background(move || {
            drop(connection);
            discarded.fetch_add(1, Ordering::SeqCst);
        });
    }

    fn put_back(&self, slot: Slot) {
        // If the receiver is gone, so is the pool.
        let _ = self.returned.unbounded_send(slot);
    }
}

/// A connection that goes back to its pool when it is dropped.
pub(crate) struct Pooled {
    connection: Option<Connection>,
    pool: Arc<Shared>,
}

impl Pooled {
    pub(crate) async fn query(&self, question: &str, limit: Duration) -> io::Result<String> {
        match &self.connection {
            Some(connection) => connection.query(question, limit).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.put_back(self.connection.take());
    }
}
