use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

pin_project! {
    /// Adapter from the I/O traits of futures to those of tokio; with feature `tokio-io`.
    ///
    /// The stream types of anyrt implement both and need no adapter. Use it in generic code, which knows only the trait
    /// [`runtime::TcpStream`](crate::runtime::TcpStream).
    ///
    /// Vectored writes stay vectored, and `shutdown` calls `close`. Reads go directly into the reader's buffer, whose
    /// uninitialized part is filled with zeros first.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::{Runtime, runtime::Compat};
    /// use tokio::io::{AsyncBufReadExt, BufReader};
    ///
    /// async fn first_line<R: Runtime>(runtime: R, server: &str) -> io::Result<Option<String>> {
    ///     let stream = Compat::new(runtime.tcp_connect(server).await?);
    ///     BufReader::new(stream).lines().next_line().await
    /// }
    /// ```
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Compat<S> {
        #[pin]
        stream: S,
    }
}

impl<S> Compat<S> {
    /// Wraps a stream.
    pub const fn new(stream: S) -> Self {
        Self { stream }
    }

    /// Returns a reference to the stream.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Returns a mutable reference to the stream.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Returns the stream. The adapter buffers nothing.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: futures_io::AsyncRead> AsyncRead for Compat<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(self.project().stream.poll_read(cx, buf.initialize_unfilled()))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: futures_io::AsyncBufRead> AsyncBufRead for Compat<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.project().stream.poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.project().stream.consume(amt);
    }
}

impl<S: futures_io::AsyncWrite> AsyncWrite for Compat<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_close(cx)
    }
}
