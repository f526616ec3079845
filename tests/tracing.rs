//! What a subscriber of tracing is told of a watched runtime: the tasks, as tokio-console reads them, and the reports.
//! `examples/console` has the real console.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fmt;
use std::future::{pending, poll_fn};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, Once};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anyrt::task::{self, Builder};
use anyrt::watch::WatchOptions;
use anyrt::{AnyRuntime, Smol, spawn, spawn_blocking, yield_now};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Instrument, Level, Metadata, Span, Subscriber, info, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// For what takes a fraction of a second.
const LIMIT: Duration = Duration::from_secs(60);

/// What a subscriber was told of a task.
#[derive(Clone, Default)]
struct Told {
    fields: HashMap<String, String>,
    polls: usize,
    is_in: bool,
    is_closed: bool,
    clones: usize,
    drops: usize,
    wakes: usize,
}

/// Fields, as text.
#[derive(Default)]
struct Fields(HashMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }
}

/// The event of a report: its level and its fields.
type ReportEvent = (Level, HashMap<String, String>);

#[derive(Default)]
struct State {
    // By the number of the span.
    tasks: HashMap<u64, Told>,
    ended: Vec<Told>,
    // By the name of the task.
    reports: HashMap<String, Sender<ReportEvent>>,
    // Events of this file, each with the spans that it is in.
    log: Vec<(String, String)>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn state<T>(with: impl FnOnce(&mut State) -> T) -> T {
    with(STATE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert_default())
}

struct Recorder;

fn is_task(span: &Metadata<'_>) -> bool {
    span.name() == "runtime.spawn" && span.target() == "tokio::task"
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if is_task(attributes.metadata()) {
            assert!(attributes.is_root());
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            let told = Told { fields: fields.0, ..Told::default() };
            state(|state| assert!(state.tasks.insert(id.into_u64(), told).is_none()));
        }
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        state(|state| {
            if let Some(task) = state.tasks.get_mut(&id.into_u64()) {
                assert!(!std::mem::replace(&mut task.is_in, true));
                task.polls += 1;
            }
        });
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        state(|state| {
            if let Some(task) = state.tasks.get_mut(&id.into_u64()) {
                assert!(std::mem::replace(&mut task.is_in, false));
            }
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let panics = state(|state| {
            let mut task = state.tasks.remove(&id.into_u64())?;
            task.is_closed = true;
            let panics = task.fields.get("task.name").is_some_and(|name| name.starts_with("panics"));
            state.ended.push(task);
            Some(panics)
        });
        assert!(panics != Some(true), "in a subscriber");
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let fields = fields.0;
        match event.metadata().target() {
            "runtime::waker" => state(|state| {
                let task = state.tasks.get_mut(&fields["task.id"].parse().unwrap()).expect("an open span");
                match &*fields["op"] {
                    "waker.clone" => task.clones += 1,
                    "waker.drop" => task.drops += 1,
                    "waker.wake_by_ref" => task.wakes += 1,
                    op => panic!("{op}"),
                }
            }),
            "anyrt::watch" => state(|state| {
                if let Some(tell) = fields.get("task.name").and_then(|name| state.reports.get(name)) {
                    let _ = tell.send((*event.metadata().level(), fields));
                }
            }),
            module_path!() => {
                let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
                let spans: Vec<_> =
                    spans.filter(|span| !is_task(span.metadata())).map(|span| span.name()).collect();
                state(|state| state.log.push((fields["message"].clone(), spans.join(":"))));
            }
            _ => {}
        }
    }
}

/// The process has one subscriber, for all threads.
fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Recorder)).unwrap();
    });
}

