//! Signals on every runtime. A signal goes to the whole process, so other tests receive it, too.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::io;
use std::pin::pin;
use std::time::Duration;

use anyrt::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};
use anyrt::{join, spawn};
use futures::poll;
use signal_hook::{consts, low_level::raise};

#[anyrt::test(skip(sim = "nobody presses Ctrl-C there"))]
async fn ctrl_c_is_heard_by_all_who_wait() -> io::Result<()> {
    let (one, other) = (ctrl_c(), spawn(ctrl_c()));
    // It listens from the call on, not from the first poll: otherwise the signal would end the process.
    raise(consts::SIGINT)?;
    one.await?;
    let again = ctrl_c();
    raise(consts::SIGINT)?;
    let (again, other) = join!(again, other);
    other?.and(again)
}

#[anyrt::test(skip(sim = "no signal comes there"))]
async fn signals_between_two_calls_are_not_lost() -> io::Result<()> {
    let mut usr1 = signal(SignalKind::user_defined1())?;
    for _ in 0..3 {
        raise(consts::SIGUSR1)?;
        assert_eq!(usr1.recv().await, Some(()));
    }
    // The future is dropped while it waits; the next signal is still received.
    let _ = poll!(pin!(usr1.recv()));
    raise(consts::SIGUSR1)?;
    assert_eq!(usr1.recv().await, Some(()));
    Ok(())
}

#[anyrt::test(skip(sim = "no signal comes there"))]
async fn signal_that_nobody_can_handle_is_an_error() {
    let error = signal(SignalKind::from_raw(consts::SIGKILL)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "anyrt: no process can handle signal 9");
}

/// A listener exists, so no default action ends the process.
#[anyrt::test(only(sim))]
async fn simulation_hears_no_signal() -> io::Result<()> {
    let mut usr2 = signal(SignalKind::user_defined2())?;
    let mut pressed = pin!(ctrl_c());
    anyrt::time::sleep(Duration::from_secs(3600)).await;
    assert!(poll!(pressed.as_mut()).is_pending());
    assert!(poll!(pin!(usr2.recv())).is_pending());
    Ok(())
}

/// A socket or a timer that a task waits for as well is named instead.
#[cfg(feature = "sim")]
#[test]
fn stuck_simulation_names_tasks_that_wait_for_a_signal() {
    use anyrt::BlockOn;

    async fn serve() -> io::Result<()> {
        let listener = anyrt::net::TcpListener::bind("0.0.0.0:80").await?;
        anyrt::select! { accepted = listener.accept() => accepted.map(drop), pressed = ctrl_c() => pressed }
    }

    // Of the two, the socket is polled first with some seeds, and the signal with others.
    for seed in 0..8 {
        let sim = anyrt::Sim::builder().seed(seed).build().unwrap();
        let run = || {
            sim.block_on(async {
                spawn(ctrl_c()).detach();
                spawn(async { signal(SignalKind::terminate()).unwrap().recv().await }).detach();
                spawn(serve()).await.unwrap()
            })
        };
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        let count = |wait: &str| text.matches(wait).count();
        assert_eq!(count(", waits for Ctrl-C or another signal, and none comes"), 2, "{text}");
        assert_eq!(count(", waits to accept at 0.0.0.0:80"), 1, "{text}");
    }
}

#[test]
fn outside_of_a_runtime_it_says_what_to_write() {
    let error = signal(SignalKind::terminate()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(text.contains("AnyRuntime") && text.contains(&format!("called at {}:", file!())), "{text}");
}
