//! quinn in a simulation: over a network that loses datagrams, and the same again with the same seed.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/ecosystem/crypto.rs"]
mod crypto;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyrt::sim::{Host, LinkOptions};
use anyrt::{BlockOn, Sim, Spawn, Time};
use anyrt_quinn::AnyrtRuntime;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Connection, ConnectionError, ConnectionId, ConnectionIdGenerator, Endpoint, EndpointConfig,
    ServerConfig, TransportConfig,
};

/// What a run is compared by: the hash of everything that happened, and how long it took.
type Run = (u64, Duration);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A client and a server.
fn hosts(seed: u64) -> (Host, Host) {
    let client = Sim::builder().seed(seed).build().unwrap();
    // Of this thread, on which everything runs: what libraries draw is drawn from here.
    fastrand::seed(client.random_seed());
    let server = client.host("server", [10, 0, 0, 2]).unwrap();
    (client.this_host(), server)
}

fn bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fastrand::fill(&mut bytes);
    bytes
}

fn run(host: &Host) -> Run {
    let sim = host.sim();
    (sim.trace_hash(), sim.elapsed())
}

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

fn endpoint(rt: &Host, server: Option<ServerConfig>) -> Endpoint {
    let mut config = EndpointConfig::new(Arc::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &seed())));
    config.rng_seed(Some(seed())).cid_generator(|| Box::new(Ids));
    AnyrtRuntime::from(rt.clone()).endpoint(config, server, ([0, 0, 0, 0], 4433).into()).unwrap()
}

/// Both ask after 10 seconds whether the other is there, and give up 30 seconds after that.
fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config.keep_alive_interval(Some(secs(10)));
    config.max_idle_timeout(Some(secs(30).try_into().unwrap()));
    Arc::new(config)
}

fn server(rt: &Host) -> Endpoint {
    let crypto = Arc::new(QuicServerConfig::try_from(crypto::server()).unwrap());
    let tokens = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, &[]).extract(&seed());
    let mut config = ServerConfig::new(crypto, Arc::new(tokens));
    config.transport_config(transport());
    endpoint(rt, Some(config))
}

async fn connect(endpoint: &Endpoint, addr: SocketAddr) -> Connection {
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(crypto::client()).unwrap()));
    config.transport_config(transport()).initial_dst_cid_provider(Arc::new(|| Ids.generate_cid()));
    endpoint.connect_with(config, addr, "server").unwrap().await.unwrap()
}

fn under_loss(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let server = server(&there);
        let link = here.sim().link("main", "server").unwrap();
        link.set(&LinkOptions::new().loss(0.2)).unwrap();
        let served = there.spawn(async move {
            let connection = server.accept().await.unwrap().await.unwrap();
            while let Ok((mut send, mut receive)) = connection.accept_bi().await {
                let body = receive.read_to_end(1 << 20).await.unwrap();
                send.write_all(&body).await.unwrap();
                send.finish().unwrap();
            }
            connection.close_reason()
        });
        let client = endpoint(&here, None);
        let connection = connect(&client, (there.ip(), 4433).into()).await;
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
        assert!(connection.stats().path.lost_packets > 20, "{:?}", connection.stats());
        assert!(here.sim().elapsed() < secs(60), "{:?}", here.sim().elapsed());

        link.set(&LinkOptions::new()).unwrap();
        connection.close(7_u32.into(), b"done");
        client.wait_idle().await;
        let Some(ConnectionError::ApplicationClosed(close)) = served.await.unwrap() else {
            panic!("not closed by the client")
        };
        assert_eq!((close.error_code, &close.reason[..]), (7_u32.into(), &b"done"[..]));
    });
    run(&here)
}

fn silence(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let server = server(&there);
        let served = there.spawn(async move { server.accept().await.unwrap().await.unwrap().closed().await });
        let client = endpoint(&here, None);
        let connection = connect(&client, (there.ip(), 4433).into()).await;
        anyrt::time::sleep(secs(120)).await;
        assert_eq!(connection.close_reason(), None);

        let mut last = connection.open_uni().await.unwrap();
        last.finish().unwrap();
        assert_eq!(last.stopped().await.unwrap(), None, "it was received");
        here.sim().link("main", "server").unwrap().partition();
        let since = here.sim().elapsed();
        let ended = here.timeout(secs(60), connection.closed()).await.unwrap();
        assert_eq!(ended, ConnectionError::TimedOut);
        // quinn wakes its own task now and then, which costs a microsecond.
        let late = (here.sim().elapsed() - since).checked_sub(secs(10 + 30)).unwrap();
        assert!(late <= Duration::from_micros(10), "{late:?}");
        assert_eq!(served.await.unwrap(), ConnectionError::TimedOut);
    });
    run(&here)
}

/// With nothing of the system's in it, a run is the same as often as it is made.
fn is_of_its_seed(scenario: fn(u64) -> Run) {
    let ((hash, took), (other_hash, took_other)) = (scenario(7), scenario(8));
    assert_eq!(scenario(7), (hash, took));
    assert!(hash != other_hash && took != took_other);
}

#[test]
fn streams_are_whole_where_every_fifth_datagram_is_lost() {
    is_of_its_seed(under_loss);
}

#[test]
fn silent_peer_is_given_up_after_the_idle_timeout() {
    is_of_its_seed(silence);
}
