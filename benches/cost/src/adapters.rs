//! The cost of libraries through anyrt's adapters, beside their own support for a runtime.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use indicatif::ProgressBar;
use serde::Deserialize;

use crate::measure::{cpu_seconds, has};
use crate::programs::{Program, output};
use crate::report::median;
use crate::table::{self, Table};

/// A way, its baseline, and the baseline's name in the table.
const WAYS: [(&str, &str); 3] =
    [("anyrt/tokio", "native/tokio"), ("anyrt/smol", "native/smol"), ("anyrt/async-std", "native/smol")];

struct What {
    name: &'static str,
    says: &'static str,
    /// Number of bytes or messages.
    n: u64,
}

/// Without encryption, 64 MiB take 20 milliseconds, which is too short to measure.
const WHAT: [What; 4] = [
    What { name: "upload", says: "1 GiB to a server of hyper 1, HTTP/1", n: 1 << 30 },
    What { name: "download", says: "1 GiB from a server of hyper 1, HTTP/1", n: 1 << 30 },
    What { name: "messages", says: "messages of 64 bytes, there and back", n: MESSAGES },
    What { name: "quic", says: "64 MiB on a stream of quinn", n: 64 << 20 },
];

const MESSAGES: u64 = 20_000;

/// The JSON that the program prints.
#[derive(Clone, Copy, Deserialize)]
struct Took {
    wall_nanos: u64,
    cpu_nanos: u64,
}

/// Fills the two tables of README.md.
pub(crate) fn report(rounds: u64) -> Result<(), String> {
    let program = Program::adapters()?;
    table::fill("adapters", &bytes(&program, rounds)?)?;
    if !has("wrk") {
        println!("skipped: requests a second, because there is no wrk");
        return Ok(());
    }
    table::fill("requests", &requests(&program, rounds)?)
}

/// Medians of pairs: each way is measured right after its baseline.
fn bytes(program: &Program, rounds: u64) -> Result<String, String> {
    let mut table = Table::new(["what", "anyrt on", "beside", "wall", "wall, ×", "CPU, ×", "system calls"]);
    let bar = ProgressBar::new(rounds * (WHAT.len() * WAYS.len()) as u64);
    for What { name, says, n } in WHAT {
        for (way, beside) in WAYS {
            let mut pairs = Vec::new();
            for _ in 0..rounds {
                pairs.push((program.took(beside, name, n)?, program.took(way, name, n)?));
                bar.inc(1);
            }
            let seconds = |took: Took| took.wall_nanos as f64 / 1e9;
            let wall = median(pairs.iter().map(|(_, ours)| seconds(*ours)).collect());
            let ratio = |of: fn(Took) -> u64| {
                median(pairs.iter().map(|(theirs, ours)| of(*ours) as f64 / of(*theirs) as f64).collect())
            };
            let calls = |way| program.syscalls_of(way, name, n);
            table.row(vec![
                says.to_owned(),
                way.trim_start_matches("anyrt/").to_owned(),
                beside.trim_start_matches("native/").to_owned(),
                if n == MESSAGES {
                    format!("{:.1} µs each", wall * 1e6 / n as f64)
                } else {
                    format!("{:.0} MiB/s", (n >> 20) as f64 / wall)
                },
                format!("{:.2}", ratio(|took| took.wall_nanos)),
                format!("{:.2}", ratio(|took| took.cpu_nanos)),
                match (calls(way)?, calls(beside)?) {
                    (Some(ours), Some(theirs)) => format!("{ours} ({theirs})"),
                    _ => "–".to_owned(),
                },
            ]);
        }
    }
    bar.finish_and_clear();
    Ok(table.to_markdown())
}

/// Requests per second of an app, and the server's CPU time per request.
fn requests(program: &Program, rounds: u64) -> Result<String, String> {
    const WAYS: [&str; 3] = ["anyrt/tokio", "anyrt/smol", "anyrt/async-std"];
    let mut table = Table::new(["on", "requests a second", "×", "CPU a request", "×"]);
    let bar = ProgressBar::new(rounds * WAYS.len() as u64);
    let mut native = Vec::new();
    for way in WAYS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            theirs.push(wrk(program, "native/tokio")?);
            ours.push(wrk(program, way)?);
            bar.inc(1);
        }
        native.extend(theirs.iter().copied());
        let pairs = || ours.iter().zip(&theirs);
        table.row(vec![
            format!("anyrt, on {}", way.trim_start_matches("anyrt/")),
            format!("{:.0}", median(ours.iter().map(|(rate, _)| *rate).collect())),
            format!("{:.2}", median(pairs().map(|(ours, theirs)| ours.0 / theirs.0).collect())),
            format!("{:.1} µs", median(ours.iter().map(|(_, cpu)| *cpu * 1e6).collect())),
            format!("{:.2}", median(pairs().map(|(ours, theirs)| ours.1 / theirs.1).collect())),
        ]);
    }
    bar.finish_and_clear();
    table.row(vec![
        "tokio itself".to_owned(),
        format!("{:.0}", median(native.iter().map(|(rate, _)| *rate).collect())),
        "1".to_owned(),
        format!("{:.1} µs", median(native.iter().map(|(_, cpu)| *cpu * 1e6).collect())),
        "1".to_owned(),
    ]);
    Ok(table.to_markdown())
}

/// A server that is killed when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns requests per second, and CPU seconds per request.
fn wrk(program: &Program, way: &str) -> Result<(f64, f64), String> {
    let spawned = Command::new(&program.path).args([way, "app"]).stdout(Stdio::piped()).spawn();
    let mut server = Server(spawned.map_err(|error| format!("{}: {error}", program.path.display()))?);
    let mut address = String::new();
    let stdout = server.0.stdout.take().ok_or("the server has no output")?;
    BufReader::new(stdout).read_line(&mut address).map_err(|error| error.to_string())?;
    let url = format!("http://{}/", address.trim());
    // The first second is not counted.
    output(Command::new("wrk").args(["-t1", "-c64", "-d1s", &url]))?;
    let before = cpu_seconds(server.0.id()).ok_or("there is no /proc")?;
    let text = output(Command::new("wrk").args(["-t1", "-c64", "-d3s", &url]))?;
    let cpu = cpu_seconds(server.0.id()).ok_or("the server has ended")? - before;
    let number = |name: &str| {
        let line = text.lines().find(|line| line.contains(name));
        let mut words = line.into_iter().flat_map(str::split_whitespace);
        words.find_map(|word| word.parse::<f64>().ok()).ok_or_else(|| format!("wrk printed {text:?}"))
    };
    Ok((number("Requests/sec")?, cpu / number("requests in")?))
}

impl Program {
    fn took(&self, way: &str, what: &str, n: u64) -> Result<Took, String> {
        let text = output(Command::new(&self.path).args([way, what, &n.to_string()]))?;
        serde_json::from_str(&text).map_err(|error| format!("{way} {what} printed {text:?}: {error}"))
    }

    /// Returns the system calls of the whole process, without futex, whose number varies with the timing of threads.
    fn syscalls_of(&self, way: &str, what: &str, n: u64) -> Result<Option<u64>, String> {
        if !has("strace") {
            return Ok(None);
        }
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "-U", "calls,name", "-o", "/dev/stderr"]).arg(&self.path).args([
            way,
            what,
            &n.to_string(),
        ]);
        let output = strace.output().map_err(|error| format!("{strace:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        Ok(Some(crate::measure::calls(&text) as u64))
    }
}
