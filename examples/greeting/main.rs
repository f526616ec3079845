//! A client and a server, on the runtime that an attribute or the environment names:
//!
//! ```sh
//! ANYRT_RUNTIME=smol cargo run -p examples --features macros --example greeting
//! ANYRT_RUNTIME=tokio cargo run -p examples --features macros --example greeting
//! cargo run -p examples --no-default-features --features macros,tokio --example greeting
//! cargo test -p examples --features macros --example greeting
//! ```

use std::io;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::time::timeout;
use futures::io::{AsyncReadExt, AsyncWriteExt};

/// Sends a name, and returns what the server says.
async fn greeting(server: &str, name: &str) -> io::Result<String> {
    let connecting = TcpStream::connect(server);
    let mut stream = timeout(Duration::from_secs(3), connecting).await??;
    stream.write_all(name.as_bytes()).await?;
    stream.close().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Greets every client.
async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (mut client, _) = listener.accept().await?;
        let greets = anyrt::spawn(async move {
            let mut name = String::new();
            client.read_to_string(&mut name).await?;
            client.write_all(format!("welcome, {name}").as_bytes()).await
        });
        // A client that has disconnected must not stop the server.
        drop(greets);
    }
}

#[anyrt::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    drop(anyrt::spawn(serve(listener)));
    println!("{}", greeting(&address, "world").await?);
    Ok(())
}

#[anyrt::test]
async fn each_is_greeted_by_name() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    drop(anyrt::spawn(serve(listener)));
    for name in ["", "Ada", "Grace"] {
        assert_eq!(greeting(&address, name).await?, format!("welcome, {name}"));
    }
    Ok(())
}
