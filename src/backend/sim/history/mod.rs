//! Histories of operations, and whether they are linearizable.
//!
//! A service is linearizable if each operation seems to take effect at one moment between its beginning and its end: then
//! all clients see one object that performs one operation at a time. A [`History`] records what clients do and see, and
//! [`check`](History::check) looks for an order that explains it. In a simulation the operations are in its log as well;
//! its page shows them as bars, one column for each client, with those in red that contradict each other.
//!
//! # Examples
//!
//! ```
//! use anyrt::sim::history::{History, Register, RegisterOp, RegisterOutput};
//! use anyrt::{BlockOn, Sim};
//!
//! let sim = Sim::new()?;
//! let history = History::new(Register::new(0));
//! sim.block_on(async {
//!     let call = history.invoke("alice", RegisterOp::Write(1));
//!     // Here the client asks the service.
//!     call.returned(RegisterOutput::Written);
//!     history.invoke("bob", RegisterOp::Read).returned(RegisterOutput::Value(0));
//! });
//! let error = history.check().unwrap_err();
//! let text = "\
//! not linearizable: whatever others did, no order of these operations explains their results:
//!   alice  write(1) -> ok  0ns to 0ns, moments 0 and 1
//!   bob    read -> 0       0ns to 0ns, moments 2 and 3
//! The longest order that fits, 1 of 2 operations:
//!   alice  write(1) -> ok  0ns to 0ns, moments 0 and 1
//! After it the state is 1, and next could only be:
//!   bob    read -> 0       0ns to 0ns, moments 2 and 3";
//! assert_eq!(error.to_string(), text);
//! # Ok::<(), std::io::Error>(())
//! ```

mod contradiction;
mod model;
mod models;
mod search;
#[cfg(test)]
mod trials;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use self::contradiction::{Row, explain, report};
use self::search::{Answer, Span, Steps, search};
use super::world::{Traced, called, virtual_time};
use crate::thread::lock;

pub use model::Model;
pub use models::{
    Lock, LockOp, Map, MapOp, MapOutput, Queue, QueueOp, QueueOutput, Register, RegisterOp, RegisterOutput,
};

/// Operations of clients, in the order in which they begin and end.
///
/// Clones are one history. It also works outside of a simulation; its times are those since it was created then.
///
/// # Examples
///
/// A client with a timeout. If it passes, nobody knows whether the operation takes effect, and when, so the call is
/// dropped:
///
/// ```
/// use std::io;
/// use std::time::Duration;
///
/// use anyrt::sim::history::{History, Map, MapOp, MapOutput};
///
/// async fn put(history: &History<Map<String, u64>>, key: &str, value: u64) -> io::Result<()> {
///     let call = history.invoke("client 1", MapOp::Put(key.to_owned(), value));
///     anyrt::time::timeout(Duration::from_secs(1), ask_the_server(key, value)).await??;
///     call.returned(MapOutput::Done);
///     Ok(())
/// }
/// # async fn ask_the_server(_: &str, _: u64) -> io::Result<()> { Ok(()) }
/// ```
pub struct History<M: Model> {
    shared: Arc<Shared<M>>,
}

struct Shared<M: Model> {
    model: M,
    start: Instant,
    recorded: Mutex<Recorded<M>>,
}

struct Recorded<M: Model> {
    operations: Vec<Arc<Operation<M>>>,
    // The number of beginnings and ends.
    moments: usize,
}

struct Operation<M: Model> {
    client: String,
    op: M::Op,
    began: Moment,
    end: OnceLock<End<M::Output>>,
    traced: Option<Traced>,
}

enum End<T> {
    Returned(Moment, T),
    HadNoEffect,
}

/// A place in the order, which has no two that are equal, and its time.
#[derive(Clone, Copy, Debug)]
struct Moment {
    position: usize,
    time: Duration,
}

impl<M: Model> History<M> {
    /// The limit of [`check`](Self::check), in steps.
    pub const LIMIT: u64 = 2_000_000;

