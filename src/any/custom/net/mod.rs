mod listener;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

use std::io;

use super::Boxed;

/// `try_io` of an object-safe twin.
type TryIo<'a> = &'a mut dyn FnMut() -> io::Result<()>;

/// Calls `operation` by the `try_io` of a twin.
fn attempt<T>(
    operation: impl FnOnce() -> io::Result<T>,
    try_io: impl FnOnce(TryIo<'_>) -> io::Result<()>,
) -> io::Result<T> {
    let (mut operation, mut output) = (Some(operation), None);
    try_io(&mut || {
        // Called once: what was an error is not called again.
        let operation = operation.take().ok_or(io::ErrorKind::WouldBlock)?;
        output = Some(operation()?);
        Ok(())
    })?;
    output.ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

/// The methods of a list in `runtime`, as an object-safe twin has them.
macro_rules! declare {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output>;)*
    };
    ($($(#[$doc:meta])* fn $name:ident, $poll:ident(
        $($buf:ident: &$($mut:ident)? [u8])? $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            fn $name<'a>(&'a self, $($buf: &'a $($mut)? [u8])? $(, $arg: $type)*) -> Boxed<'a, io::Result<$output>>;
            fn $poll(
                &self,
                cx: &mut Context<'_>,
                $($buf: &$($mut)? [u8])? $(, $arg: $type)*
            ) -> Poll<io::Result<$output>>;
        )*
    };
}
use declare;

/// As whatever has the trait implements them.
macro_rules! erase {
    ($trait:ident: $($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            runtime::$trait::$name(self $(, $arg)*)
        })*
    };
    ($trait:ident: $($(#[$doc:meta])* fn $name:ident, $poll:ident(
        $($buf:ident: &$($mut:ident)? [u8])? $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            fn $name<'a>(&'a self, $($buf: &'a $($mut)? [u8])? $(, $arg: $type)*) -> Boxed<'a, io::Result<$output>> {
                Box::pin(runtime::$trait::$name(self, $($buf)? $(, $arg)*))
            }

            fn $poll(
                &self,
                cx: &mut Context<'_>,
                $($buf: &$($mut)? [u8])? $(, $arg: $type)*
            ) -> Poll<io::Result<$output>> {
                runtime::$trait::$poll(self, cx, $($buf)? $(, $arg)*)
            }
        )*
    };
}
use erase;

/// As what holds a twin, in the field `io`, implements the trait.
macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            self.io.$name($($arg),*)
        })*
    };
    ($($(#[$doc:meta])* fn $name:ident, $poll:ident(
        $($buf:ident: &$($mut:ident)? [u8])? $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            async fn $name(&self, $($buf: &$($mut)? [u8])? $(, $arg: $type)*) -> io::Result<$output> {
                self.io.$name($($buf)? $(, $arg)*).await
            }

            fn $poll(
                &self,
                cx: &mut Context<'_>,
                $($buf: &$($mut)? [u8])? $(, $arg: $type)*
            ) -> Poll<io::Result<$output>> {
                self.io.$poll(cx, $($buf)? $(, $arg)*)
            }
        )*
    };
}
use forward;

pub(crate) use tcp::{TcpListener, TcpStream};
pub(crate) use udp::UdpSocket;
#[cfg(unix)]
pub(crate) use unix::{UnixDatagram, UnixListener, UnixStream};
