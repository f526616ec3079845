//! rustls over a TCP connection of anyrt, by way of futures-rustls.

use std::io::ErrorKind;
use std::sync::Arc;

use anyrt::runtime::TcpListener;
use anyrt::{BlockOn, Net, Sim, Spawn};
use futures::future::{join, try_join};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures_rustls::{TlsAcceptor, TlsConnector, client, server};
use rustls::pki_types::ServerName;
use rustls::{NamedGroup, ProtocolVersion};

use crate::{Run, bytes, crypto, hosts, ms, run};

type Tcp = anyrt::sim::TcpStream;

/// Both ends of a connection that has shaken hands.
async fn connection(here: &Sim, there: &Sim) -> (client::TlsStream<Tcp>, server::TlsStream<Tcp>) {
    let listener = there.tcp_bind("0.0.0.0:443").await.unwrap();
    let accept = async {
        let (stream, _) = listener.accept().await?;
        TlsAcceptor::from(Arc::new(crypto::server())).accept(stream).await
    };
    let connect = async {
        let stream = here.tcp_connect("server:443").await?;
        let name = ServerName::try_from("server").unwrap();
        TlsConnector::from(Arc::new(crypto::client())).connect(name, stream).await
    };
    try_join(connect, accept).await.unwrap()
}

pub(crate) fn both_ways(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let (client, server) = connection(&here, &there).await;
        let session = client.get_ref().1;
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519);
        // TCP takes three packets, the last of which brings the ClientHello; then comes the server's flight, and Finished.
        let took = here.elapsed();
        assert!(took >= ms(5) && took <= ms(6), "{took:?}");

        let (up, down) = (bytes(1 << 20), bytes(1 << 20));
        let (expected_up, expected_down) = (up.clone(), down.clone());
        let at_server = there.spawn(async move { exchange(server, &down).await });
        let at_client = exchange(client, &up).await;
        assert!(at_client == expected_down && at_server.await.unwrap() == expected_up);
    });
    run(&here)
}

/// Writes and reads at the same time; returns what it has read when the peer says that this was all.
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
        let (mut client, mut server) = connection(&here, &there).await;
        client.write_all(b"all of it").await.unwrap();
        client.close().await.unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"all of it");
        drop((client, server));

        let (mut client, mut server) = connection(&here, &there).await;
        client.write_all(b"half of").await.unwrap();
        client.flush().await.unwrap();
        // The end of TCP, and none of TLS: somebody may have cut the rest off.
        client.into_inner().0.close().await.unwrap();
        let mut received = Vec::new();
        let error = server.read_to_end(&mut received).await.unwrap_err();
        assert_eq!((error.kind(), &received[..]), (ErrorKind::UnexpectedEof, &b"half of"[..]));
    });
    run(&here)
}

#[test]
fn a_mebibyte_goes_both_ways_over_tls() {
    both_ways(7);
}

#[test]
fn end_of_tls_is_told_from_a_truncation() {
    end(7);
}
