//! `select!` and `join!`, with the grammar of tokio's, on every runtime.
#![allow(clippy::unwrap_used)]

use std::future::{pending, ready};
use std::io;
use std::pin::pin;
use std::time::Duration;

use anyrt::time::{Instant, sleep, timeout};
use anyrt::{join, select, spawn, try_join};
use futures::channel::{mpsc, oneshot};
use futures::stream::StreamExt;

const LONG: Duration = Duration::from_secs(60);

#[anyrt::test]
async fn branch_that_is_ready_wins() {
    let text = select! {
        _ = sleep(LONG) => "late".to_owned(),
        (a, mut b) = ready((1, 2)) => {
            b += a;
            format!("{a} {b}")
        }
        () = pending() => unreachable!(),
    };
    assert_eq!(text, "1 3");
}

#[anyrt::test]
async fn biased_polls_in_the_order_that_is_written() {
    for _ in 0..100 {
        let first = select! { biased; _ = ready(()) => 1, _ = ready(()) => 2, };
        assert_eq!(first, 1);
    }
}

#[anyrt::test]
async fn every_branch_is_first_now_and_then() {
    let mut seen = [0; 3];
    while seen.contains(&0) {
        seen[select! { _ = ready(()) => 0, _ = ready(()) => 1, _ = ready(()) => 2 }] += 1;
    }
}

#[anyrt::test]
async fn condition_that_is_false_disables_a_branch() {
    let open = false;
    let taken = select! {
        _ = ready(()), if open => 1,
        _ = ready(()), if !open => 2,
    };
    assert_eq!(taken, 2);
    let nothing = select! { _ = ready(()), if open => 1, else => 3 };
    assert_eq!(nothing, 3);
}

#[anyrt::test]
async fn output_that_does_not_match_disables_a_branch() {
    let (sender, mut receiver) = mpsc::unbounded::<u8>();
    sender.unbounded_send(1).unwrap();
    drop(sender);
    let mut sum = 0;
    loop {
        select! {
            Some(ref number) = receiver.next() => sum += number,
            Ok::<u8, u8>(_) = ready(Err(7)) => unreachable!(),
            else => break,
        }
    }
    assert_eq!(sum, 1);
}

#[anyrt::test]
async fn handler_may_use_what_a_future_borrowed() -> io::Result<()> {
    let (mut sender, mut receiver) = mpsc::channel::<u8>(1);
    let sent = spawn(async move { sender.try_send(7).unwrap() });
    let mut end = pin!(sleep(LONG));
    for n in 0..2 {
        select! {
            byte = receiver.next() => {
                receiver.close();
                assert_eq!(byte, (n == 0).then_some(7));
                if byte.is_none() {
                    break;
                }
            }
            () = &mut end => return Err(io::ErrorKind::TimedOut.into()),
        }
    }
    sent.await?;
    Ok(())
}

#[anyrt::test]
async fn variables_of_the_caller_are_its_own() {
    let (enabled, output, polled0, branch) = (1, 2, 3, 4);
    let sum = select! {
        cx = ready(enabled + output), if output == 2 => cx + polled0 + branch + enabled + output,
    };
    assert_eq!(sum, 13);
    let (output0, future) = (1, 2);
    assert_eq!(join!(ready(output0 + future), ready(polled0)), (3, 3));
}

/// A loop whose branch is always ready lets its own timeout fire: `ready` does not count for the budget.
#[anyrt::test]
async fn loop_that_is_always_ready_lets_others_run() {
    let other = spawn(async { sleep(Duration::from_millis(5)).await });
    let mut busy = pin!(async {
        loop {
            select! { _ = ready(()) => {}, _ = ready(()) => {} }
        }
    });
    select! { _ = &mut busy => {}, done = other => done.unwrap() }
    assert!(timeout(Duration::from_millis(5), busy).await.is_err());
}

