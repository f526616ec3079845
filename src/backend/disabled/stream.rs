use std::future::Future;
use std::io;
use std::net as std_net;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Disabled, never};
use crate::runtime::{self, tcp_required};

/// The stream and the listener of a family, with what only it has.
macro_rules! family {
    ($std:ident: $stream:ident { $($own:tt)* } $listener:ident { $($listeners_own:tt)* }) => {
        impl runtime::$stream for Disabled {
            type ReadHalf<'a> = Self;
            type WriteHalf<'a> = Self;
            type OwnedReadHalf = Self;
            type OwnedWriteHalf = Self;

            fn split_mut(&mut self) -> (Self, Self) {
                match *self {}
            }

            fn into_split(self) -> (Self, Self) {
                match self {}
            }

            never!(fn local_addr() -> $std::SocketAddr; fn peer_addr() -> $std::SocketAddr;);

            fn into_std(self) -> io::Result<$std::$stream> {
                match self {}
            }

            $($own)*
        }

        impl runtime::$listener for Disabled {
            type Stream = Self;

            async fn accept(&self) -> io::Result<(Self, $std::SocketAddr)> {
                match *self {}
            }

            fn poll_accept(&self, _: &mut Context<'_>) -> Poll<io::Result<(Self, $std::SocketAddr)>> {
                match *self {}
            }

            fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + 'static {
                std::future::pending()
            }

            never!(fn local_addr() -> $std::SocketAddr;);

            fn into_std(self) -> io::Result<$std::$listener> {
                match self {}
            }

            $($listeners_own)*
        }
    };
}

family!(std_net: TcpStream {
    async fn peek(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    tcp_required!(never);
} TcpListener {
    never!(fn ttl() -> u32; fn set_ttl(ttl: u32) -> (););
});

#[cfg(unix)]
family!(std_unix: UnixStream {} UnixListener {});
