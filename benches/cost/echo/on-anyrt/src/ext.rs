//! The methods of `AsyncReadExt` and `AsyncWriteExt` that an echo server needs, to avoid a dependency for them.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;

use futures_io::{AsyncRead, AsyncWrite};

pub(crate) trait AsyncReadExt: AsyncRead + Unpin + Send {
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send {
        poll_fn(|cx| Pin::new(&mut *self).poll_read(cx, buffer))
    }
}

pub(crate) trait AsyncWriteExt: AsyncWrite + Unpin + Send {
    fn write_all(&mut self, mut buffer: &[u8]) -> impl Future<Output = io::Result<()>> + Send {
        async move {
            while !buffer.is_empty() {
                match poll_fn(|cx| Pin::new(&mut *self).poll_write(cx, buffer)).await? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    written => buffer = &buffer[written..],
                }
            }
            Ok(())
        }
    }
}

impl<S: AsyncRead + Unpin + Send> AsyncReadExt for S {}
impl<S: AsyncWrite + Unpin + Send> AsyncWriteExt for S {}
