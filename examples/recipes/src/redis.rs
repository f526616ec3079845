//! # Redis
//!
//! The crate `redis` takes any stream with the I/O traits of tokio (feature `tokio-io`), and returns a connection and a
//! future that drives it: [`connect`] passes a stream of anyrt, and spawns the driver. All clones of the connection
//! share it, and send requests without waiting for other responses.
//!
//! ```toml
//! anyrt = { version = "0.1", features = ["tokio-io"] }
//! redis = { version = "1.8", default-features = false, features = ["aio", "smol-comp", "tokio-comp"] }
//! ```
//!
//! ```no_run
//! # async fn get() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use anyrt::time::timeout;
//! use recipes::redis::connect;
//! use redis::AsyncTypedCommands;
//!
//! let mut redis = connect("localhost:6379").await?;
//! redis.set("greeting", "hello").await?;
//! let greeting = timeout(Duration::from_secs(3), redis.get("greeting")).await??;
//! assert_eq!(greeting.as_deref(), Some("hello"));
//! # Ok(()) }
//! ```
//!
//! ## Timeouts
//!
//! The crate has timeouts of its own, by default half a second for a response. For these it looks for a runtime itself:
//! tokio's in a context of tokio, or else async-io's. Therefore one of the features `tokio-comp` and `smol-comp` is
//! required. [`connect`] turns these timeouts off in favour of [`anyrt::time::timeout`], which is the same everywhere.
//!
//! | | tokio | smol | async-std | a simulation |
//! |---|---|---|---|---|
//! | features of `redis` | `tokio-comp` | `smol-comp` | `smol-comp` | `smol-comp` |
//! | timers of `set_response_timeout` | tokio's | async-io's | async-io's | async-io's: **real time** |
//! | tasks of [`redis::aio::PubSub::new`] run | on that tokio | on the threads of `smol::spawn` | on the threads of `smol::spawn` | on a real thread; it is an error if it wakes a task |
//! | `anyrt::time::timeout` | as everywhere | as everywhere | as everywhere | virtual time |
//!
//! In a simulation responses take no real time, so the timeout of `redis` has no effect while the server responds. If
//! the server is silent, this timeout does not fire in virtual time, and if no other task can continue, the simulation
//! reports at once that it is stuck. If it fires after enough real time, that is a wake by another thread, and the
//! simulation ends with an error that names the task.

use anyrt::net::{TcpStream, ToSocketAddrs};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisResult};

/// Creates a connection on the current runtime, with a task that drives it. The task ends when the last clone of the
/// connection is dropped and all responses have arrived.
///
/// A request has no timeout: wrap it in [`anyrt::time::timeout`].
pub async fn connect(address: impl ToSocketAddrs) -> RedisResult<MultiplexedConnection> {
    let stream = TcpStream::connect(address).await?;
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let info = RedisConnectionInfo::default();
    let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
    drop(anyrt::spawn(driver));
    Ok(connection)
}

