//! Sockets of the current runtime.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::vec;

use super::find;
use crate::any::net::{TcpListener, TcpStream, UdpSocket};
use crate::any::one_of::{OneOf, each};
use crate::runtime::net::{
    Addrs, ConnectOptions, ListenOptions, ToSocketAddrs, bind, connect, named, no_address, resolve_all,
    udp_bind,
};
use crate::runtime::{Driver, Net, NoRuntime, UdpSocket as _};

/// Resolves a name to all its addresses with the resolver of the current runtime; see
/// [`Net::lookup_host`](crate::Net::lookup_host), which returns a `Vec`.
///
/// # Errors
///
/// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
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
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `free_functions_find_the_runtime`.</details>
    #[track_caller]
    pub fn connect<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { connect(&runtime?, addrs, &ConnectOptions::UNSET).await }
    }

    /// Connects on the current runtime, with options; see [`Net::tcp_connect_with`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn connect_with<A: ToSocketAddrs>(
        addr: A,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { connect(&runtime?, addrs, options).await }
    }

    /// Converts a connection of the standard library; see [`Net::tcp_stream_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        find(Driver::Io)?.tcp_stream_from_std(stream)
    }
}

impl TcpListener {
    /// Listens on the current runtime; see [`Net::tcp_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `free_functions_find_the_runtime`.</details>
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { bind(&runtime?, addrs, &ListenOptions::UNSET).await }
    }

    /// Listens on the current runtime, with options; see [`Net::tcp_bind_with`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn bind_with<A: ToSocketAddrs>(
        addr: A,
        options: &ListenOptions,
    ) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { bind(&runtime?, addrs, options).await }
    }

    /// Converts a listener of the standard library; see [`Net::tcp_listener_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        find(Driver::Io)?.tcp_listener_from_std(listener)
    }
}

impl UdpSocket {
    /// Binds a socket of the current runtime; see [`Net::udp_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_without_a_handle`.</details>
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { udp_bind(&runtime?, addrs).await }
    }

    /// Sets the peer of [`send`](Self::send): the first of the addresses that the socket can be connected to. Datagrams
    /// from other addresses are no longer received.
    ///
    /// Nothing is sent. A socket may be connected again to another peer. A name is resolved by the current runtime, as
    /// [`lookup_host`] does; an address needs no runtime and no waiting. (A
    /// [`runtime::UdpSocket`](crate::runtime::UdpSocket::connect), for generic code, takes an address and is not
    /// async.)
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the socket unchanged.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; otherwise the error of the last address, or of the look-up.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::net::UdpSocket;
    ///
    /// async fn ask(server: &str) -> io::Result<Vec<u8>> {
    ///     let socket = UdpSocket::bind("0.0.0.0:0").await?;
    ///     socket.connect((server, 123)).await?;
    ///     socket.send(b"what time is it?").await?;
    ///     let mut answer = vec![0; 512];
    ///     let len = socket.recv(&mut answer).await?;
    ///     answer.truncate(len);
    ///     Ok(answer)
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_connect_and_send_to_take_names`, `udp_addresses_need_no_runtime`.</details>
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        match known(addr) {
            Ok(addr) => self.connect_addr(addr),
            // Boxed, so that a socket that is told an address pays for none of it.
            Err(addrs) => Box::pin(self.connect_to_first(addrs)).await,
        }
    }

    async fn connect_to_first(&self, addrs: Addrs) -> io::Result<()> {
        let mut last = no_address("connect to");
        for addr in resolve_here(addrs).await? {
            match self.connect_addr(addr) {
                Ok(()) => return Ok(()),
                Err(error) => last = named(error, format!("cannot connect to {addr}")),
            }
        }
        Err(last)
    }

    /// Sends a datagram to the first of the addresses that has the socket's IP version.
    ///
    /// A name is resolved by the current runtime, as [`lookup_host`] does, at each call. For many datagrams, resolve
    /// once and keep the address, which needs no runtime.
    ///
    /// # Cancel safety
    ///
    /// A send that did not complete has sent nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; otherwise the error of the look-up, or the system's.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_connect_and_send_to_take_names`, `udp_addresses_need_no_runtime`.</details>
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], target: A) -> io::Result<usize> {
        let target = match known(target) {
            Ok(target) => target,
            Err(addrs) => return self.send_to_first(buf, addrs).await,
        };
        each!(&self.inner, it => it.send_to(buf, target).await)
    }

    /// In a box, and by the one above: what sends is then compiled into one place, where it is inlined.
    fn send_to_first<'a>(
        &'a self,
        buf: &'a [u8],
        addrs: Addrs,
    ) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + 'a>> {
        Box::pin(async move {
            let is_ipv4 = self.local_addr()?.is_ipv4();
            let addrs = resolve_here(addrs).await?;
            let first = addrs.iter().find(|addr| addr.is_ipv4() == is_ipv4).or(addrs.first());
            let target = *first.ok_or_else(|| no_address("send to"))?;
            self.send_to(buf, target).await
        })
    }

    /// Converts a socket of the standard library; see [`Net::udp_socket_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        find(Driver::Io)?.udp_socket_from_std(socket)
    }
}

/// An address, or what has to be resolved.
#[inline]
fn known<A: ToSocketAddrs>(addr: A) -> Result<SocketAddr, Addrs> {
    match addr.to_addrs() {
        Addrs::One(addr) => Ok(addr),
        addrs => Err(addrs),
    }
}

/// What the current runtime says of a name. What is not one needs no runtime.
async fn resolve_here(addrs: Addrs) -> io::Result<Vec<SocketAddr>> {
    match addrs {
        Addrs::Many(addrs) => Ok(addrs),
        addrs => {
            let runtime = find(Driver::None).map_err(NoRuntime::without_place)?;
            resolve_all(&runtime, addrs, None).await
        }
    }
}
