//! The tests of a library, on every runtime that is compiled in.

use std::time::Duration;

use anyrt::{AnyRuntime, Runtime, Spawn};

/// Whether the current runtime is one of smol's.
fn is_on_smol() -> bool {
    format!("{:?}", AnyRuntime::current()).contains("smol")
}

/// Passes, and finds its runtime.
#[anyrt::test]
async fn finds_its_runtime() {
    anyrt::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(anyrt::spawn(async { 42 }).await.unwrap(), 42);
}

#[anyrt::test]
async fn is_given_its_runtime(rt: AnyRuntime) {
    assert_eq!(rt.spawn(async { 42 }).await.unwrap(), 42);
}

#[anyrt::test]
async fn is_given_the_type_of_its_runtime<R>(mut rt: R) -> Result<(), Box<dyn std::error::Error>>
where
    R: Runtime,
{
    rt = rt.clone();
    rt.sleep(Duration::from_millis(1)).await;
    Ok(())
}

#[anyrt::test]
async fn may_say_how_it_ends(rt: impl Runtime) -> impl std::process::Termination {
    rt.sleep(Duration::from_millis(1)).await;
    std::process::ExitCode::SUCCESS
}

#[anyrt::test(only(smol, tokio))]
async fn is_for_some() {}

#[anyrt::test(skip(smol = "it is too slow", sim = "it takes real time"))]
async fn is_skipped_on_some() {
    panic!("it is not skipped");
}

#[anyrt::test]
async fn fails_on_one() {
    assert!(!is_on_smol(), "smol cannot do that");
}

#[anyrt::test(timeout = "3s")]
async fn hangs_on_one() {
    if is_on_smol() {
        std::future::pending::<()>().await;
    }
}

#[anyrt::test(timeout = "3s", only(smol))]
async fn blocks() {
    loop {
        std::thread::park();
    }
}

#[anyrt::test]
#[should_panic(expected = "as it should")]
async fn panics_as_it_should() {
    panic!("it panics as it should");
}

#[anyrt::test]
async fn returns_an_error() -> std::io::Result<()> {
    Err(std::io::Error::other("the disk is full"))
}

#[anyrt::test]
#[ignore = "it takes hours"]
async fn is_ignored() {}

#[anyrt::test]
#[cfg(any())]
async fn is_not_there() {}

mod further_in {
    #[anyrt::test(workers = 3)]
    async fn finds_what_is_around_it() {
        assert!(!super::is_on_smol() || cfg!(test));
    }
}
