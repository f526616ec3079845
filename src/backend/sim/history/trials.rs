//! Random histories, checked by trying all orders as well.

use std::fmt::Write;
use std::sync::Arc;

use fastrand::Rng;

use super::contradiction::explain;
use super::search::{Answer, Span, search, search_by};
use super::*;

/// Whether there is an order, by trying all: nothing is remembered, and nothing left out.
fn any_order<M: Model>(
    operations: &[Arc<Operation<M>>],
    spans: &[Span],
    model: &M,
    state: &M::State,
) -> bool {
    let Some(first_end) = spans.iter().filter_map(|span| span.ended).min() else { return true };
    spans.iter().enumerate().any(|(at, span)| {
        let operation = &operations[span.operation];
        let output = operation.returned().map(|(_, output)| output).filter(|_| span.is_known);
        let others = || [&spans[..at], &spans[at + 1..]].concat();
        span.began <= first_end
            && model
                .step(state, &operation.op, output)
                .is_some_and(|state| any_order(operations, &others(), model, &state))
    })
}

fn numbered<'a, M: Model>(model: &'a M, operations: &'a [Arc<Operation<M>>]) -> (Numbered<'a, M>, usize) {
    let mut numbered = Numbered { model, operations, states: Vec::new(), numbers: HashMap::new() };
    let initial = numbered.number(model.init());
    (numbered, initial)
}

/// Counts of the histories: linearizable, and not.
#[derive(Debug, Default)]
struct Counts([u32; 2]);

/// Compares both checkers on one history, and looks whether its contradiction is one, and has nothing to spare.
fn compare<M: Model>(history: &History<M>, counts: &mut Counts) {
    let operations = lock(&history.shared.recorded).operations.clone();
    let model = &history.shared.model;
    let spans: Vec<_> = operations.iter().enumerate().map(|(at, it)| it.span(at)).collect();
    let said = || {
        spans.iter().fold(String::new(), |mut text, span| {
            let Row { client, text: op, .. } = operations[span.operation].row(model);
            let _ = writeln!(text, "{client} {op} {} {:?}", span.began, span.ended);
            text
        })
    };
    let is_right = |spans: &[Span]| any_order(&operations, spans, model, &model.init());
    let is_linearizable = is_right(&spans);
    counts.0[usize::from(!is_linearizable)] += 1;
    let (mut numbered, initial) = numbered(model, &operations);
    for levels in [false, true] {
        let answer = search_by(levels, &spans, initial, &mut numbered, &mut 1_000_000);
        assert_eq!(matches!(answer, Answer::Linearizable), is_linearizable, "levels: {levels}\n{}", said());
        assert!(!matches!(answer, Answer::Unknown), "{}", said());
    }
    match search(&spans, initial, &mut numbered, &mut 1_000_000) {
        Answer::Unknown => panic!("unknown:\n{}", said()),
        Answer::Linearizable => assert!(is_linearizable, "\n{}", said()),
        Answer::Contradiction(stuck) => {
            assert!(!is_linearizable, "\n{}", said());
            let up_to = |end: usize| -> Vec<Span> {
                let begun = spans.iter().filter(|span| span.began < end);
                begun.map(|it| Span { ended: it.ended.filter(|ended| *ended <= end), ..*it }).collect()
            };
            assert!(is_right(&up_to(stuck.end - 1)), "before its end\n{}", said());
            assert!(!is_right(&up_to(stuck.end)), "at its end\n{}", said());
            assert!(stuck.next.iter().any(|next| spans[*next].ended == Some(stuck.end)), "\n{}", said());
            let core = explain(&spans, initial, &mut numbered, stuck.end, 1_000_000);
            let with = |core: &[usize]| {
                let forgotten = |it: Span| Span { ended: None, is_known: false, ..it };
                let all = up_to(stuck.end).into_iter();
                let all = all.map(|it| if core.contains(&it.operation) { it } else { forgotten(it) });
                is_right(&all.collect::<Vec<_>>())
            };
            assert!(!with(&core), "{core:?} is no contradiction\n{}", said());
            for spared in &core {
                let fewer: Vec<_> = core.iter().copied().filter(|it| it != spared).collect();
                assert!(with(&fewer), "{core:?} needs no {spared}\n{}", said());
            }
        }
    }
    let whole = history.check();
    assert_eq!(whole.is_ok(), is_linearizable, "{whole:?}\n{}", said());
}

