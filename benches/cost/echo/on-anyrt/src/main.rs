use std::io;

use anyrt::runtime::{TcpListener, TcpStream};
use anyrt::{BlockOn, Runtime};

#[cfg(feature = "futures-lite")]
use futures_lite::{AsyncReadExt, AsyncWriteExt};

#[cfg(not(feature = "futures-lite"))]
use self::ext::{AsyncReadExt, AsyncWriteExt};

#[cfg(not(feature = "futures-lite"))]
mod ext;

fn main() -> io::Result<()> {
    #[cfg(feature = "tokio")]
    let runtime = anyrt::Tokio::new()?;
    #[cfg(feature = "smol")]
    let runtime = anyrt::Smol::global();
    #[cfg(feature = "async-std")]
    let runtime = anyrt::AsyncStd::global();
    runtime.block_on(serve(&runtime))
}

async fn serve<R: Runtime>(runtime: &R) -> io::Result<()> {
    let listener = runtime.tcp_bind("127.0.0.1:7007").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        drop(runtime.spawn(echo(stream)));
    }
}

async fn echo(mut stream: impl TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}
