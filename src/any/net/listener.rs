use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::any::one_of::{OneOf, each};
use crate::runtime::Descriptor;
use crate::runtime::backend::BoxFuture;
use crate::runtime::net::family::{Family, Listener};

/// Accepts from whatever it is by `$accept`, whose `$map` makes the stream one of the same backend.
macro_rules! accept {
    ($one_of:expr, $it:ident => $accept:expr, $map:ident) => {
        match $one_of {
            OneOf::Tokio { it: $it } => $accept.$map(|(it, peer)| (OneOf::Tokio { it }, peer)),
            OneOf::AsyncIo { it: $it } => $accept.$map(|(it, peer)| (OneOf::AsyncIo { it }, peer)),
            OneOf::Sim { it: $it } => $accept.$map(|(it, peer)| (OneOf::Sim { it }, peer)),
            OneOf::Custom { it: $it } => $accept.$map(|(it, peer)| (OneOf::Custom { it }, peer)),
        }
    };
}

impl<F, T, A, S, C> Listener<F> for OneOf<T, A, S, C>
where
    F: Family,
    T: Listener<F>,
    A: Listener<F>,
    S: Listener<F>,
    C: Listener<F>,
{
    type Stream = OneOf<T::Stream, A::Stream, S::Stream, C::Stream>;

    async fn accept(&self) -> io::Result<(Self::Stream, F::Addr)> {
        accept!(self, it => it.accept().await, map)
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, F::Addr)>> {
        accept!(self, it => it.poll_accept(cx), map_ok)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        each!(self, it => Box::pin(it.sleep(duration)) as BoxFuture)
    }

    fn local_addr(&self) -> io::Result<F::Addr> {
        each!(self, it => it.local_addr())
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(self, it => it.descriptor())
    }

    fn into_std(self) -> io::Result<F::Listener> {
        each!(self, it => it.into_std())
    }
}

/// The type without parameters that a listener of a family is in. `$own` is what only its trait has.
macro_rules! listener {
    ($std:ident::$name:ident: $family:ty => $stream:ident { $($own:tt)* }) => {
        impl $name {
            /// Waits for a connection. Any number of tasks may wait at once.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::accept`].")]
            pub async fn accept(&self) -> io::Result<($stream, $std::SocketAddr)> {
                Listener::<$family>::accept(&self.inner).await.map(|(inner, peer)| ($stream { inner }, peer))
            }

            /// [`accept`](Self::accept) as a poll function, for one task.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::poll_accept`].")]
            pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<($stream, $std::SocketAddr)>> {
                Listener::<$family>::poll_accept(&self.inner, cx)
                    .map_ok(|(inner, peer)| ($stream { inner }, peer))
            }

            /// Returns an endless `Stream` of connections.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::incoming`].")]
            pub fn incoming(&mut self) -> Incoming<'_, Self> {
                Incoming::new(self)
            }

            /// Returns the local address.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::local_addr`].")]
            pub fn local_addr(&self) -> io::Result<$std::SocketAddr> {
                Listener::<$family>::local_addr(&self.inner)
            }

            /// Returns the system's socket, for options that are missing here; `None` if there is no system socket.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::descriptor`].")]
            pub fn descriptor(&self) -> Option<Descriptor<'_>> {
                Listener::<$family>::descriptor(&self.inner)
            }

            /// Deregisters it and returns it as a **blocking** one of the standard library.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::into_std`].")]
            pub fn into_std(self) -> io::Result<$std::$name> {
                Listener::<$family>::into_std(self.inner)
            }
        }

        impl runtime::$name for $name {
            type Stream = $stream;

            async fn accept(&self) -> io::Result<($stream, $std::SocketAddr)> {
                self.accept().await
            }

            fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<($stream, $std::SocketAddr)>> {
                self.poll_accept(cx)
            }

            fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
                Listener::<$family>::sleep(&self.inner, duration)
            }

            fn local_addr(&self) -> io::Result<$std::SocketAddr> {
                self.local_addr()
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                self.descriptor()
            }

            fn into_std(self) -> io::Result<$std::$name> {
                self.into_std()
            }

            $($own)*
        }
    };
}
pub(super) use listener;
