//! Sockets of the system: their options, set before one connects or listens, or asked of its descriptor.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::options::{
    BACKLOG, ConnectOptions, Keepalive, ListenOptions, SocketOptions, invalid, no_such_option, whole_seconds,
};
use super::{descriptor, named};
use crate::runtime::Descriptor;

impl ConnectOptions {
    /// A socket that has begun to connect.
    pub(crate) fn start(&self, addr: SocketAddr) -> io::Result<std::net::TcpStream> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        self.socket.set(&socket)?;
        if let Some(hook) = &self.hook {
            hook.call("before_connect", descriptor(&socket))?;
        }
        if let Some(local) = self.local_addr {
            let bound = socket.bind(&local.into());
            bound.map_err(|error| named(error, format!("cannot connect from {local}")))?;
        }
        match socket.connect(&addr.into()) {
            Err(error) if !is_in_progress(&error) => Err(error),
            _ => Ok(socket.into()),
        }
    }
}

/// Whether a socket that does not block will connect by itself.
fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    return matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR));
    #[cfg(windows)]
    return error.kind() == io::ErrorKind::WouldBlock;
}

impl ListenOptions {
    /// Creates a TCP listener.
    pub(crate) fn listen(&self, addr: SocketAddr) -> io::Result<std::net::TcpListener> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        // On Windows it would let somebody else take the port.
        if cfg!(unix) && self.socket.reuse_address.is_none() {
            socket.set_reuse_address(true)?;
        }
        self.socket.set(&socket)?;
        match self.only_v6 {
            Some(on) if addr.is_ipv6() => set("only_v6", socket.set_only_v6(on))?,
            Some(_) => {
                return Err(invalid(
                    "only_v6",
                    &format!("{addr} is an address of IPv4, and this is an option of IPv6"),
                ));
            }
            None => {}
        }
        if let Some(hook) = &self.hook {
            hook.call("before_listen", descriptor(&socket))?;
        }
        socket.bind(&addr.into())?;
        socket.listen(self.backlog.map_or(BACKLOG, |backlog| backlog.try_into().unwrap_or(i32::MAX)))?;
        Ok(socket.into())
    }
}

impl SocketOptions {
    fn set(&self, socket: &Socket) -> io::Result<()> {
        if let Some(on) = self.reuse_address {
            set("reuse_address", socket.set_reuse_address(on))?;
        }
        if let Some(on) = self.reuse_port {
            set("reuse_port", set_reuse_port(socket, on))?;
        }
        if let Some(on) = self.nodelay {
            set("nodelay", socket.set_tcp_nodelay(on))?;
        }
        if let Some(keepalive) = self.keepalive {
            set("keepalive", keepalive.set(&SockRef::from(socket)))?;
        }
        if let Some(time) = self.linger {
            set("linger", socket.set_linger(Some(whole_seconds(time))))?;
        }
        if let Some(size) = self.recv_buffer_size {
            set("recv_buffer_size", socket.set_recv_buffer_size(size))?;
        }
        if let Some(size) = self.send_buffer_size {
            set("send_buffer_size", socket.set_send_buffer_size(size))?;
        }
        Ok(())
    }
}

impl Keepalive {
    fn set(self, socket: &SockRef<'_>) -> io::Result<()> {
        let Self { time, interval, retries } = self.in_whole_seconds();
        let mut keepalive = TcpKeepalive::new();
        if let Some(time) = time {
            keepalive = keepalive.with_time(time);
        }
        if let Some(interval) = interval {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = retries {
            keepalive = keepalive.with_retries(retries);
        }
        socket.set_tcp_keepalive(&keepalive)
    }
}

/// What can be asked of a socket, or done with it, by its descriptor: nothing of this needs a runtime.
pub(crate) mod of {
    use std::io::{IoSlice, IoSliceMut, Read as _};

    use socket2::SockAddr;

    use super::*;

    // The standard library writes without a signal as well; where there is no such flag, it is an option of the socket.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    const NO_SIGNAL: i32 = 0;

    /// Of one call: the system takes no more (`UIO_MAXIOV`), and the standard library takes the first ones then.
    const MOST_BUFFERS: usize = 1024;

