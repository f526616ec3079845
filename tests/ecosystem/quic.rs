//! quinn, over a network that loses datagrams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyrt::runtime::UdpSocket;
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Connection, ConnectionError, ConnectionId, ConnectionIdGenerator, Endpoint, EndpointConfig,
    ServerConfig, TransportConfig,
};

use crate::adapters::{On, Udp};
use crate::{Run, bytes, crypto, hosts, run, secs};

/// Like the generators of quinn, which draw from the system, but of the seed.
struct Ids;

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&fastrand::u64(..).to_le_bytes())
    }

    fn cid_len(&self) -> usize {
        8
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    fastrand::fill(&mut seed);
    seed
}

async fn endpoint(rt: &Sim, server: Option<ServerConfig>) -> Endpoint {
    let mut config = EndpointConfig::new(Arc::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &seed())));
    config.rng_seed(Some(seed())).cid_generator(|| Box::new(Ids));
    let socket = Udp::new(rt.udp_bind("0.0.0.0:4433").await.unwrap());
    Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(On(rt.clone()))).unwrap()
}

/// Both ask after 10 seconds whether the other is there, and give up 30 seconds after that.
fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config.keep_alive_interval(Some(secs(10)));
    config.max_idle_timeout(Some(secs(30).try_into().unwrap()));
    Arc::new(config)
}

async fn server(rt: &Sim) -> Endpoint {
    let crypto = Arc::new(QuicServerConfig::try_from(crypto::server()).unwrap());
    let tokens = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, &[]).extract(&seed());
    let mut config = ServerConfig::new(crypto, Arc::new(tokens));
    config.transport_config(transport());
    endpoint(rt, Some(config)).await
}

async fn connect(endpoint: &Endpoint, addr: SocketAddr) -> Connection {
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(crypto::client()).unwrap()));
    config.transport_config(transport()).initial_dst_cid_provider(Arc::new(|| Ids.generate_cid()));
    endpoint.connect_with(config, addr, "server").unwrap().await.unwrap()
}

/// The way to the server, which loses so many of a hundred datagrams each way.
struct Lossy {
    addr: SocketAddr,
    percent: Arc<AtomicU32>,
    lost: Arc<AtomicU32>,
}

impl Lossy {
    async fn new(net: &Sim, server: SocketAddr, percent: u32) -> Self {
        let relay = net.host("relay", [10, 0, 0, 3]).unwrap();
        let socket = relay.udp_bind("0.0.0.0:4433").await.unwrap();
        let lossy = Self {
            addr: (relay.ip(), 4433).into(),
            percent: Arc::new(AtomicU32::new(percent)),
            lost: Arc::default(),
        };
        let (percent, lost) = (lossy.percent.clone(), lossy.lost.clone());
        drop(relay.spawn(async move {
            let (mut buf, mut client) = ([0; 2_000], None);
            loop {
                let (len, from) = socket.recv_from(&mut buf).await.unwrap();
                if from != server {
                    client = Some(from);
                }
                let to = if from == server { client } else { Some(server) };
                if fastrand::u32(..100) < percent.load(Ordering::Relaxed) {
                    lost.fetch_add(1, Ordering::Relaxed);
                } else if let Some(to) = to {
                    socket.send_to(&buf[..len], to).await.unwrap();
                }
            }
        }));
        lossy
    }

    fn set(&self, percent: u32) {
        self.percent.store(percent, Ordering::Relaxed);
    }

    fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }
}

pub(crate) fn under_loss(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let server = server(&there).await;
        let network = Lossy::new(&here, (there.ip(), 4433).into(), 20).await;
        let served = there.spawn(async move {
            let connection = server.accept().await.unwrap().await.unwrap();
            while let Ok((mut send, mut receive)) = connection.accept_bi().await {
                let body = receive.read_to_end(1 << 20).await.unwrap();
                send.write_all(&body).await.unwrap();
                send.finish().unwrap();
            }
            connection.close_reason()
        });
        let client = endpoint(&here, None).await;
        let connection = connect(&client, network.addr).await;
        let streams = (0..4).map(|_| {
            let (connection, sent) = (connection.clone(), bytes(1 << 16));
            here.spawn(async move {
                let (mut send, mut receive) = connection.open_bi().await.unwrap();
                send.write_all(&sent).await.unwrap();
                send.finish().unwrap();
                assert!(receive.read_to_end(1 << 20).await.unwrap() == sent);
            })
        });
        for stream in streams.collect::<Vec<_>>() {
            stream.await.unwrap();
        }
        assert!(network.lost() > 50 && connection.stats().path.lost_packets > 20);
        assert!(here.elapsed() < secs(60), "{:?}", here.elapsed());

        network.set(0);
        connection.close(7_u32.into(), b"done");
        client.wait_idle().await;
        let Some(ConnectionError::ApplicationClosed(close)) = served.await.unwrap() else {
            panic!("not closed by the client")
        };
        assert_eq!((close.error_code, &close.reason[..]), (7_u32.into(), &b"done"[..]));
    });
    run(&here)
}

pub(crate) fn silence(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let server = server(&there).await;
        let network = Lossy::new(&here, (there.ip(), 4433).into(), 0).await;
        let served = there.spawn(async move { server.accept().await.unwrap().await.unwrap().closed().await });
        let client = endpoint(&here, None).await;
        let connection = connect(&client, network.addr).await;
        anyrt::time::sleep(secs(120)).await;
        assert_eq!(connection.close_reason(), None);

        let mut last = connection.open_uni().await.unwrap();
        last.finish().unwrap();
        assert_eq!(last.stopped().await.unwrap(), None, "it was received");
        network.set(100);
        let since = here.elapsed();
        let ended = here.timeout(secs(60), connection.closed()).await.unwrap();
        assert_eq!(ended, ConnectionError::TimedOut);
        // quinn wakes its own task now and then, which costs a microsecond.
        let late = (here.elapsed() - since).checked_sub(secs(10 + 30)).unwrap();
        assert!(late <= Duration::from_micros(10), "{late:?}");
        assert_eq!(served.await.unwrap(), ConnectionError::TimedOut);
    });
    run(&here)
}

#[test]
fn quic_streams_are_whole_where_every_fifth_datagram_is_lost() {
    under_loss(7);
}

#[test]
fn quic_gives_up_on_a_silent_peer_after_its_idle_timeout() {
    silence(7);
}
