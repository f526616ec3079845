use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

use super::Source;
#[cfg(unix)]
use crate::runtime::net::family::Unix;
use crate::runtime::net::family::{Family, Tcp};
use crate::runtime::net::write_error;

/// A socket that is connected, as a stream of bytes, and how its listener makes one.
pub trait Connected: Family<Listener: Source> + Source {
    fn read(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn write(&self, buf: &[u8]) -> io::Result<usize>;
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
    fn local_addr(&self) -> io::Result<Self::Addr>;
    fn peer_addr(&self) -> io::Result<Self::Addr>;
    fn accept(listener: &Self::Listener) -> io::Result<(Self, Self::Addr)>;
}

macro_rules! connected {
    ($family:ty) => {
        impl Connected for $family {
            fn read(mut self: &Self, buf: &mut [u8]) -> io::Result<usize> {
                Read::read(&mut self, buf)
            }

            fn write(mut self: &Self, buf: &[u8]) -> io::Result<usize> {
                Write::write(&mut self, buf).map_err(write_error)
            }

            fn write_vectored(mut self: &Self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                Write::write_vectored(&mut self, bufs).map_err(write_error)
            }

            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                self.shutdown(how)
            }

            fn local_addr(&self) -> io::Result<Self::Addr> {
                self.local_addr()
            }

            fn peer_addr(&self) -> io::Result<Self::Addr> {
                self.peer_addr()
            }

            fn accept(listener: &Self::Listener) -> io::Result<(Self, Self::Addr)> {
                listener.accept()
            }
        }
    };
}

connected!(Tcp);
#[cfg(unix)]
connected!(Unix);
