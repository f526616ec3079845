//! # TLS, with rustls
//!
//! A TLS session takes a stream, and is a stream. Two crates run rustls over a stream, and both take the streams of
//! anyrt unchanged: [`over_tokio_io`] uses tokio-rustls, which needs the I/O traits of tokio (feature `tokio-io`);
//! [`over_futures_io`] uses futures-rustls, which needs those of `futures`. The code around them decides: a library
//! that reads with `futures::io` uses the second. Both can talk to each other.
//!
//! ```toml
//! anyrt = { version = "0.1", features = ["tokio-io"] }
//! rustls = { version = "0.23", default-features = false, features = ["ring", "std"] }
//! tokio-rustls = { version = "0.26", default-features = false, features = ["ring"] }
//! ```
//!
//! A peer that connects and then stays silent would block a handshake for ever, so each handshake has a timeout here,
//! on the clock of the runtime.
//!
//! ## In a simulation
//!
//! The handshake and its timeout run there. rustls takes its keys from the system's randomness, and checks certificates
//! with the system's clock. Neither follows from the seed: two runs with one seed send other bytes, and a signature may
//! be one byte longer. `rustls::ClientConfig::builder_with_details` takes a provider and a clock of your own;
//! `tests/ecosystem/crypto.rs` of anyrt has a provider whose bytes follow from the seed.

/// tokio-rustls.
pub mod over_tokio_io {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use anyrt::net::TcpStream;
    use anyrt::time::timeout;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ServerConfig};
    use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

    /// Connects as a client; the server's certificate must be for `name`.
    ///
    /// # Errors
    ///
    /// Errors of the handshake; kind `TimedOut` after `limit`.
    pub async fn connect(
        stream: TcpStream,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
        limit: Duration,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        timeout(limit, TlsConnector::from(config).connect(name, stream)).await?
    }

    /// Accepts as a server.
    ///
    /// # Errors
    ///
    /// Errors of the handshake; kind `TimedOut` after `limit`.
    pub async fn accept(
        stream: TcpStream,
        config: Arc<ServerConfig>,
        limit: Duration,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        timeout(limit, TlsAcceptor::from(config).accept(stream)).await?
    }
}

