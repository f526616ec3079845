//! The operations of the clients in one run, on any runtime: a few random operations on few keys.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::sim::history::{History, Map, MapOp, MapOutput};
use fastrand::Rng;
use futures::future::try_join_all;

use crate::client::Client;
use crate::totals::Count;
use crate::wire::Version;

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
    /// The operations of the clients, and their results.
    pub(crate) history: History<Map<&'static str, String>>,
    /// Repeated attempts.
    pub(crate) retries: Count,
}

impl Workload {
    pub(crate) fn new(addrs: Vec<String>) -> Arc<Self> {
        Arc::new(Self { addrs, history: History::new(Map::new()), retries: Count::default() })
    }

    /// Runs all operations, with one client on each of the runtimes.
    pub(crate) async fn run<R: Runtime>(
        self: &Arc<Self>,
        runtimes: impl IntoIterator<Item = R>,
    ) -> io::Result<()> {
        let clients = (1..).zip(runtimes).map(|(number, runtime)| {
            let workload = self.clone();
            runtime.clone().spawn(async move { workload.client(runtime, number).await })
        });
        try_join_all(clients).await?.into_iter().collect()
    }

    async fn client<R: Runtime>(&self, runtime: R, number: u64) -> io::Result<()> {
        let mut random = Rng::with_seed(runtime.random_seed());
        let mut client = Client::new(runtime.clone(), number, &self.addrs, &self.retries);
        let invoke = |op| self.history.invoke(format_args!("client {number}"), op);
        for n in 1..=OPERATIONS {
            runtime.sleep(PAUSE.mul_f64(random.f64())).await;
            let key = KEYS[random.usize(..KEYS.len())];
            // A call that is dropped by an error may have taken effect, or not.
            if random.bool() {
                let call = invoke(MapOp::Get(key));
                let entry = client.get(key).await?;
                let is_there = entry.version != Version::default();
                call.returned(MapOutput::Value(is_there.then_some(entry.value)));
            } else {
                let value = format!("{n} of {number}");
                let call = invoke(MapOp::Put(key, value.clone()));
                client.put(key, value).await?;
                call.returned(MapOutput::Done);
            }
        }
        Ok(())
    }
}
