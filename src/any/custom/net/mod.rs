mod listener;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

use super::Boxed;

/// The methods of a list in `runtime`, as an object-safe twin has them.
macro_rules! declare {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output>;)*
    };
    ($(fn $name:ident, $poll:ident(
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
    ($trait:ident: $(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            runtime::$trait::$name(self $(, $arg)*)
        })*
    };
    ($trait:ident: $(fn $name:ident, $poll:ident(
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
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            self.io.$name($($arg),*)
        })*
    };
    ($(fn $name:ident, $poll:ident(
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
