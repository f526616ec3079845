use std::io;

use crate::any::one_of::{OneOf, each};
use crate::runtime::Descriptor;
use crate::runtime::net::family::{Family, Stream};

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
