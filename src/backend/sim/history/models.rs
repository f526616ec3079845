//! Models that are ready.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::marker::PhantomData;

use super::model::Model;

/// A value that is read, written, and compared and swapped.
///
/// # Examples
///
/// ```
/// use anyrt::sim::history::{History, Register, RegisterOp, RegisterOutput};
///
/// let history = History::new(Register::new(0));
/// history.invoke("writer", RegisterOp::Write(1)).returned(RegisterOutput::Written);
/// history.invoke("reader", RegisterOp::Read).returned(RegisterOutput::Value(0));
/// let error = history.check().unwrap_err().to_string();
/// assert!(error.contains("reader  read -> 0"), "{error}");
/// ```
#[derive(Clone, Debug)]
pub struct Register<T> {
    initial: T,
}

/// Operation on a [`Register`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterOp<T> {
    /// Its output is a [`Value`](RegisterOutput::Value).
    Read,
    /// Its output is [`Written`](RegisterOutput::Written).
    Write(T),
    /// Writes `new` if the value is `old`. Its output is [`Swapped`](RegisterOutput::Swapped).
    CompareAndSwap {
        /// The expected value.
        old: T,
        /// The value to write.
        new: T,
    },
}

/// Result of a [`RegisterOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterOutput<T> {
    /// The value that was read.
    Value(T),
    /// The value is written.
    Written,
    /// Whether the value was the expected one, and was replaced.
    Swapped(bool),
}

impl<T> Register<T> {
    /// Creates a register with its first value.
    pub fn new(initial: T) -> Self {
        Self { initial }
    }
}

impl<T: Clone + Debug + Eq + Hash> Model for Register<T> {
    type State = T;
    type Op = RegisterOp<T>;
    type Output = RegisterOutput<T>;

    fn init(&self) -> T {
        self.initial.clone()
    }

    fn step(&self, state: &T, op: &RegisterOp<T>, output: Option<&RegisterOutput<T>>) -> Option<T> {
        match (op, output) {
            (RegisterOp::Read, None) => Some(state.clone()),
            (RegisterOp::Read, Some(RegisterOutput::Value(value))) => (value == state).then(|| state.clone()),
            (RegisterOp::Write(value), None | Some(RegisterOutput::Written)) => Some(value.clone()),
            (RegisterOp::CompareAndSwap { old, new }, None | Some(RegisterOutput::Swapped(_))) => {
                let swaps = old == state;
                let is_right = output.is_none_or(|output| *output == RegisterOutput::Swapped(swaps));
                is_right.then(|| if swaps { new.clone() } else { state.clone() })
            }
            _ => None,
        }
    }

    fn describe(&self, op: &RegisterOp<T>, output: Option<&RegisterOutput<T>>) -> String {
        let op = match op {
            RegisterOp::Read => "read".to_owned(),
            RegisterOp::Write(value) => format!("write({value:?})"),
            RegisterOp::CompareAndSwap { old, new } => format!("compare and swap({old:?}, {new:?})"),
        };
        match output {
            None => op,
            Some(RegisterOutput::Value(value)) => format!("{op} -> {value:?}"),
            Some(RegisterOutput::Written) => done(&op),
            Some(RegisterOutput::Swapped(swapped)) => format!("{op} -> {swapped}"),
        }
    }
}

/// Keys with values. Each key is checked alone.
///
/// Keys that are equal must have the same `Debug`.
///
/// # Examples
///
/// ```
/// use anyrt::sim::history::{History, Map, MapOp, MapOutput};
///
/// let history = History::new(Map::new());
/// // Nobody knows whether it took effect: both of the reads below are right.
/// drop(history.invoke(1, MapOp::Put("x", 5)));
/// history.invoke(2, MapOp::Get("x")).returned(MapOutput::Value(None));
/// history.invoke(2, MapOp::Get("x")).returned(MapOutput::Value(Some(5)));
/// history.check()?;
/// # Ok::<(), anyrt::sim::history::CheckError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Map<K, V> {
    of: PhantomData<fn() -> (K, V)>,
}

/// Operation on a [`Map`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MapOp<K, V> {
    /// Its output is a [`Value`](MapOutput::Value).
    Get(K),
    /// Its output is [`Done`](MapOutput::Done).
    Put(K, V),
    /// Its output is [`Done`](MapOutput::Done), whether or not there was a value.
    Remove(K),
}

/// Result of a [`MapOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MapOutput<V> {
    /// The value of the key, if it has one.
    Value(Option<V>),
    /// It is done.
    Done,
}

