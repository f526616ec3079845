use std::panic::Location;
use std::path::PathBuf;

use super::coverage::Coverage;
use super::event::{Event, Flight, More, Origin, Wait};
use super::kind::{Kind, Subject};
use crate::backend::sim::panics::Panic;
use crate::backend::sim::sorted::SortedMap;

/// The log of a simulation that keeps one, or what is for a guided search.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    logged: bool,
    coverage: Option<Coverage>,
    events: Vec<Event>,
    tasks: SortedMap<u64, (usize, &'static Location<'static>)>,
    // Whose they are.
    timers: SortedMap<u64, u64>,
    // What was sent, and when; the first is message 1. It may arrive more than once.
    flights: Vec<(u64, Flight)>,
    // Where it is to be written to, and how much of it is there.
    file: Option<PathBuf>,
    saved: usize,
}

impl Recorder {
    pub(crate) fn new(logged: bool, file: Option<PathBuf>, covered: bool) -> Self {
        Self { logged, file, coverage: covered.then(Coverage::default), ..Self::default() }
    }

    pub(super) fn coverage(&mut self) -> Option<&mut Coverage> {
        self.coverage.as_mut()
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The file, if something is new.
    pub(crate) fn due(&mut self) -> Option<PathBuf> {
        let before = std::mem::replace(&mut self.saved, self.events.len());
        self.file.clone().filter(|_| before < self.events.len())
    }

    #[cold]
    pub(crate) fn add(&mut self, nanos: u64, kind: Kind, number: u64, payload: u64) {
        if let Some(coverage) = &mut self.coverage {
            coverage.event(kind, number, payload);
        }
        if self.logged {
            self.log(nanos, kind, number, payload);
        }
    }

    fn log(&mut self, nanos: u64, kind: Kind, number: u64, payload: u64) {
        let (task, socket) = match kind.subject() {
            Subject::Task => (Some(number).filter(|number| *number != 0), None),
            Subject::Timer => (self.timers.remove(&number), None),
            Subject::Socket => (None, Some(number)),
            Subject::Path | Subject::Host => (None, None),
        };
        let known = task.and_then(|task| self.tasks.get(&task));
        let (host, place) = known.map(|(host, place)| (*host, *place)).unzip();
        let (host, more) = match kind.subject() {
            Subject::Path => (Some((number >> 32) as usize), More::To((number & 0xffff_ffff) as usize)),
            Subject::Host => (Some(number as usize), More::Nothing),
            Subject::Task | Subject::Timer | Subject::Socket => (host, More::Nothing),
        };
        self.events.push(Event { nanos, kind, number, payload, host, task, socket, place, more });
    }

    fn more(&mut self, more: More) {
        if let Some(event) = self.events.last_mut() {
            event.more = more;
        }
    }

    /// This is the task that is spawned next.
    pub(crate) fn task(&mut self, number: u64, host: usize, place: &'static Location<'static>) {
        if let Some(coverage) = &mut self.coverage {
            coverage.task(number, place);
        }
        self.tasks.insert(number, (host, place));
    }

    /// The task that was spawned last is this.
    pub(crate) fn is(&mut self, origin: Origin<'_>) {
        self.more(More::Is(origin.kind, origin.name.map(Into::into)));
    }

    /// This task has done what happened last.
    pub(crate) fn by(&mut self, task: Option<u64>) {
        if let Some(task) = task {
            self.more(More::By(task));
        }
    }

    pub(crate) fn waits(&mut self, nanos: u64, task: u64, wait: Wait) {
        self.add(nanos, Kind::Waits, task, 0);
        self.more(More::Waits(wait));
        if let Some(coverage) = &mut self.coverage {
            coverage.waits(task, wait);
        }
    }

    /// Describes the last event, which was on this host.
    pub(crate) fn says(&mut self, host: usize, text: String) {
        self.more(More::Says(text));
        if let Some(event) = self.events.last_mut() {
            event.host = Some(host);
        }
    }

    /// The last event, which was on this host, is of an operation: it begins or returns.
    pub(crate) fn operation(&mut self, host: usize, number: u64, client: &str, text: String) {
        self.more(More::Operation(number, client.into(), text));
        if let Some(event) = self.events.last_mut() {
            event.host = Some(host);
        }
    }

    /// These operations contradict each other.
    pub(crate) fn contradiction(&mut self, nanos: u64, operations: Vec<u64>, text: String) {
        self.add(nanos, Kind::Contradiction, 0, 0);
        self.more(More::Contradiction(operations, text));
        if let Some(event) = self.events.last_mut() {
            event.host = Some(0);
        }
    }

    /// Marks the last event, which was on this host, as this panic.
    pub(crate) fn panicked(&mut self, host: usize, panic: Panic) {
        self.more(More::Panic(panic));
        if let Some(event) = self.events.last_mut() {
            event.host = Some(host);
        }
    }

    /// A timer is set, by this task.
    pub(crate) fn timer(&mut self, number: u64, task: Option<u64>) {
        if let (Some(coverage), Some(task)) = (&mut self.coverage, task) {
            coverage.timer(number, task);
        }
        self.timers.extend(task.map(|task| (number, task)));
    }

    /// A timer will not fire.
    pub(crate) fn forget_timer(&mut self, number: u64) {
        if let Some(coverage) = &mut self.coverage {
            coverage.forget_timer(number);
        }
        self.timers.remove(&number);
    }

    /// Whether the events are kept.
    pub(super) fn is_kept(&self) -> bool {
        self.logged
    }

    /// Something goes from one host to another; its number for a search.
    pub(super) fn goes(&mut self, what: &'static str, hosts: (usize, usize)) -> u64 {
        self.coverage.as_mut().map_or(0, |coverage| coverage.sent(what, hosts))
    }

    /// What goes from one host to another; its number.
    pub(super) fn sent(&mut self, nanos: u64, (task, socket): (Option<u64>, u64), flight: Flight) -> u64 {
        self.flights.push((nanos, flight.clone()));
        let message = self.flights.len() as u64;
        self.log(nanos, Kind::Sent, socket, flight.payload);
        let place = task.and_then(|task| self.tasks.get(&task)).map(|(_, place)| *place);
        if let Some(event) = self.events.last_mut() {
            (event.task, event.place, event.host) = (task, place, Some(flight.hosts.0));
            event.more = More::Flight { message, flight, sent: None };
        }
        message
    }

    /// What happened last is that this has arrived; 0 is nothing.
    pub(crate) fn arrived(&mut self, message: u64) {
        if let Some(coverage) = &mut self.coverage {
            coverage.arrived(message);
        }
        let flight = message.checked_sub(1).and_then(|at| self.flights.get(at as usize));
        if let (Some(event), Some((sent, flight))) = (self.events.last_mut(), flight) {
            event.host = Some(flight.hosts.1);
            event.more = More::Flight { message, flight: flight.clone(), sent: Some(*sent) };
        }
    }

    /// What happened last was on the path between these hosts.
    pub(crate) fn on_path(&mut self, (from, to): (usize, usize)) {
        if let Some(coverage) = &mut self.coverage {
            coverage.on_path((from, to));
        }
        if let Some(event) = self.events.last_mut() {
            event.host = Some(from);
            event.more = More::To(to);
        }
    }
}
