//! A TCP port scanner, written once, on the runtime that you name, or on all of them side by side.
//!
//! ```sh
//! cargo run -p examples --example port_scan -- --runtime all
//! cargo run -p examples --example port_scan -- localhost --ports 20-1024 --runtime smol
//! ```
//!
//! With no host it opens some listeners on this machine and finds them again.

#[path = "../shared/mod.rs"]
mod shared;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::TcpStream;
use anyrt::task::JoinSet;
use clap::{Command, arg, value_parser};
use indicatif::{ProgressBar, ProgressStyle};

use shared::{Error, Program, Reports};

fn arguments() -> Command {
    Command::new("port_scan").about("Finds the open TCP ports of a host").args([
        arg!([host] "A name or an address [default: this machine, and some listeners opened on it]"),
        arg!(--ports <PORTS> "Ports and ranges, such as 22,80,8000-8100 [default with a host: 1-1024]")
            .value_parser(parse_ports),
        arg!(--concurrency <CONNECTIONS> "Connections tried at once")
            .value_parser(value_parser!(u16).range(1..))
            .default_value("100"),
        arg!(--timeout <MILLISECONDS> "How long a port has for its answer")
            .value_parser(value_parser!(u64).range(1..))
            .default_value("500"),
        shared::runtime(),
        arg!(--plain "Print open ports only, one `runtime port` a line"),
    ])
}

/// The ports of one argument, in the order in which they were given.
#[derive(Clone)]
struct Ports(Vec<u16>);

fn main() -> ExitCode {
    shared::main(arguments(), |mut arguments| {
        let host = arguments.remove_one::<String>("host");
        let mut listeners = Vec::new();
        let ports = match (arguments.remove_one::<Ports>("ports"), &host) {
            (Some(ports), _) => ports.0,
            (None, Some(_)) => (1..=1024).collect(),
            (None, None) => {
                listeners =
                    (0..5).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
                around(&listeners)?
            }
        };
        let scan = Scan {
            host: host.unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string()),
            ports,
            concurrency: shared::value::<u16>(&arguments, "concurrency").into(),
            timeout: Duration::from_millis(shared::value(&arguments, "timeout")),
        };
        let reports = shared::run(shared::value(&arguments, "runtime"), &scan)?;
        Ok(if arguments.get_flag("plain") { plain(&reports) } else { tables(&scan, &listeners, &reports) })
    })
}

/// Returns the ports of the listeners, and some more, which are probably closed.
fn around(listeners: &[TcpListener]) -> io::Result<Vec<u16>> {
    let mut ports = Vec::new();
    for listener in listeners {
        let port = listener.local_addr()?.port();
        ports.extend(port.saturating_sub(50)..=port.saturating_add(50));
    }
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

fn parse_ports(text: &str) -> Result<Ports, String> {
    let port = |text: &str| match text.trim().parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is no port: ports are 1 to 65535")),
        Ok(port) => Ok(port),
    };
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (port(first)?, port(last)?);
        if first > last {
            return Err(format!("`{part}` is no range: it ends before it starts"));
        }
        ports.extend(first..=last);
    }
    Ok(Ports(ports))
}

struct Scan {
    host: String,
    ports: Vec<u16>,
    concurrency: usize,
    timeout: Duration,
}

/// The results for the ports.
#[derive(Default)]
struct Report {
    open: BTreeMap<u16, Duration>,
    closed: usize,
    silent: usize,
    took: Duration,
}

enum Answer {
    Open(Duration),
    Closed,
    Silent,
}

impl Program for Scan {
    type Report = Report;

    async fn run<R: Runtime>(&self, runtime: R) -> Result<Report, Error> {
        let addrs = runtime.lookup_host((self.host.as_str(), 0)).await.map_err(Error::input)?;
        let Some(host) = addrs.first().map(SocketAddr::ip) else {
            return Err(Error::input(format!("{:?} has no address", self.host)));
        };
        let bar = ProgressBar::new(self.ports.len() as u64).with_style(style());

        let start = runtime.now();
        let mut report = Report::default();
        let mut left = self.ports.iter();
        let mut tries = JoinSet::new();
        loop {
            while tries.len() < self.concurrency {
                let Some(&port) = left.next() else { break };
                tries.spawn_on(try_port(runtime.clone(), host, port, self.timeout), &runtime);
            }
            let Some(tried) = tries.join_next().await else { break };
            match tried? {
                (port, Ok(Answer::Open(latency))) => drop(report.open.insert(port, latency)),
                (_, Ok(Answer::Closed)) => report.closed += 1,
                (_, Ok(Answer::Silent)) => report.silent += 1,
                (port, Err(error)) => {
                    return Err(Error::input(format!(
                        "port {port} could not be tried: {error}; is --concurrency {} too much?",
                        self.concurrency
                    )));
                }
            }
            bar.inc(1);
        }
        report.took = runtime.now() - start;
        bar.finish_and_clear();
        Ok(report)
    }
}

