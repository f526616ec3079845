mod listener;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
pub(crate) mod unix;

use crate::runtime::Descriptor;

pub use tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, TcpListener, TcpStream, WriteHalf};
pub use udp::UdpSocket;

/// From what the backends make, and back.
macro_rules! convert {
    ($name:ident: $tokio:ty, $async_io:ty, $sim:ty) => {
        #[allow(dead_code, reason = "without its backend nobody makes one")]
        impl $name {
            pub(crate) fn tokio(it: $tokio) -> Self {
                Self { inner: OneOf::Tokio { it } }
            }

            pub(crate) fn async_io(it: $async_io) -> Self {
                Self { inner: OneOf::AsyncIo { it } }
            }

            pub(crate) fn sim(it: $sim) -> Self {
                Self { inner: OneOf::Sim { it } }
            }

            pub(crate) fn into_tokio(self) -> Result<$tokio, Self> {
                match self.inner {
                    OneOf::Tokio { it } => Ok(it),
                    inner => Err(Self { inner }),
                }
            }

            pub(crate) fn into_async_io(self) -> Result<$async_io, Self> {
                match self.inner {
                    OneOf::AsyncIo { it } => Ok(it),
                    inner => Err(Self { inner }),
                }
            }
        }

        impl From<custom::net::$name> for $name {
            fn from(it: custom::net::$name) -> Self {
                Self { inner: OneOf::Custom { it } }
            }
        }

        // Runtimes of anyrt's own have it, and so has everything in `socket`.
        crate::runtime::net::lends!([] $name, it => crate::any::net::of_the_system(it.descriptor()));
    };
}
use convert;

/// The methods of a list in `runtime`, as methods of the type itself.
macro_rules! inherent {
    ($trait:ident: $($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::", stringify!($name), "`].")]
            pub fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                each!(&self.inner, it => runtime::$trait::$name(it $(, $arg)*))
            }
        )*
    };
    ($trait:ident: $($(#[$doc:meta])* fn $name:ident, $poll:ident(
        $($buf:ident: &$($mut:ident)? [u8])? $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::", stringify!($name), "`].")]
            pub async fn $name(&self, $($buf: &$($mut)? [u8])? $(, $arg: $type)*) -> io::Result<$output> {
                each!(&self.inner, it => runtime::$trait::$name(it, $($buf)? $(, $arg)*).await)
            }

            #[doc = concat!("[`", stringify!($name), "`](Self::", stringify!($name), ") as a poll function, for one task each way.")]
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::", stringify!($poll), "`].")]
            pub fn $poll(
                &self,
                cx: &mut Context<'_>,
                $($buf: &$($mut)? [u8])? $(, $arg: $type)*
            ) -> Poll<io::Result<$output>> {
                each!(&self.inner, it => runtime::$trait::$poll(it, cx, $($buf)? $(, $arg)*))
            }
        )*
    };
}
use inherent;

/// The methods of a list in `runtime`, as those of the trait: the type has them itself.
macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            self.$name($($arg),*)
        })*
    };
    ($($(#[$doc:meta])* fn $name:ident, $poll:ident(
        $($buf:ident: &$($mut:ident)? [u8])? $(, $arg:ident: $type:ty)*
    ) -> $output:ty;)*) => {
        $(
            async fn $name(&self, $($buf: &$($mut)? [u8])? $(, $arg: $type)*) -> io::Result<$output> {
                self.$name($($buf)? $(, $arg)*).await
            }

            fn $poll(
                &self,
                cx: &mut Context<'_>,
                $($buf: &$($mut)? [u8])? $(, $arg: $type)*
            ) -> Poll<io::Result<$output>> {
                self.$poll(cx, $($buf)? $(, $arg)*)
            }
        )*
    };
}
use forward;

#[track_caller]
fn of_the_system(descriptor: Option<Descriptor<'_>>) -> Descriptor<'_> {
    match descriptor {
        Some(descriptor) => descriptor,
        None => panic!(
            "anyrt: this socket has no system socket behind it, because its runtime has a network of its own. \
             Call `descriptor()` to check first."
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    #[test]
    fn socket_without_a_descriptor_says_what_to_ask() {
        let payload = catch_unwind(|| super::of_the_system(None)).unwrap_err();
        let text = payload.downcast_ref::<&str>().copied().unwrap_or_default();
        assert!(text.contains("Call `descriptor()` to check first"), "{text}");
    }
}
