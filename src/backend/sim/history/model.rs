use std::fmt::Debug;
use std::hash::Hash;

/// How an object behaves when one operation is performed after the other.
///
/// [`Register`](super::Register), [`Map`](super::Map), [`Queue`](super::Queue) and [`Lock`](super::Lock) are ready.
///
/// # Examples
///
/// A counter, whose `Increment` returns the new value:
///
/// ```
/// use anyrt::sim::history::{History, Model};
///
/// #[derive(Debug)]
/// struct Increment;
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u64;
///     type Op = Increment;
///     type Output = u64;
///
///     fn init(&self) -> u64 {
///         0
///     }
///
///     fn step(&self, state: &u64, _: &Increment, output: Option<&u64>) -> Option<u64> {
///         let new = state + 1;
///         output.is_none_or(|output| *output == new).then_some(new)
///     }
/// }
///
/// let history = History::new(Counter);
/// let (one, other) = (history.invoke(1, Increment), history.invoke(2, Increment));
/// one.returned(2);
/// other.returned(1);
/// history.check()?;
///
/// history.invoke(3, Increment).returned(2);
/// assert!(history.check().is_err());
/// # Ok::<(), anyrt::sim::history::CheckError>(())
/// ```
pub trait Model {
    /// The state of the object.
    type State: Clone + Debug + Eq + Hash;
    /// An operation with its arguments.
    type Op: Debug;
    /// The result of an operation.
    type Output: Debug;

    /// Returns the state before the first operation.
    fn init(&self) -> Self::State;

    /// Returns the state after an operation, or `None` if this operation cannot have this result in this state.
    ///
    /// Without an `output` the result is unknown: any is right that the operation can have in this state. The state after
    /// an operation must follow from the state before it, the operation and its result.
    fn step(&self, state: &Self::State, op: &Self::Op, output: Option<&Self::Output>) -> Option<Self::State>;

    /// Returns the part of the object that an operation is about, such as the key of a map, as text.
    ///
    /// Operations on different parts must not affect each other. Each part is checked alone, from the state
    /// [`init`](Self::init) on, which is much faster. The default, `None`, is the whole object.
    fn key(&self, op: &Self::Op) -> Option<String> {
        let _ = op;
        None
    }

    /// Describes an operation, and its result if there is one, for the log and for errors. The default is their `Debug`.
    fn describe(&self, op: &Self::Op, output: Option<&Self::Output>) -> String {
        match output {
            Some(output) => format!("{op:?} -> {output:?}"),
            None => format!("{op:?}"),
        }
    }
}
