//! Servers that are killed, stopped and restarted while clients wait: each client gets an error in time, and then a new
//! connection.
#![allow(clippy::unwrap_used)]
#![allow(
    clippy::await_holding_lock,
    reason = "whoever waits for the server of a test has a runtime of its own"
)]

#[path = "../src/servers/mod.rs"]
mod servers;

use std::io::ErrorKind;
use std::time::Duration;

use ::redis::{AsyncTypedCommands, Value, cmd, pipe};
use anyrt::time::{sleep, timeout};
use futures::StreamExt;
use futures::future::try_join_all;
use recipes::{postgres, redis, sqlx as recipe_of_sqlx};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio_postgres::Config;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// A long limit, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two checks of a server, which reports no event.
const NAP: Duration = Duration::from_millis(5);

#[anyrt::test(skip(sim = "a real server"))]
async fn redis_is_killed_in_the_middle_of_a_pipeline() -> Result {
    let Some(mut server) = servers::own_redis() else { return Ok(()) };
    let mut redis = redis::connect(server.address).await?;
    let pipelines = (0..10).map(|n| {
        let mut redis = redis.clone();
        anyrt::spawn(async move {
            // The second command is never answered.
            pipe().set(n, n).blpop("nothing", 0.0).get(n).query_async::<Value>(&mut redis).await
        })
    });
    let pipelines = try_join_all(pipelines.collect::<Vec<_>>());
    let mut observer = redis::connect(server.address).await?;
    loop {
        let clients: String = cmd("INFO").arg("clients").query_async(&mut observer).await?;
        if clients.contains("blocked_clients:1") {
            break;
        }
        sleep(NAP).await;
    }

    server.stop("KILL");
    for answer in timeout(PATIENCE, pipelines).await?? {
        let error = answer.unwrap_err();
        assert!(error.is_connection_dropped(), "{error}");
    }
    // The connection is closed, and the error is reported at once.
    let error = timeout(PATIENCE, redis.get("key")).await?.unwrap_err();
    assert!(error.is_connection_dropped(), "{error}");
    let error = timeout(PATIENCE, redis::connect(server.address)).await?.unwrap_err();
    assert!(error.is_connection_refusal(), "{error}");

    server.start();
    let mut redis = redis::connect(server.address).await?;
    redis.set("key", "value").await?;
    assert_eq!(redis.get("key").await?.as_deref(), Some("value"));
    Ok(())
}

#[anyrt::test(skip(sim = "a real server"))]
async fn postgres_is_restarted_during_a_query() -> Result {
    let Some(mut server) = servers::own_postgres() else { return Ok(()) };
    let config = Config::new().user("postgres").clone();
    let (client, mut notifications) = postgres::connect(server.address, &config).await?;
    client.batch_execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1").await?;
    let query = anyrt::spawn(async move { client.query_one("SELECT pg_sleep(600)", &[]).await });
    let (mut observer, _) = postgres::connect(server.address, &config).await?;
    loop {
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        if observer.query_one(sleeping, &[]).await?.get::<_, i64>(0) == 1 {
            break;
        }
        sleep(NAP).await;
    }
    let transaction = observer.transaction().await?;
    transaction.batch_execute("INSERT INTO kept VALUES (2)").await?;

    // An immediate shutdown, after which the server has to recover.
    server.stop("QUIT");
    let error = timeout(PATIENCE, query).await??.unwrap_err();
    assert!(error.is_closed() || error.code().is_some(), "{error:?}");
    assert!(timeout(PATIENCE, transaction.commit()).await?.is_err());
    // The task that drove the connection has ended.
    assert!(timeout(PATIENCE, notifications.next()).await?.is_none());
    let error = timeout(PATIENCE, postgres::connect(server.address, &config)).await?.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    server.start();
    let (client, _) = postgres::connect(server.address, &config).await?;
    let kept: i64 = client.query_one("SELECT count(*) FROM kept", &[]).await?.get(0);
    assert_eq!(kept, 1);
    Ok(())
}

/// During a query, and while an idle connection is in the pool.
#[anyrt::test(skip(sim = "a real server"))]
async fn postgres_is_restarted_under_a_pool_of_sqlx() -> Result {
    let Some(mut server) = servers::own_postgres() else { return Ok(()) };
    let options = PgConnectOptions::new_without_pgpass()
        .host(&server.address.ip().to_string())
        .port(server.address.port())
        .username("postgres")
        .ssl_mode(PgSslMode::Disable);
    let pool = recipe_of_sqlx::pool(options).await?;
    let query = anyrt::spawn({
        let pool = pool.clone();
        async move { sqlx::query("SELECT pg_sleep(600)").execute(&pool).await }
    });
    loop {
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        if sqlx::query_scalar::<_, i64>(sleeping).fetch_one(&pool).await? == 1 {
            break;
        }
        sleep(NAP).await;
    }
    server.stop("QUIT");
    assert!(timeout(PATIENCE, query).await??.is_err());
    server.start();
    assert_eq!(timeout(PATIENCE, sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(&pool)).await??, 1);
    timeout(PATIENCE, pool.close()).await?;
    Ok(())
}