async fn try_port<R: Runtime>(
    runtime: R,
    host: IpAddr,
    port: u16,
    timeout: Duration,
) -> (u16, io::Result<Answer>) {
    let start = runtime.now();
    let answer = match runtime.timeout(timeout, runtime.tcp_connect((host, port))).await {
        // A port in the range of outgoing connections may be connected to itself.
        Ok(Ok(stream)) if stream.local_addr().ok() == stream.peer_addr().ok() => Ok(Answer::Closed),
        Ok(Ok(_stream)) => Ok(Answer::Open(runtime.now() - start)),
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Ok(Answer::Closed),
            io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::PermissionDenied => Ok(Answer::Silent),
            // An error of this machine, such as too many open files, says nothing about the port.
            _ => Err(error),
        },
        Err(_elapsed) => Ok(Answer::Silent),
    };
    (port, answer)
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} ports, {per_sec}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn plain(reports: &Reports<Scan>) -> String {
    let of_one = |(runtime, report): &(_, Report)| -> String {
        report.open.keys().map(|port| format!("{runtime} {port}\n")).collect()
    };
    reports.iter().map(of_one).collect()
}

fn tables(scan: &Scan, listeners: &[TcpListener], reports: &Reports<Scan>) -> String {
    let mut text = String::new();
    let mut line = |line: String| text += &(line + "\n");
    let open: BTreeMap<u16, Vec<Option<Duration>>> = reports
        .iter()
        .flat_map(|(_, report)| report.open.keys())
        .map(|&port| (port, reports.iter().map(|(_, report)| report.open.get(&port).copied()).collect()))
        .collect();

    if !listeners.is_empty() {
        line(format!("{} listeners were opened on this machine.\n", listeners.len()));
    }
    line(format!("Open ports of {}:\n", scan.host));
    if open.is_empty() {
        line(format!("none of the {} that were tried", scan.ports.len()));
    } else {
        let runtimes: String = reports.iter().map(|(runtime, _)| format!("  {runtime:>10}")).collect();
        line(format!("{:>5}  {:<10}{runtimes}", "port", "service"));
    }
    for (port, latencies) in &open {
        let of_one = |latency: &Option<Duration>| match latency {
            Some(latency) => format!("  {:>7.2} ms", latency.as_secs_f64() * 1e3),
            None => format!("  {:>10}", "-"),
        };
        let latencies: String = latencies.iter().map(of_one).collect();
        line(format!("{port:>5}  {:<10}{latencies}", service(*port)));
    }

    line(format!("\n{:<10}  {:>5}  {:>6}  {:>9}  {:>9}", "runtime", "open", "closed", "no answer", "time"));
    for (runtime, Report { open, closed, silent, took }) in reports {
        let (open, took) = (open.len(), took.as_secs_f64() * 1e3);
        line(format!("{runtime:<10}  {open:>5}  {closed:>6}  {silent:>9}  {took:>6.1} ms"));
    }
    if reports.len() > 1 {
        let same = open.values().all(|latencies| latencies.iter().all(Option::is_some));
        line(format!("\nAll found {} ports.", if same { "the same" } else { "DIFFERENT" }));
    }
    text
}

/// Returns the usual service of a port.
fn service(port: u16) -> &'static str {
    match port {
        21 => "ftp",
        22 => "ssh",
        25 => "smtp",
        53 => "dns",
        80 => "http",
        110 => "pop3",
        143 => "imap",
        443 => "https",
        3306 => "mysql",
        5432 => "postgresql",
        6379 => "redis",
        8080 => "http-alt",
        9092 => "kafka",
        11211 => "memcached",
        27017 => "mongodb",
        _ => "",
    }
}
