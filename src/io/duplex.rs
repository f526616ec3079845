use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::runtime::net::io_traits::{Reads, Writes, reads, writes};
use crate::runtime::task::coop;
use crate::thread::{keep_waker, lock};

/// Creates two in-memory streams that are connected to each other: data written to one is read from the other.
///
/// For tests, and for code that takes a stream. Each direction buffers at most `max_buf_size` bytes, and at least one;
/// further writes wait until the other side has read. The streams need no runtime, work on every runtime, and have the
/// I/O traits of futures and, with feature `tokio-io`, those of tokio.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use futures::io::{AsyncReadExt, AsyncWriteExt};
///
/// async fn greeting() -> io::Result<()> {
///     let (mut client, mut server) = anyrt::io::duplex(64);
///     client.write_all(b"ping").await?;
///     client.close().await?;
///     let mut text = String::new();
///     server.read_to_string(&mut text).await?;
///     assert_eq!(text, "ping");
///     Ok(())
/// }
/// # futures::executor::block_on(greeting()).unwrap();
/// ```
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let [there, back] = [(); 2].map(|()| Arc::new(Pipe::new(max_buf_size.max(1))));
    let one = DuplexStream { incoming: back.clone(), outgoing: there.clone() };
    (one, DuplexStream { incoming: there, outgoing: back })
}

/// One end of a pair of in-memory streams; returned by [`duplex`].
///
/// # Cancel safety
///
/// A read or write that is dropped has transferred nothing.
///
/// # Dropping
///
/// The other end still reads the written data and then the end of the stream; its writes fail.
///
/// # Errors
///
/// A write fails with `BrokenPipe` after this end was closed, or if the other end was dropped.
pub struct DuplexStream {
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
}

/// One direction.
struct Pipe {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    // Nothing more is written.
    ended: bool,
    // Nothing more is read.
    unread: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), capacity }
    }

    /// Changes the state, and wakes the side that `woken` names after the lock.
    fn change(&self, change: impl FnOnce(&mut State), woken: impl FnOnce(&mut State) -> Option<Waker>) {
        let mut state = lock(&self.state);
        change(&mut state);
        let waker = woken(&mut state);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let must_wait = |state: &State| state.bytes.is_empty() && !state.ended && !buf.is_empty();
        if keep_waker(&self.state, cx.waker(), |state| must_wait(state).then_some(&mut state.reader)) {
            return Poll::Pending;
        }
        let mut read = 0;
        self.change(
            |state| {
                let (front, back) = state.bytes.as_slices();
                for part in [front, back] {
                    let count = part.len().min(buf.len() - read);
                    buf[read..read + count].copy_from_slice(&part[..count]);
                    read += count;
                }
                state.bytes.drain(..read);
            },
            |state| state.writer.take(),
        );
        Poll::Ready(Ok(read))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let is_empty = bufs.iter().all(|buf| buf.is_empty());
        let must_wait =
            |state: &State| state.bytes.len() == self.capacity && !state.ended && !state.unread && !is_empty;
        if keep_waker(&self.state, cx.waker(), |state| must_wait(state).then_some(&mut state.writer)) {
            return Poll::Pending;
        }
        let mut written = Ok(0);
        self.change(
            |state| {
                if state.ended || state.unread {
                    written = Err(io::ErrorKind::BrokenPipe.into());
                    return;
                }
                let room = self.capacity - state.bytes.len();
                let mut count = 0;
                for buf in bufs {
                    let part = &buf[..buf.len().min(room - count)];
                    state.bytes.extend(part);
                    count += part.len();
                }
                written = Ok(count);
            },
            |state| state.reader.take(),
        );
        Poll::Ready(written)
    }

    fn end(&self) {
        self.change(|state| state.ended = true, |state| state.reader.take());
    }
}

// Without a look behind the lock: whoever formats it may be writing to this very stream.
impl fmt::Debug for DuplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplexStream").field("max_buf_size", &self.outgoing.capacity).finish_non_exhaustive()
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        self.outgoing.end();
        self.incoming.change(|state| state.unread = true, |state| state.writer.take());
    }
}

impl Reads for DuplexStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        coop::poll(cx, |cx| self.incoming.poll_read(cx, buf))
    }
}

impl Writes for DuplexStream {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        coop::poll(cx, |cx| self.outgoing.poll_write(cx, bufs))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.end();
        Poll::Ready(Ok(()))
    }
}

reads!([] DuplexStream, it => it);
writes!([] DuplexStream, it => it);
