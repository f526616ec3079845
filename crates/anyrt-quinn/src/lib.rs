#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod poller;
mod socket;
mod timer;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use anyrt::net::UdpSocket;
use anyrt::{AnyRuntime, Net, Time};
use quinn::{AsyncTimer, AsyncUdpSocket, Endpoint, EndpointConfig, ServerConfig};

/// `quinn::Runtime` on a runtime of anyrt: its tasks, timers and sockets.
///
/// On runtimes with system sockets, quinn-udp works on their descriptors: several datagrams per system call (GSO, GRO),
/// and ECN, as with quinn's own runtimes. In a simulation, and on a runtime without descriptors, each call sends or
/// receives one datagram.
///
/// It keeps its runtime handle, and so does every [`Endpoint`].
///
/// # Examples
///
/// A server and a client on the current runtime:
///
/// ```no_run
/// use std::io;
///
/// use anyrt_quinn::AnyrtRuntime;
/// use quinn::{ClientConfig, EndpointConfig, ServerConfig};
///
/// async fn echo(config: ServerConfig) -> io::Result<()> {
///     let address = ([127, 0, 0, 1], 4433).into();
///     let runtime = AnyrtRuntime::current();
///     let endpoint = runtime.endpoint(EndpointConfig::default(), Some(config), address)?;
///     while let Some(incoming) = endpoint.accept().await {
///         let answer = async move {
///             let (mut send, mut receive) = incoming.await?.accept_bi().await?;
///             let body = receive.read_to_end(1 << 20).await.map_err(io::Error::other)?;
///             send.write_all(&body).await?;
///             send.finish()?;
///             send.stopped().await.map_err(io::Error::other)
///         };
///         anyrt::spawn(answer).detach();
///     }
///     Ok(())
/// }
///
/// async fn ask(config: ClientConfig) -> io::Result<Vec<u8>> {
///     let address = ([0, 0, 0, 0], 0).into();
///     let runtime = AnyrtRuntime::current();
///     let endpoint = runtime.endpoint(EndpointConfig::default(), None, address)?;
///     let server = ([127, 0, 0, 1], 4433).into();
///     let connecting = endpoint.connect_with(config, server, "localhost");
///     let connection = connecting.map_err(io::Error::other)?.await?;
///     let (mut send, mut receive) = connection.open_bi().await?;
///     send.write_all(b"hello").await?;
///     send.finish()?;
///     receive.read_to_end(1 << 20).await.map_err(io::Error::other)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AnyrtRuntime {
    runtime: AnyRuntime,
}

impl AnyrtRuntime {
    /// Uses the current runtime.
    ///
    /// # Panics
    ///
    /// As [`AnyRuntime::current`], if no runtime is current.
    #[track_caller]
    pub fn current() -> Self {
        AnyRuntime::current().into()
    }

    /// Creates an endpoint bound to `addr`: for a server if there is a `server` configuration, for clients only
    /// otherwise.
    ///
    /// An IPv6 socket also serves IPv4 if the system supports it, as that of `Endpoint::client` does.
    ///
    /// # Dropping
    ///
    /// As in quinn: connections, and with them the endpoint's task, live until they are closed.
    ///
    /// # Errors
    ///
    /// Errors of binding. In a simulation, `addr` must be an address of the handle's host.
    pub fn endpoint(
        &self,
        config: EndpointConfig,
        server: Option<ServerConfig>,
        addr: SocketAddr,
    ) -> io::Result<Endpoint> {
        let socket = wrap(socket::bind(&self.runtime, addr)?)?;
        Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(self.clone()))
    }
}

impl<R: Into<AnyRuntime>> From<R> for AnyrtRuntime {
    fn from(runtime: R) -> Self {
        Self { runtime: runtime.into() }
    }
}

/// Converts a socket of anyrt for quinn, for use with [`Endpoint::new_with_abstract_socket`] or
/// [`Endpoint::rebind_abstract`].
///
/// # Errors
///
/// The system's errors when quinn-udp sets socket options.
///
/// # Examples
///
/// Moves an endpoint to another address:
///
/// ```
/// use std::io;
///
/// use anyrt::net::UdpSocket;
///
/// async fn rebind(endpoint: &quinn::Endpoint) -> io::Result<()> {
///     let socket = UdpSocket::bind("0.0.0.0:0").await?;
///     endpoint.rebind_abstract(anyrt_quinn::wrap(socket)?)
/// }
/// ```
pub fn wrap(socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    Ok(match socket::Batched::new(socket)? {
        Ok(batched) => Arc::new(batched),
        Err(socket) => Arc::new(socket::Plain::new(socket)),
    })
}

impl quinn::Runtime for AnyrtRuntime {
    fn new_timer(&self, deadline: Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(timer::Timer::new(self.runtime.sleep_until(deadline)))
    }

    #[track_caller]
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        drop(self.runtime.spawn(future));
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        wrap(self.runtime.udp_socket_from_std(socket)?)
    }

    fn now(&self) -> Instant {
        self.runtime.now()
    }
}
