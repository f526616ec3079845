//! Peers that are silent, reset, killed or restarted leave no descriptor open, on any runtime. In a file of its own,
//! because descriptors are counted for the process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../src/servers/mod.rs"]
mod servers;

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ::redis::AsyncTypedCommands;
use ::rustls::{ClientConfig, RootCertStore};
use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, AsyncStd, BlockOn, Smol, Tokio};
use futures::future::{join, try_join};
use recipes::{postgres, redis, rustls, websocket};
use servers::Server;
use tokio_postgres::Config;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// A long limit, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

async fn connection() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (client, (server, _)) = try_join(TcpStream::connect(address), listener.accept()).await?;
    Ok((client, server))
}

/// A handshake of TLS that never ends.
async fn silence() -> Result {
    let (client, _silent) = connection().await?;
    let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let limit = Duration::from_millis(10);
    let name = "server".try_into()?;
    rustls::over_tokio_io::connect(client, name, Arc::new(config), limit).await.unwrap_err();
    Ok(())
}

/// A WebSocket that is reset.
async fn reset() -> Result {
    let (client, server) = connection().await?;
    let serves = async { websocket::echo(websocket::accept_over_futures_io(server).await?).await };
    let resets = async {
        let client = websocket::connect_over_tokio_io(client, "ws://server/").await.unwrap();
        client.get_ref().set_linger(Some(Duration::ZERO)).unwrap();
    };
    join(serves, resets).await.0.unwrap_err();
    Ok(())
}

/// A server is killed before it responds.
async fn kill_redis(server: &mut Server) -> Result {
    let mut redis = redis::connect(server.address).await?;
    redis.set("key", "value").await?;
    let owed = anyrt::spawn(async move { redis.blpop("nothing", 0.0).await });
    server.stop("KILL");
    owed.await?.unwrap_err();
    assert!(redis::connect(server.address).await.is_err());
    server.start();
    Ok(())
}

/// A server stops during a query.
async fn stop_postgres(server: &mut Server) -> Result {
    let config = Config::new().user("postgres").clone();
    let (client, _notifications) = postgres::connect(server.address, &config).await?;
    client.batch_execute("SELECT 1").await?;
    let query = anyrt::spawn(async move { client.batch_execute("SELECT pg_sleep(600)").await });
    server.stop("QUIT");
    query.await?.unwrap_err();
    assert!(postgres::connect(server.address, &config).await.is_err());
    server.start();
    Ok(())
}

fn descriptors() -> Vec<String> {
    let open = fs::read_dir("/proc/self/fd").unwrap().map(|fd| fs::read_link(fd.unwrap().path()));
    // The descriptor of the folder is closed by now.
    open.flatten().map(|fd| fd.to_string_lossy().into_owned()).filter(|fd| !fd.contains("/proc/")).collect()
}

#[test]
fn faults_leave_no_descriptor() {
    let (mut redis, mut postgres) = (servers::own_redis(), servers::own_postgres());
    let runtimes: [(&str, AnyRuntime); 4] = [
        ("tokio", Tokio::new().unwrap().into()),
        ("smol", Smol::new().unwrap().into()),
        ("smol_global", Smol::global().into()),
        ("async_std", AsyncStd::global().into()),
    ];
    for (name, rt) in runtimes {
        let mut faults = || {
            rt.block_on(async {
                silence().await.unwrap();
                reset().await.unwrap();
                if let Some(redis) = &mut redis {
                    kill_redis(redis).await.unwrap();
                }
                if let Some(postgres) = &mut postgres {
                    stop_postgres(postgres).await.unwrap();
                }
            });
        };
        // Descriptors of the runtime itself stay open.
        faults();
        let before = settled(|_| false, Duration::from_millis(100));
        for _ in 0..3 {
            faults();
        }
        let after = settled(|open| open.len() <= before.len(), PATIENCE);
        assert!(after.len() <= before.len(), "{name}: {before:?}, and then {after:?}");
        let _ = rt.shutdown_timeout(PATIENCE);
    }
}

/// Returns the open descriptors when the condition holds, or after this time: a task that ends closes its socket a
/// little later.
fn settled(is_so: impl Fn(&[String]) -> bool, limit: Duration) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let open = descriptors();
        if is_so(&open) || begun.elapsed() > limit {
            return open;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
