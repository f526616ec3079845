use std::io;

use crate::any::one_of::{OneOf, each};
use crate::runtime::net::family::{Family, Stream};
use crate::runtime::{self, Descriptor, Interest, ReuniteError, read_tries, write_tries};

/// Splits whatever it is by `$split`, into halves that are of the same backend.
macro_rules! split {
    ($one_of:expr, $it:ident => $split:expr) => {
        match $one_of {
            OneOf::Tokio { it: $it } => {
                let (read, write) = $split;
                (OneOf::Tokio { it: read }, OneOf::Tokio { it: write })
            }
            OneOf::AsyncIo { it: $it } => {
                let (read, write) = $split;
                (OneOf::AsyncIo { it: read }, OneOf::AsyncIo { it: write })
            }
            OneOf::Sim { it: $it } => {
                let (read, write) = $split;
                (OneOf::Sim { it: read }, OneOf::Sim { it: write })
            }
            OneOf::Custom { it: $it } => {
                let (read, write) = $split;
                (OneOf::Custom { it: read }, OneOf::Custom { it: write })
            }
        }
    };
}

/// Puts two halves of a stream of one backend together again.
macro_rules! reunite {
    ($stream:ident, $backend:ident, $read:ident, $write:ident) => {
        match $stream::reunite($read, $write) {
            Ok(it) => Ok(OneOf::$backend { it }),
            Err(ReuniteError(read, write)) => {
                Err(ReuniteError(OneOf::$backend { it: read }, OneOf::$backend { it: write }))
            }
        }
    };
}

impl<F, T, A, S, C> Stream<F> for OneOf<T, A, S, C>
where
    F: Family,
    T: Stream<F>,
    A: Stream<F>,
    S: Stream<F>,
    C: Stream<F>,
{
    type ReadHalf<'a> = OneOf<T::ReadHalf<'a>, A::ReadHalf<'a>, S::ReadHalf<'a>, C::ReadHalf<'a>>;
    type WriteHalf<'a> = OneOf<T::WriteHalf<'a>, A::WriteHalf<'a>, S::WriteHalf<'a>, C::WriteHalf<'a>>;
    type OwnedReadHalf = OneOf<T::OwnedReadHalf, A::OwnedReadHalf, S::OwnedReadHalf, C::OwnedReadHalf>;
    type OwnedWriteHalf = OneOf<T::OwnedWriteHalf, A::OwnedWriteHalf, S::OwnedWriteHalf, C::OwnedWriteHalf>;

    fn split_mut(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>) {
        split!(self, it => it.split_mut())
    }

    fn into_split(self) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf) {
        split!(self, it => it.into_split())
    }

    fn reunite(
        read: Self::OwnedReadHalf,
        write: Self::OwnedWriteHalf,
    ) -> Result<Self, ReuniteError<Self::OwnedReadHalf, Self::OwnedWriteHalf>> {
        match (read, write) {
            (OneOf::Tokio { it: read }, OneOf::Tokio { it: write }) => reunite!(T, Tokio, read, write),
            (OneOf::AsyncIo { it: read }, OneOf::AsyncIo { it: write }) => reunite!(A, AsyncIo, read, write),
            (OneOf::Sim { it: read }, OneOf::Sim { it: write }) => reunite!(S, Sim, read, write),
            (OneOf::Custom { it: read }, OneOf::Custom { it: write }) => reunite!(C, Custom, read, write),
            (read, write) => Err(ReuniteError(read, write)),
        }
    }

    async fn readable(&self) -> io::Result<()> {
        each!(self, it => it.readable().await)
    }

    async fn writable(&self) -> io::Result<()> {
        each!(self, it => it.writable().await)
    }

    fn try_io<O>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<O>) -> io::Result<O> {
        each!(self, it => it.try_io(interest, operation))
    }

    fn local_addr(&self) -> io::Result<F::Addr> {
        each!(self, it => it.local_addr())
    }

    fn peer_addr(&self) -> io::Result<F::Addr> {
        each!(self, it => it.peer_addr())
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(self, it => it.descriptor())
    }

    fn into_std(self) -> io::Result<F> {
        each!(self, it => it.into_std())
    }
}

/// A trait of halves, on whatever it is of the backends' halves.
macro_rules! one_of {
    ($trait:ident, $ready:ident, $tries:ident) => {
        impl<T, A, S, C> runtime::$trait for OneOf<T, A, S, C>
        where
            T: runtime::$trait,
            A: runtime::$trait<Addr = T::Addr>,
            S: runtime::$trait<Addr = T::Addr>,
            C: runtime::$trait<Addr = T::Addr>,
        {
            type Addr = T::Addr;

            async fn $ready(&self) -> io::Result<()> {
                each!(self, it => it.$ready().await)
            }

            $tries!(each_tries);

            fn try_io<O>(&self, operation: impl FnOnce() -> io::Result<O>) -> io::Result<O> {
                each!(self, it => it.try_io(operation))
            }

            fn local_addr(&self) -> io::Result<T::Addr> {
                each!(self, it => it.local_addr())
            }

            fn peer_addr(&self) -> io::Result<T::Addr> {
                each!(self, it => it.peer_addr())
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                each!(self, it => it.descriptor())
            }
        }
    };
}

