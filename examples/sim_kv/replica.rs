//! A replica: it stores values that are newer than its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::{TcpListener, TcpStream};
use fastrand::Rng;

use crate::wire::{self, Answer, Entry, Request, Version};

/// The disk has a cache that outlives a power cut, so a write returns at once unless the cache is full. Now and then it
/// is full, and takes this long to be written out.
const FLUSH: Duration = Duration::from_millis(10);
const FLUSH_ONE_IN: u32 = 200;

/// The stored values of a replica, which outlive a crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<BTreeMap<String, Entry>>>);

impl Disk {
    fn with<T>(&self, of: impl FnOnce(&mut BTreeMap<String, Entry>) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&self, key: &str) -> Entry {
        self.with(|entries| entries.get(key).cloned()).unwrap_or_default()
    }

    fn version(&self, key: &str) -> Version {
        self.with(|entries| entries.get(key).map(|entry| entry.version)).unwrap_or_default()
    }

    fn put(&self, key: String, entry: Entry) {
        self.with(|entries| entries.insert(key, entry));
    }

    fn put_if_newer(&self, key: String, entry: Entry) {
        self.with(|entries| {
            let mine = entries.entry(key).or_default();
            if entry.version > mine.version {
                *mine = entry;
            }
        });
    }
}

/// A replica; clones share their state.
#[derive(Clone, Debug)]
pub(crate) struct Replica<R> {
    pub(crate) runtime: R,
    pub(crate) disk: Disk,
    /// Whether the bug is on.
    pub(crate) bug: bool,
}

impl<R: Runtime> Replica<R> {
    /// Answers all clients, for as long as it is polled.
    pub(crate) async fn serve(self, listener: R::TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let replica = self.clone();
            // A client that is gone needs no answer.
            drop(self.runtime.spawn(async move { replica.answer_all(stream).await }));
        }
    }

    async fn answer_all(self, mut stream: R::TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        loop {
            let answer = match wire::receive(&mut stream).await? {
                Request::Load { key } => Answer::Loaded(self.disk.get(&key)),
                Request::Store { key, entry } => {
                    self.store(key, entry).await;
                    Answer::Stored
                }
            };
            wire::send(&mut stream, answer).await?;
        }
    }

    async fn store(&self, key: String, entry: Entry) {
        if entry.version <= self.disk.version(&key) {
            return;
        }
        self.write().await;
        if self.bug {
            // The bug: a newer value may have been stored in the meantime, and is lost.
            self.disk.put(key, entry);
        } else {
            self.disk.put_if_newer(key, entry);
        }
    }

    async fn write(&self) {
        let mut random = Rng::with_seed(self.runtime.random_seed());
        if random.u32(..FLUSH_ONE_IN) == 0 {
            self.runtime.sleep(FLUSH).await;
        }
    }
}