/// A name that nobody else has.
fn unique(name: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn is_named(told: &Told, name: &str) -> bool {
    told.fields.get("task.name").is_some_and(|it| it == name)
}

/// What was told of a task that has ended.
fn ended(name: &str) -> Told {
    let mut found =
        state(|state| state.ended.iter().filter(|told| is_named(told, name)).cloned().collect::<Vec<_>>());
    assert_eq!(found.len(), 1);
    let told = found.remove(0);
    assert!(told.is_closed && !told.is_in);
    assert_eq!((told.clones, told.drops), (1, 1));
    told
}

fn is_open(name: &str) -> bool {
    state(|state| state.tasks.values().any(|told| is_named(told, name)))
}

fn watched(rt: &AnyRuntime) -> AnyRuntime {
    subscribe();
    // Nobody reads its reports.
    rt.watch(WatchOptions::new().on_report(|_| ())).unwrap()
}

#[anyrt::test]
async fn each_task_is_a_span(rt: AnyRuntime) {
    let (rt, name) = (watched(&rt), unique("task"));
    let (mut polls, mut kept) = (0, Waker::noop().clone());
    let counts = poll_fn(move |cx| {
        polls += 1;
        match polls {
            1 => cx.waker().wake_by_ref(),
            2 => {
                let waker = cx.waker().clone();
                waker.wake();
            }
            _ => {
                kept.clone_from(cx.waker());
                return Poll::Ready((polls, kept.clone()));
            }
        }
        Poll::Pending
    });
    let task = Builder::new().name(&name).spawn_on(counts, &rt).unwrap();
    let line = line!() - 1;
    let id = task.id();
    let (polls, waker) = task.await.unwrap();

    let told = ended(&name);
    assert_eq!((told.polls, told.wakes), (polls, 2));
    let field = |name: &str| told.fields[name].clone();
    assert_eq!((field("kind"), field("task.id")), ("task".into(), id.to_string()));
    assert_eq!((field("loc.file"), field("loc.line")), (file!().into(), line.to_string()));
    assert!(field("loc.col").parse::<u32>().unwrap() > 1);
    // Tells of no span, which would be that of another task by now.
    waker.wake();
}

#[anyrt::test]
async fn blocking_closure_is_a_span(rt: AnyRuntime) {
    let (rt, name) = (watched(&rt), unique("closure"));
    let inside = name.clone();
    let closure = Builder::new().name(&name).spawn_blocking_on(move || is_open(&inside), &rt).unwrap();
    assert!(closure.await.unwrap());
    let told = ended(&name);
    assert_eq!((told.fields["kind"].as_str(), told.polls), ("blocking", 1));
}

#[anyrt::test]
async fn destructor_is_in_the_span(rt: AnyRuntime) {
    struct Says(String);

    impl Drop for Says {
        fn drop(&mut self) {
            let is_in = |told: &Told| is_named(told, &self.0) && told.is_in;
            assert!(state(|state| state.tasks.values().any(is_in)));
        }
    }

    let (rt, name) = (watched(&rt), unique("dropped"));
    let says = Says(name.clone());
    let (tell, told) = futures::channel::oneshot::channel();
    let task = Builder::new().name(&name).spawn_on(
        async move {
            let _says = says;
            tell.send(()).unwrap();
            pending::<()>().await;
        },
        &rt,
    );
    told.await.unwrap();
    assert!(task.unwrap().cancel().await.unwrap_err().is_cancelled());
    // A poll and a destructor: as tokio has it.
    assert_eq!(ended(&name).polls, 2);
}

#[anyrt::test]
async fn task_of_a_task_is_a_span(rt: AnyRuntime) {
    let (rt, name) = (watched(&rt), unique("inner"));
    let inner = name.clone();
    let outer = rt.spawn(async move { Builder::new().name(&inner).spawn(yield_now()).unwrap().await });
    outer.await.unwrap().unwrap();
    assert_eq!(ended(&name).polls, 2);
}

/// See "tokio-console" in the cookbook.
#[anyrt::test]
async fn span_of_a_task_is_the_current_one(rt: AnyRuntime) {
    let task = watched(&rt).spawn(async { Span::current().metadata().map(|span| span.name()) });
    assert_eq!(task.await.unwrap(), Some("runtime.spawn"));
}

#[anyrt::test]
async fn task_whose_subscriber_panics_is_counted_out(rt: AnyRuntime) {
    let (rt, name) = (watched(&rt), unique("panics"));
    let task = Builder::new().name(&name).spawn_on(yield_now(), &rt).unwrap();
    let closure = Builder::new().name(&name).spawn_blocking_on(|| (), &rt).unwrap();
    // Whether they fail is for the runtime to say.
    let _ = (task.await, closure.await);
    let begun = Instant::now();
    loop {
        let numbers = rt.watch_snapshot().unwrap();
        if numbers.tasks + numbers.blocking_queued + numbers.blocking_running == 0 {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "{numbers:?}");
        yield_now().await;
    }
}

#[anyrt::test]
async fn other_handles_have_no_spans(rt: AnyRuntime) {
    let name = unique("unwatched");
    let _watched = watched(&rt);
    Builder::new().name(&name).spawn(yield_now()).unwrap().await.unwrap();
    assert!(!state(|state| state.ended.iter().any(|told| is_named(told, &name))));
}

/// A task that blocks until there is an event about it, or until a callback says so.
async fn block(rt: AnyRuntime, name: &str, said: Receiver<ReportEvent>) -> HashMap<String, String> {
    let said = Mutex::new(said);
    let blocks = async move {
        let (level, fields) = said.lock().unwrap().recv_timeout(LIMIT).expect("no event");
        assert_eq!(level, Level::WARN);
        assert_eq!(fields["task.id"], task::id().to_string());
        (said, fields)
    };
    let (said, fields) = Builder::new().name(name).spawn_on(blocks, &rt).unwrap().await.unwrap();
    let (level, ended) = said.into_inner().unwrap().recv_timeout(LIMIT).expect("no event of the end");
    assert_eq!((level, ended["message"].as_str()), (Level::INFO, "a task has blocked its thread"));
    assert!(ended["took_ms"].parse::<u64>().unwrap() >= 5, "{ended:?}");
    fields
}

#[anyrt::test]
async fn reports_are_events(rt: AnyRuntime) {
    subscribe();
    let name = unique("blocks");
    let (tell, said) = channel();
    state(|state| state.reports.insert(name.clone(), tell));
    let rt = rt.watch(WatchOptions::new().warn_after(Duration::from_millis(5))).unwrap();
    let fields = block(rt.clone(), &name, said).await;
    assert_eq!(fields["runtime"], format!("{rt:?}"));
    assert_eq!((fields["task.kind"].as_str(), fields["before"].as_str()), ("task", "0"));
    assert!(fields["spawned_at"].starts_with(file!()) && fields["elapsed_ms"].parse::<u64>().unwrap() >= 5);
    assert!(
        fields["message"].starts_with("a task blocks its thread. ")
            && fields["message"].contains("`anyrt::spawn_blocking`")
            && !fields["thread"].is_empty(),
        "{fields:?}"
    );
}

#[anyrt::test]
async fn span_follows_when_it_is_told(rt: AnyRuntime) {
    let (rt, id) = (watched(&rt), unique("request"));
    let (task, closure, nobody) = (format!("{id} task"), format!("{id} closure"), format!("{id} nobody"));
    let said = [task.clone(), closure.clone(), nobody.clone()];
    let request = async move {
        spawn(async move { info!("{task}") }.in_current_span()).await.unwrap();
        let span = Span::current();
        spawn_blocking(move || span.in_scope(|| info!("{closure}"))).await.unwrap();
        spawn(async move { info!("{nobody}") }).await.unwrap();
    };
    rt.spawn(request.instrument(info_span!("request"))).await.unwrap();
    let spans = said.map(|said| {
        state(|state| state.log.iter().find(|(message, _)| *message == said).map(|(_, spans)| spans.clone()))
    });
    assert_eq!(spans.map(Option::unwrap), ["request", "request", ""]);
}

#[anyrt::test]
async fn span_follows_into_what_a_watched_handle_wraps(rt: AnyRuntime) {
    subscribe();
    let wrap = |_: &task::TaskMeta<'_>| {
        let span = Span::current();
        move |step: &mut dyn FnMut()| span.in_scope(step)
    };
    // In either order.
    for rt in [watched(&rt).wrap_tasks(wrap), watched(&rt.wrap_tasks(wrap))] {
        let id = unique("library");
        let (task, closure) = (format!("{id} task"), format!("{id} closure"));
        let said = [task.clone(), closure.clone()];
        let library = async move {
            spawn(async move { info!("{task}") }).await.unwrap();
            spawn_blocking(move || info!("{closure}")).await.unwrap();
        };
        rt.spawn(library.instrument(info_span!("request"))).await.unwrap();
        for said in said {
            let spans = |state: &mut State| {
                state.log.iter().find(|(message, _)| *message == said).map(|(_, spans)| spans.clone())
            };
            assert_eq!(state(spans).as_deref(), Some("request"), "{said}");
        }
    }
}

