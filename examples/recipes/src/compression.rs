//! # Compression, with async-compression
//!
//! async-compression wraps a reader or a writer in one that compresses or decompresses. Its feature `futures-io` takes the
//! streams of anyrt as they are, with no feature of anyrt; feature `tokio` takes them with `tokio-io`. It has no clock and
//! no thread of its own, and runs the same in a simulation.
//!
//! ```toml
//! async-compression = { version = "0.4", features = ["futures-io", "gzip"] }
//! ```
//!
//! It compresses in the poll, on the thread of the task. For large data, [`rayon`](crate::rayon) shows better places.

use std::io;

use anyrt::net::TcpStream;
use async_compression::futures::bufread::GzipDecoder;
use async_compression::futures::write::GzipEncoder;
use futures::io::{AsyncReadExt, AsyncWriteExt, BufReader};

/// Sends all bytes compressed, and closes the stream.
///
/// Closing the encoder writes the data that gzip still buffers and its checksum, and then closes the stream.
pub async fn send(stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut encoder = GzipEncoder::new(stream);
    encoder.write_all(bytes).await?;
    encoder.close().await
}

/// Receives the data of [`send`], at most `limit` bytes of it: a compressed megabyte may become a gigabyte.
///
/// # Errors
///
/// `UnexpectedEof` if the stream ends too early, `InvalidData` if it is not gzip or has more than `limit` bytes.
pub async fn receive(stream: TcpStream, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoder = GzipDecoder::new(BufReader::new(stream)).take(limit as u64 + 1);
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).await?;
    if bytes.len() > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more than its receiver takes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use futures::future::{join, try_join};

    use super::*;
    use crate::loopback::connection;

    #[anyrt::test]
    async fn arrives_as_it_was_sent() -> io::Result<()> {
        let noise = (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
        for sent in [Vec::new(), b"x".to_vec(), vec![7; 1 << 20], noise.collect()] {
            let (client, server) = connection().await?;
            let ((), received) = try_join(send(client, &sent), receive(server, 1 << 20)).await?;
            assert!(received == sent, "{}", sent.len());
        }
        Ok(())
    }

    #[anyrt::test]
    async fn is_smaller_on_the_wire() -> io::Result<()> {
        let (client, mut server) = connection().await?;
        let mut wire = Vec::new();
        try_join(send(client, &[7; 1 << 20]), server.read_to_end(&mut wire)).await?;
        assert!(wire.len() < 1 << 14, "{}", wire.len());
        Ok(())
    }

    #[anyrt::test]
    async fn end_that_comes_too_early_is_an_error() -> io::Result<()> {
        let (client, server) = connection().await?;
        let cut = async {
            let mut encoder = GzipEncoder::new(client);
            encoder.write_all(b"half of it").await?;
            encoder.flush().await
        };
        let (sent, received) = join(cut, receive(server, 1_000)).await;
        sent?;
        assert_eq!(received.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        Ok(())
    }

    #[anyrt::test]
    async fn what_is_not_gzip_is_an_error() -> io::Result<()> {
        let (mut client, server) = connection().await?;
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        assert_eq!(receive(server, 1_000).await.unwrap_err().kind(), ErrorKind::InvalidData);
        Ok(())
    }

    #[anyrt::test]
    async fn more_than_the_limit_is_an_error() -> io::Result<()> {
        let (client, server) = connection().await?;
        let (_, received) = join(send(client, &[7; 1 << 20]), receive(server, (1 << 20) - 1)).await;
        assert_eq!(received.unwrap_err().to_string(), "more than its receiver takes");
        Ok(())
    }
}
