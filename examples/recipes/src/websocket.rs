//! # WebSockets, with tungstenite
//!
//! Two crates run tungstenite over a stream, and both take the streams of anyrt unchanged: tokio-tungstenite needs the
//! I/O traits of tokio (feature `tokio-io`), async-tungstenite those of `futures`. Leave their runtime features off:
//! they only add functions that connect. A connection of either is a stream and a sink of [`Message`].
//!
//! ```toml
//! anyrt = { version = "0.1", features = ["tokio-io"] }
//! tokio-tungstenite = { version = "0.30", default-features = false, features = ["handshake"] }
//! # or
//! async-tungstenite = { version = "0.35", default-features = false, features = ["futures-03-sink", "handshake"] }
//! ```
//!
//! For `wss:`, use the stream of [`rustls`](crate::rustls) instead of a [`TcpStream`].
//!
//! ## In a simulation
//!
//! Both run there. They take keys and the masks of frames from the system's randomness: runs with the same seed have
//! the same order of events, with other bytes.

use anyrt::net::TcpStream;
use async_tungstenite::tungstenite::client::IntoClientRequest;
use async_tungstenite::tungstenite::{Error, Message};
use futures::{Sink, SinkExt, Stream, StreamExt};

/// Connects as a client, with the I/O traits of tokio.
pub async fn connect_over_tokio_io(
    stream: TcpStream,
    request: impl IntoClientRequest + Unpin,
) -> Result<tokio_tungstenite::WebSocketStream<TcpStream>, Error> {
    let (socket, _response) = tokio_tungstenite::client_async(request, stream).await?;
    Ok(socket)
}

/// Accepts as a server, with the I/O traits of tokio.
pub async fn accept_over_tokio_io(
    stream: TcpStream,
) -> Result<tokio_tungstenite::WebSocketStream<TcpStream>, Error> {
    tokio_tungstenite::accept_async(stream).await
}

/// Connects as a client, with the I/O traits of `futures`.
pub async fn connect_over_futures_io(
    stream: TcpStream,
    request: impl IntoClientRequest + Unpin,
) -> Result<async_tungstenite::WebSocketStream<TcpStream>, Error> {
    let (socket, _response) = async_tungstenite::client_async(request, stream).await?;
    Ok(socket)
}

/// Accepts as a server, with the I/O traits of `futures`.
pub async fn accept_over_futures_io(
    stream: TcpStream,
) -> Result<async_tungstenite::WebSocketStream<TcpStream>, Error> {
    async_tungstenite::accept_async(stream).await
}

/// Echoes messages until the peer closes.
///
/// Pings and closes are answered while it waits for the next message.
///
/// # Errors
///
/// If the connection failed: TCP ended without a close of the WebSocket.
pub async fn echo<S>(mut socket: S) -> Result<(), Error>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use anyrt::time::timeout;
    use async_tungstenite::tungstenite::protocol::CloseFrame;
    use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;
    use crate::loopback::connection;

    /// A long limit, for a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    const URL: &str = "ws://server/chat";

    /// Exchanges messages, a ping, and the closing handshake.
    async fn converse<S>(mut socket: S) -> Result<(), Error>
    where
        S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
    {
        // A frame encodes its length in one, two or eight bytes.
        for len in [0, 125, 126, 65_536, 1 << 20] {
            socket.send(Message::binary(vec![7; len])).await?;
            assert!(socket.next().await.unwrap()? == Message::binary(vec![7; len]), "{len}");
        }
        socket.send(Message::text("schöne Grüße")).await?;
        assert_eq!(socket.next().await.unwrap()?, Message::text("schöne Grüße"));
        socket.send(Message::Ping("are you there?".into())).await?;
        assert_eq!(socket.next().await.unwrap()?, Message::Pong("are you there?".into()));

        let bye = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
        socket.send(Message::Close(Some(bye.clone()))).await?;
        assert_eq!(socket.next().await.unwrap()?, Message::Close(Some(bye)));
        assert!(socket.next().await.is_none());
        Ok(())
    }

    #[anyrt::test]
    async fn echo_over_tokio_io() -> Result<(), Error> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(async { echo(accept_over_tokio_io(server).await?).await });
        converse(connect_over_tokio_io(client, URL).await?).await?;
        server.await.unwrap()
    }

    #[anyrt::test]
    async fn echo_over_futures_io() -> Result<(), Error> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(async { echo(accept_over_futures_io(server).await?).await });
        converse(connect_over_futures_io(client, URL).await?).await?;
        server.await.unwrap()
    }

    #[anyrt::test]
    async fn they_talk_to_each_other() -> Result<(), Error> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(async { echo(accept_over_futures_io(server).await?).await });
        converse(connect_over_tokio_io(client, URL).await?).await?;
        server.await.unwrap()?;

        let (client, server) = connection().await?;
        let server = anyrt::spawn(async { echo(accept_over_tokio_io(server).await?).await });
        converse(connect_over_futures_io(client, URL).await?).await?;
        server.await.unwrap()
    }

    /// The server waits for a message from a client that is gone.
    #[anyrt::test]
    async fn reset_is_an_error_in_time() -> io::Result<()> {
        for over_tokio in [true, false] {
            let (client, server) = connection().await?;
            let serves = anyrt::spawn(async move {
                match over_tokio {
                    true => echo(accept_over_tokio_io(server).await?).await,
                    false => echo(accept_over_futures_io(server).await?).await,
                }
            });
            let mut client = connect_over_tokio_io(client, URL).await.unwrap();
            client.send(Message::text("half")).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), Message::text("half"));
            client.get_ref().set_linger(Some(Duration::ZERO))?;
            drop(client);
            let error = timeout(PATIENCE, serves).await?.unwrap().unwrap_err();
            let Error::Io(error) = error else { panic!("{error}") };
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        Ok(())
    }

    /// TCP ends without a close of the WebSocket.
    #[anyrt::test]
    async fn end_without_a_close_is_an_error() -> io::Result<()> {
        let (client, server) = connection().await?;
        let serves = anyrt::spawn(async move { echo(accept_over_tokio_io(server).await?).await });
        drop(connect_over_tokio_io(client, URL).await.unwrap());
        assert!(matches!(serves.await?, Err(Error::Protocol(_))));
        Ok(())
    }
}