    /// Creates an empty history.
    pub fn new(model: M) -> Self {
        let recorded = Mutex::new(Recorded { operations: Vec::new(), moments: 0 });
        Self { shared: Arc::new(Shared { model, start: Instant::now(), recorded }) }
    }

    /// Records that a client begins an operation; `client` is its number or name.
    ///
    /// # Dropping
    ///
    /// Dropping the [`Call`] leaves the outcome unknown, as a timeout, a crash or an abort does: the operation may take
    /// effect at any time from now on, or never.
    #[must_use = "a call that is dropped has no known result"]
    pub fn invoke(&self, client: impl fmt::Display, op: M::Op) -> Call<M> {
        self.begin(client.to_string(), op)
    }

    fn begin(&self, client: String, op: M::Op) -> Call<M> {
        let traced = called(&client, || self.shared.model.describe(&op, None));
        let time = self.shared.time();
        let mut recorded = lock(&self.shared.recorded);
        let began = recorded.next(time);
        let operation = Arc::new(Operation { client, op, began, end: OnceLock::new(), traced });
        recorded.operations.push(operation.clone());
        Call { shared: self.shared.clone(), operation }
    }

    /// Returns the number of operations so far.
    pub fn len(&self) -> usize {
        lock(&self.shared.recorded).operations.len()
    }

    /// Returns whether there was no operation yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that the operations so far are linearizable.
    ///
    /// The search takes [`LIMIT`](Self::LIMIT) steps at most, and half of that to find out which operations matter.
    ///
    /// # Errors
    ///
    /// If no order explains the results. The text has operations that contradict each other: whichever
    /// others took effect, and when, these cannot all be right. Within the limit, none is among them without need. Then come the longest order that fits, and the
    /// operations of which one would have to be next. In a simulation these are marked in the log.
    ///
    /// If the limit is reached, the answer is unknown.
    pub fn check(&self) -> Result<(), CheckError> {
        self.check_within(Self::LIMIT)
    }

    /// Checks as [`check`](Self::check) does, with a limit of its own. A step tries one operation in one place.
    ///
    /// # Errors
    ///
    /// As those of `check`.
    pub fn check_within(&self, steps: u64) -> Result<(), CheckError> {
        let operations: Vec<_> = {
            let recorded = lock(&self.shared.recorded);
            let had_effect = |it: &&Arc<_>| !matches!(Operation::<M>::end(it), Some(End::HadNoEffect));
            recorded.operations.iter().filter(had_effect).cloned().collect()
        };
        let model = &self.shared.model;
        let mut parts: BTreeMap<Option<String>, Vec<Span>> = BTreeMap::new();
        for (index, operation) in operations.iter().enumerate() {
            parts.entry(model.key(&operation.op)).or_default().push(operation.span(index));
        }
        let mut numbered =
            Numbered { model, operations: &operations, states: Vec::new(), numbers: HashMap::new() };
        let initial = numbered.number(model.init());
        let mut left = steps;
        let mut unknown = None;
        for (key, spans) in parts {
            match search(&spans, initial, &mut numbered, &mut left) {
                Answer::Linearizable => {}
                // Another part may still be a contradiction.
                Answer::Unknown => unknown = unknown.or(Some((key, spans.len()))),
                Answer::Contradiction(stuck) => {
                    let core = explain(&spans, initial, &mut numbered, stuck.end, steps / 2);
                    let state = format!("{:?}", numbered.states[stuck.state]);
                    let row = |index: usize| operations[index].row(model);
                    let text = report(key.as_deref(), &spans, &core, &stuck, &state, &row);
                    let traced: Vec<_> =
                        core.iter().filter_map(|index| operations[*index].traced.as_ref()).collect();
                    Traced::contradict(&traced, &text);
                    return Err(CheckError { is_unknown: false, text: text.into() });
                }
            }
        }
        match unknown {
            None => Ok(()),
            Some((key, operations)) => {
                let part = contradiction::on_key(key.as_deref());
                let text = format!(
                    "anyrt: whether the {operations} operations{part} are linearizable is unknown: the search has \
                     reached its limit of {steps} steps. Raise it with `check_within`, or record shorter histories."
                );
                Err(CheckError { is_unknown: true, text: text.into() })
            }
        }
    }
}