#[anyrt::test]
#[should_panic(expected = "all branches are disabled and there is no else branch")]
async fn no_branch_left_is_a_panic() {
    select! { None::<u8> = ready(Some(1)) => {} }
}

#[anyrt::test]
async fn join_gives_all_outputs() {
    assert_eq!(join!(ready(1), async { "two" }, ready(3.0),), (1, "two", 3.0));
    assert_eq!(join!(biased; ready(1)), (1,));
    let start = Instant::now();
    join!(sleep(Duration::from_millis(20)), sleep(Duration::from_millis(10)));
    assert!(start.elapsed() >= Duration::from_millis(20));
}

/// The second future waits for a lock that the first one holds.
#[anyrt::test]
async fn join_drops_a_future_where_it_is_ready() {
    struct Holds(#[allow(dead_code, reason = "it is held")] oneshot::Sender<()>);
    impl Future for Holds {
        type Output = ();

        fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
            std::task::Poll::Ready(())
        }
    }

    let (sender, receiver) = oneshot::channel::<()>();
    let ((), gone) = join!(Holds(sender), receiver);
    assert!(gone.is_err());
}

#[anyrt::test]
async fn try_join_ends_with_the_first_error() {
    let both: Result<(u8, &str), u8> = try_join!(ready(Ok(1)), async { Ok("two") });
    assert_eq!(both, Ok((1, "two")));
    let error: Result<((), u8), u8> = try_join!(pending(), ready(Err(7)));
    assert_eq!(error, Err(7));
}

#[cfg(feature = "sim")]
#[test]
fn simulation_chooses_the_same_branches_with_one_seed() {
    use anyrt::{BlockOn, Sim};

    let chosen = |seed| {
        let sim = Sim::builder().seed(seed).build().unwrap();
        sim.block_on(async {
            let mut text = String::new();
            for _ in 0..64 {
                text.push(select! { _ = ready(()) => 'a', _ = ready(()) => 'b' });
            }
            text
        })
    };
    assert_eq!(chosen(1), chosen(1));
    assert_ne!(chosen(1), chosen(2));
}

/// A pattern may bind by mutable reference, as in a large `match` on a tuple.
#[anyrt::test]
async fn pattern_binds_by_mutable_reference() {
    let sum = select! {
        (ref mut a, b) = ready((1, 2)) => {
            *a += b;
            *a
        }
    };
    assert_eq!(sum, 3);
}

#[anyrt::test]
async fn constants_of_the_caller_are_no_patterns_of_the_macro() {
    #![allow(non_upper_case_globals, dead_code)]
    const turn: u8 = 1;
    const ready: u8 = 2;
    const value: u8 = 3;
    const is_pending: u8 = 4;
    const cx: u8 = 5;
    let output = select! { output = std::future::ready(turn + cx) => output };
    let (one, two) = join!(std::future::ready(output), std::future::ready(value));
    assert_eq!((one, two), (6, 3));
    let both: Result<_, ()> = try_join!(std::future::ready(Ok(value)));
    assert_eq!(both, Ok((3,)));
}

/// A pending future is not polled without a wake, however many there are in one task.
#[anyrt::test]
async fn many_that_wait_are_polled_once() {
    let mut waiting: Vec<_> = (0..300)
        .map(|_| {
            Box::pin(async {
                select! { () = pending() => {}, () = pending() => {} }
            })
        })
        .collect();
    let mut polls = 0;
    let all = std::future::poll_fn(|cx| {
        polls += 1;
        for one in &mut waiting {
            assert!(one.as_mut().poll(cx).is_pending());
        }
        std::task::Poll::<()>::Pending
    });
    assert!(timeout(Duration::from_millis(20), all).await.is_err());
    // One poll at the beginning, and one when the time is up.
    assert!(polls <= 2, "{polls}");
}

#[anyrt::test]
async fn join_of_nothing_is_nothing() {
    join!();
    let nothing: Result<(), ()> = try_join!();
    assert_eq!(nothing, Ok(()));
}
