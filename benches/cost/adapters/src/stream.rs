//! Streams with tokio's I/O traits, for each way.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::way::Way;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Returns both ends of a connection.
pub(crate) async fn pair(way: Way) -> io::Result<(Box<dyn Stream>, Box<dyn Stream>)> {
    Ok(match way {
        Way::NativeTokio => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            let ours = tokio::net::TcpStream::connect(listener.local_addr()?).await?;
            let theirs = listener.accept().await?.0;
            ours.set_nodelay(true)?;
            theirs.set_nodelay(true)?;
            (Box::new(ours), Box::new(theirs))
        }
        Way::NativeSmol => {
            let listener = smol::net::TcpListener::bind("127.0.0.1:0").await?;
            let ours = smol::net::TcpStream::connect(listener.local_addr()?).await?;
            let theirs = listener.accept().await?.0;
            ours.set_nodelay(true)?;
            theirs.set_nodelay(true)?;
            (Box::new(ours.compat()), Box::new(theirs.compat()))
        }
        Way::AnyrtTokio | Way::AnyrtSmol | Way::AnyrtAsyncStd => {
            let listener = anyrt::net::TcpListener::bind("127.0.0.1:0").await?;
            let ours = anyrt::net::TcpStream::connect(listener.local_addr()?).await?;
            let theirs = listener.accept().await?.0;
            ours.set_nodelay(true)?;
            theirs.set_nodelay(true)?;
            (Box::new(ours), Box::new(theirs))
        }
    })
}
