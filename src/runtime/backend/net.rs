use std::future::Future;
use std::io;
use std::net::SocketAddr;

use crate::runtime::Net;
use crate::runtime::net::{ConnectOptions, ListenOptions, resolve};

/// Creates sockets; what [`Net`] stands on. Programs call the methods of `Net`.
///
/// The types of the sockets are in `Net`. An implementation writes its own types, without the `where Self: Net`.
///
/// Module [`socket`](crate::socket) has sockets for each of the required methods, over any reactor that can say when a
/// socket is ready.
pub trait NetBackend {
    /// Waits until a non-blocking socket that has begun to connect is connected or has failed, and converts it.
    ///
    /// The connection is decided when the socket becomes writable.
    fn finish_connect(
        &self,
        stream: std::net::TcpStream,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send
    where
        Self: Net;

    /// Converts a connection of the standard library, blocking or non-blocking, and sets it to non-blocking; called by
    /// [`tcp_stream_from_std`](Net::tcp_stream_from_std).
    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream>
    where
        Self: Net;

    /// Converts a listener of the standard library, blocking or non-blocking, and sets it to non-blocking; called by
    /// [`tcp_listener_from_std`](Net::tcp_listener_from_std).
    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener>
    where
        Self: Net;

    /// Converts a UDP socket of the standard library, blocking or non-blocking, and sets it to non-blocking; called by
    /// [`udp_socket_from_std`](Net::udp_socket_from_std).
    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Self::UdpSocket>
    where
        Self: Net;

    /// Connects to one address; called by [`tcp_connect`](Net::tcp_connect).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn connect_addr(
        &self,
        addr: SocketAddr,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send
    where
        Self: Net,
    {
        let started = options.start(addr);
        async move { self.finish_connect(started?).await }
    }

    /// Listens on one address; called by [`tcp_bind`](Net::tcp_bind).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<Self::TcpListener>
    where
        Self: Net,
    {
        self.adopt_tcp_listener(options.listen(addr)?)
    }

    /// Binds a UDP socket to one address; called by [`udp_bind`](Net::udp_bind).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<Self::UdpSocket>
    where
        Self: Net,
    {
        self.adopt_udp_socket(std::net::UdpSocket::bind(addr)?)
    }

    /// Resolves one host name; called by [`lookup_host`](Net::lookup_host).
    ///
    /// Uses the resolver of the process, if [`set_resolver`](crate::net::set_resolver) has set one, or else the
    /// system's, off the worker threads. Replace it in a backend that has names of its own.
    fn resolve(
        &self,
        host: String,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_
    where
        Self: Net,
    {
        resolve(self, host, port)
    }
}
