use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net as std_net;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Disabled, never};
use crate::runtime::net::io_traits::{reads, writes};
use crate::runtime::{self, tcp_required};

/// A half of a stream, of the family that has these addresses.
#[derive(Debug)]
pub struct Half<A> {
    never: Disabled,
    addr: PhantomData<fn() -> A>,
}

reads!([A] Half<A>, it => &mut it.never);
writes!([A] Half<A>, it => &mut it.never);

macro_rules! half {
    ($trait:ident) => {
        impl<A: fmt::Debug + Send + 'static> runtime::$trait for Half<A> {
            type Addr = A;

            fn local_addr(&self) -> io::Result<A> {
                match self.never {}
            }

            fn peer_addr(&self) -> io::Result<A> {
                match self.never {}
            }
        }
    };
}

half!(ReadHalf);
half!(WriteHalf);

/// The stream and the listener of a family, with what only it has.
macro_rules! family {
    ($std:ident: $stream:ident { $($own:tt)* } $listener:ident { $($listeners_own:tt)* }) => {
        impl runtime::$stream for Disabled {
            type ReadHalf<'a> = Half<$std::SocketAddr>;
            type WriteHalf<'a> = Half<$std::SocketAddr>;
            type OwnedReadHalf = Half<$std::SocketAddr>;
            type OwnedWriteHalf = Half<$std::SocketAddr>;

            fn split_mut(&mut self) -> (Half<$std::SocketAddr>, Half<$std::SocketAddr>) {
                match *self {}
            }

            fn into_split(self) -> (Half<$std::SocketAddr>, Half<$std::SocketAddr>) {
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
