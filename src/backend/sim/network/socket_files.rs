//! The paths and abstract names of Unix sockets. A host keeps its files when it crashes.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::Errno;
use crate::backend::sim::sorted::SortedMap;
use crate::runtime::net::options::named;

#[derive(Default)]
pub(super) struct SocketFiles(SortedMap<Name, File>);

/// A path of a host; or an abstract name, of which each kind of socket has its own.
type Name = (usize, PathBuf, Option<SocketKind>);

struct File {
    kind: SocketKind,
    /// `None`: the socket is gone, and its file has stayed.
    socket: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SocketKind {
    Stream,
    Datagram,
}

impl SocketFiles {
    pub(super) fn bind(&mut self, host: usize, path: &Path, kind: SocketKind, socket: u64) -> io::Result<()> {
        let name = name(host, path, kind);
        match self.0.get(&name) {
            // `std::fs::remove_file` would not find it.
            Some(file) if file.socket.is_none() => {
                let text = "its file has stayed when its socket was dropped; to remove it, write \
                            `anyrt::net::remove_socket(path)`";
                Err(named(Errno::AddrInUse.into(), text.to_owned()))
            }
            Some(_) => Err(Errno::AddrInUse.into()),
            None => {
                self.0.insert(name, File { kind, socket: Some(socket) });
                Ok(())
            }
        }
    }

    /// Returns the socket that can be connected or sent to.
    pub(super) fn find(&self, host: usize, path: &Path, kind: SocketKind) -> Result<u64, Errno> {
        let Some(file) = self.0.get(&name(host, path, kind)) else {
            return Err(if is_abstract(path) { Errno::ConnectionRefused } else { Errno::NotFound });
        };
        match file.socket {
            None => Err(Errno::ConnectionRefused),
            Some(_) if file.kind != kind => Err(Errno::OtherType),
            Some(socket) => Ok(socket),
        }
    }

    /// A socket is gone: an abstract name is free again, a file stays.
    pub(super) fn leave(&mut self, host: usize, path: &Path, kind: SocketKind, socket: u64) {
        let name = name(host, path, kind);
        let Some(file) = self.0.get_mut(&name).filter(|file| file.socket == Some(socket)) else { return };
        file.socket = None;
        if is_abstract(path) {
            self.0.remove(&name);
        }
    }

    pub(super) fn remove(&mut self, host: usize, path: &Path) -> Result<(), Errno> {
        match self.0.remove(&(host, path.to_owned(), None)) {
            Some(_) => Ok(()),
            None => Err(Errno::NotFound),
        }
    }

    /// All sockets of a host are gone.
    pub(super) fn crash(&mut self, host: usize) {
        self.0.retain(|(its, path, _), file| {
            if *its == host {
                file.socket = None;
            }
            *its != host || !is_abstract(path)
        });
    }
}

fn name(host: usize, path: &Path, kind: SocketKind) -> Name {
    (host, path.to_owned(), is_abstract(path).then_some(kind))
}

/// Whether it is the name of no file (unix(7)).
fn is_abstract(path: &Path) -> bool {
    path.as_os_str().as_bytes().starts_with(b"\0")
}