impl<K, V> Map<K, V> {
    /// Creates a map without values.
    pub fn new() -> Self {
        Self { of: PhantomData }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Clone + Debug + Hash + Ord, V: Clone + Debug + Eq + Hash> Model for Map<K, V> {
    // Of all keys, so that it is right whatever `key` returns.
    type State = BTreeMap<K, V>;
    type Op = MapOp<K, V>;
    type Output = MapOutput<V>;

    fn init(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        op: &MapOp<K, V>,
        output: Option<&MapOutput<V>>,
    ) -> Option<Self::State> {
        let mut state = state.clone();
        match (op, output) {
            (MapOp::Get(_), None) => {}
            (MapOp::Get(key), Some(MapOutput::Value(value))) if state.get(key) == value.as_ref() => {}
            (MapOp::Put(key, value), None | Some(MapOutput::Done)) => {
                state.insert(key.clone(), value.clone());
            }
            (MapOp::Remove(key), None | Some(MapOutput::Done)) => {
                state.remove(key);
            }
            _ => return None,
        }
        Some(state)
    }

    fn key(&self, op: &MapOp<K, V>) -> Option<String> {
        let (MapOp::Get(key) | MapOp::Put(key, _) | MapOp::Remove(key)) = op;
        Some(format!("{key:?}"))
    }

    fn describe(&self, op: &MapOp<K, V>, output: Option<&MapOutput<V>>) -> String {
        let op = match op {
            MapOp::Get(key) => format!("get({key:?})"),
            MapOp::Put(key, value) => format!("put({key:?}, {value:?})"),
            MapOp::Remove(key) => format!("remove({key:?})"),
        };
        match output {
            None => op,
            Some(MapOutput::Value(Some(value))) => format!("{op} -> {value:?}"),
            Some(MapOutput::Value(None)) => format!("{op} -> none"),
            Some(MapOutput::Done) => done(&op),
        }
    }
}

/// A queue: what was pushed first is popped first.
///
/// # Examples
///
/// ```
/// use anyrt::sim::history::{History, Queue, QueueOp, QueueOutput};
///
/// let history = History::new(Queue::new());
/// history.invoke("producer", QueueOp::Push("job")).returned(QueueOutput::Pushed);
/// let (one, other) = (history.invoke("one", QueueOp::Pop), history.invoke("other", QueueOp::Pop));
/// one.returned(QueueOutput::Popped(Some("job")));
/// other.returned(QueueOutput::Popped(Some("job")));
/// assert!(history.check().is_err(), "a job is popped once");
/// ```
#[derive(Clone, Debug)]
pub struct Queue<T> {
    of: PhantomData<fn() -> T>,
}

/// Operation on a [`Queue`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueOp<T> {
    /// Its output is [`Pushed`](QueueOutput::Pushed).
    Push(T),
    /// Its output is [`Popped`](QueueOutput::Popped).
    Pop,
}

/// Result of a [`QueueOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueOutput<T> {
    /// The value is in the queue.
    Pushed,
    /// The first value, or `None` if the queue is empty.
    Popped(Option<T>),
}

impl<T> Queue<T> {
    /// Creates an empty queue.
    pub fn new() -> Self {
        Self { of: PhantomData }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Debug + Eq + Hash> Model for Queue<T> {
    type State = VecDeque<T>;
    type Op = QueueOp<T>;
    type Output = QueueOutput<T>;

    fn init(&self) -> VecDeque<T> {
        VecDeque::new()
    }

    fn step(
        &self,
        state: &VecDeque<T>,
        op: &QueueOp<T>,
        output: Option<&QueueOutput<T>>,
    ) -> Option<VecDeque<T>> {
        match (op, output) {
            (QueueOp::Push(value), None | Some(QueueOutput::Pushed)) => {
                let mut state = state.clone();
                state.push_back(value.clone());
                Some(state)
            }
            (QueueOp::Pop, Some(QueueOutput::Popped(value))) if value.as_ref() != state.front() => None,
            (QueueOp::Pop, None | Some(QueueOutput::Popped(_))) => {
                let mut state = state.clone();
                state.pop_front();
                Some(state)
            }
            _ => None,
        }
    }

    fn describe(&self, op: &QueueOp<T>, output: Option<&QueueOutput<T>>) -> String {
        let op = match op {
            QueueOp::Push(value) => format!("push({value:?})"),
            QueueOp::Pop => "pop".to_owned(),
        };
        match output {
            None => op,
            Some(QueueOutput::Pushed) => done(&op),
            Some(QueueOutput::Popped(Some(value))) => format!("{op} -> {value:?}"),
            Some(QueueOutput::Popped(None)) => format!("{op} -> none"),
        }
    }
}

/// A lock, which one owner holds at a time. It is not reentrant.
///
/// The output is whether the operation succeeded: an `Acquire` may return `false` only while somebody holds the lock, and
/// a `Release` only while its owner does not.
///
/// # Examples
///
/// ```
/// use anyrt::sim::history::{History, Lock, LockOp};
///
/// let history = History::new(Lock::new());
/// history.invoke("a", LockOp::Acquire("a")).returned(true);
/// history.invoke("b", LockOp::Acquire("b")).returned(false);
/// // Until it returns, others may acquire the lock, or not.
/// let release = history.invoke("a", LockOp::Release("a"));
/// history.invoke("b", LockOp::Acquire("b")).returned(true);
/// release.returned(true);
/// history.check()?;
/// # Ok::<(), anyrt::sim::history::CheckError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lock<O> {
    of: PhantomData<fn() -> O>,
}

/// Operation on a [`Lock`], by an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockOp<O> {
    /// Takes the lock.
    Acquire(O),
    /// Gives it back.
    Release(O),
}

impl<O> Lock<O> {
    /// Creates a lock that nobody holds.
    pub fn new() -> Self {
        Self { of: PhantomData }
    }
}

impl<O> Default for Lock<O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O: Clone + Debug + Eq + Hash> Model for Lock<O> {
    // Who holds it.
    type State = Option<O>;
    type Op = LockOp<O>;
    type Output = bool;

    fn init(&self) -> Option<O> {
        None
    }

    fn step(&self, state: &Option<O>, op: &LockOp<O>, output: Option<&bool>) -> Option<Option<O>> {
        let (succeeds, after) = match op {
            LockOp::Acquire(owner) => (state.is_none(), Some(owner.clone())),
            LockOp::Release(owner) => (state.as_ref() == Some(owner), None),
        };
        let is_right = output.is_none_or(|output| *output == succeeds);
        is_right.then(|| if succeeds { after } else { state.clone() })
    }

    fn describe(&self, op: &LockOp<O>, output: Option<&bool>) -> String {
        let op = match op {
            LockOp::Acquire(owner) => format!("acquire({owner:?})"),
            LockOp::Release(owner) => format!("release({owner:?})"),
        };
        output.map_or(op.clone(), |output| format!("{op} -> {output}"))
    }
}

fn done(op: &dyn Display) -> String {
    format!("{op} -> ok")
}
