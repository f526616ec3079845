//! The I/O traits of other crates, on every stream of this one and on its halves. They are written here and nowhere else.

use std::io::{self, IoSlice, IoSliceMut};
use std::task::{Context, Poll};

/// Readers.
pub(crate) trait Reads {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// As the default of futures-io: into the first buffer that has room.
    fn poll_read_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs.iter_mut().find(|buf| !buf.is_empty()) {
            Some(buf) => self.poll_read(cx, buf),
            None => self.poll_read(cx, &mut []),
        }
    }

    /// As tokio has it. A buffer is initialized once, however often it is read into.
    #[cfg(feature = "tokio-io")]
    fn poll_read_buf(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = std::task::ready!(self.poll_read(cx, buf.initialize_unfilled()))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

/// Writers.
pub(crate) trait Writes {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;
    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A type that can be read from, by what in it [`Reads`]; with `futures` only the trait of futures, and with `tokio` that of tokio,
/// by an expression.
macro_rules! reads {
    ([$($generics:tt)*] $type:ty, $it:ident => $inner:expr) => {
        reads!(futures [$($generics)*] $type, $it => $inner);
        reads!(tokio [$($generics)*] $type, ($it, cx, buf) => {
            $crate::runtime::net::io_traits::Reads::poll_read_buf($inner, cx, buf)
        });
    };
    (futures [$($generics:tt)*] $type:ty, $it:ident => $inner:expr) => {
        impl<$($generics)*> futures_io::AsyncRead for $type {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $it = self.get_mut();
                $crate::runtime::net::io_traits::Reads::poll_read($inner, cx, buf)
            }

            fn poll_read_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $it = self.get_mut();
                $crate::runtime::net::io_traits::Reads::poll_read_vectored($inner, cx, bufs)
            }
        }
    };
    (tokio [$($generics:tt)*] $type:ty, ($it:ident, $cx:ident, $buf:ident) => $read:expr) => {
        #[cfg(feature = "tokio-io")]
        impl<$($generics)*> ::tokio::io::AsyncRead for $type {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                $cx: &mut std::task::Context<'_>,
                $buf: &mut ::tokio::io::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let $it = self.get_mut();
                $read
            }
        }
    };
}
pub(crate) use reads;

/// A type that can be written to, by what in it [`Writes`]. The traits of futures and of tokio differ in one name, and in what
/// only that of tokio asks.
macro_rules! writes {
    ([$($generics:tt)*] $type:ty, $it:ident => $inner:expr) => {
        writes!(futures_io::AsyncWrite, poll_close, {}; [$($generics)*] $type, $it => $inner);
        #[cfg(feature = "tokio-io")]
        writes!(::tokio::io::AsyncWrite, poll_shutdown, {
            fn is_write_vectored(&self) -> bool {
                true
            }
        }; [$($generics)*] $type, $it => $inner);
    };
    ($io_trait:path, $close:ident, { $($own:tt)* }; [$($generics:tt)*] $type:ty, $it:ident => $inner:expr) => {
        impl<$($generics)*> $io_trait for $type {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $it = self.get_mut();
                $crate::runtime::net::io_traits::Writes::poll_write($inner, cx, buf)
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $it = self.get_mut();
                $crate::runtime::net::io_traits::Writes::poll_write_vectored($inner, cx, bufs)
            }

            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let $it = self.get_mut();
                $crate::runtime::net::io_traits::Writes::poll_flush($inner, cx)
            }

            fn $close(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let $it = self.get_mut();
                $crate::runtime::net::io_traits::Writes::poll_close($inner, cx)
            }

            $($own)*
        }
    };
}
pub(crate) use writes;
