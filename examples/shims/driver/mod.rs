//! The driver: a connection that logs in, sends queries, and keeps itself alive. It uses runtimes only through `rt`.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use futures::lock::Mutex;

use super::rt;
use crate::server::proof;

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) addr: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Maximum time without traffic.
    pub(crate) keep_alive: Duration,
}

pub(crate) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    // Empty after a failure: a late answer could be mistaken for the answer to the next question.
    stream: Mutex<Option<Stream>>,
}

type Stream = BufReader<rt::Socket>;

/// A server that leaves a ping unanswered for this long is considered gone.
const PING_LIMIT: Duration = Duration::from_secs(10);

impl Connection {
    pub(crate) async fn connect(config: &Config) -> io::Result<Self> {
        let host = config.addr.ip().to_string();
        let mut stream = BufReader::new(rt::connect_tcp(&host, config.addr.port()).await?);
        let (password, salt) = (config.password.clone(), hear(&mut stream).await?);
        let shown = rt::spawn_blocking(move || proof(&password, &salt)).await?;
        if ask(&mut stream, &format!("login {} {shown}", config.user)).await? != "welcome" {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let shared = Arc::new(Shared { stream: Mutex::new(Some(stream)) });
        // The task runs without its handle, and ends with the connection.
        drop(rt::spawn(keep_alive(Arc::downgrade(&shared), config.keep_alive)));
        Ok(Self { shared })
    }

    /// Retries after 10 ms, 20 ms, 40 ms and so on; also returns the number of attempts.
    pub(crate) async fn connect_with_backoff(config: &Config, attempts: u32) -> io::Result<(Self, u32)> {
        let (mut attempt, mut pause) = (1, Duration::from_millis(10));
        loop {
            match Self::connect(config).await {
                Ok(connection) => return Ok((connection, attempt)),
                Err(error) if attempt >= attempts || error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(error);
                }
                Err(_) => rt::sleep(pause).await,
            }
            (attempt, pause) = (attempt + 1, pause * 2);
        }
    }

    /// `TimedOut` when the time is up; `NotConnected` after any earlier failure.
    pub(crate) async fn query(&self, question: &str, limit: Duration) -> io::Result<String> {
        let answer = rt::timeout(limit, self.shared.exchange(question)).await;
        answer.map_err(|_| io::ErrorKind::TimedOut)?
    }

    pub(crate) async fn ping(&self) -> io::Result<()> {
        self.shared.exchange("ping").await.map(drop)
    }
}

impl Shared {
    async fn exchange(&self, question: &str) -> io::Result<String> {
        let mut place = self.stream.lock().await;
        // The stream is put back only after an answer, so it is also gone if this future is dropped before.
        let mut stream = place.take().ok_or(io::ErrorKind::NotConnected)?;
        let answer = ask(&mut stream, question).await?;
        *place = Some(stream);
        Ok(answer)
    }
}

async fn keep_alive(connection: Weak<Shared>, period: Duration) {
    loop {
        rt::sleep(period).await;
        let Some(connection) = connection.upgrade() else { return };
        if !matches!(rt::timeout(PING_LIMIT, connection.exchange("ping")).await, Ok(Ok(_))) {
            return;
        }
    }
}

async fn ask(stream: &mut Stream, question: &str) -> io::Result<String> {
    stream.write_all(format!("{question}\n").as_bytes()).await?;
    stream.flush().await?;
    hear(stream).await
}

async fn hear(stream: &mut Stream) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
