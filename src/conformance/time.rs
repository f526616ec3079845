//! Clocks and timers.

use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::{Either, join_all, select};

use super::support::{Boxed as _, LONG, bell, canary, counted, message, ms, poll_once, poll_with};
use crate::runtime::{Runtime, Sleep};
use crate::time::MissedTickBehavior;

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn now_never_goes_back<R: Runtime>(rt: R) {
    let mut last = rt.now();
    for _ in 0..100 {
        let now = rt.now();
        assert!(now >= last);
        last = now;
    }
    rt.sleep(ms(5)).await;
    assert!(rt.now() >= last + ms(5));
}

pub(super) async fn system_time_goes_on<R: Runtime>(rt: R) {
    let before = rt.system_time();
    assert!(before > SystemTime::UNIX_EPOCH);
    let start = rt.now();
    // A clock that is set back meanwhile gets there later.
    while rt.system_time() < before + ms(20) {
        assert!(rt.now() - start < LONG, "it stands still");
        rt.sleep(ms(5)).await;
    }
}

pub(super) async fn sleep_is_never_early<R: Runtime>(rt: R) {
    let durations = [1, 50, 500, 999, 1_000, 1_500, 3_000, 10_000].map(Duration::from_micros);
    for duration in durations.repeat(5) {
        let start = rt.now();
        rt.sleep(duration).await;
        assert!(rt.now() - start >= duration, "{duration:?}");
    }
}

pub(super) async fn sleep_that_is_due_is_ready_at_its_first_poll<R: Runtime>(rt: R) {
    let past = rt.now();
    assert!(poll_once(&mut pin!(rt.sleep(Duration::ZERO))).is_ready());
    assert!(poll_once(&mut pin!(rt.sleep_until(past))).is_ready());
    rt.sleep(ms(20)).await;
    let mut sleep = pin!(rt.sleep_until(past));
    assert!(!sleep.is_elapsed(), "it has not been polled");
    assert!(poll_once(&mut sleep).is_ready());
    assert!(sleep.is_elapsed());
    let mut kept = pin!(rt.sleep(HOUR));
    assert!(poll_once(&mut kept).is_pending());
    kept.as_mut().reset(past);
    assert!(poll_once(&mut kept).is_ready(), "after a reset to the past");
    assert!(poll_once(&mut pin!(rt.timeout_at(past, pending::<()>()))).is_ready());
}

pub(super) async fn sleep_that_becomes_due_is_ready_at_its_next_poll<R: Runtime>(rt: R) {
    // Between two milliseconds, in which timers of tokio count.
    let deadline = rt.now() + Duration::from_micros(1_200);
    let (mut new, mut waiting) = (pin!(rt.sleep_until(deadline)), pin!(rt.sleep_until(deadline)));
    let was_pending = poll_once(&mut waiting).is_pending();
    while rt.now() < deadline {
        rt.yield_now().await;
    }
    assert!(poll_once(&mut new).is_ready());
    assert!(!was_pending || poll_once(&mut waiting).is_ready());
}

pub(super) async fn first_operation_of_a_task_finds_its_budget<R: Runtime>(rt: R) {
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let there = rt.clone();
            rt.spawn_boxed(async move { poll_once(&mut pin!(there.sleep(Duration::ZERO))).is_ready() })
        })
        .collect();
    assert!(join_all(tasks).await.into_iter().all(Result::unwrap), "others have spent it");
}

pub(super) async fn budget_of_a_block_on_is_not_that_of_a_task<R: Runtime>(rt: R) {
    while poll_once(&mut pin!(rt.sleep(Duration::ZERO))).is_ready() {}
    let there = rt.clone();
    let task = rt.spawn_boxed(async move { poll_once(&mut pin!(there.sleep(Duration::ZERO))).is_ready() });
    assert!(task.await.unwrap(), "the one who waits for it has spent it");
}

