//! # PostgreSQL, with tokio-postgres
//!
//! Without its feature `runtime`, tokio-postgres opens no connection, starts no task and has no clock:
//! `Config::connect_raw` takes any stream with the I/O traits of tokio (feature `tokio-io`), and returns a client and a
//! future that drives its connection. [`connect`] passes a stream of anyrt, and spawns the driver.
//!
//! ```toml
//! anyrt = { version = "0.1", features = ["tokio-io"] }
//! tokio-postgres = { version = "0.7", default-features = false }
//! ```
//!
//! ```no_run
//! # async fn query() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use anyrt::time::timeout;
//! use recipes::postgres::connect;
//! use tokio_postgres::Config;
//!
//! let (mut client, _notifications) = connect("localhost:5432", Config::new().user("postgres")).await?;
//! let transaction = client.transaction().await?;
//! transaction.execute("INSERT INTO greetings (text) VALUES ($1)", &[&"hello"]).await?;
//! transaction.commit().await?;
//! let query = client.query_one("SELECT count(*) FROM greetings", &[]);
//! let count: i64 = timeout(Duration::from_secs(3), query).await??.get(0);
//! # Ok(()) }
//! ```
//!
//! Settings of the connection (`host`, `port`, `connect_timeout`, `keepalives`, `sslmode`) are not used: the address is
//! that of the stream, its options are [`anyrt::net::ConnectOptions`], and timeouts are [`anyrt::time::timeout`].
//!
//! ## In a simulation
//!
//! It runs there, with a simulated server, and with virtual time.

use std::io;

use anyrt::net::{TcpStream, ToSocketAddrs};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::{StreamExt, stream};
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Notification};

/// Creates a client on the current runtime, and a stream of the notifications that it receives after `LISTEN`.
///
/// A task drives the connection. It ends when the client is dropped or the connection fails, and the notifications end
/// with it.
///
/// # Errors
///
/// Errors of connecting are unchanged; errors of the protocol have kind `Other`.
pub async fn connect(
    address: impl ToSocketAddrs,
    config: &Config,
) -> io::Result<(Client, UnboundedReceiver<Notification>)> {
    let stream = TcpStream::connect(address).await?;
    let (client, mut connection) = config.connect_raw(stream, NoTls).await.map_err(io::Error::other)?;
    let (sender, notifications) = unbounded();
    drop(anyrt::spawn(async move {
        let mut messages = stream::poll_fn(|cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                // The receiver may be dropped.
                let _ = sender.unbounded_send(notification);
            }
        }
        // An error here is also reported to every pending query.
    }));
    Ok((client, notifications))
}

