use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::runtime::task::coop;

/// Size of the buffer for each direction, as in tokio.
const BUFFER: usize = 8 * 1024;

/// Copies data between two streams in both directions until both have ended, as a proxy does.
///
/// When one stream ends, the write side of the other is closed, and the opposite direction continues. Returns the
/// number of bytes copied from `a` to `b`, and from `b` to `a`. Both directions share one task, and each has a buffer
/// of 8 KiB.
///
/// # Cancel safety
///
/// None: bytes that have been read and not yet written are lost.
///
/// # Errors
///
/// The first error of either stream. The opposite direction stops as well.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::{io::copy_bidirectional, net::TcpStream};
///
/// async fn proxy(mut client: TcpStream) -> io::Result<()> {
///     let mut server = TcpStream::connect("localhost:5432").await?;
///     let (sent, received) = copy_bidirectional(&mut client, &mut server).await?;
///     println!("{sent} bytes there, {received} back");
///     Ok(())
/// }
/// ```
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let (mut there, mut back) = (Direction::new(), Direction::new());
    poll_fn(|cx| {
        let sent = there.poll_copy(cx, a, b)?;
        let received = back.poll_copy(cx, b, a)?;
        // Both have been polled, so both will wake the task.
        Poll::Ready(Ok((ready!(sent), ready!(received))))
    })
    .await
}

/// One direction, and how far it has come.
struct Direction {
    buffer: Box<[u8]>,
    // What of the buffer is to be written.
    start: usize,
    end: usize,
    must_flush: bool,
    state: State,
    copied: u64,
}

#[derive(PartialEq)]
enum State {
    Copying,
    Closing,
    Done,
}

impl Direction {
    fn new() -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { buffer, start: 0, end: 0, must_flush: false, state: State::Copying, copied: 0 }
    }

    fn poll_copy<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: &mut W) -> Poll<io::Result<u64>>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        while self.state == State::Copying {
            if self.start == self.end {
                // Streams of others count nothing, and may always be ready.
                match coop::poll_around(cx, |cx| Pin::new(&mut *from).poll_read(cx, &mut self.buffer))? {
                    Poll::Ready(0) => self.state = State::Closing,
                    Poll::Ready(read) => (self.start, self.end) = (0, read),
                    Poll::Pending => {
                        // The reader of these bytes may be the same task that writes to the other stream.
                        if self.must_flush {
                            ready!(Pin::new(&mut *to).poll_flush(cx))?;
                            self.must_flush = false;
                        }
                        return Poll::Pending;
                    }
                }
            }
            while self.start < self.end {
                match ready!(Pin::new(&mut *to).poll_write(cx, &self.buffer[self.start..self.end]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => {
                        self.start += written;
                        self.copied += written as u64;
                        self.must_flush = true;
                    }
                }
            }
        }
        if self.state == State::Closing {
            ready!(Pin::new(to).poll_close(cx))?;
            self.state = State::Done;
        }
        Poll::Ready(Ok(self.copied))
    }
}
