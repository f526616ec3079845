//! An echo server and its clients: many connections, and every byte checked.
//!
//! ```sh
//! cargo run --example echo --all-features -- --connections 500
//! cargo run --example echo --all-features -- --listen 127.0.0.1:7000 --runtime tokio
//! cargo run --example echo --all-features -- --connect 127.0.0.1:7000 --runtime smol
//! ```

#[path = "../shared/mod.rs"]
mod shared;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::{TcpListener, TcpStream};
use anyrt::task::JoinSet;
use clap::Parser;
use futures::io::{AsyncReadExt, AsyncWriteExt, copy};

use shared::{Choice, Error, Program};

/// Echoes, and checks what comes back.
#[derive(Clone, Parser)]
#[command(version)]
struct Arguments {
    /// How many clients there are at once
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// How many messages each of them sends
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    messages: u32,
    /// Bytes in a message
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    size: u32,
    /// Only serve, on this address, until it is killed
    #[arg(long, conflicts_with = "connect")]
    listen: Option<SocketAddr>,
    /// Only be the clients of the server at this address
    #[arg(long)]
    connect: Option<SocketAddr>,
    #[arg(long, value_enum, default_value = "all")]
    runtime: Choice,
}

fn main() -> ExitCode {
    shared::main(|arguments: Arguments| {
        if arguments.listen.is_some() && arguments.runtime == Choice::All {
            return Err(Error::input("--listen serves for ever, so it needs one --runtime"));
        }
        let reports = shared::run(arguments.runtime, &arguments)?;
        let Arguments { connections, messages, size, .. } = arguments;
        let mut text = format!(
            "{connections} connections, {messages} messages of {size} bytes each, every byte checked\n\n"
        );
        text += &format!("{:<10}  {:>9}  {:>12}  {:>9}\n", "runtime", "time", "messages/s", "MB/s");
        for (runtime, took) in reports {
            let count = f64::from(connections) * f64::from(messages);
            let seconds = took.as_secs_f64();
            let (rate, volume) = (count / seconds, count * f64::from(size) / seconds / 1e6);
            text += &format!("{runtime:<10}  {:>6.0} ms  {rate:>12.0}  {volume:>9.1}\n", seconds * 1e3);
        }
        Ok(text)
    })
}

impl Program for Arguments {
    type Report = Duration;

    async fn run<R: Runtime>(&self, runtime: R) -> Result<Duration, Error> {
        if let Some(server) = self.connect {
            return self.be_clients(runtime, server).await;
        }
        let addr = self.listen.unwrap_or(([127, 0, 0, 1], 0).into());
        let listener = runtime.tcp_bind(addr).await?;
        let server = listener.local_addr()?;
        let serving = runtime.spawn(serve(runtime.clone(), listener)).abort_on_drop();
        if self.listen.is_some() {
            eprintln!("listening on {server}");
            serving.await??;
        }
        self.be_clients(runtime, server).await
    }
}

impl Arguments {
    async fn be_clients<R: Runtime>(&self, runtime: R, server: SocketAddr) -> Result<Duration, Error> {
        let start = runtime.now();
        let mut clients = JoinSet::new();
        for number in 0..self.connections {
            let (runtime_of_client, messages, size) = (runtime.clone(), self.messages, self.size as usize);
            let client = async move {
                let stream = runtime_of_client.tcp_connect(server).await?;
                converse(stream, number, messages, size).await
            };
            clients.spawn_on(client, &runtime);
        }
        while let Some(client) = clients.join_next().await {
            client??;
        }
        Ok(runtime.now() - start)
    }
}

/// Accepts until it is aborted; a connection is a task of its own.
async fn serve<R: Runtime>(runtime: R, listener: R::TcpListener) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        drop(runtime.spawn(async move {
            let (read, mut write) = stream.into_split();
            if let Err(error) = copy(read, &mut write).await {
                eprintln!("{peer}: {error}");
            }
        }));
    }
}

async fn converse<S: TcpStream>(mut stream: S, client: u32, messages: u32, size: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answer = vec![0; size];
    for message in 0..messages {
        let question: Vec<u8> =
            (0..size).map(|n| (n as u32 ^ client ^ message.rotate_left(3)) as u8).collect();
        stream.write_all(&question).await?;
        stream.read_exact(&mut answer).await?;
        if answer != question {
            return Err(io::Error::other(format!("client {client} got another answer to message {message}")));
        }
    }
    stream.close().await?;
    match stream.read(&mut answer).await? {
        0 => Ok(()),
        more => Err(io::Error::other(format!("client {client} got {more} bytes after the end"))),
    }
}