pub(super) async fn deadline_made_anew_in_each_turn_fires<R: Runtime>(rt: R) {
    let there = rt.clone();
    let turns = rt.spawn_boxed(async move {
        let deadline = there.now() + ms(20);
        for turns in 0_u64.. {
            // Time passes, on a clock of whatever kind.
            if turns % 16 == 0 {
                there.yield_now().await;
            }
            let sleep = pin!(there.sleep_until(deadline));
            if let Either::Left(_) = select(sleep, ready(())).await {
                break;
            }
            assert!(there.now() < deadline + LONG, "it was passed over in {turns} turns");
        }
    });
    turns.await.unwrap();
}

pub(super) async fn loop_of_due_sleeps_lets_others_run<R: Runtime>(rt: R) {
    let there = rt.clone();
    rt.spawn_boxed(async move {
        let ran = Arc::new(AtomicBool::new(false));
        let flag = ran.clone();
        drop(there.spawn_boxed(async move { flag.store(true, Ordering::SeqCst) }));
        while !ran.load(Ordering::SeqCst) {
            there.sleep(Duration::ZERO).await;
        }
    })
    .await
    .unwrap();
}

pub(super) async fn several_busy_futures_let_others_run<R: Runtime>(rt: R) {
    let there = rt.clone();
    rt.spawn_boxed(async move {
        let ran = Arc::new(AtomicBool::new(false));
        let flag = ran.clone();
        drop(there.spawn_boxed(async move { flag.store(true, Ordering::SeqCst) }));
        while !ran.load(Ordering::SeqCst) {
            // When one of them has spent the budget, the other does not go on without.
            let (one, other) = (there.sleep(Duration::ZERO), there.sleep(Duration::ZERO));
            select(pin!(one), pin!(other)).await;
        }
    })
    .await
    .unwrap();
}

/// The last instant that the clock can say.
fn end_of_the_clock(now: Instant) -> Instant {
    let mut end = now;
    for step in (0..64)
        .rev()
        .map(|power| Duration::from_secs(1 << power))
        .chain((0..30).rev().map(|power| Duration::from_nanos(1 << power)))
    {
        end = end.checked_add(step).unwrap_or(end);
    }
    assert!(end.checked_add(Duration::from_nanos(100)).is_none(), "some clocks count by 100 ns");
    end
}

pub(super) async fn sleep_until_the_end_of_the_clock<R: Runtime>(rt: R) {
    let end = end_of_the_clock(rt.now());
    for deadline in [end, end - Duration::from_micros(500), end - ms(1)] {
        let mut sleep = pin!(rt.sleep_until(deadline));
        assert!(poll_once(&mut sleep).is_pending());
        let mut sleep = pin!(rt.sleep(HOUR));
        assert!(poll_once(&mut sleep).is_pending());
        sleep.as_mut().reset(deadline);
        assert!(poll_once(&mut sleep).is_pending());
        assert!(poll_once(&mut pin!(rt.timeout_at(deadline, pending::<()>()))).is_pending());
    }
}

pub(super) async fn interval_at_the_end_of_the_clock<R: Runtime>(rt: R) {
    let end = end_of_the_clock(rt.now());
    let mut interval = rt.interval_at(end, HOUR);
    assert!(poll_once(&mut pin!(interval.tick())).is_pending());
    let mut interval = rt.interval(Duration::MAX);
    assert!(poll_once(&mut pin!(interval.tick())).is_ready());
    assert!(poll_once(&mut pin!(interval.tick())).is_pending());
    interval.reset();
    assert!(poll_once(&mut pin!(interval.tick())).is_pending());
}

pub(super) async fn sleep_max_waits_for_ever<R: Runtime>(rt: R) {
    for duration in [Duration::MAX, Duration::from_secs(u64::MAX / 4), HOUR * 24 * 365 * 20] {
        let mut sleep = pin!(rt.sleep(duration));
        assert!(poll_once(&mut sleep).is_pending());
        assert!(rt.timeout(ms(10), sleep.as_mut()).await.is_err());
        assert!(!sleep.is_elapsed());
    }
}