/// Creates a connection that can subscribe to channels, and a stream of the published messages.
///
/// It uses version 3 of the protocol (redis 6 and newer), in which messages arrive beside responses.
pub async fn connect_for_messages(
    address: impl ToSocketAddrs,
) -> RedisResult<(MultiplexedConnection, UnboundedReceiver<PushInfo>)> {
    let (sender, messages) = unbounded();
    let stream = TcpStream::connect(address).await?;
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_push_sender(move |message| sender.unbounded_send(message).map_err(|_| SendError));
    let info = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
    drop(anyrt::spawn(driver));
    Ok((connection, messages))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;
    use std::time::Duration;

    use anyrt::net::TcpListener;
    use anyrt::time::{now, sleep, timeout};
    use futures::future::try_join_all;
    use futures::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use futures::{StreamExt, join};
    use redis::{AsyncTypedCommands, PushKind, Value, pipe};

    use super::*;
    use crate::servers;
    use crate::simulated::{panic_of, takes_real_time};

    type Result = std::result::Result<(), Box<dyn std::error::Error>>;

    /// A long limit, for a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[anyrt::test(skip(sim = "a real server"))]
    async fn get_and_set() -> Result {
        let Some(server) = servers::redis() else { return Ok(()) };
        let mut redis = connect(server).await?;
        let key = servers::unique("greeting");
        redis.set(&key, "hello").await?;
        assert_eq!(timeout(PATIENCE, redis.get(&key)).await??.as_deref(), Some("hello"));
        redis.del(&key).await?;
        assert_eq!(redis.get(&key).await?, None);
        Ok(())
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn pipeline() -> Result {
        let Some(server) = servers::redis() else { return Ok(()) };
        let mut redis = connect(server).await?;
        let key = servers::unique("counter");
        let (begun, after): (i64, i64) =
            pipe().set(&key, 41).ignore().get(&key).incr(&key, 1).query_async(&mut redis).await?;
        assert_eq!((begun, after), (41, 42));

        // A hundred tasks on one connection.
        let increments = (0..100).map(|_| {
            let (mut redis, key) = (redis.clone(), key.clone());
            anyrt::spawn(async move { redis.incr(key, 1).await })
        });
        for increment in try_join_all(increments.collect::<Vec<_>>()).await? {
            increment?;
        }
        assert_eq!(redis.get_int(&key).await?, Some(142));
        Ok(())
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn publish_and_subscribe() -> Result {
        let Some(server) = servers::redis() else { return Ok(()) };
        let channel = servers::unique("channel");
        let (mut subscriber, mut messages) = connect_for_messages(server).await?;
        subscriber.subscribe(&channel).await?;
        assert_eq!(messages.next().await.unwrap().kind, PushKind::Subscribe);

        let mut publisher = connect(server).await?;
        publisher.publish(&channel, "news").await?;
        let message = timeout(PATIENCE, messages.next()).await?.unwrap();
        let said = [&channel, "news"].map(|said| Value::BulkString(said.into()));
        assert_eq!((message.kind, &message.data[..]), (PushKind::Message, &said[..]));
        Ok(())
    }

    /// The server is connected and silent.
    #[anyrt::test(skip(sim = "a real server"))]
    async fn request_without_an_answer_is_an_error_in_time() -> Result {
        // Longer than the timeout of `redis`, which is off.
        const LIMIT: Duration = Duration::from_millis(700);
        let Some(server) = servers::redis() else { return Ok(()) };
        let mut redis = connect(server).await?;
        let begun = now();
        assert!(timeout(LIMIT, redis.blpop(servers::unique("nothing"), 0.0)).await.is_err());
        let took = now() - begun;
        assert!(took >= LIMIT && took < PATIENCE, "{took:?}");
        Ok(())
    }

    /// With a timer of tokio or of async-io.
    #[anyrt::test(skip(sim = "a real server"))]
    async fn timeout_of_redis_finds_a_timer() -> Result {
        let Some(server) = servers::redis() else { return Ok(()) };
        let mut redis = with_timeout_of_redis(server, Duration::from_millis(100)).await?;
        let error = timeout(PATIENCE, redis.blpop(servers::unique("nothing"), 0.0)).await?.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        Ok(())
    }

    async fn with_timeout_of_redis(
        address: SocketAddr,
        limit: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let stream = TcpStream::connect(address).await?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(limit));
        let info = RedisConnectionInfo::default();
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
        drop(anyrt::spawn(driver));
        Ok(connection)
    }

    /// Starts a server that answers this many commands with `OK` and then nothing; returns its address.
    async fn says_ok(commands: usize) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serves = async move {
            let (read, mut write) = listener.accept().await?.0.split();
            let mut read = BufReader::new(read);
            for command in 0.. {
                // A command is the number of its words, as `*2`, and for each word its length, as `$3`, and the word.
                let mut line = String::new();
                if read.read_line(&mut line).await? == 0 {
                    break;
                }
                for _ in 0..2 * line[1..].trim_end().parse::<usize>().unwrap() {
                    read.read_line(&mut line).await?;
                }
                if command < commands {
                    write.write_all(b"+OK\r\n").await?;
                }
            }
            io::Result::Ok(())
        };
        drop(anyrt::spawn(serves));
        Ok(address)
    }

    /// Number of commands that the client sends by itself: two settings.
    const SETUP: usize = 2;

    #[anyrt::test(only(sim))]
    async fn commands_in_a_simulation() -> Result {
        let server = says_ok(usize::MAX).await?;
        let mut redis = connect(server).await?;
        redis.set("key", "value").await?;
        let answers: (String, String) = pipe().get("a").get("b").query_async(&mut redis).await?;
        assert_eq!(answers, ("OK".to_owned(), "OK".to_owned()));

        // The timeout of redis does not fire, although virtual hours pass.
        let mut redis = with_timeout_of_redis(says_ok(usize::MAX).await?, Duration::from_secs(60)).await?;
        for _ in 0..3 {
            sleep(Duration::from_secs(3600)).await;
            redis.set("key", "value").await?;
        }
        Ok(())
    }

    #[anyrt::test(only(sim))]
    async fn silence_in_a_simulation_is_an_error_at_the_exact_time() -> Result {
        const HOUR: Duration = Duration::from_secs(3600);
        let mut redis = connect(says_ok(SETUP).await?).await?;
        let mut other = with_timeout_of_redis(says_ok(SETUP).await?, Duration::from_secs(60)).await?;
        let begun = now();
        let (ours, of_redis) = join!(timeout(HOUR, redis.get("key")), timeout(HOUR, other.get("key")));
        assert!(ours.is_err() && of_redis.is_err());
        assert_eq!(now() - begun, HOUR);
        Ok(())
    }

    #[test]
    fn timeout_of_redis_leaves_a_simulation_stuck() {
        let panic = panic_of(async || {
            let mut redis = with_timeout_of_redis(says_ok(SETUP).await?, Duration::from_secs(60)).await?;
            redis.get("key").await
        });
        assert!(panic.contains("stuck"), "{panic}");
    }

    #[test]
    fn timeout_of_redis_is_another_thread_to_a_simulation() {
        let panic = panic_of(async || {
            let limit = Duration::from_millis(10);
            let mut redis = with_timeout_of_redis(says_ok(SETUP).await?, limit).await?;
            join!(redis.get("key"), takes_real_time()).0
        });
        assert!(panic.contains("another thread has woken a task"), "{panic}");
    }

    #[test]
    fn pub_sub_of_redis_is_another_thread_to_a_simulation() {
        let panic = panic_of(async || {
            let stream = TcpStream::connect(says_ok(usize::MAX).await?).await?;
            let mut messages = redis::aio::PubSub::new(&RedisConnectionInfo::default(), stream).await?;
            join!(messages.subscribe("news"), takes_real_time()).0
        });
        assert!(panic.contains("another thread"), "{panic}");
    }
}
