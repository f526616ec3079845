//! Sockets of the current runtime.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::vec;

use super::find;
use crate::any::net::{TcpListener, TcpStream, UdpSocket};
use crate::runtime::net::{
    ConnectOptions, ListenOptions, ToSocketAddrs, bind, connect, resolve_all, udp_bind,
};
use crate::runtime::{Driver, Net};

/// Finds all addresses of a name with the resolver of the current runtime; see
/// [`Net::lookup_host`](crate::Net::lookup_host), which returns a `Vec`.
///
/// # Errors
///
/// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
///
/// Scenarios: `free_functions_find_the_runtime`.
pub fn lookup_host<A: ToSocketAddrs>(
    addr: A,
) -> impl Future<Output = io::Result<vec::IntoIter<SocketAddr>>> + Send {
    let (runtime, addrs) = (find(Driver::None), addr.to_addrs());
    async move { Ok(resolve_all(&runtime?, addrs, None).await?.into_iter()) }
}

impl TcpStream {
    /// Connects on the current runtime; see [`Net::tcp_connect`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `free_functions_find_the_runtime`.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { connect(&runtime?, addrs, &ConnectOptions::UNSET).await }
    }

    /// Connects on the current runtime, with options; see [`Net::tcp_connect_with`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn connect_with<A: ToSocketAddrs>(
        addr: A,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { connect(&runtime?, addrs, options).await }
    }

    /// Takes over a connection of the standard library; see [`Net::tcp_stream_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        find(Driver::Io)?.tcp_stream_from_std(stream)
    }
}

impl TcpListener {
    /// Listens on the current runtime; see [`Net::tcp_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `free_functions_find_the_runtime`.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { bind(&runtime?, addrs, &ListenOptions::UNSET).await }
    }

    /// Listens on the current runtime, with options; see [`Net::tcp_bind_with`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn bind_with<A: ToSocketAddrs>(
        addr: A,
        options: &ListenOptions,
    ) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { bind(&runtime?, addrs, options).await }
    }

    /// Takes over a listening socket of the standard library; see [`Net::tcp_listener_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        find(Driver::Io)?.tcp_listener_from_std(listener)
    }
}

impl UdpSocket {
    /// Binds a socket of the current runtime; see [`Net::udp_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `udp_without_a_handle`.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { udp_bind(&runtime?, addrs).await }
    }

    /// Takes over a socket of the standard library; see [`Net::udp_socket_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        find(Driver::Io)?.udp_socket_from_std(socket)
    }
}
