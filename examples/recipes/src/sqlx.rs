//! # sqlx
//!
//! sqlx opens its connections itself, and accepts no stream from outside. It looks for a runtime at each step: in a
//! context of tokio it uses the sockets, timers and tasks of that tokio, and elsewhere those of its other runtime
//! feature. Tasks of anyrt are in such a context on tokio, and on no other runtime. So with both features, the same
//! code works on all runtimes:
//!
//! ```toml
//! sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-smol", "runtime-tokio"] }
//! ```
//!
//! | | tokio | smol | async-std | a simulation |
//! |---|---|---|---|---|
//! | sockets and timers | tokio's | async-io's | async-io's | async-io's, which are **real** |
//! | tasks that a pool spawns run | on that tokio | on the threads of `smol::spawn` | on the threads of `smol::spawn` | on a real thread |
//! | current in a callback of the pool | that tokio | no runtime | no runtime | no runtime |
//! | with `runtime-tokio` alone | works | panics: "this functionality requires a Tokio context" | as on smol | as on smol |
//! | with `runtime-smol` alone | works, as on smol | works | works | not in a simulation |
//!
//! In a callback, `after_connect` or `after_release`, use an [`AnyRuntime`](anyrt::AnyRuntime) that it captures: on
//! smol and async-std a task of the pool is in no runtime of anyrt. The threads of `smol::spawn` are not those of a
//! [`Smol`](anyrt::Smol) of your own; [`Smol::global`](anyrt::Smol::global) uses the same threads.
//!
//! ## In a simulation
//!
//! sqlx does not run there: its socket is real, and the thread that wakes its task is an error of the simulation.
//! tokio-postgres, in [`postgres`](crate::postgres), runs there.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Creates a pool of connections.
///
/// Its timeouts use the clock of the runtime that sqlx finds.
pub async fn pool(options: PgConnectOptions) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::thread;

    use anyrt::{AnyRuntime, Tokio};
    use futures::StreamExt;
    use futures::channel::mpsc::unbounded;
    use futures::future::{join, try_join_all};
    use sqlx::postgres::PgSslMode;
    use sqlx::{Connection, PgConnection};

    use super::*;
    use crate::servers;
    use crate::simulated::{panic_of, takes_real_time};

    type Result = std::result::Result<(), Box<dyn std::error::Error>>;

    fn options(server: SocketAddr) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(&server.ip().to_string())
            .port(server.port())
            .username("postgres")
            .ssl_mode(PgSslMode::Disable)
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn query() -> Result {
        let Some(server) = servers::postgres() else { return Ok(()) };
        let pool = pool(options(server)).await?;
        // More queries than connections.
        let queries = (0..20_i64).map(|n| {
            let pool = pool.clone();
            anyrt::spawn(async move { sqlx::query_scalar("SELECT $1 * 2").bind(n).fetch_one(&pool).await })
        });
        for (n, query) in (0..).zip(try_join_all(queries.collect::<Vec<_>>()).await?) {
            let answer: i64 = query?;
            assert_eq!(answer, n * 2);
        }
        pool.close().await;
        Ok(())
    }

    #[anyrt::test(skip(sim = "a real server"))]
    async fn transaction() -> Result {
        let Some(server) = servers::postgres() else { return Ok(()) };
        let mut connection = PgConnection::connect_with(&options(server)).await?;
        sqlx::query("CREATE TEMPORARY TABLE words (word text)").execute(&mut connection).await?;
        for (word, commits) in [("kept", true), ("dropped", false)] {
            let mut transaction = connection.begin().await?;
            sqlx::query("INSERT INTO words VALUES ($1)").bind(word).execute(&mut *transaction).await?;
            if commits {
                transaction.commit().await?;
            }
        }
        let words: Vec<String> =
            sqlx::query_scalar("SELECT word FROM words").fetch_all(&mut connection).await?;
        assert_eq!(words, ["kept"]);
        connection.close().await?;
        Ok(())
    }

    /// The table above, as far as it is visible from outside: a callback of the pool runs in a task that sqlx has
    /// spawned.
    #[anyrt::test(skip(sim = "a real server"))]
    async fn runtime_that_sqlx_finds(rt: AnyRuntime) -> Result {
        let Some(server) = servers::postgres() else { return Ok(()) };
        let (sender, mut seen) = unbounded();
        let pool = PgPoolOptions::new().after_release(move |_, _| {
            let thread = thread::current().name().map(String::from);
            let _ = sender.unbounded_send((AnyRuntime::try_current(), thread.unwrap_or_default()));
            Box::pin(async { Ok(true) })
        });
        let pool = pool.connect_with(options(server)).await?;
        drop(pool.acquire().await?);
        let (current, thread) = seen.next().await.unwrap();
        match Tokio::try_from(rt.clone()) {
            Ok(_) => assert!(current? == rt),
            Err(_) => {
                assert!(current.is_err());
                assert!(thread.starts_with("smol-"), "{thread}");
            }
        }
        pool.close().await;
        Ok(())
    }

    #[test]
    fn sqlx_is_another_thread_to_a_simulation() {
        let Some(server) = servers::postgres() else { return };
        let panic =
            panic_of(async || join(PgConnection::connect_with(&options(server)), takes_real_time()).await.0);
        assert!(panic.contains("another thread has woken a task"), "{panic}");
    }
}