    fn ask<T>(
        of: Option<Descriptor<'_>>,
        question: impl FnOnce(SockRef<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        match &of {
            Some(descriptor) => question(SockRef::from(descriptor)),
            None => Err(no_such_option()),
        }
    }

    pub(crate) fn read(of: Option<Descriptor<'_>>, buf: &mut [u8]) -> io::Result<usize> {
        ask(of, |socket| (&*socket).read(buf))
    }

    pub(crate) fn read_vectored(
        of: Option<Descriptor<'_>>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        let len = bufs.len().min(MOST_BUFFERS);
        ask(of, |socket| (&*socket).read_vectored(&mut bufs[..len]))
    }

    pub(crate) fn write(of: Option<Descriptor<'_>>, buf: &[u8]) -> io::Result<usize> {
        ask(of, |socket| socket.send_with_flags(buf, NO_SIGNAL).map_err(write_error))
    }

    pub(crate) fn write_vectored(of: Option<Descriptor<'_>>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let bufs = &bufs[..bufs.len().min(MOST_BUFFERS)];
        ask(of, |socket| socket.send_vectored_with_flags(bufs, NO_SIGNAL).map_err(write_error))
    }

    pub(crate) fn send_to(of: Option<Descriptor<'_>>, buf: &[u8], to: &SockAddr) -> io::Result<usize> {
        ask(of, |socket| socket.send_to_with_flags(buf, to, NO_SIGNAL))
    }

    pub(crate) fn udp_send_to(of: Option<Descriptor<'_>>, buf: &[u8], to: SocketAddr) -> io::Result<usize> {
        send_to(of, buf, &to.into())
    }

    /// By another handle to it, for socket2 has no `recv_from` without `unsafe`.
    pub(crate) fn udp_recv_from(
        of: Option<Descriptor<'_>>,
        buf: &mut [u8],
    ) -> io::Result<(usize, SocketAddr)> {
        let descriptor = of.ok_or_else(no_such_option)?;
        std::net::UdpSocket::from(descriptor.try_clone_to_owned()?).recv_from(buf)
    }

    /// As [`udp_recv_from`].
    #[cfg(unix)]
    pub(crate) fn unix_recv_from(
        of: Option<Descriptor<'_>>,
        buf: &mut [u8],
    ) -> io::Result<(usize, std::os::unix::net::SocketAddr)> {
        let descriptor = of.ok_or_else(no_such_option)?;
        std::os::unix::net::UnixDatagram::from(descriptor.try_clone_to_owned()?).recv_from(buf)
    }

    pub(crate) fn linger(of: Option<Descriptor<'_>>) -> io::Result<Option<Duration>> {
        ask(of, |socket| socket.linger())
    }

    pub(crate) fn set_linger(of: Option<Descriptor<'_>>, time: Option<Duration>) -> io::Result<()> {
        ask(of, |socket| set("linger", socket.set_linger(time.map(whole_seconds))))
    }

    pub(crate) fn keepalive(of: Option<Descriptor<'_>>) -> io::Result<Option<Keepalive>> {
        ask(of, |socket| {
            if !socket.keepalive()? {
                return Ok(None);
            }
            Ok(Some(Keepalive {
                #[cfg(not(windows))]
                time: Some(socket.tcp_keepalive_time()?),
                #[cfg(not(windows))]
                interval: Some(socket.tcp_keepalive_interval()?),
                retries: Some(socket.tcp_keepalive_retries()?),
                // socket2 0.6 cannot ask Windows for them.
                #[cfg(windows)]
                time: None,
                #[cfg(windows)]
                interval: None,
            }))
        })
    }

    pub(crate) fn set_keepalive(of: Option<Descriptor<'_>>, keepalive: Option<Keepalive>) -> io::Result<()> {
        ask(of, |socket| match keepalive {
            Some(keepalive) => {
                keepalive.check()?;
                set("keepalive", keepalive.set(&socket))
            }
            None => socket.set_keepalive(false),
        })
    }

    pub(crate) fn recv_buffer_size(of: Option<Descriptor<'_>>) -> io::Result<usize> {
        ask(of, |socket| socket.recv_buffer_size())
    }

    pub(crate) fn send_buffer_size(of: Option<Descriptor<'_>>) -> io::Result<usize> {
        ask(of, |socket| socket.send_buffer_size())
    }
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
fn set_reuse_port(socket: &Socket, on: bool) -> io::Result<()> {
    socket.set_reuse_port(on)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin")))))]
fn set_reuse_port(_: &Socket, _: bool) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no SO_REUSEPORT"))
}

/// Writing after `close` is a `BrokenPipe`; the standard library (1.96) has no kind for the `WSAESHUTDOWN` of Windows.
pub(crate) fn write_error(error: io::Error) -> io::Error {
    if cfg!(windows) && error.raw_os_error() == Some(10058) {
        return io::Error::new(io::ErrorKind::BrokenPipe, error);
    }
    error
}

/// Names the option that the system did not set.
fn set(option: &str, result: io::Result<()>) -> io::Result<()> {
    result.map_err(|error| named(error, format!("cannot set {option}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagram_comes_with_its_sender_by_another_handle() {
        let [a, b] = [(); 2].map(|()| std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
        let (a_addr, b_addr) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        let descriptor = |socket| Some(descriptor(socket));
        assert_eq!(of::udp_send_to(descriptor(&a), b"x", b_addr).unwrap(), 1);
        assert_eq!(of::udp_recv_from(descriptor(&b), &mut [0; 8]).unwrap(), (1, a_addr));
        assert_eq!(of::udp_recv_from(None, &mut []).unwrap_err().kind(), io::ErrorKind::Unsupported);
    }

    #[cfg(unix)]
    #[test]
    fn unix_datagram_comes_by_another_handle() {
        let (a, b) = std::os::unix::net::UnixDatagram::pair().unwrap();
        a.send(b"x").unwrap();
        assert_eq!(of::unix_recv_from(Some(descriptor(&b)), &mut [0; 8]).unwrap().0, 1);
    }
}
