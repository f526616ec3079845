//! A small database on loopback: a question is one line, and an answer is one line.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyrt::Runtime;
use anyrt::runtime::{TcpListener, TcpStream};
use anyrt::task::AbortOnDropHandle;
use futures::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

pub(crate) const PASSWORD: &str = "open sesame";

/// A login with this name is never answered.
pub(crate) const UNANSWERED: &str = "nobody";

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    counts: Arc<Counts>,
    _serving: AbortOnDropHandle<io::Result<()>>,
}

#[derive(Default)]
struct Counts {
    hang_ups: AtomicU32,
    logins: AtomicU32,
    pings: AtomicU32,
}

impl Server {
    pub(crate) async fn start<R: Runtime>(runtime: &R) -> io::Result<Self> {
        let listener = runtime.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let serving = runtime.spawn(serve(runtime.clone(), listener, counts.clone()));
        Ok(Self { addr, counts, _serving: serving.abort_on_drop() })
    }

    /// Closes the next connections before the first byte.
    pub(crate) fn hang_up_on(&self, connections: u32) {
        self.counts.hang_ups.store(connections, Ordering::SeqCst);
    }

    /// Returns the number of logins so far.
    pub(crate) fn logins(&self) -> u32 {
        self.counts.logins.load(Ordering::SeqCst)
    }

    /// Returns the number of pings so far.
    pub(crate) fn pings(&self) -> u32 {
        self.counts.pings.load(Ordering::SeqCst)
    }
}

async fn serve<R: Runtime>(runtime: R, listener: R::TcpListener, counts: Arc<Counts>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let one_less = |left: u32| left.checked_sub(1);
        if counts.hang_ups.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err() {
            // The task ends with its client, which sees any error.
            drop(runtime.spawn(converse(stream, counts.clone())));
        }
    }
}

async fn converse<S: TcpStream>(stream: S, counts: Arc<Counts>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let salt = format!("{:x}", stream.peer_addr()?.port());
    let mut stream = BufReader::new(stream);
    stream.write_all(format!("{salt}\n").as_bytes()).await?;
    let mut mute = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let words: Vec<_> = line.split_whitespace().collect();
        let answer = match words[..] {
            _ if mute => continue,
            ["login", UNANSWERED, _] => continue,
            ["login", _, shown] if shown == proof(PASSWORD, &salt) => {
                counts.logins.fetch_add(1, Ordering::SeqCst);
                "welcome".to_owned()
            }
            ["login", ..] => "denied".to_owned(),
            ["ping"] => {
                counts.pings.fetch_add(1, Ordering::SeqCst);
                "pong".to_owned()
            }
            ["square", number] => match number.parse::<u64>() {
                Ok(number) => number.saturating_mul(number).to_string(),
                Err(error) => error.to_string(),
            },
            ["mute"] => {
                mute = true;
                "not another word".to_owned()
            }
            ["quit"] => "bye".to_owned(),
            _ => "what?".to_owned(),
        };
        stream.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

/// Proves knowledge of the password without sending it; slow, like real password hashes.
pub(crate) fn proof(password: &str, salt: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for _ in 0..1_000 {
        for byte in password.bytes().chain(salt.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:x}")
}