pub(super) async fn sleep_counts_from_creation<R: Runtime>(rt: R) {
    let sleep = rt.sleep(ms(1_000));
    rt.sleep(ms(1_000)).await;
    let start = rt.now();
    sleep.await;
    assert!(rt.now() - start < ms(800), "it waited once more");
}

pub(super) fn sleep_can_be_created_on_a_plain_thread<R: Runtime>(rt: R) {
    let start = rt.now();
    let sleep = rt.sleep(ms(10));
    let timeout = rt.timeout(LONG, ready(7));
    rt.block_on(async {
        sleep.await;
        assert!(rt.now() - start >= ms(10));
        assert_eq!(timeout.await, Ok(7));
    });
}

pub(super) async fn sleep_can_be_awaited_on_a_plain_thread<R: Runtime>(rt: R) {
    let start = rt.now();
    let sleep = rt.sleep(ms(20));
    let (done, finished) = oneshot::channel();
    thread::spawn(move || {
        futures::executor::block_on(sleep);
        done.send(())
    });
    finished.await.unwrap();
    assert!(rt.now() - start >= ms(20));
}

pub(super) async fn sleep_can_be_dropped_pending<R: Runtime>(rt: R) {
    let mut sleeps: Vec<_> = (0..1_000).map(|n| Box::pin(rt.sleep(LONG + ms(n)))).collect();
    for sleep in &mut sleeps {
        assert!(poll_once(sleep).is_pending());
    }
    drop(sleeps);
    rt.sleep(ms(5)).await;
}

pub(super) async fn sleep_is_fused<R: Runtime>(rt: R) {
    let mut sleep = pin!(rt.sleep(ms(1)));
    sleep.as_mut().await;
    for _ in 0..3 {
        assert!(poll_once(&mut sleep).is_ready());
        assert!(sleep.is_elapsed());
    }
}

pub(super) async fn sleep_wakes_the_last_waker<R: Runtime>(rt: R) {
    let mut sleep = pin!(rt.sleep(ms(20)));
    let (first, _rings) = bell();
    let (last, mut rings) = bell();
    assert!(poll_with(&mut sleep, &first).is_pending());
    assert!(poll_with(&mut sleep, &last).is_pending());
    rings.next().await.unwrap();
    assert!(poll_with(&mut sleep, &last).is_ready());
}

pub(super) async fn sleep_moves_between_tasks<R: Runtime>(rt: R) {
    let mut sleep = Box::pin(rt.sleep(HOUR));
    let pending = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_pending())).await;
    assert!(pending);
    sleep.as_mut().reset(rt.now() + ms(20));
    rt.spawn_boxed(sleep).await.unwrap();
}

pub(super) async fn sleep_knows_its_deadline<R: Runtime>(rt: R) {
    let deadline = rt.now() + HOUR;
    let mut sleep = pin!(rt.sleep_until(deadline));
    // tokio's clock may be a rounding away from ours.
    let near = |a: Instant, b: Instant| a.max(b) - a.min(b) <= ms(1);
    assert!(near(sleep.deadline(), deadline));
    assert!(!sleep.is_elapsed());
    sleep.as_mut().reset(deadline + HOUR);
    assert!(near(sleep.deadline(), deadline + HOUR));
}

pub(super) async fn sleep_reset_before_the_first_poll<R: Runtime>(rt: R) {
    let start = rt.now();
    let mut sleep = pin!(rt.sleep(HOUR));
    sleep.as_mut().reset(start + ms(10));
    sleep.await;
    assert!(rt.now() - start >= ms(10));
}

pub(super) async fn sleep_reset_to_later<R: Runtime>(rt: R) {
    let start = rt.now();
    let mut sleep = pin!(rt.sleep(ms(10)));
    assert!(poll_once(&mut sleep).is_pending());
    sleep.as_mut().reset(start + ms(60));
    sleep.await;
    assert!(rt.now() - start >= ms(60));
}