/// A history of a few clients. Most results are right at some moment of their operation, so that about half of the
/// histories are.
fn random<M: Model>(
    random: &mut Rng,
    model: M,
    op: fn(&mut Rng, usize) -> M::Op,
    output: fn(&mut Rng, &M::Op) -> M::Output,
) -> History<M> {
    let history = History::new(model);
    let mut clients: Vec<Option<Call<M>>> = (0..random.usize(2..5)).map(|_| None).collect();
    // The outputs are those of a state that goes along, with few exceptions.
    let mut state = history.shared.model.init();
    let lost = random.u32(1..5);
    for _ in 0..random.usize(4..15) {
        let client = random.usize(..clients.len());
        let Some(call) = clients[client].take() else {
            clients[client] = Some(history.invoke(client, op(random, client)));
            continue;
        };
        match random.u32(..8) {
            some if some < lost => drop(call),
            5 => call.had_no_effect(),
            6 => {
                let output = output(random, &call.operation.op);
                call.returned(output);
            }
            _ => {
                let (model, op) = (&history.shared.model, &call.operation.op);
                let tried = (0..20).map(|_| output(random, op));
                let right = tried.into_iter().find_map(|it| Some((model.step(&state, op, Some(&it))?, it)));
                if let Some((after, output)) = right {
                    state = after;
                    call.returned(output);
                }
            }
        }
    }
    history
}

fn trials<M: Model>(
    model: fn() -> M,
    op: fn(&mut Rng, usize) -> M::Op,
    output: fn(&mut Rng, &M::Op) -> M::Output,
) {
    let mut counts = Counts::default();
    for seed in 0..4_000 {
        let history = random(&mut Rng::with_seed(seed), model(), op, output);
        // Those without effect are left out by `check`.
        lock(&history.shared.recorded).operations.retain(|it| !matches!(it.end(), Some(End::HadNoEffect)));
        compare(&history, &mut counts);
    }
    assert!(counts.0.iter().all(|count| *count > 300), "{counts:?}");
}

#[test]
fn registers_are_checked_as_by_trying_all_orders() {
    let op = |random: &mut Rng, _| match random.u32(..4) {
        0 => RegisterOp::Read,
        1 => RegisterOp::CompareAndSwap { old: random.u8(..3), new: random.u8(..3) },
        _ => RegisterOp::Write(random.u8(..3)),
    };
    trials(
        || Register::new(0),
        op,
        |random, op| match op {
            RegisterOp::Read => RegisterOutput::Value(random.u8(..3)),
            RegisterOp::Write(_) => RegisterOutput::Written,
            RegisterOp::CompareAndSwap { .. } => RegisterOutput::Swapped(random.bool()),
        },
    );
}

#[test]
fn maps_are_checked_as_by_trying_all_orders() {
    let op = |random: &mut Rng, _| {
        let key = random.bool();
        match random.u32(..5) {
            0 => MapOp::Remove(key),
            1 | 2 => MapOp::Put(key, random.u8(..3)),
            _ => MapOp::Get(key),
        }
    };
    trials(Map::new, op, |random, op| match op {
        MapOp::Get(_) => MapOutput::Value((random.u8(..4)).checked_sub(1)),
        MapOp::Put(..) | MapOp::Remove(_) => MapOutput::Done,
    });
}

#[test]
fn queues_are_checked_as_by_trying_all_orders() {
    let op = |random: &mut Rng, _| if random.bool() { QueueOp::Pop } else { QueueOp::Push(random.u8(..3)) };
    trials(Queue::new, op, |random, op| match op {
        QueueOp::Pop => QueueOutput::Popped(random.u8(..4).checked_sub(1)),
        QueueOp::Push(_) => QueueOutput::Pushed,
    });
}

#[test]
fn locks_are_checked_as_by_trying_all_orders() {
    let op = |random: &mut Rng, owner| {
        if random.bool() { LockOp::Acquire(owner) } else { LockOp::Release(owner) }
    };
    trials(Lock::new, op, |random, _| random.bool());
}