/// The methods of a list in `runtime`, of a half.
macro_rules! each_tries {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            each!(self, it => it.$name($($arg),*))
        })*
    };
}

one_of!(ReadHalf, readable, read_tries);
one_of!(WriteHalf, writable, write_tries);

/// The type without parameters that a stream of a family is in, and its halves. `$own` is what only its trait has.
macro_rules! stream {
    ($std:ident::$name:ident: $family:ty { $($own:tt)* }) => {
        impl $name {
            /// Splits the stream into borrowed halves, to read and write at the same time within one task. Dropping a
            /// half has no effect.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::split_mut`].")]
            pub fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
                let (read, write) = Stream::<$family>::split_mut(&mut self.inner);
                (ReadHalf { inner: read }, WriteHalf { inner: write })
            }

            /// Same as [`split_mut`](Self::split_mut), under tokio's name.
            ///
            /// If `AsyncReadExt` of futures is imported, `stream.split()` calls that trait's method, which consumes the
            /// stream and puts a lock between the halves: use `split_mut` there.
            pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
                self.split_mut()
            }

            /// Splits the stream into owned halves, to read and write at the same time from two tasks. Dropping the
            /// write half closes the write side.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::into_split`].")]
            pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                let (read, write) = Stream::<$family>::into_split(self.inner);
                (OwnedReadHalf { inner: read }, OwnedWriteHalf { inner: write })
            }

            /// Waits until a read may succeed: bytes, the end of the stream or an error.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::readable`].")]
            pub fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
                Stream::<$family>::readable(&self.inner)
            }

            /// Waits until a write may succeed.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::writable`].")]
            pub fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
                Stream::<$family>::writable(&self.inner)
            }

            stream_tries!(inherent $name);

            /// Calls `operation` on the descriptor, without waiting; `WouldBlock` tells the runtime that the descriptor
            /// is not ready.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::try_io`].")]
            pub fn try_io<T>(
                &self,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                Stream::<$family>::try_io(&self.inner, interest, operation)
            }

            /// Returns the local address.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::local_addr`].")]
            pub fn local_addr(&self) -> io::Result<$std::SocketAddr> {
                Stream::<$family>::local_addr(&self.inner)
            }

            /// Returns the address of the peer.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::peer_addr`].")]
            pub fn peer_addr(&self) -> io::Result<$std::SocketAddr> {
                Stream::<$family>::peer_addr(&self.inner)
            }

            /// Returns the system's socket, for options that are missing here; `None` if there is no system socket.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::descriptor`].")]
            pub fn descriptor(&self) -> Option<Descriptor<'_>> {
                Stream::<$family>::descriptor(&self.inner)
            }

            /// Deregisters it and returns it as a **blocking** one of the standard library.
            ///
            #[doc = concat!("See [`runtime::", stringify!($name), "::into_std`].")]
            pub fn into_std(self) -> io::Result<$std::$name> {
                Stream::<$family>::into_std(self.inner)
            }
        }

        impl runtime::$name for $name {
            type ReadHalf<'a> = ReadHalf<'a>;
            type WriteHalf<'a> = WriteHalf<'a>;
            type OwnedReadHalf = OwnedReadHalf;
            type OwnedWriteHalf = OwnedWriteHalf;

            fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
                self.split_mut()
            }

            fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                self.into_split()
            }

            fn reunite(
                read: OwnedReadHalf,
                write: OwnedWriteHalf,
            ) -> Result<Self, runtime::ReuniteError<OwnedReadHalf, OwnedWriteHalf>> {
                read.reunite(write)
            }

            fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
                Stream::<$family>::readable(&self.inner)
            }

            fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
                Stream::<$family>::writable(&self.inner)
            }

            stream_tries!(forward);

            fn try_io<T>(
                &self,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                self.try_io(interest, operation)
            }

            fn local_addr(&self) -> io::Result<$std::SocketAddr> {
                self.local_addr()
            }

            fn peer_addr(&self) -> io::Result<$std::SocketAddr> {
                self.peer_addr()
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                self.descriptor()
            }

            fn into_std(self) -> io::Result<$std::$name> {
                self.into_std()
            }

            $($own)*
        }

        #[doc = concat!("The read half of a borrowed [`", stringify!($name), "`].")]
        #[derive(Debug)]
        pub struct ReadHalf<'a> {
            inner: <AnyStream as Stream<$family>>::ReadHalf<'a>,
        }

        #[doc = concat!("The write half of a borrowed [`", stringify!($name), "`].")]
        #[derive(Debug)]
        pub struct WriteHalf<'a> {
            inner: <AnyStream as Stream<$family>>::WriteHalf<'a>,
        }

        #[doc = concat!("The read half of a [`", stringify!($name), "`].")]
        #[derive(Debug)]
        pub struct OwnedReadHalf {
            inner: <AnyStream as Stream<$family>>::OwnedReadHalf,
        }

        impl OwnedReadHalf {
            #[doc = concat!("Puts the halves of a stream together again; see [`runtime::", stringify!($name), "::reunite`].")]
            ///
            /// # Errors
            ///
            /// Returns both halves if they are not of the same stream.
            pub fn reunite(self, other: OwnedWriteHalf) -> Result<$name, ReuniteError> {
                match <AnyStream as Stream<$family>>::reunite(self.inner, other.inner) {
                    Ok(inner) => Ok($name { inner }),
                    Err(runtime::ReuniteError(read, write)) => {
                        let (read, write) = (Self { inner: read }, OwnedWriteHalf { inner: write });
                        Err(runtime::ReuniteError(read, write))
                    }
                }
            }
        }

        impl OwnedWriteHalf {
            #[doc = concat!("Puts the halves of a stream together again; see [`runtime::", stringify!($name), "::reunite`].")]
            ///
            /// # Errors
            ///
            /// Returns both halves if they are not of the same stream.
            pub fn reunite(self, other: OwnedReadHalf) -> Result<$name, ReuniteError> {
                other.reunite(self)
            }
        }

        #[doc = concat!("Error of [`reunite`](OwnedReadHalf::reunite): the halves are not of one [`", stringify!($name), "`]. It gives both of them back.")]
        pub type ReuniteError = runtime::ReuniteError<OwnedReadHalf, OwnedWriteHalf>;

        #[doc = concat!("The write half of a [`", stringify!($name), "`], which closes the write side when it is dropped.")]
        #[derive(Debug)]
        pub struct OwnedWriteHalf {
            inner: <AnyStream as Stream<$family>>::OwnedWriteHalf,
        }

        $crate::any::net::stream::half!(ReadHalf<'_>: ReadHalf, readable, read_tries, $std::SocketAddr);
        $crate::any::net::stream::half!(WriteHalf<'_>: WriteHalf, writable, write_tries, $std::SocketAddr);
        $crate::any::net::stream::half!(OwnedReadHalf: ReadHalf, readable, read_tries, $std::SocketAddr);
        $crate::any::net::stream::half!(OwnedWriteHalf: WriteHalf, writable, write_tries, $std::SocketAddr);

        $crate::any::net::stream::reads_one_of!($name);
        writes!([] $name, it => &mut it.inner);
        $crate::any::net::stream::reads_one_of!(ReadHalf<'_>);
        writes!([] WriteHalf<'_>, it => &mut it.inner);
        $crate::any::net::stream::reads_one_of!(OwnedReadHalf);
        writes!([] OwnedWriteHalf, it => &mut it.inner);
    };
}
pub(super) use stream;

/// The methods of a half.
macro_rules! half {
    ($half:ty: $trait:ident, $ready:ident, $tries:ident, $addr:ty) => {
        impl $half {
            #[doc = concat!("Waits until the half may be ", stringify!($ready), ".")]
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::", stringify!($ready), "`].")]
            pub fn $ready(&self) -> impl Future<Output = io::Result<()>> + Send {
                runtime::$trait::$ready(&self.inner)
            }

            $tries!(inherent $trait);

            /// Calls `operation` on the descriptor, without waiting; `WouldBlock` tells the runtime that the descriptor
            /// is not ready.
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::try_io`].")]
            pub fn try_io<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
                runtime::$trait::try_io(&self.inner, operation)
            }

            /// Returns the local address.
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::local_addr`].")]
            pub fn local_addr(&self) -> io::Result<$addr> {
                runtime::$trait::local_addr(&self.inner)
            }

            /// Returns the address of the peer.
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::peer_addr`].")]
            pub fn peer_addr(&self) -> io::Result<$addr> {
                runtime::$trait::peer_addr(&self.inner)
            }

            /// Returns the system's socket, for options that are missing here; `None` if there is no system socket.
            ///
            #[doc = concat!("See [`runtime::", stringify!($trait), "::descriptor`].")]
            pub fn descriptor(&self) -> Option<Descriptor<'_>> {
                runtime::$trait::descriptor(&self.inner)
            }
        }

        impl runtime::$trait for $half {
            type Addr = $addr;

            fn $ready(&self) -> impl Future<Output = io::Result<()>> + Send {
                self.$ready()
            }

            $tries!(forward);

            fn try_io<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
                self.try_io(operation)
            }

            fn local_addr(&self) -> io::Result<$addr> {
                self.local_addr()
            }

            fn peer_addr(&self) -> io::Result<$addr> {
                self.peer_addr()
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                self.descriptor()
            }
        }
    };
}
pub(super) use half;

/// A type that reads from one of the backends' streams, each in its own way.
macro_rules! reads_one_of {
    ($type:ty) => {
        reads!(futures [] $type, it => &mut it.inner);
        reads!(tokio [] $type, (it, cx, buf) => {
            each!(&mut it.inner, it => ::tokio::io::AsyncRead::poll_read(std::pin::Pin::new(it), cx, buf))
        });
    };
}
pub(super) use reads_one_of;