pub(super) async fn sleep_reset_to_earlier<R: Runtime>(rt: R) {
    let (waker, mut rings) = bell();
    let mut sleep = pin!(rt.sleep(HOUR));
    assert!(poll_with(&mut sleep, &waker).is_pending());
    sleep.as_mut().reset(rt.now() + ms(10));
    // Nobody polls it in between.
    rings.next().await.unwrap();
    sleep.await;
}

pub(super) async fn sleep_reset_after_completion<R: Runtime>(rt: R) {
    let mut sleep = pin!(rt.sleep(ms(1)));
    sleep.as_mut().await;
    let start = rt.now();
    sleep.as_mut().reset(start + ms(20));
    assert!(!sleep.is_elapsed());
    assert!(poll_once(&mut sleep).is_pending());
    sleep.as_mut().await;
    assert!(rt.now() - start >= ms(20));
}

pub(super) async fn sleep_reset_to_the_past<R: Runtime>(rt: R) {
    let past = rt.now();
    rt.sleep(ms(5)).await;
    let (waker, mut rings) = bell();
    let mut sleep = pin!(rt.sleep(HOUR));
    assert!(poll_with(&mut sleep, &waker).is_pending());
    sleep.as_mut().reset(past);
    rings.next().await.unwrap();
    assert!(poll_with(&mut sleep, &waker).is_ready());
}

pub(super) async fn many_sleeps_all_fire<R: Runtime>(rt: R) {
    let tasks = (0..2_000_u64).map(|n| {
        let timer = rt.clone();
        rt.spawn_boxed(async move {
            let duration = Duration::from_micros(n * 7_919 % 100_000);
            let start = timer.now();
            timer.sleep(duration).await;
            timer.now() - start >= duration
        })
    });
    let tasks: Vec<_> = tasks.collect();
    assert!(join_all(tasks).await.into_iter().all(Result::unwrap));
}

pub(super) async fn timeout_of_a_ready_future_is_ok<R: Runtime>(rt: R) {
    assert_eq!(rt.timeout(Duration::ZERO, ready(7)).await, Ok(7));
    assert_eq!(rt.timeout(Duration::MAX, ready(7)).await, Ok(7));
    let mut timeout = pin!(rt.timeout(LONG, ready(7)));
    assert_eq!(poll_once(&mut timeout), Poll::Ready(Ok(7)));
}

/// Pending once, for longer than `blocked`; ready the next time.
fn slow_poll(blocked: Duration) -> impl Future<Output = u32> {
    let mut polled = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(7);
        }
        thread::sleep(blocked);
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

pub(super) async fn timeout_polls_the_future_first<R: Runtime>(rt: R) {
    let mut timeout = pin!(rt.timeout(ms(10), slow_poll(Duration::ZERO)));
    assert!(poll_once(&mut timeout).is_pending());
    // Now both are ready.
    thread::sleep(ms(40));
    assert_eq!(timeout.await, Ok(7));
}

pub(super) async fn timeout_that_is_up_polls_the_future_once<R: Runtime>(rt: R) {
    let (future, polls) = counted(slow_poll(Duration::ZERO));
    assert!(poll_once(&mut pin!(rt.timeout(Duration::ZERO, future))).is_ready());
    assert_eq!(polls.load(Ordering::SeqCst), 1);
}

pub(super) async fn timeout_elapses<R: Runtime>(rt: R) {
    let start = rt.now();
    let elapsed = rt.timeout(ms(20), pending::<()>()).await.unwrap_err();
    assert!(rt.now() - start >= ms(20));
    assert_eq!(elapsed.to_string(), "deadline has elapsed");
    assert_eq!(io::Error::from(elapsed).kind(), io::ErrorKind::TimedOut);
}

pub(super) async fn timeout_drops_the_future<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let future = async move {
        let _canary = canary;
        pending::<()>().await
    };
    assert!(rt.timeout(ms(5), future).await.is_err());
    assert!(watch.is_dropped());
}

pub(super) async fn timeout_max_never_elapses<R: Runtime>(rt: R) {
    // Pending in many polls: one is no proof on a busy machine, where both may be ready by the next.
    let pending = async {
        for _ in 0..10 {
            rt.sleep(ms(2)).await;
        }
    };
    assert_eq!(rt.timeout(Duration::MAX, pending).await, Ok(()));
}