/// futures-rustls.
pub mod over_futures_io {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use anyrt::net::TcpStream;
    use anyrt::time::timeout;
    use futures_rustls::{TlsAcceptor, TlsConnector, client, server};
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ServerConfig};

    /// Connects as a client; the server's certificate must be for `name`.
    ///
    /// # Errors
    ///
    /// Errors of the handshake; kind `TimedOut` after `limit`.
    pub async fn connect(
        stream: TcpStream,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
        limit: Duration,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        timeout(limit, TlsConnector::from(config).connect(name, stream)).await?
    }

    /// Accepts as a server.
    ///
    /// # Errors
    ///
    /// Errors of the handshake; kind `TimedOut` after `limit`.
    pub async fn accept(
        stream: TcpStream,
        config: Arc<ServerConfig>,
        limit: Duration,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        timeout(limit, TlsAcceptor::from(config).accept(stream)).await?
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};
    use std::sync::{Arc, LazyLock};
    use std::time::Duration;

    use anyrt::net::TcpStream;
    use anyrt::time::now;
    use anyrt::{AnyRuntime, Sim};
    use futures::future::try_join;
    use futures::io::{AsyncReadExt, AsyncWriteExt};
    use futures::join;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::io as tokio_io;

    use super::*;
    use crate::loopback::connection;

    /// Configurations of a client and a server, with a certificate made for the test.
    struct Configs {
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
    }

    static CONFIGS: LazyLock<Configs> = LazyLock::new(|| {
        let certified = rcgen::generate_simple_self_signed(["server".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certified.cert.der().clone()).unwrap();
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let server = ServerConfig::builder().with_no_client_auth();
        let key = certified.signing_key.into();
        let server = server.with_single_cert(vec![certified.cert.into()], key).unwrap();
        Configs { client: Arc::new(client), server: Arc::new(server) }
    });

    fn client() -> Arc<ClientConfig> {
        CONFIGS.client.clone()
    }

    fn server() -> Arc<ServerConfig> {
        CONFIGS.server.clone()
    }

    fn name(name: &'static str) -> ServerName<'static> {
        ServerName::try_from(name).unwrap()
    }

    /// A long limit, for a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// More than a TLS record, and more than a socket buffers.
    const SENT: usize = 1 << 20;

    async fn asks_over_tokio_io(stream: TcpStream) -> io::Result<()> {
        use tokio_io::{AsyncReadExt, AsyncWriteExt};

        let stream = over_tokio_io::connect(stream, name("server"), client(), PATIENCE).await?;
        let (mut read, mut write) = tokio_io::split(stream);
        let asks = async {
            write.write_all(&[7; SENT]).await?;
            write.shutdown().await
        };
        let mut answer = Vec::new();
        try_join(asks, read.read_to_end(&mut answer)).await?;
        assert!(answer == [7; SENT]);
        Ok(())
    }

    async fn asks_over_futures_io(stream: TcpStream) -> io::Result<()> {
        let stream = over_futures_io::connect(stream, name("server"), client(), PATIENCE).await?;
        let (mut read, mut write) = stream.split();
        let asks = async {
            write.write_all(&[7; SENT]).await?;
            write.close().await
        };
        let mut answer = Vec::new();
        try_join(asks, read.read_to_end(&mut answer)).await?;
        assert!(answer == [7; SENT]);
        Ok(())
    }

    async fn echoes_over_tokio_io(stream: TcpStream) -> io::Result<()> {
        use tokio_io::AsyncWriteExt;

        let stream = over_tokio_io::accept(stream, server(), PATIENCE).await?;
        let (mut read, mut write) = tokio_io::split(stream);
        tokio_io::copy(&mut read, &mut write).await?;
        write.shutdown().await
    }

    async fn echoes_over_futures_io(stream: TcpStream) -> io::Result<()> {
        let stream = over_futures_io::accept(stream, server(), PATIENCE).await?;
        let (read, mut write) = stream.split();
        futures::io::copy(read, &mut write).await?;
        write.close().await
    }

    #[anyrt::test]
    async fn echo_over_tokio_io() -> io::Result<()> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(echoes_over_tokio_io(server));
        asks_over_tokio_io(client).await?;
        server.await?
    }

    #[anyrt::test]
    async fn echo_over_futures_io() -> io::Result<()> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(echoes_over_futures_io(server));
        asks_over_futures_io(client).await?;
        server.await?
    }

    #[anyrt::test]
    async fn they_talk_to_each_other() -> io::Result<()> {
        let (client, server) = connection().await?;
        let server = anyrt::spawn(echoes_over_futures_io(server));
        asks_over_tokio_io(client).await?;
        server.await??;

        let (client, server) = connection().await?;
        let server = anyrt::spawn(echoes_over_tokio_io(server));
        asks_over_futures_io(client).await?;
        server.await?
    }

    #[anyrt::test]
    async fn certificate_of_another_is_an_error_to_both() -> io::Result<()> {
        let (here, there) = connection().await?;
        let accepts = anyrt::spawn(over_tokio_io::accept(there, server(), PATIENCE));
        let error = over_tokio_io::connect(here, name("other"), client(), PATIENCE).await.unwrap_err();
        assert!(error.to_string().contains("not valid for name"), "{error}");
        assert!(accepts.await?.is_err());
        Ok(())
    }

    /// The peer is connected and silent.
    #[anyrt::test]
    async fn handshake_that_never_ends_is_an_error_in_time(rt: AnyRuntime) -> io::Result<()> {
        const LIMIT: Duration = Duration::from_millis(200);
        let (a, _silent_a) = connection().await?;
        let (_silent_b, b) = connection().await?;
        let (c, _silent_c) = connection().await?;
        let (_silent_d, d) = connection().await?;
        let begun = now();
        let (a, b, c, d) = join!(
            over_tokio_io::connect(a, name("server"), client(), LIMIT),
            over_tokio_io::accept(b, server(), LIMIT),
            over_futures_io::connect(c, name("server"), client(), LIMIT),
            over_futures_io::accept(d, server(), LIMIT),
        );
        let took = now() - begun;
        for error in [a.err(), b.err(), c.err(), d.err()] {
            assert_eq!(error.unwrap().kind(), ErrorKind::TimedOut);
        }
        match Sim::try_from(rt) {
            Ok(_) => assert_eq!(took, LIMIT),
            Err(_) => assert!(took >= LIMIT && took < PATIENCE, "{took:?}"),
        }
        Ok(())
    }
}
