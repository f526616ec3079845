//! The workload of the driver and the pool. The answers depend neither on the shim nor on the runtime.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::task::JoinSet;

use super::driver::{Config, Connection};
use super::pool::{Limits, Pool, Settings};
use super::told;
use crate::server::{PASSWORD, Server, UNANSWERED};

/// Limit for events that must happen, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Limit for events that cannot happen.
const SHORT: Duration = Duration::from_millis(30);

const PATIENT: Limits = Limits { wait: LONG, create: LONG, recycle: LONG };

const POOL_SIZE: usize = 4;

pub(crate) async fn run<R: Runtime>(runtime: &R, clients: u32) -> io::Result<Vec<String>> {
    let server = Server::start(runtime).await?;
    let config =
        Config { addr: server.addr, user: "ali".to_owned(), password: PASSWORD.to_owned(), keep_alive: LONG };
    Ok(vec![
        backoff(&server, &config).await?,
        keep_alive(runtime, &server, &config).await?,
        slow_query(&config).await?,
        wrong_password(&config).await?,
        shared_pool(runtime, &server, &config, clients).await?,
        empty_pool(&config).await?,
        recycling(runtime, &config).await?,
        unanswered_login(&config).await?,
    ])
}

async fn backoff(server: &Server, config: &Config) -> io::Result<String> {
    server.hang_up_on(2);
    let (connection, attempts) = Connection::connect_with_backoff(config, 5).await?;
    let square = connection.query("square 12", LONG).await?;
    let bye = connection.query("quit", LONG).await?;
    Ok(format!("driver: logged in at attempt {attempts}, 12² is {square}, {bye}"))
}

async fn keep_alive<R: Runtime>(runtime: &R, server: &Server, config: &Config) -> io::Result<String> {
    let before = server.pings();
    let connection = Connection::connect(&Config { keep_alive: SHORT, ..config.clone() }).await?;
    until(runtime, "pings of the keep-alive task", || server.pings() >= before + 2).await?;
    connection.ping().await?;
    Ok("driver: kept alive by a task of its own".to_owned())
}

async fn slow_query(config: &Config) -> io::Result<String> {
    let connection = Connection::connect(config).await?;
    connection.query("mute", LONG).await?;
    let in_vain = failure(connection.query("square 3", SHORT).await)?;
    let broken = failure(connection.query("square 4", LONG).await)?;
    let (connection, _) = Connection::connect_with_backoff(config, 5).await?;
    let square = connection.query("square 5", LONG).await?;
    Ok(format!("driver: no answer to a query: {in_vain}, then {broken}; reconnected, 5² is {square}"))
}

async fn wrong_password(config: &Config) -> io::Result<String> {
    let config = Config { password: "abracadabra".to_owned(), ..config.clone() };
    let refused = failure(Connection::connect_with_backoff(&config, 5).await)?;
    Ok(format!("driver: the wrong password: {refused}"))
}

async fn shared_pool<R: Runtime>(
    runtime: &R,
    server: &Server,
    config: &Config,
    clients: u32,
) -> io::Result<String> {
    let before = server.logins();
    let pool = Pool::new(settings(config), POOL_SIZE, PATIENT, told())?;
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let pool = pool.clone();
        let client = async move {
            let square = pool.get().await?.query(&format!("square {number}"), LONG).await?;
            square.parse::<u64>().map_err(io::Error::other)
        };
        tasks.spawn_on(client, runtime);
    }
    let mut sum = 0;
    while let Some(square) = tasks.join_next().await {
        sum += square??;
    }
    let opened = server.logins() - before;
    Ok(format!("pool: {clients} clients on {opened} connections, the sum of squares is {sum}"))
}

async fn empty_pool(config: &Config) -> io::Result<String> {
    let pool = Pool::new(settings(config), 1, Limits { wait: SHORT, ..PATIENT }, told())?;
    let taken = pool.get().await?;
    let in_vain = failure(pool.get().await)?;
    drop(taken);
    let square = pool.get().await?.query("square 6", LONG).await?;
    Ok(format!("pool: one too many: {in_vain}; when it is back, 6² is {square}"))
}

async fn recycling<R: Runtime>(runtime: &R, config: &Config) -> io::Result<String> {
    let pool = Pool::new(settings(config), 1, Limits { recycle: SHORT, ..PATIENT }, told())?;
    pool.get().await?.query("mute", LONG).await?;
    let square = pool.get().await?.query("square 7", LONG).await?;
    until(runtime, "a connection to be thrown away", || pool.discarded() == 1).await?;
    Ok(format!("pool: one that does not answer is replaced, 7² is {square}"))
}

async fn unanswered_login(config: &Config) -> io::Result<String> {
    let config = Config { user: UNANSWERED.to_owned(), ..config.clone() };
    let pool = Pool::new(settings(&config), 1, Limits { create: SHORT, ..PATIENT }, told())?;
    // A second time: the slot must have come back.
    let (first, second) = (failure(pool.get().await)?, failure(pool.get().await)?);
    Ok(format!("pool: no answer to a login: {first}; once more: {second}"))
}

fn settings(config: &Config) -> Settings {
    let config = config.clone();
    Arc::new(move || Ok(config.clone()))
}

/// Returns the error of a call that must fail.
fn failure<T, E: Into<io::Error>>(result: Result<T, E>) -> io::Result<String> {
    match result {
        Ok(_) => Err(io::Error::other("it worked, and should not have")),
        Err(error) => Ok(error.into().to_string()),
    }
}

/// Waits for an event that must happen.
async fn until<R: Runtime>(runtime: &R, what: &str, happened: impl Fn() -> bool) -> io::Result<()> {
    let waiting = async {
        while !happened() {
            runtime.sleep(Duration::from_millis(1)).await;
        }
    };
    let in_vain = |_| io::Error::new(io::ErrorKind::TimedOut, format!("waited in vain for {what}"));
    runtime.timeout(LONG, waiting).await.map_err(in_vain)
}