/// Runs a transaction that increments a counter, and returns its previous value.
pub async fn next(client: &mut Client, counter: &str) -> Result<i64, Error> {
    let transaction = client.transaction().await?;
    let row =
        transaction.query_one("SELECT value FROM counters WHERE name = $1 FOR UPDATE", &[&counter]).await?;
    transaction.execute("UPDATE counters SET value = value + 1 WHERE name = $1", &[&counter]).await?;
    // If it is dropped before this line, the transaction is rolled back.
    transaction.commit().await?;
    Ok(row.get(0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyrt::net::TcpListener;
    use anyrt::time::{now, timeout};
    use futures::future::try_join_all;
    use futures::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_postgres::error::SqlState;

    use super::*;
    use crate::servers;

    type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

    /// A long limit, for a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    fn config() -> Config {
        let mut config = Config::new();
        config.user("postgres");
        config
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn query() -> Result<()> {
        let Some(server) = servers::postgres() else { return Ok(()) };
        let (client, _) = connect(server, &config()).await?;
        let row = client.query_one("SELECT $1::text || '!', $2::bigint * 2", &[&"hello", &21_i64]).await?;
        assert_eq!((row.get(0), row.get(1)), ("hello!", 42_i64));
        // The result does not fit into one packet.
        let rows = client.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000)", &[]).await?;
        assert!(rows.len() == 1_000 && rows.iter().all(|row| row.get::<_, &str>(0).len() == 1_000));

        let error = client.query_one("SELECT 1 / 0", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::DIVISION_BY_ZERO));
        assert_eq!(client.query_one("SELECT 1", &[]).await?.get::<_, i32>(0), 1);
        Ok(())
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn transaction() -> Result<()> {
        let Some(server) = servers::postgres() else { return Ok(()) };
        let (mut client, _) = connect(server, &config()).await?;
        let counter = servers::unique("counter");
        // All tests call this, and one of them is the first.
        let create = "SELECT pg_advisory_lock(1); CREATE TABLE IF NOT EXISTS counters (name text PRIMARY KEY, value bigint); \
                      SELECT pg_advisory_unlock(1)";
        client.batch_execute(create).await?;
        client.execute("INSERT INTO counters VALUES ($1, 0)", &[&counter]).await?;
        let tasks = (0..4).map(|_| {
            let counter = counter.clone();
            anyrt::spawn(async move {
                let (mut client, _) = connect(server, &config()).await?;
                let mut values = Vec::new();
                for _ in 0..5 {
                    values.push(next(&mut client, &counter).await.map_err(io::Error::other)?);
                }
                io::Result::Ok(values)
            })
        });
        let values: io::Result<Vec<_>> = try_join_all(tasks.collect::<Vec<_>>()).await?.into_iter().collect();
        let mut values = values?.concat();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..20));

        let transaction = client.transaction().await?;
        transaction.execute("UPDATE counters SET value = 1000 WHERE name = $1", &[&counter]).await?;
        drop(transaction);
        assert_eq!(next(&mut client, &counter).await?, 20);
        Ok(())
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn listen_and_notify() -> Result<()> {
        let Some(server) = servers::postgres() else { return Ok(()) };
        let (listener, mut notifications) = connect(server, &config()).await?;
        let channel = format!("\"{}\"", servers::unique("channel"));
        listener.batch_execute(&format!("LISTEN {channel}")).await?;
        let (notifier, _) = connect(server, &config()).await?;
        notifier.batch_execute(&format!("NOTIFY {channel}, 'news'")).await?;
        let notification = timeout(PATIENCE, notifications.next()).await?.unwrap();
        assert_eq!(notification.payload(), "news");
        drop(listener);
        assert!(timeout(PATIENCE, notifications.next()).await?.is_none());
        Ok(())
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn query_that_takes_too_long_is_an_error_in_time() -> Result<()> {
        const LIMIT: Duration = Duration::from_millis(100);
        let Some(server) = servers::postgres() else { return Ok(()) };
        let (client, _) = connect(server, &config()).await?;
        let begun = now();
        assert!(timeout(LIMIT, client.query_one("SELECT pg_sleep(600)", &[])).await.is_err());
        let took = now() - begun;
        assert!(took >= LIMIT && took < PATIENCE, "{took:?}");
        // The session is waiting; the client cancels the query over a second connection.
        let stream = TcpStream::connect(server).await?;
        client.cancel_token().cancel_query_raw(stream, NoTls).await?;
        assert_eq!(timeout(PATIENCE, client.query_one("SELECT 1", &[])).await??.get::<_, i32>(0), 1);
        Ok(())
    }

    /// Accepts every login, and answers each simple query with an empty result, except one with `sleep`.
    async fn answers_nothing_much(mut stream: TcpStream) -> io::Result<()> {
        let authentication_ok = b"R\0\0\0\x08\0\0\0\0";
        let (complete, ready) = (b"C\0\0\0\rSELECT 0\0", b"Z\0\0\0\x05I");
        message(&mut stream).await?;
        stream.write_all(&[&authentication_ok[..], ready].concat()).await?;
        loop {
            let mut kind = [0];
            stream.read_exact(&mut kind).await?;
            let body = message(&mut stream).await?;
            match &kind {
                b"Q" if body.starts_with(b"sleep") => {}
                b"Q" => stream.write_all(&[&complete[..], ready].concat()).await?,
                _ => return Ok(()),
            }
        }
    }

    /// Reads a message, after the byte with its type.
    async fn message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut len = [0; 4];
        stream.read_exact(&mut len).await?;
        let mut body = vec![0; u32::from_be_bytes(len) as usize - len.len()];
        stream.read_exact(&mut body).await?;
        Ok(body)
    }

    #[anyrt::test(only(sim), sim(seeds = 10))]
    async fn queries_in_a_simulation() -> Result<()> {
        const HOUR: Duration = Duration::from_secs(3600);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = listener.local_addr()?;
        let served = anyrt::spawn(async move { answers_nothing_much(listener.accept().await?.0).await });
        let (client, _) = connect(server, &config()).await?;
        client.batch_execute("SELECT nothing").await?;
        let begun = now();
        assert!(timeout(HOUR, client.batch_execute("sleep")).await.is_err());
        assert_eq!(now() - begun, HOUR);
        drop((client, served));
        Ok(())
    }
}
