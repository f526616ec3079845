//! quinn on every runtime, in a simulation too.
#![allow(clippy::unwrap_used)]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyrt::task::JoinHandle;
use anyrt_quinn::AnyrtRuntime;
use futures::future::join_all;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, ServerConfig, TransportConfig,
};
use rustls::RootCertStore;

const ANY_PORT: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

fn configs() -> (ServerConfig, ClientConfig) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let certificate = certified.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = ServerConfig::with_single_cert(vec![certificate], key.into()).unwrap();
    (server, ClientConfig::with_root_certificates(Arc::new(roots)).unwrap())
}

fn bind(server: Option<ServerConfig>, addr: impl Into<SocketAddr>) -> Endpoint {
    AnyrtRuntime::current().endpoint(EndpointConfig::default(), server, addr.into()).unwrap()
}

/// Sends back what comes, on every stream of every connection.
fn echo(endpoint: Endpoint) -> JoinHandle<()> {
    anyrt::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            drop(anyrt::spawn(async move {
                let connection = incoming.await?;
                loop {
                    let (mut send, mut receive) = connection.accept_bi().await?;
                    drop(anyrt::spawn(async move {
                        let body = receive.read_to_end(1 << 24).await.unwrap();
                        send.write_all(&body).await.unwrap();
                        send.finish().unwrap();
                    }));
                }
                #[allow(unreachable_code)]
                Ok::<(), ConnectionError>(())
            }));
        }
    })
}

async fn ask(connection: &Connection, question: &[u8]) -> Vec<u8> {
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(question).await.unwrap();
    send.finish().unwrap();
    receive.read_to_end(1 << 24).await.unwrap()
}

#[anyrt::test]
async fn streams_carry_mebibytes_beside_each_other() {
    let (server, client) = configs();
    let server = bind(Some(server), ANY_PORT);
    let addr = server.local_addr().unwrap();
    let serving = echo(server.clone());
    let endpoint = bind(None, ANY_PORT);
    let connection = endpoint.connect_with(client, addr, "localhost").unwrap().await.unwrap();
    let questions: Vec<Vec<u8>> = (0..8_u8).map(|n| vec![n; 1 << 17]).collect();
    let answers = join_all(questions.iter().map(|question| ask(&connection, question))).await;
    assert!(answers == questions);
    assert!(ask(&connection, b"").await.is_empty());
    connection.close(0_u32.into(), b"");
    endpoint.wait_idle().await;
    server.close(0_u32.into(), b"");
    serving.await.unwrap();
}

#[anyrt::test]
async fn many_connections_share_a_socket() {
    let (server, client) = configs();
    let server = bind(Some(server), ANY_PORT);
    let addr = server.local_addr().unwrap();
    drop(echo(server.clone()));
    let endpoint = bind(None, ANY_PORT);
    let asking = (0..20_u8).map(|n| {
        let connecting = endpoint.connect_with(client.clone(), addr, "localhost").unwrap();
        async move {
            let connection = connecting.await.unwrap();
            assert!(ask(&connection, &vec![n; 20_000]).await == vec![n; 20_000]);
            connection
        }
    });
    // Dropped, a connection is closed.
    let connections = join_all(asking).await;
    assert_eq!(server.open_connections(), connections.len());
    server.close(0_u32.into(), b"");
}

#[anyrt::test]
async fn endpoint_moves_to_another_socket() -> io::Result<()> {
    let (server, client) = configs();
    let server = bind(Some(server), ANY_PORT);
    let addr = server.local_addr()?;
    drop(echo(server.clone()));
    let endpoint = bind(None, ANY_PORT);
    let connection = endpoint.connect_with(client, addr, "localhost").unwrap().await?;
    assert_eq!(ask(&connection, b"before").await, b"before");
    let before = endpoint.local_addr()?;
    let socket = anyrt::net::UdpSocket::bind(SocketAddr::from(ANY_PORT)).await?;
    endpoint.rebind_abstract(anyrt_quinn::wrap(socket)?)?;
    assert_ne!(endpoint.local_addr()?, before);
    assert_eq!(ask(&connection, b"after").await, b"after");
    server.close(0_u32.into(), b"");
    Ok(())
}

/// Where nobody listens, what the system says of each datagram ends no endpoint: the handshake does, when its time is over.
#[anyrt::test]
async fn connect_to_nobody_ends_in_time() {
    let (server, client) = configs();
    let gone = bind(None, ANY_PORT).local_addr().unwrap();
    let server = bind(Some(server), ANY_PORT);
    drop(echo(server.clone()));
    let mut impatient = client.clone();
    let mut transport = TransportConfig::default();
    // quinn waits for three probes at least.
    transport.initial_rtt(Duration::from_millis(10));
    transport.max_idle_timeout(Some(Duration::from_millis(300).try_into().unwrap()));
    impatient.transport_config(Arc::new(transport));
    let endpoint = bind(None, ANY_PORT);
    let begun = anyrt::time::now();
    let nobody = endpoint.connect_with(impatient, gone, "localhost").unwrap().await;
    assert_eq!(nobody.unwrap_err(), ConnectionError::TimedOut);
    assert!(anyrt::time::now() - begun >= Duration::from_millis(300));
    // The endpoint is as good as before.
    let addr = server.local_addr().unwrap();
    let connection = endpoint.connect_with(client, addr, "localhost").unwrap().await.unwrap();
    assert_eq!(ask(&connection, b"still here").await, b"still here");
    server.close(0_u32.into(), b"");
}

/// A socket for IPv6 takes IPv4 as well.
#[anyrt::test(skip(sim = "sockets for IPv6 take nothing else there"))]
async fn ipv6_socket_takes_ipv4() {
    let Ok(probe) = std::net::UdpSocket::bind("[::]:0") else {
        eprintln!("skipped: there is no IPv6 here");
        return;
    };
    drop(probe);
    let (server, client) = configs();
    let server = bind(Some(server), ([0_u16; 8], 0));
    let addr = (ANY_PORT.0, server.local_addr().unwrap().port()).into();
    drop(echo(server.clone()));
    let endpoint = bind(None, ANY_PORT);
    let connection = endpoint.connect_with(client, addr, "localhost").unwrap().await.unwrap();
    assert_eq!(ask(&connection, b"hello").await, b"hello");
    server.close(0_u32.into(), b"");
}

/// Where the system can, several datagrams go out in a call.
#[cfg(target_os = "linux")]
#[anyrt::test(skip(sim = "there are no descriptors"))]
async fn datagrams_go_out_in_batches() {
    let socket = anyrt::net::UdpSocket::bind(SocketAddr::from(ANY_PORT)).await.unwrap();
    let wrapped = anyrt_quinn::wrap(socket).unwrap();
    let own = std::net::UdpSocket::bind(SocketAddr::from(ANY_PORT)).unwrap();
    let own = quinn::udp::UdpSocketState::new((&own).into()).unwrap();
    assert_eq!(wrapped.max_transmit_segments(), own.max_gso_segments());
    assert_eq!(wrapped.max_receive_segments(), own.gro_segments());
    assert_eq!(wrapped.may_fragment(), own.may_fragment());
}
