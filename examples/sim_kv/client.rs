//! A client of the store: an operation is complete when a majority of the replicas has answered.
//!
//! After Attiya, Bar-Noy and Dolev, "Sharing Memory Robustly in Message-Passing Systems" (1995), with several writers.

use std::io::{self, ErrorKind};
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::TcpStream;
use futures::channel::{mpsc, oneshot};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::totals::Count;
use crate::wire::{self, Answer, Entry, Request, Version};

/// Time limit of an attempt to ask a replica, including the connection.
const ATTEMPT: Duration = Duration::from_millis(100);
/// Pause before a retry: the first one, and the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(160);
/// Time limit of an operation. Faults have ended long before.
const DEADLINE: Duration = Duration::from_secs(30);

/// A client, with a unique number.
#[derive(Debug)]
pub(crate) struct Client<R> {
    runtime: R,
    number: u64,
    // Counter of its newest version: if a `put` fails, the next one must not reuse it.
    counter: u64,
    peers: Vec<mpsc::UnboundedSender<Call>>,
}

/// A request, and the sender of the answer. If the receiver is dropped, the answer is no longer needed.
#[derive(Debug)]
struct Call {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

impl<R: Runtime> Client<R> {
    /// Creates a client of the replicas at `addrs`. `retries` counts repeated attempts.
    pub(crate) fn new(runtime: R, number: u64, addrs: &[String], retries: &Count) -> Self {
        let peers = addrs.iter().map(|addr| {
            let (calls, receiver) = mpsc::unbounded();
            let peer = Peer { runtime: runtime.clone(), addr: addr.clone(), retries: retries.clone() };
            drop(runtime.spawn(peer.answer_all(receiver)));
            calls
        });
        Self { peers: peers.collect(), runtime, number, counter: 0 }
    }

    /// Returns the newest value.
    ///
    /// It is first written back to a majority, so that no later read returns an older value.
    pub(crate) async fn get(&mut self, key: &str) -> io::Result<Entry> {
        let newest = self.load(key).await?;
        self.store(key, newest.clone()).await?;
        Ok(newest)
    }

    /// Puts a value with a version that is newer than those of a majority, and returns the version.
    pub(crate) async fn put(&mut self, key: &str, value: String) -> io::Result<Version> {
        let newest = self.load(key).await?;
        self.counter = self.counter.max(newest.version.counter) + 1;
        let version = Version { counter: self.counter, client: self.number };
        self.store(key, Entry { version, value }).await?;
        Ok(version)
    }

    async fn load(&self, key: &str) -> io::Result<Entry> {
        let answers = self.ask_majority(Request::Load { key: key.to_owned() }).await?;
        let entries = answers.into_iter().filter_map(|answer| match answer {
            Answer::Loaded(entry) => Some(entry),
            Answer::Stored => None,
        });
        Ok(entries.max_by_key(|entry| entry.version).unwrap_or_default())
    }

    async fn store(&self, key: &str, entry: Entry) -> io::Result<()> {
        self.ask_majority(Request::Store { key: key.to_owned(), entry }).await.map(drop)
    }

    /// Asks all replicas, and returns the first answers that form a majority.
    async fn ask_majority(&self, request: Request) -> io::Result<Vec<Answer>> {
        let answers: FuturesUnordered<_> = self.peers.iter().map(|peer| call(peer, &request)).collect();
        let majority = self.peers.len() / 2 + 1;
        let answers = answers.filter_map(async |answer| answer.ok()).take(majority).collect::<Vec<_>>();
        match self.runtime.timeout(DEADLINE, answers).await? {
            answers if answers.len() == majority => Ok(answers),
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }
}

fn call(peer: &mpsc::UnboundedSender<Call>, request: &Request) -> oneshot::Receiver<Answer> {
    let (answer, receiver) = oneshot::channel();
    // If the peer is gone, the receiver returns an error.
    _ = peer.unbounded_send(Call { request: request.clone(), answer });
    receiver
}

/// The client's connection to a replica, which carries one request at a time.
struct Peer<R> {
    runtime: R,
    addr: String,
    retries: Count,
}

impl<R: Runtime> Peer<R> {
    async fn answer_all(self, mut calls: mpsc::UnboundedReceiver<Call>) {
        let mut connection = None;
        while let Some(Call { request, answer }) = calls.next().await {
            let mut pause = PAUSE;
            while !answer.is_canceled() {
                let attempt = self.attempt(&mut connection, &request);
                if let Ok(Ok(answered)) = self.runtime.timeout(ATTEMPT, attempt).await {
                    _ = answer.send(answered);
                    break;
                }
                self.retries.add(1);
                // A late answer must not be mistaken for the answer to the next request.
                connection = None;
                self.runtime.sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }

    async fn attempt(&self, connection: &mut Option<R::TcpStream>, request: &Request) -> io::Result<Answer> {
        let stream = match connection {
            Some(stream) => stream,
            None => {
                let stream = self.runtime.tcp_connect(self.addr.as_str()).await?;
                stream.set_nodelay(true)?;
                connection.insert(stream)
            }
        };
        wire::send(stream, request).await?;
        wire::receive(stream).await
    }
}