/// The stderr of a test of this name in a process of its own, which runs `inside`.
fn in_its_own_process(test: &str, inside: impl FnOnce()) -> Option<String> {
    const INSIDE: &str = "ANYRT_TEST_TRACING_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        inside();
        return None;
    }
    let mut inside = Command::new(std::env::current_exe().unwrap());
    let output = inside.args(["--exact", test, "--nocapture"]).env(INSIDE, "yes").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The stderr of a test of this name in a process of its own, in which a task blocks.
fn blocks_in_its_own_process(test: &str, subscribe: impl FnOnce()) -> Option<String> {
    in_its_own_process(test, || {
        subscribe();
        let rt = AnyRuntime::from(Smol::new().unwrap());
        let rt = rt.watch(WatchOptions::new().warn_after(Duration::from_millis(5))).unwrap();
        rt.block_on(async { std::thread::sleep(Duration::from_millis(500)) });
    })
}

/// Knows a callsite once it has registered it, as console-subscriber does, and takes its time.
struct Registrar {
    known: Mutex<Vec<&'static str>>,
    registers: Mutex<Sender<()>>,
    tell_unknown: Sender<&'static str>,
    unknown: Mutex<Receiver<&'static str>>,
}

impl Registrar {
    fn expect(&self, target: &'static str) {
        if is_of_tasks(target) && !self.known.lock().unwrap().contains(&target) {
            let _ = self.tell_unknown.send(target);
        }
    }
}

