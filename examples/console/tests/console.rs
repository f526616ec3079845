//! What tokio-console gets to know of the tasks of each runtime, read as it reads it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use anyrt::task::{Builder, JoinHandle};
use anyrt::watch::WatchOptions;
use anyrt::{AnyRuntime, AsyncStd, Smol, Time, Tokio};
use console_api::field::Value;
use console_api::instrument::InstrumentRequest;
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::tasks::{Stats, Task};
use console_subscriber::{ConsoleLayer, ServerParts};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::subscriber::{NoSubscriber, set_default};
use tracing_subscriber::prelude::*;

/// For what takes a fraction of a second.
const LIMIT: Duration = Duration::from_secs(60);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Starts the console's server on loopback, and makes its layer the subscriber of the process.
fn serve() -> SocketAddr {
    let (layer, server) = ConsoleLayer::builder().publish_interval(ms(20)).build();
    tracing_subscriber::registry().with(layer).init();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // What the server does is nobody's business.
        let _untraced = set_default(NoSubscriber::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let ServerParts { instrument_server, aggregator, .. } = server.into_parts();
            tokio::spawn(aggregator.run());
            let router = Server::builder().add_service(instrument_server);
            router.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
        });
    });
    told.recv_timeout(LIMIT).unwrap()
}

/// What a console knows.
#[derive(Default)]
struct Known {
    tasks: HashMap<u64, Task>,
    stats: HashMap<u64, Stats>,
}

impl Known {
    /// The value of a field of a task, as text.
    fn field(&self, task: &Task, name: &str) -> Option<String> {
        let field = task
            .fields
            .iter()
            .find(|field| matches!(&field.name, Some(console_api::field::Name::StrName(it)) if it == name))?;
        Some(match field.value.as_ref()? {
            Value::StrVal(text) | Value::DebugVal(text) => text.clone(),
            Value::U64Val(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    }

    fn find(&self, name: &str) -> Option<(&Task, &Stats)> {
        let named = |task: &&Task| self.field(task, "task.name").as_deref() == Some(name);
        let mut found = self.tasks.values().filter(named);
        let task = found.next()?;
        assert!(found.next().is_none(), "there are two {name}");
        Some((task, self.stats.get(&task.id?.id)?))
    }
}

/// Reads updates, as a console does, until it knows what is wanted.
fn read_until(server: SocketAddr, wanted: impl Fn(&Known) -> Result<(), String>) -> Known {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _untraced = set_default(NoSubscriber::default());
    runtime.block_on(async {
        let mut known = Known::default();
        let mut missing = "an update".to_owned();
        let reads = async {
            let mut client = InstrumentClient::connect(format!("http://{server}")).await.unwrap();
            let mut updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
            while let Some(update) = updates.message().await.unwrap() {
                let Some(update) = update.task_update else { continue };
                assert_eq!(update.dropped_events, 0);
                known.tasks.extend(update.new_tasks.into_iter().map(|task| (task.id.unwrap().id, task)));
                known.stats.extend(update.stats_update);
                match wanted(&known) {
                    Ok(()) => return,
                    Err(what) => missing = what,
                }
            }
            panic!("the server ends");
        };
        if tokio::time::timeout(LIMIT, reads).await.is_err() {
            panic!("the console misses {missing}");
        }
        known
    })
}

fn busy(stats: &Stats) -> Duration {
    let time = stats.poll_stats.and_then(|polls| polls.busy_time);
    time.map_or(Duration::ZERO, |time| time.try_into().unwrap())
}

fn polls(stats: &Stats) -> u64 {
    stats.poll_stats.map_or(0, |stats| stats.polls)
}

const TASKS: [&str; 3] = ["ticks", "blocks", "closure"];

/// The program that is looked at.
struct Program {
    name: &'static str,
    runtime: AnyRuntime,
    ticks: JoinHandle<()>,
    blocks: JoinHandle<()>,
    end: mpsc::Sender<()>,
    closure: JoinHandle<()>,
}

impl Program {
    fn start(name: &'static str, runtime: AnyRuntime) -> Self {
        // Nobody is interested in the reports.
        let options = WatchOptions::new().on_report(|_| ());
        let runtime = runtime.watch(options).unwrap();
        let [ticks, blocks, closure] = TASKS.map(|what| format!("{name} {what}"));
        let task = |name| Builder::new().name(name);
        let there = runtime.clone();
        let ticking = async move {
            loop {
                there.sleep(ms(5)).await;
            }
        };
        let blocking = async {
            thread::sleep(ms(60));
            std::future::pending().await
        };
        let (end, ended) = mpsc::channel();
        let ended = Mutex::new(ended);
        Self {
            ticks: task(&ticks).spawn_on(ticking, &runtime).unwrap(),
            blocks: task(&blocks).spawn_on(blocking, &runtime).unwrap(),
            closure: task(&closure)
                .spawn_blocking_on(move || ended.lock().unwrap().recv().unwrap(), &runtime)
                .unwrap(),
            end,
            name,
            runtime,
        }
    }

    fn is_known(&self, known: &Known) -> Result<(), String> {
        let of = |what: &str| {
            let name = format!("{} {what}", self.name);
            let (task, stats) = known.find(&name).ok_or(format!("{name:?}"))?;
            let place = task.location.as_ref().unwrap();
            assert_eq!(place.file.as_deref(), Some(file!()));
            assert!(place.line.is_some() && place.column.is_some(), "{place:?}");
            Ok::<_, String>((task, stats))
        };
        let (ticks, stats) = of("ticks")?;
        assert_eq!(known.field(ticks, "task.id"), Some(self.ticks.id().to_string()));
        assert_eq!(known.field(ticks, "kind").as_deref(), Some("task"));
        if polls(stats) < 10 || stats.wakes < 10 {
            return Err(format!("polls and wakes: {stats:?}"));
        }
        // It always waits for the next wake: it is not lost.
        assert_eq!((stats.waker_clones, stats.waker_drops), (1, 0));
        assert!(stats.dropped_at.is_none());
        let (_, stats) = of("blocks")?;
        if busy(stats) < ms(60) {
            return Err(format!("busy time: {stats:?}"));
        }
        assert_eq!(polls(stats), 1);
        let (closure, _) = of("closure")?;
        assert_eq!(known.field(closure, "task.id"), Some(self.closure.id().to_string()));
        assert_eq!(known.field(closure, "kind").as_deref(), Some("blocking"));
        Ok(())
    }

    fn has_ended(&self, known: &Known) -> Result<(), String> {
        for what in TASKS {
            let name = format!("{} {what}", self.name);
            let (_, stats) = known.find(&name).ok_or(format!("{name:?}"))?;
            if stats.dropped_at.is_none() {
                return Err(format!("the end of {name}: {stats:?}"));
            }
        }
        Ok(())
    }
}

#[test]
fn console_shows_the_tasks_of_every_runtime() {
    let server = serve();
    let mut programs = [
        Program::start("async-std", AsyncStd::global().into()),
        Program::start("smol", Smol::new().unwrap().into()),
        Program::start("tokio", Tokio::new().unwrap().into()),
    ];
    read_until(server, |known| programs.iter().try_for_each(|program| program.is_known(known)));

    for program in &mut programs {
        program.end.send(()).unwrap();
        program.ticks.abort();
        program.blocks.abort();
    }
    read_until(server, |known| programs.iter().try_for_each(|program| program.has_ended(known)));
    for Program { runtime, closure, .. } in programs {
        runtime.block_on(closure).unwrap();
    }
}
