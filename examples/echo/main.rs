//! An echo server and its clients: many connections, and every byte checked.
//!
//! ```sh
//! cargo run -p examples --features futures --example echo -- --connections 500
//! cargo run -p examples --features futures --example echo -- --listen 127.0.0.1:7000 --runtime tokio
//! cargo run -p examples --features futures --example echo -- --connect 127.0.0.1:7000 --runtime smol
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
use clap::{Command, arg, value_parser};
use futures::io::{AsyncReadExt, AsyncWriteExt, copy};

use shared::{Choice, Error, Program};

fn arguments() -> Command {
    Command::new("echo").about("Echoes, and checks what comes back").args([
        arg!(--connections <CLIENTS> "How many clients there are at once")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("200"),
        arg!(--messages <MESSAGES> "How many messages each of them sends")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("50"),
        arg!(--size <BYTES> "Bytes in a message")
            .value_parser(value_parser!(u32).range(1..=1 << 20))
            .default_value("512"),
        arg!(--listen <ADDRESS> "Only serve, on this address, until it is killed")
            .value_parser(value_parser!(SocketAddr))
            .conflicts_with("connect"),
        arg!(--connect <ADDRESS> "Only be the clients of the server at this address")
            .value_parser(value_parser!(SocketAddr)),
        shared::runtime(),
    ])
}

#[derive(Clone)]
struct Echo {
    connections: u32,
    messages: u32,
    size: u32,
    listen: Option<SocketAddr>,
    connect: Option<SocketAddr>,
}

fn main() -> ExitCode {
    shared::main(arguments(), |mut arguments| {
        let runtime = shared::value(&arguments, "runtime");
        let echo = Echo {
            connections: shared::value(&arguments, "connections"),
            messages: shared::value(&arguments, "messages"),
            size: shared::value(&arguments, "size"),
            listen: arguments.remove_one("listen"),
            connect: arguments.remove_one("connect"),
        };
        if echo.listen.is_some() && runtime == Choice::All {
            return Err(Error::input("--listen serves for ever, so it needs one --runtime"));
        }
        let reports = shared::run(runtime, &echo)?;
        let Echo { connections, messages, size, .. } = echo;
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

impl Program for Echo {
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

impl Echo {
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

/// Accepts connections until it is aborted; each connection is a task.
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
