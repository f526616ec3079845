//! rustls over a TCP connection of anyrt, through futures-rustls.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyrt::runtime::TcpListener;
use anyrt::{BlockOn, Net, Spawn, sim::Host};
use futures::future::join;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures_rustls::{TlsAcceptor, TlsConnector, client, server};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error, NamedGroup, ProtocolVersion};

use crate::{Run, bytes, crypto, hosts, ms, run, secs};

type Tcp = <anyrt::Sim as Net>::TcpStream;

/// Returns both ends of a connection after the handshake.
async fn connection(
    here: &Host,
    there: &Host,
) -> (io::Result<client::TlsStream<Tcp>>, io::Result<server::TlsStream<Tcp>>) {
    let listener = there.tcp_bind("0.0.0.0:443").await.unwrap();
    let accept = there.spawn(async move {
        let (stream, _) = listener.accept().await?;
        TlsAcceptor::from(Arc::new(crypto::server())).accept(stream).await
    });
    let connect = async {
        let stream = here.tcp_connect("server:443").await?;
        let name = ServerName::try_from("server").unwrap();
        TlsConnector::from(Arc::new(crypto::client())).connect(name, stream).await
    };
    let (client, server) = join(connect, accept).await;
    (client, server.unwrap())
}

pub(crate) fn both_ways(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let (client, server) = connection(&here, &there).await;
        let (client, server) = (client.unwrap(), server.unwrap());
        let session = client.get_ref().1;
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519);
        // TCP takes three packets, the last of which brings the ClientHello; then come the server's flight, and
        // Finished.
        let took = here.sim().elapsed();
        assert!(took >= ms(5) && took <= ms(6), "{took:?}");

        let (up, down) = (bytes(1 << 20), bytes(1 << 20));
        let (expected_up, expected_down) = (up.clone(), down.clone());
        let at_server = there.spawn(async move { exchange(server, &down).await });
        let at_client = exchange(client, &up).await;
        assert!(at_client == expected_down && at_server.await.unwrap() == expected_up);
    });
    run(&here)
}

/// Writes and reads at the same time; returns the bytes that it has read when the peer closes its side.
async fn exchange<S>(stream: S, send: &[u8]) -> Vec<u8>
where
    S: futures::io::AsyncRead + futures::io::AsyncWrite,
{
    let (mut read, mut write) = stream.split();
    let mut received = Vec::new();
    let writes = async {
        write.write_all(send).await.unwrap();
        write.close().await.unwrap();
    };
    let (_, read) = join(writes, read.read_to_end(&mut received)).await;
    read.unwrap();
    received
}

pub(crate) fn end(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let (client, server) = connection(&here, &there).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        client.write_all(b"all of it").await.unwrap();
        client.close().await.unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"all of it");
        drop((client, server));

        let (client, server) = connection(&here, &there).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        client.write_all(b"half of").await.unwrap();
        client.flush().await.unwrap();
        // TCP ends without the end of TLS: the rest may have been cut off.
        client.into_inner().0.close().await.unwrap();
        let mut received = Vec::new();
        let error = server.read_to_end(&mut received).await.unwrap_err();
        assert_eq!((error.kind(), &received[..]), (ErrorKind::UnexpectedEof, &b"half of"[..]));
    });
    run(&here)
}

pub(crate) fn clock(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.set_system_time(UNIX_EPOCH + years(230));
    here.block_on(async {
        let (client, server) = connection(&here, &there).await;
        let error = client.unwrap_err().downcast::<Error>().unwrap();
        assert!(
            matches!(error, Error::InvalidCertificate(CertificateError::ExpiredContext { .. })),
            "{error:?}"
        );
        let error = server.unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(error, Error::AlertReceived(AlertDescription::CertificateExpired));
        // The client does not depend on the time of the server.
        here.set_system_time(UNIX_EPOCH + years(50));
        there.set_system_time(UNIX_EPOCH + years(230));
        let (client, server) = connection(&here, &there).await;
        assert!(client.is_ok() && server.is_ok());
    });
    run(&here)
}

fn years(years: u64) -> Duration {
    secs(years * 31_556_952)
}

#[test]
fn a_mebibyte_goes_both_ways_over_tls() {
    both_ways(7);
}

#[test]
fn certificate_is_judged_by_the_clock_of_its_host() {
    clock(7);
}

#[test]
fn end_of_tls_is_told_from_a_truncation() {
    end(7);
}
