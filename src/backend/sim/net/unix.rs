mod datagram;

use std::future::{Future, poll_fn};
use std::io;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::acceptor::Acceptor;
use super::socket::Socket;
use super::{Address, Listener, OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, WriteHalf, forward};
use crate::backend::sim::network::Addr;
use crate::backend::sim::world::World;
use crate::runtime::net::family::{listener_items, stream_items};
use crate::runtime::net::options::{SocketOptions, no_peer_cred};
use crate::runtime::net::path::{cannot, check, full_queue};
use crate::runtime::{self, UCred, fd_tries, stream_tries};

/// A Unix stream connection in memory. Programs use [`net::UnixStream`](crate::net::UnixStream), which contains it in a
/// simulation.
pub(in crate::backend::sim) type UnixStream = Stream<SocketAddr>;

/// A Unix socket listener in memory.
pub(in crate::backend::sim) type UnixListener = Listener<SocketAddr>;

pub(in crate::backend::sim) use datagram::UnixDatagram;

/// [`UnixNetBackend::unix_connect_path`](crate::runtime::backend::UnixNetBackend::unix_connect_path). Paths belong to one host; no file system is
/// involved.
pub(crate) async fn connect(world: Arc<World>, host: usize, path: PathBuf) -> io::Result<UnixStream> {
    check(&path)?;
    let asked = match world.with(|state| state.network.has_room(host, &path)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(full_queue()),
        Err(error) => Err(error),
    };
    cannot("connect to", &path, asked)?;
    let to = Addr::Path(Some(path));
    let socket = Socket::ask(&world, (host, Addr::Path(None)), (host, to), SocketOptions::default());
    poll_fn(|cx| socket.poll_connected(cx)).await?;
    Ok(Stream::new(socket))
}

/// [`UnixNetBackend::unix_bind_path`](crate::runtime::backend::UnixNetBackend::unix_bind_path).
pub(crate) fn listen(world: &Arc<World>, host: usize, path: &Path) -> io::Result<UnixListener> {
    check(path)?;
    let number = world.with(|state| state.network.listen_at(&mut state.clock, host, path))?;
    Ok(Listener::new(Acceptor::new(world, number, Addr::Path(Some(path.to_owned())))))
}

/// [`UnixNetBackend::unix_remove_path`](crate::runtime::backend::UnixNetBackend::unix_remove_path).
pub(crate) fn remove(world: &Arc<World>, host: usize, path: &Path) -> io::Result<()> {
    check(path)?;
    world.with(|state| state.network.remove_file(host, path))
}

/// [`UnixNet::unix_pair`](runtime::UnixNet::unix_pair).
pub(crate) fn pair(world: &Arc<World>, host: usize) -> io::Result<(UnixStream, UnixStream)> {
    world.with(|state| state.network.check_up(host))?;
    let [a, b] = Socket::pair(world, host).map(Stream::new);
    Ok((a, b))
}

/// The address of a path, as the standard library has it.
fn std_addr(path: &Path) -> io::Result<SocketAddr> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt as _;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt as _;

    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = path.as_os_str().as_bytes().strip_prefix(b"\0") {
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(path)
}

impl Address for SocketAddr {
    fn of(addr: &Addr) -> io::Result<Self> {
        match addr {
            Addr::Path(Some(path)) => std_addr(path),
            // Without a path it has no name.
            Addr::Path(None) | Addr::Ip(_) => Self::from_pathname(""),
        }
    }
}

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a, SocketAddr>;
    type WriteHalf<'a> = WriteHalf<'a, SocketAddr>;
    type OwnedReadHalf = OwnedReadHalf<SocketAddr>;
    type OwnedWriteHalf = OwnedWriteHalf<SocketAddr>;

    stream_items!(std_unix::UnixStream);
    stream_tries!(forward);
    fd_tries!(forward);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Address::of(&self.socket.addrs.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Address::of(self.socket.peer()?)
    }

    fn peer_cred(&self) -> io::Result<UCred> {
        if cfg!(not(any(target_os = "linux", target_os = "android"))) {
            return Err(no_peer_cred());
        }
        Ok(UCred::new(0, 0, None))
    }
}

impl runtime::UnixListener for UnixListener {
    listener_items!(UnixStream, SocketAddr, std_unix::UnixListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Address::of(&self.acceptor.local)
    }
}