fn is_of_tasks(target: &str) -> bool {
    ["tokio::task", "runtime::waker"].contains(&target)
}

impl<S: Subscriber> Layer<S> for Registrar {
    fn register_callsite(&self, callsite: &'static Metadata<'static>) -> Interest {
        let target = callsite.target();
        if is_of_tasks(target) {
            self.registers.lock().unwrap().send(()).unwrap();
            // Long enough for another thread to tell something of this callsite.
            let unknown = self.unknown.lock().unwrap().recv_timeout(Duration::from_millis(500));
            assert_eq!(unknown, Err(RecvTimeoutError::Timeout));
            self.known.lock().unwrap().push(target);
        }
        Interest::always()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.expect(attributes.metadata().target());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.expect(event.metadata().target());
    }
}

#[test]
fn subscriber_knows_the_callsites_of_tasks() {
    in_its_own_process("subscriber_knows_the_callsites_of_tasks", || {
        let (registers, is_registering) = channel();
        let (tell_unknown, unknown) = channel();
        let registrar = Registrar {
            known: Mutex::default(),
            registers: Mutex::new(registers),
            tell_unknown,
            unknown: Mutex::new(unknown),
        };
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(registrar)).unwrap();
        let rt = AnyRuntime::from(Smol::with_threads(4).unwrap());
        let rt = rt.watch(WatchOptions::new().on_report(|_| ())).unwrap();
        let first = rt.spawn(async { yield_now().await });
        // One task at the callsite of the span, and one at that of the wakers.
        let others = [(); 2].map(|()| {
            is_registering.recv_timeout(LIMIT).unwrap();
            rt.spawn(async { yield_now().await })
        });
        for task in [first].into_iter().chain(others) {
            rt.block_on(task).unwrap();
        }
    });
}

#[test]
fn reports_go_to_stderr_when_nobody_subscribes() {
    let said = blocks_in_its_own_process("reports_go_to_stderr_when_nobody_subscribes", || ());
    assert!(said.is_none_or(|said| said.contains("anyrt: `block_on` at ")));
}

/// `tracing_subscriber::fmt::init` with feature `env-filter` lets errors through, and nothing else.
#[test]
fn filter_that_drops_reports_is_named_once() {
    let errors = || {
        let registry = tracing_subscriber::registry().with(LevelFilter::ERROR).with(Recorder);
        tracing::subscriber::set_global_default(registry).unwrap();
    };
    let Some(said) = blocks_in_its_own_process("filter_that_drops_reports_is_named_once", errors) else {
        return;
    };
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("anyrt: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains(" set RUST_LOG=anyrt::watch=warn, or let "), "{said}");
}

#[test]
fn filter_of_warnings_drops_none() {
    let warnings = || {
        let registry = tracing_subscriber::registry().with(LevelFilter::WARN).with(Recorder);
        tracing::subscriber::set_global_default(registry).unwrap();
    };
    let said = blocks_in_its_own_process("filter_of_warnings_drops_none", warnings);
    assert!(said.is_none_or(|said| !said.contains("anyrt: ")));
}
