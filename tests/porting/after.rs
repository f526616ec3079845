//! The same program, on any runtime.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, Semaphore, broadcast, mpsc, oneshot};

use anyrt::net::{TcpListener, TcpStream, UdpSocket};
use anyrt::runtime::Handle;
use anyrt::task::{self, JoinHandle, JoinSet};
use anyrt::time::{self, Instant, MissedTickBehavior, interval, sleep, timeout};

type Notes = Arc<Mutex<HashMap<String, String>>>;

/// The report of the server at its end.
#[derive(Debug, PartialEq)]
pub struct Served {
    pub connections: usize,
    pub notes: usize,
}

pub struct Server {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<io::Result<Served>>,
}

impl Server {
    pub async fn start(most_connections: usize) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let running = anyrt::spawn(serve(listener, most_connections, stopped));
        Ok(Self { address, stop, running })
    }

    pub async fn stop(self) -> io::Result<Served> {
        let _ = self.stop.send(());
        self.running.await?
    }
}

async fn serve(
    listener: TcpListener,
    most_connections: usize,
    mut stopped: oneshot::Receiver<()>,
) -> io::Result<Served> {
    let (notes, permits) = (Notes::default(), Arc::new(Semaphore::new(most_connections)));
    let (shutdown, _) = broadcast::channel(1);
    let mut connections = JoinSet::new();
    let mut accepted = 0;
    loop {
        let permit = permits.clone().acquire_owned().await.expect("it is never closed");
        anyrt::select! {
            incoming = listener.accept() => {
                let (stream, _) = incoming?;
                stream.set_nodelay(true)?;
                let (notes, mut shutdown) = (notes.clone(), shutdown.subscribe());
                accepted += 1;
                connections.spawn(async move {
                    anyrt::select! {
                        ended = connection(stream, notes) => drop(ended),
                        _ = shutdown.recv() => {}
                    }
                    drop(permit);
                });
            }
            Some(ended) = connections.join_next() => ended?,
            _ = &mut stopped => break,
        }
    }
    let _ = shutdown.send(());
    connections.join_all().await;
    let notes = notes.lock().await.len();
    Ok(Served { connections: accepted, notes })
}

async fn connection(mut stream: TcpStream, notes: Notes) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split_once(' ') {
            Some((key, value)) => {
                let (key, value) = (key.to_owned(), value.to_owned());
                // Simulates slow work.
                let value = task::spawn_blocking(move || value.to_uppercase()).await?;
                notes.lock().await.insert(key, value).unwrap_or_default()
            }
            None => notes.lock().await.get(&line).cloned().unwrap_or_default(),
        };
        write.write_u32(answer.len() as u32).await?;
        write.write_all(answer.as_bytes()).await?;
    }
    write.shutdown().await
}

pub struct Client {
    stream: TcpStream,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = timeout(Duration::from_secs(5), TcpStream::connect(address)).await??;
        Ok(Self { stream })
    }

    pub async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.stream.write_all(format!("{line}\n").as_bytes()).await?;
        let mut answer = vec![0; self.stream.read_u32().await? as usize];
        self.stream.read_exact(&mut answer).await?;
        String::from_utf8(answer).map_err(io::Error::other)
    }
}

/// Runs several clients at the same time, and returns what each of them reads back.
pub async fn clients(address: SocketAddr, count: usize) -> Vec<String> {
    let mut clients = JoinSet::new();
    for n in 0..count {
        clients.spawn(async move {
            let mut client = Client::connect(address).await?;
            client.ask(&format!("note{n} by {n}")).await?;
            client.ask(&format!("note{n}")).await
        });
    }
    let mut answers: Vec<_> = clients.join_all().await.into_iter().map(Result::unwrap).collect();
    answers.sort();
    answers
}

/// Announces a port over UDP until it has been heard three times.
pub async fn beacon(port: u16) -> io::Result<Vec<u16>> {
    let listener = UdpSocket::bind("127.0.0.1:0").await?;
    let sender = UdpSocket::bind("127.0.0.1:0").await?;
    let (heard, mut ports) = mpsc::channel(8);
    let address = listener.local_addr()?.to_string();
    let listening = anyrt::spawn(async move {
        let mut buf = [0; 16];
        while let Ok((2, _)) = listener.recv_from(&mut buf).await {
            if heard.send(u16::from_be_bytes([buf[0], buf[1]])).await.is_err() {
                break;
            }
        }
    });
    let mut ticks = interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    sender.send_to(&port.to_be_bytes(), address.as_str()).await?;
    sender.connect(address).await?;
    let mut all = Vec::new();
    while all.len() < 3 {
        anyrt::select! {
            _ = ticks.tick() => drop(sender.send(&port.to_be_bytes()).await?),
            Some(port) = ports.recv() => all.push(port),
        }
    }
    listening.abort();
    assert!(listening.await.unwrap_err().is_cancelled());
    Ok(all)
}

/// An in-memory stream, a clock, and the current runtime.
pub async fn clockwork() -> io::Result<bool> {
    let start = Instant::now();
    let (mut near, mut far) = anyrt::io::duplex(8);
    let sent = Handle::current().spawn(async move { near.write_u64(7).await });
    let (number, ()) = anyrt::join!(far.read_u64(), sleep(Duration::from_millis(5)));
    sent.await??;
    task::yield_now().await;
    let late = time::timeout_at(start, std::future::pending::<()>()).await.is_err();
    Ok(late && number? == 7 && start.elapsed() >= Duration::from_millis(5))
}

/// Returns the first address of a name.
pub async fn address_of(host: &str) -> io::Result<Option<SocketAddr>> {
    Ok(anyrt::net::lookup_host(host).await?.next())
}

pub async fn program() -> io::Result<(Vec<String>, Served)> {
    let server = Server::start(2).await?;
    let address = address_of(&server.address.to_string()).await?.expect("it is an address");
    let answers = clients(address, 3).await;
    assert_eq!(beacon(address.port()).await?, [address.port(); 3]);
    assert!(clockwork().await?);
    anyrt::select! {
        served = server.stop() => Ok((answers, served?)),
        pressed = anyrt::signal::ctrl_c() => Err(pressed.err().unwrap_or(io::ErrorKind::Interrupted.into())),
    }
}

pub fn run() -> io::Result<(Vec<String>, Served)> {
    anyrt::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(program())
}
