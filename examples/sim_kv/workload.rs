//! The operations of the clients in one run, on any runtime: a few random operations on few keys.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyrt::Runtime;
use fastrand::Rng;
use futures::future::try_join_all;

use crate::check::{Kind, Moments, Operation};
use crate::client::Client;
use crate::totals::Count;
use crate::wire::Entry;

pub(crate) const CLIENTS: usize = 3;

const KEYS: [&str; 2] = ["x", "y"];
const OPERATIONS: usize = 8;
/// Maximum pause of a client between operations.
const PAUSE: Duration = Duration::from_millis(5);

/// Shared data of the clients of one run.
#[derive(Debug)]
pub(crate) struct Workload {
    /// Addresses of the replicas.
    addrs: Vec<String>,
    start: Instant,
    /// Repeated attempts.
    pub(crate) retries: Count,
    moments: Moments,
}

impl Workload {
    pub(crate) fn new(addrs: Vec<String>, start: Instant) -> Arc<Self> {
        Arc::new(Self { addrs, start, retries: Count::default(), moments: Moments::default() })
    }

    /// Runs all operations, with one client on each of the runtimes, and returns their observations.
    pub(crate) async fn run<R: Runtime>(
        self: &Arc<Self>,
        runtimes: impl IntoIterator<Item = R>,
    ) -> io::Result<Vec<Operation>> {
        let clients = (1..).zip(runtimes).map(|(number, runtime)| {
            let workload = self.clone();
            runtime.clone().spawn(async move { workload.client(runtime, number).await })
        });
        let operations: Vec<_> = try_join_all(clients).await?.into_iter().collect::<io::Result<_>>()?;
        Ok(operations.concat())
    }

    async fn client<R: Runtime>(&self, runtime: R, number: u64) -> io::Result<Vec<Operation>> {
        let mut random = Rng::with_seed(runtime.random_seed());
        let mut client = Client::new(runtime.clone(), number, &self.addrs, &self.retries);
        let now = || self.moments.next(runtime.now() - self.start);
        let mut operations = Vec::new();
        for n in 1..=OPERATIONS {
            runtime.sleep(PAUSE.mul_f64(random.f64())).await;
            let (key, kind) = (KEYS[random.usize(..KEYS.len())], random.choice([Kind::Get, Kind::Put]));
            let (kind, began) = (kind.unwrap_or(Kind::Get), now());
            let entry = match kind {
                Kind::Get => client.get(key).await?,
                Kind::Put => {
                    let value = format!("{n} of {number}");
                    Entry { version: client.put(key, value.clone()).await?, value }
                }
            };
            operations.push(Operation { client: number, key, kind, entry, began, ended: now() });
        }
        Ok(operations)
    }
}
