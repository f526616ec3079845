//! TCP: an echo server, and clients that compare the data, hang up, or drop the connect.

use std::io;
use std::pin::pin;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::{TcpListener, TcpStream};
use fastrand::Rng;
use futures::io::{AsyncReadExt, AsyncWriteExt, copy};
use futures::{poll, try_join};

use super::{Load, bytes, up_to_ms, wrong};

/// Accepts connections until it is aborted; each connection is a task.
pub(super) async fn serve<R: Runtime>(load: Load<R>, listener: R::TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(load.spawn(async move {
                let (read, mut write) = stream.into_split();
                // Clients that hang up are part of the load.
                let _ = copy(read, &mut write).await;
            })),
            Err(_) => load.pause(Duration::from_millis(10)).await,
        }
    }
}

pub(super) async fn one<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    match random.u64(..8) {
        0 => {
            // The connect is polled once, and dropped.
            let connect = pin!(load.runtime.tcp_connect(load.tcp_server));
            if poll!(connect).is_ready() {
                load.counts.connections.add(1);
            }
            Ok(())
        }
        1 => {
            let connected = load.runtime.timeout(up_to_ms(random, 1), connect(load)).await;
            connected.map_or(Ok(()), |connected| connected.map(drop))
        }
        2 => {
            // What the server sends back is never read.
            let mut stream = connect(load).await?;
            let message = random.usize(..10_000);
            stream.write_all(&bytes(random, message)).await
        }
        3 | 4 => conversation(load, random).await,
        _ => transfer(load, random).await,
    }
}

async fn connect<R: Runtime>(load: &Load<R>) -> io::Result<R::TcpStream> {
    let stream = load.runtime.tcp_connect(load.tcp_server).await?;
    load.counts.connections.add(1);
    Ok(stream)
}

/// Several questions and answers.
async fn conversation<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let mut stream = connect(load).await?;
    stream.set_nodelay(true)?;
    for _ in 0..random.u64(..10) {
        let len = 1 + random.usize(..2_000);
        let question = bytes(random, len);
        stream.write_all(&question).await?;
        let mut answer = vec![0; question.len()];
        stream.read_exact(&mut answer).await?;
        load.counts.bytes.add(answer.len() as u64);
        same(&question, &answer)?;
    }
    stream.close().await?;
    let more = stream.read(&mut [0; 16]).await?;
    if more == 0 { Ok(()) } else { Err(wrong(format!("{more} bytes after the end"))) }
}

/// Much data in both directions; the end is sent while the answer is still arriving.
async fn transfer<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let mut stream = connect(load).await?;
    let len = random.usize(..256 * 1024);
    let (message, piece) = (bytes(random, len), 1 + random.usize(..64 * 1024));
    let mut answer = vec![0; message.len() + 1];
    let (mut read, mut write) = stream.split_mut();
    let send = async {
        for piece in message.chunks(piece) {
            write.write_all(piece).await?;
        }
        write.close().await
    };
    let receive = async {
        let mut filled = 0;
        loop {
            match read.read(&mut answer[filled..]).await? {
                0 => return io::Result::Ok(filled),
                more => {
                    filled += more;
                    load.counts.bytes.add(more as u64);
                }
            }
        }
    };
    let ((), filled) = try_join!(send, receive)?;
    same(&message, &answer[..filled])
}

fn same(sent: &[u8], received: &[u8]) -> io::Result<()> {
    if sent == received {
        return Ok(());
    }
    let at = sent.iter().zip(received).take_while(|(sent, received)| sent == received).count();
    Err(wrong(format!(
        "of {} bytes {} came back, and number {at} is not the one that was sent",
        sent.len(),
        received.len()
    )))
}