pub(super) async fn timeout_at_a_past_deadline_elapses<R: Runtime>(rt: R) {
    let past = rt.now();
    rt.sleep(ms(5)).await;
    assert!(rt.timeout_at(past, pending::<()>()).await.is_err());
}

pub(super) async fn timeout_at_a_past_deadline_still_takes_a_ready_value<R: Runtime>(rt: R) {
    let past = rt.now();
    rt.sleep(ms(5)).await;
    assert_eq!(rt.timeout_at(past, ready(7)).await, Ok(7));
}

/// Never pending but for the budget, which it spends in each of its polls.
async fn busy<R: Runtime>(rt: &R) {
    loop {
        rt.sleep(Duration::ZERO).await;
    }
}

pub(super) async fn busy_future_hides_no_deadline<R: Runtime>(rt: R) {
    assert!(rt.timeout(Duration::ZERO, busy(&rt)).await.is_err());
    let there = rt.clone();
    let task = rt.spawn_boxed(async move { there.timeout(ms(20), busy(&there)).await });
    assert!(task.await.unwrap().is_err());
}

pub(super) async fn timeout_inside_a_timeout<R: Runtime>(rt: R) {
    let inner = rt.timeout(ms(10), pending::<()>());
    assert!(rt.timeout(LONG, inner).await.expect("the inner one is sooner").is_err());
    let inner = rt.timeout(LONG, pending::<()>());
    assert!(rt.timeout(ms(10), inner).await.is_err());
}

pub(super) async fn timeout_counts_from_creation<R: Runtime>(rt: R) {
    let timeout = rt.timeout(ms(1_000), pending::<()>());
    rt.sleep(ms(1_000)).await;
    let start = rt.now();
    assert!(timeout.await.is_err());
    assert!(rt.now() - start < ms(800), "it waited once more");
}

pub(super) async fn interval_first_tick_is_immediate<R: Runtime>(rt: R) {
    let before = rt.now();
    let mut interval = rt.interval(HOUR);
    let Poll::Ready(first) = interval.poll_tick(&mut Context::from_waker(Waker::noop())) else {
        panic!("the first tick is pending");
    };
    assert!(first >= before && first <= rt.now());
    assert!(rt.timeout(ms(10), interval.tick()).await.is_err(), "the second takes its time");
}

pub(super) async fn interval_keeps_its_schedule<R: Runtime>(rt: R) {
    let start = rt.now();
    let mut interval = rt.interval_at(start, ms(10));
    // The one behaviour that an overloaded machine cannot move off the schedule.
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for n in 0..10 {
        assert_eq!(interval.tick().await, start + ms(10) * n);
        assert!(rt.now() >= start + ms(10) * n, "no tick is early");
    }
}

pub(super) async fn interval_of_zero_panics<R: Runtime>(rt: R) {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(rt.interval(Duration::ZERO)))).unwrap_err();
    assert!(message(&*payload).contains("must not be zero"));
}

pub(super) async fn interval_at_starts_then<R: Runtime>(rt: R) {
    let start = rt.now() + ms(20);
    let mut interval = rt.interval_at(start, HOUR);
    assert_eq!(interval.period(), HOUR);
    assert_eq!(interval.tick().await, start);
    assert!(rt.now() >= start);
}

/// An interval of 50 ms that has ticked once and then missed its ticks at 50, 100 and 150 ms.
async fn stalled<R: Runtime>(rt: &R, behavior: MissedTickBehavior) -> (Instant, crate::time::Interval<R>) {
    let start = rt.now();
    let mut interval = rt.interval_at(start, ms(50));
    interval.set_missed_tick_behavior(behavior);
    assert_eq!(interval.missed_tick_behavior(), behavior);
    assert_eq!(interval.tick().await, start);
    rt.sleep_until(start + ms(175)).await;
    (start, interval)
}