impl<M: Model> Shared<M> {
    fn time(&self) -> Duration {
        virtual_time().unwrap_or_else(|| self.start.elapsed())
    }
}

impl<M: Model> Recorded<M> {
    fn next(&mut self, time: Duration) -> Moment {
        let position = self.moments;
        self.moments += 1;
        Moment { position, time }
    }
}

impl<M: Model> Operation<M> {
    fn end(&self) -> Option<&End<M::Output>> {
        self.end.get()
    }

    fn returned(&self) -> Option<(Moment, &M::Output)> {
        match self.end() {
            Some(End::Returned(moment, output)) => Some((*moment, output)),
            Some(End::HadNoEffect) | None => None,
        }
    }

    fn span(&self, operation: usize) -> Span {
        let ended = self.returned().map(|(moment, _)| moment.position);
        Span { operation, began: self.began.position, ended, is_known: ended.is_some() }
    }

    fn row(&self, model: &M) -> Row<'_> {
        let (ended, output) = self.returned().unzip();
        Row { client: &self.client, text: model.describe(&self.op, output), began: self.began, ended }
    }
}

/// A model, with numbers for its states.
struct Numbered<'a, M: Model> {
    model: &'a M,
    operations: &'a [Arc<Operation<M>>],
    states: Vec<M::State>,
    numbers: HashMap<M::State, usize>,
}

impl<M: Model> Numbered<'_, M> {
    fn number(&mut self, state: M::State) -> usize {
        match self.numbers.get(&state) {
            Some(number) => *number,
            None => {
                let number = self.states.len();
                self.states.push(state.clone());
                self.numbers.insert(state, number);
                number
            }
        }
    }
}

impl<M: Model> Steps for Numbered<'_, M> {
    fn step(&mut self, state: usize, operation: usize, is_known: bool) -> Option<usize> {
        let operation = &self.operations[operation];
        let output = operation.returned().map(|(_, output)| output).filter(|_| is_known);
        let state = self.model.step(&self.states[state], &operation.op, output)?;
        Some(self.number(state))
    }
}

impl<M: Model> Clone for History<M> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<M: Model> fmt::Debug for History<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("operations", &self.len()).finish_non_exhaustive()
    }
}

/// An operation that has begun; returned by [`History::invoke`].
///
/// # Dropping
///
/// The operation stays without a result: it may take effect at any time, or never.
pub struct Call<M: Model> {
    shared: Arc<Shared<M>>,
    operation: Arc<Operation<M>>,
}

impl<M: Model> Call<M> {
    /// Records that the operation has returned.
    pub fn returned(self, output: M::Output) {
        self.trace(|| self.shared.model.describe(&self.operation.op, Some(&output)));
        let time = self.shared.time();
        let mut recorded = lock(&self.shared.recorded);
        let moment = recorded.next(time);
        // It is set once: this consumes the call.
        let _ = self.operation.end.set(End::Returned(moment, output));
    }

    /// Records that the operation has had no effect, and never will: for example because no connection was opened.
    ///
    /// An operation whose fate is unknown, such as one that timed out, must not be told so: drop the call then.
    pub fn had_no_effect(self) {
        self.trace(|| format!("{}, without effect", self.shared.model.describe(&self.operation.op, None)));
        let _ = self.operation.end.set(End::HadNoEffect);
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if let Some(traced) = &self.operation.traced {
            traced.returned(&self.operation.client, text);
        }
    }
}

impl<M: Model> fmt::Debug for Call<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { client, op, .. } = &*self.operation;
        f.debug_struct("Call").field("client", client).field("op", op).finish_non_exhaustive()
    }
}

/// Why a history is not known to be linearizable; returned by [`History::check`].
///
/// Its `Debug` is its text, so that a failed `unwrap` is readable.
#[derive(Clone)]
pub struct CheckError {
    is_unknown: bool,
    text: Box<str>,
}

impl CheckError {
    /// Returns whether the search has reached its limit, so that the answer is unknown.
    pub fn is_unknown(&self) -> bool {
        self.is_unknown
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CheckError {}
