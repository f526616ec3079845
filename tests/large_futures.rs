//! The largest future that can be spawned in a debug build: as large as with the runtime's own spawn.
#![allow(clippy::unwrap_used)]

use std::env;
use std::future::Future;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::{Context, Poll};
use std::thread;

use anyrt::{AnyRuntime, AsyncStd, Runtime, Smol, Tokio};

const KIB: usize = 1024;

/// A future of `N` bytes.
struct Big<const N: usize>([u8; N]);

impl<const N: usize> Future for Big<N> {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
        Poll::Ready(self.0[N - 1])
    }
}

/// Spawns a future of this many KiB.
fn spawn<const N: usize>(how: &str) {
    fn join<R: Runtime, const N: usize>(rt: R) -> u8 {
        rt.block_on(rt.spawn(Big([7; N]))).unwrap()
    }

    let tokio = || Tokio::builder().worker_threads(1).build().unwrap();
    let smol = || Smol::with_threads(1).unwrap();
    let byte = match how {
        "tokio natively" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
            runtime.block_on(runtime.spawn(Big([7; N]))).unwrap()
        }
        "smol natively" => {
            let executor = smol::Executor::new();
            smol::block_on(executor.run(executor.spawn(Big([7; N]))))
        }
        "tokio" => join::<_, N>(tokio()),
        "any tokio" => join::<_, N>(AnyRuntime::from(tokio())),
        "smol" => join::<_, N>(smol()),
        "any smol" => join::<_, N>(AnyRuntime::from(smol())),
        _ => join::<_, N>(AsyncStd::global()),
    };
    assert_eq!(byte, 7);
}

type Spawn = fn(&str);

/// What each process runs, by the size in KiB.
const SIZES: [(usize, Spawn); 6] = [
    (32, spawn::<{ 32 * KIB }>),
    (64, spawn::<{ 64 * KIB }>),
    (128, spawn::<{ 128 * KIB }>),
    (256, spawn::<{ 256 * KIB }>),
    (512, spawn::<{ 512 * KIB }>),
    (1024, spawn::<{ 1024 * KIB }>),
];

const HOW: &str = "ANYRT_SPAWNS_A_LARGE_FUTURE";
const STACK: usize = 2048 * KIB;

/// Returns the largest size in KiB; a future that is too large ends its process.
fn biggest(how: &str) -> usize {
    let fits = |size: usize| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "as_large_as_natively"]).env(HOW, format!("{how}/{size}"));
        child.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    SIZES.iter().map(|(size, _)| *size).take_while(|size| fits(*size)).last().unwrap_or(0)
}

#[test]
fn as_large_as_natively() {
    if let Ok(asked) = env::var(HOW) {
        let (how, size) = asked.split_once('/').unwrap();
        let (how, size) = (how.to_owned(), size.parse().unwrap());
        let (_, run) = SIZES.into_iter().find(|(of, _)| *of == size).unwrap();
        return thread::Builder::new().stack_size(STACK).spawn(move || run(&how)).unwrap().join().unwrap();
    }
    for (native, ours) in [
        ("tokio natively", ["tokio", "any tokio"].as_slice()),
        ("smol natively", &["smol", "any smol", "async-std"]),
    ] {
        let most = biggest(native);
        for how in ours {
            let size = biggest(how);
            println!("{how}: {size} KiB, {native}: {most} KiB");
            assert!(size >= most, "{how}: {size} KiB, {native}: {most} KiB");
        }
    }
}