pub(super) async fn interval_burst_catches_up<R: Runtime>(rt: R) {
    let (start, mut interval) = stalled(&rt, MissedTickBehavior::Burst).await;
    for n in 1..=3 {
        let tick = interval.poll_tick(&mut Context::from_waker(Waker::noop()));
        assert_eq!(tick, Poll::Ready((start + ms(50) * n).into()), "a missed tick is there at once");
    }
    assert_eq!(interval.tick().await, start + ms(200));
}

pub(super) async fn interval_delay_starts_over<R: Runtime>(rt: R) {
    let (start, mut interval) = stalled(&rt, MissedTickBehavior::Delay).await;
    let late = rt.now();
    assert_eq!(interval.tick().await, start + ms(50));
    assert!(interval.tick().await >= late + ms(50));
    assert!(rt.now() >= late + ms(50));
}

pub(super) async fn interval_skip_keeps_the_grid<R: Runtime>(rt: R) {
    let (start, mut interval) = stalled(&rt, MissedTickBehavior::Skip).await;
    assert_eq!(interval.tick().await, start + ms(50));
    let next = interval.tick().await;
    assert!(next >= start + ms(200));
    assert_eq!((next - start).as_nanos() % ms(50).as_nanos(), 0);
}

/// Late by less than the slack of an interval that is longer.
pub(super) async fn interval_of_a_few_milliseconds_skips<R: Runtime>(rt: R) {
    for behavior in [MissedTickBehavior::Skip, MissedTickBehavior::Delay] {
        let start = rt.now();
        let mut interval = rt.interval_at(start, ms(2));
        interval.set_missed_tick_behavior(behavior);
        assert_eq!(interval.tick().await, start);
        rt.sleep_until(start + ms(6)).await;
        assert_eq!(interval.tick().await, start + ms(2));
        let next = interval.tick().await;
        assert!(next >= start + ms(8), "{behavior:?}: a missed tick came after {:?}", next - start);
    }
}

pub(super) async fn interval_default_is_delay<R: Runtime>(rt: R) {
    assert_eq!(rt.interval(HOUR).missed_tick_behavior(), MissedTickBehavior::Delay);
}

pub(super) async fn interval_reset_starts_over<R: Runtime>(rt: R) {
    let mut interval = rt.interval(ms(50));
    interval.tick().await;
    rt.sleep(ms(30)).await;
    let reset = rt.now();
    interval.reset();
    assert!(interval.tick().await >= reset + ms(50));
}

pub(super) async fn interval_can_be_reset_to_any_time<R: Runtime>(rt: R) {
    let mut interval = rt.interval_at(rt.now() + HOUR, HOUR);
    interval.reset_immediately();
    let before = rt.now();
    assert!(interval.tick().await <= before);

    interval.reset_after(ms(20));
    let due = interval.tick().await;
    assert!(due >= before + ms(20) && due <= rt.now());

    let deadline = rt.now() + ms(20);
    interval.reset_at(deadline);
    assert_eq!(interval.tick().await, deadline);
    assert!(rt.now() >= deadline);
    // One that has passed, and the next comes a period later.
    interval.reset_at(deadline);
    assert_eq!(interval.tick().await, deadline);
    assert!(rt.timeout(ms(10), interval.tick()).await.is_err());
}

pub(super) async fn interval_is_a_stream<R: Runtime>(rt: R) {
    let start = rt.now();
    let interval = rt.interval_at(start, ms(5));
    let ticks: Vec<_> = interval.take(3).collect().await;
    assert_eq!(ticks[0], start);
    assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] >= ms(5)));
}

pub(super) async fn interval_tick_is_cancel_safe<R: Runtime>(rt: R) {
    let start = rt.now();
    let mut interval = rt.interval_at(start, ms(20));
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut ticks = Vec::new();
    while ticks.len() < 4 {
        if let Ok(tick) = rt.timeout(ms(3), interval.tick()).await {
            ticks.push(tick);
        }
    }
    assert_eq!(ticks, [0, 20, 40, 60].map(|at| start + ms(at)));
}
