//! What is watched: a server, its clients, and a task that somebody has written without thinking of the event loop.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::{TcpListener, TcpStream};
use anyrt::task::Builder;
use futures::io::{AsyncReadExt, AsyncWriteExt};

const CLIENTS: u32 = 12;

/// Serves until it is aborted.
pub(crate) async fn run<R: Runtime>(runtime: R, fixed: bool) -> io::Result<()> {
    let listener = runtime.tcp_bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let server = listener.local_addr()?;
    Builder::new().name("cleanup").spawn_on(clean_up(runtime.clone(), fixed), &runtime)?.detach();
    for _ in 0..CLIENTS {
        Builder::new().name("client").spawn_on(ask(runtime.clone(), server), &runtime)?.detach();
    }
    loop {
        let (stream, _) = listener.accept().await?;
        Builder::new().name("connection").spawn_on(answer(stream), &runtime)?.detach();
    }
}

/// Removes old files now and then, on a disk that is slow today.
async fn clean_up<R: Runtime>(runtime: R, fixed: bool) {
    let remove = || thread::sleep(Duration::from_millis(150));
    loop {
        runtime.sleep(Duration::from_millis(600)).await;
        if fixed {
            let _ = runtime.spawn_blocking(remove).await;
        } else {
            remove(); // the mistake
        }
    }
}

/// Answers with what it was asked.
async fn answer<S: TcpStream>(mut stream: S) -> io::Result<()> {
    let mut message = [0; 64];
    loop {
        stream.read_exact(&mut message).await?;
        stream.write_all(&message).await?;
    }
}

/// Asks, thinks about the answer, and asks again.
async fn ask<R: Runtime>(runtime: R, server: SocketAddr) -> io::Result<()> {
    let mut stream = runtime.tcp_connect(server).await?;
    let mut message = [7; 64];
    loop {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        runtime.sleep(Duration::from_millis(5)).await;
    }
}
