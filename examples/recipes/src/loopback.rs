//! Connections between the peers of a test.

use std::io;

use anyrt::net::{TcpListener, TcpStream};
use futures::future::try_join;

/// Returns both ends of a connection.
pub(crate) async fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (client, (server, _)) = try_join(TcpStream::connect(address), listener.accept()).await?;
    Ok((client, server))
}
