use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// A resolver of host names: DNS over HTTPS, a service registry, a table in a test.
///
/// Give it to one client with [`ConnectOptions::resolver`](super::ConnectOptions::resolver), or to the whole process with
/// [`set_resolver`].
///
/// # Examples
///
/// With feature `macros`, an implementation is written as an `async fn`:
///
/// ```
/// # #[cfg(feature = "macros")]
/// # mod table {
/// use std::{collections::HashMap, io, net::{IpAddr, SocketAddr}};
///
/// use anyrt::net::Resolve;
///
/// struct Table(HashMap<String, IpAddr>);
///
/// #[anyrt::async_trait]
/// impl Resolve for Table {
///     async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
///         match self.0.get(host) {
///             Some(ip) => Ok(vec![(*ip, port).into()]),
///             None => Err(io::Error::new(io::ErrorKind::NotFound, "it is not in the table")),
///         }
///     }
/// }
/// # }
/// ```
///
/// Without it, by hand:
///
/// ```
/// use std::{io, net::{IpAddr, Ipv4Addr, SocketAddr}, pin::Pin};
///
/// use anyrt::net::Resolve;
///
/// struct Here;
///
/// impl Resolve for Here {
///     fn resolve<'life0, 'life1, 'async_trait>(
///         &'life0 self,
///         _: &'life1 str,
///         port: u16,
///     ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'async_trait>>
///     where
///         'life0: 'async_trait,
///         'life1: 'async_trait,
///         Self: 'async_trait,
///     {
///         Box::pin(async move { Ok(vec![(Ipv4Addr::LOCALHOST, port).into()]) })
///     }
/// }
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, the best first. It is no address itself: those need no resolver.
    ///
    /// It is polled by the task that asks, so it must not block: [`spawn_blocking`](crate::spawn_blocking) is for that.
    /// What it fails with keeps its kind, and is said together with the name.
    ///
    /// The signature is that of `#[async_trait]`.
    fn resolve<'life0, 'life1, 'async_trait>(
        &'life0 self,
        host: &'life1 str,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait;
}

/// A resolver that is shared.
#[derive(Clone)]
pub(crate) struct Resolver(Arc<dyn Resolve>);

impl Resolver {
    pub(super) fn new(resolver: impl Resolve) -> Self {
        Self(Arc::new(resolver))
    }

    pub(super) async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.0.resolve(host, port).await
    }

    /// The one of the process.
    pub(super) fn of_the_process() -> Option<&'static Self> {
        RESOLVER.get()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

static RESOLVER: OnceLock<Resolver> = OnceLock::new();

/// Makes every runtime of the process ask `resolver` for names, and not the system, from now on.
///
/// For applications, at the beginning of `main`, and once. A runtime whose names are its own, such as one whose network is
/// in memory, goes on asking itself.
///
/// # Errors
///
/// When the process has one already.
///
/// # Examples
///
/// ```
/// # fn start(table: impl anyrt::net::Resolve) -> std::io::Result<()> {
/// anyrt::net::set_resolver(table)?;
/// # Ok(()) }
/// ```
pub fn set_resolver(resolver: impl Resolve) -> Result<(), SetResolverError> {
    RESOLVER.set(Resolver::new(resolver)).map_err(|_| SetResolverError { _private: () })
}

/// The process has a resolver already; see [`set_resolver`].
///
/// It converts into an [`io::Error`] of kind `AlreadyExists`.
pub struct SetResolverError {
    _private: (),
}

/// The text of its `Display`, which a `main` prints that returns it.
impl fmt::Debug for SetResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SetResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the process has a resolver already: `set_resolver` is for the beginning of `main`, once. Use \
             `ConnectOptions::resolver` for one client.",
        )
    }
}

impl Error for SetResolverError {}

impl From<SetResolverError> for io::Error {
    fn from(error: SetResolverError) -> Self {
        io::Error::new(io::ErrorKind::AlreadyExists, error)
    }
}
