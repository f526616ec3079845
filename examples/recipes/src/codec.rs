//! # Frames, with the codecs of tokio-util
//!
//! A codec turns a stream of bytes into a stream and a sink of messages. The codecs of `tokio_util::codec` take any
//! stream with the I/O traits of tokio, which feature `tokio-io` adds to every stream of anyrt. A codec has neither a
//! clock nor tasks, so it runs the same in a simulation.
//!
//! ```toml
//! anyrt = { version = "0.1", features = ["tokio-io"] }
//! futures = "0.3"
//! tokio-util = { version = "0.7", features = ["codec"] }
//! ```
//!
//! [`lines`] is for a line-based protocol, [`blobs`] for messages of bytes after their length. Both have a limit:
//! without a limit the peer decides how much memory a message takes.

use anyrt::net::TcpStream;
use tokio_util::codec::{Framed, LengthDelimitedCodec, LinesCodec};

/// The maximum length of a message.
pub const LIMIT: usize = 64 << 10;

/// Messages that are lines. A line longer than [`LIMIT`] is an error.
pub fn lines(stream: TcpStream) -> Framed<TcpStream, LinesCodec> {
    Framed::new(stream, LinesCodec::new_with_max_length(LIMIT))
}

/// Messages of bytes, each after its length in four bytes. A message longer than [`LIMIT`] is an error.
pub fn blobs(stream: TcpStream) -> Framed<TcpStream, LengthDelimitedCodec> {
    let codec = LengthDelimitedCodec::builder().max_frame_length(LIMIT).new_codec();
    Framed::new(stream, codec)
}

#[cfg(test)]
mod tests {
    use std::io;

    use bytes::Bytes;
    use futures::future::try_join;
    use futures::io::AsyncWriteExt;
    use futures::{SinkExt, StreamExt, TryStreamExt};
    use tokio_util::codec::LinesCodecError;

    use super::*;
    use crate::loopback::connection;

    #[anyrt::test]
    async fn lines_are_echoed() -> Result<(), LinesCodecError> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(async move {
            let (sink, stream) = lines(server).split::<String>();
            stream.forward(sink).await
        });
        let (mut sink, mut stream) = lines(client).split::<&str>();
        for line in ["one", "", "schöne Grüße"] {
            sink.feed(line).await?;
        }
        sink.flush().await?;
        for expected in ["one", "", "schöne Grüße"] {
            assert_eq!(stream.try_next().await?.unwrap(), expected);
        }
        // The server sees the end, and closes its side.
        sink.close().await?;
        assert!(stream.try_next().await?.is_none());
        server.await.unwrap()
    }

    #[anyrt::test]
    async fn blobs_cross_packets() -> io::Result<()> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(async move {
            let (sink, stream) = blobs(server).split::<Bytes>();
            stream.map_ok(Bytes::from).forward(sink).await
        });
        let (mut sink, mut stream) = blobs(client).split::<Bytes>();
        let sizes = [0, 1, LIMIT, 1_000, LIMIT];
        let sends = async {
            for (size, byte) in sizes.into_iter().zip(0..) {
                sink.send(vec![byte; size].into()).await?;
            }
            sink.close().await
        };
        let receives = async {
            for (size, byte) in sizes.into_iter().zip(0_u8..) {
                assert!(stream.try_next().await?.unwrap() == vec![byte; size]);
            }
            assert!(stream.try_next().await?.is_none());
            Ok::<_, io::Error>(())
        };
        try_join(sends, receives).await?;
        server.await?
    }

    #[anyrt::test]
    async fn message_over_the_limit_is_an_error() -> io::Result<()> {
        let (mut client, server) = connection().await?;
        // A length of four gigabytes.
        client.write_all(&[0xff; 4]).await?;
        let error = blobs(server).try_next().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        Ok(())
    }

    #[anyrt::test]
    async fn half_a_message_is_an_error() -> io::Result<()> {
        let (mut client, server) = connection().await?;
        client.write_all(&[0, 0, 0, 9, b'x']).await?;
        client.close().await?;
        assert!(blobs(server).try_next().await.is_err());
        Ok(())
    }
}
