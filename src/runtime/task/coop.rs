//! The cooperative budget of the runtimes that have none of their own.
//!
//! A socket that always has data never returns `Pending`, so the task that reads it never gives its timeout a
//! turn. tokio counts 128 operations a poll and then makes one return `Pending`; async-io 2.6 has no such thing.

use std::cell::Cell;
use std::task::{Context, Poll};

use super::native;

/// How many operations in a row may complete before a task has to yield: tokio's number.
const BUDGET: u8 = 128;

/// What is left of the turn of a task.
#[derive(Clone, Copy)]
// One word: it is written at each end of each poll.
#[repr(align(4))]
struct Left {
    operations: u8,
    refusals: u8,
    // How many operations are refused before there is a new budget without a new turn.
    most_refusals: u8,
}

impl Left {
    const fn whole(most_refusals: u8) -> Self {
        Self { operations: BUDGET, refusals: most_refusals, most_refusals }
    }

    const fn is_of_unknown_turn(self) -> bool {
        self.most_refusals == UNKNOWN_TURN.most_refusals
    }
}

/// Where nobody says when a turn begins: in a task of tokio, whose own budget counts, and under an executor that anyrt does
/// not know. There a task that polls one socket yields after one refusal; one that polls several may go on with the next.
const UNKNOWN_TURN: Left = Left::whole(1);

/// Every operation is refused until the next turn, so that a task that polls several sockets yields as well. Yet the
/// refusals have an end: a `block_on` of another crate inside a task repeats its operation within one turn.
const TURN: Left = Left::whole(BUDGET);

thread_local! {
    static LEFT: Cell<Left> = const { Cell::new(UNKNOWN_TURN) };
}

/// One poll of a task, until it is dropped.
pub(crate) struct Turn(());

impl Turn {
    #[inline]
    pub(crate) fn begin() -> Self {
        LEFT.set(TURN);
        Self(())
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        LEFT.set(UNKNOWN_TURN);
    }
}

/// The budget of the turn around the turns of others, which has its rest again when this is dropped.
pub(crate) struct Around(Left);

impl Around {
    pub(crate) fn begin() -> Self {
        Self(LEFT.get())
    }
}

impl Drop for Around {
    fn drop(&mut self) {
        LEFT.set(self.0);
    }
}

/// Counts one operation against the cooperative budget of the task. Ready while budget is left; otherwise pending, and
/// the task is woken at once.
///
/// Where the start of a task's turn is unknown, as on a plain thread, one operation in 129 is pending once.
///
/// For a backend whose executor has no budget of its own: its [`Sleep`](crate::runtime::Sleep) polls this when it is
/// due at its first poll, so that a loop of such sleeps lets other tasks run. The sockets in [`socket`](crate::socket)
/// count their operations themselves.
///
/// # Examples
///
/// ```
/// use std::{future::Future, pin::Pin, task::{Context, Poll}, time::Instant};
///
/// use anyrt::runtime::poll_budget;
///
/// struct Sleep {
///     deadline: Instant,
///     is_new: bool,
/// }
///
/// impl Future for Sleep {
///     type Output = ();
///
///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
///         if Instant::now() < self.deadline {
///             // Here it tells its clock to wake the task.
///             self.is_new = false;
///             return Poll::Pending;
///         }
///         // Pending at most once: nothing hides a deadline.
///         if std::mem::take(&mut self.is_new) { poll_budget(cx) } else { Poll::Ready(()) }
///     }
/// }
/// ```
pub fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    poll(cx, |_| Poll::Ready(()))
}

/// Polls `operation`, or wakes the task and gives its turn away when the budget is spent.
#[inline]
pub(crate) fn poll<T>(cx: &mut Context<'_>, operation: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let left = LEFT.get();
    let may_go_on = left.operations > 0 && !left.is_of_unknown_turn();
    if !may_go_on && is_refused(cx, left) {
        return Poll::Pending;
    }
    let result = operation(cx);
    if result.is_ready() {
        if may_go_on {
            LEFT.set(Left { operations: left.operations - 1, ..left });
        } else {
            spend();
        }
    }
    result
}

/// [`poll`], of an operation with operations in it that count as well.
pub(crate) fn poll_around<T>(
    cx: &mut Context<'_>,
    operations: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let before = LEFT.get();
    let may_go_on = before.operations > 0 && !before.is_of_unknown_turn();
    if !may_go_on && is_refused(cx, before) {
        return Poll::Pending;
    }
    let result = operations(cx);
    if result.is_ready() {
        if may_go_on {
            let left = LEFT.get();
            LEFT.set(Left { operations: left.operations.saturating_sub(1), ..left });
        } else {
            spend();
        }
    }
    result
}

/// Whether the budget is spent: then the task is woken.
#[inline(never)]
fn is_refused(cx: &mut Context<'_>, left: Left) -> bool {
    if left.is_of_unknown_turn() && native::task().is_some() {
        return native::poll_budget(cx).is_pending();
    }
    if left.operations > 0 {
        return false;
    }
    let refusals = left.refusals - 1;
    LEFT.set(if refusals == 0 { Left::whole(left.most_refusals) } else { Left { refusals, ..left } });
    cx.waker().wake_by_ref();
    true
}

/// One operation less is left, where it is not known when the turn has begun.
#[inline(never)]
fn spend() {
    if native::task().is_some() {
        return native::spend_budget();
    }
    let left = LEFT.get();
    LEFT.set(Left { operations: left.operations.saturating_sub(1), ..left });
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// How many operations in a row are done, and how many are refused then.
    fn run() -> (usize, usize) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = || poll(&mut cx, |_| Poll::Ready(())).is_ready();
        let done = (0..).take_while(|_| next()).count();
        // The one that has ended the count was refused as well.
        (done, 1 + (0..).take_while(|_| !next()).count())
    }

    #[test]
    fn spent_budget_refuses_until_the_next_turn() {
        let turn = Turn::begin();
        assert_eq!(run(), (128, 128), "a task that does not yield in one turn gets a new budget in the end");
        drop(turn);
        let _turn = Turn::begin();
        assert_eq!(run().0, 128, "a turn begins with a whole budget");
    }

    #[test]
    fn unknown_turn_refuses_once() {
        drop(Turn::begin());
        assert_eq!(run(), (128, 1));
    }

    #[test]
    fn turns_of_others_leave_the_turn_around_them_its_rest() {
        let _turn = Turn::begin();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(poll(&mut cx, |_| Poll::Ready(())).is_ready());
        }
        let around = Around::begin();
        for _ in 0..3 {
            let _turn = Turn::begin();
            assert_eq!(run().0, 128);
        }
        drop(around);
        assert_eq!(run(), (28, 128));
    }

    #[test]
    fn pending_operation_costs_nothing() {
        let _turn = Turn::begin();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..1_000 {
            assert!(poll(&mut cx, |_| Poll::<()>::Pending).is_pending());
        }
        assert_eq!(run().0, 128);
    }
}
