//! The cost of other layers over several runtimes, beside anyrt and the runtimes themselves.

use std::process::Command;

use harness::Operation;

use crate::chart;
use crate::measure::each;
use crate::programs::{Program, output};
use crate::table::{self, Table};

/// Operations for which instructions are a measure; others depend on threads or on the clock.
const OPERATIONS: [Operation; 10] = [
    Operation::Spawn,
    Operation::SpawnBatch,
    Operation::SpawnDetached,
    Operation::Spawn1k,
    Operation::Spawn64b,
    Operation::SleepCreate,
    Operation::SleepDrop,
    Operation::TimeoutReady,
    Operation::TimeoutPending,
    Operation::TcpPingPong,
];

pub(crate) const RUNTIMES: [&str; 3] = ["tokio-mt", "smol", "async-std"];

/// One implementation of one operation.
pub(crate) struct Point {
    pub(crate) runtime: String,
    /// `traits`, or the name of a peer.
    pub(crate) way: String,
    pub(crate) operation: Operation,
    /// Additional instructions; `None` if it does not have the operation.
    pub(crate) more: Option<f64>,
}

/// Fills the table of README.md, and draws chart.svg.
pub(crate) fn report() -> Result<(), String> {
    let points = measure(&Program::peers()?)?;
    chart::draw(&OPERATIONS, &points)?;
    table::fill("peers", &markdown(&points))
}

fn measure(program: &Program) -> Result<Vec<Point>, String> {
    let list = output(Command::new(&program.path).arg("list"))?;
    let list = list.lines().filter_map(|name| name.split_once('/'));
    let implementations: Vec<_> = list.filter(|(runtime, _)| RUNTIMES.contains(runtime)).collect();
    let of = |(runtime, way): (&str, &str), operation: Operation| {
        let name = format!("{runtime}/{way}");
        if program.lacks(&name, operation)? {
            return Ok(None);
        }
        program.instructions(&name, operation).map(Some)
    };
    let all: Vec<_> = implementations
        .iter()
        .flat_map(|implementation| OPERATIONS.map(|operation| (*implementation, operation)))
        .collect();
    let counts = each("counting", &all, |(implementation, operation)| of(*implementation, *operation))?;

    let native = |runtime: &str, operation: Operation| {
        let at =
            all.iter().position(|((of, way), what)| *of == runtime && *way == "native" && *what == operation);
        at.and_then(|at| counts[at])
    };
    let points = all.iter().zip(&counts).map(|(((runtime, way), operation), count)| Point {
        runtime: (*runtime).to_owned(),
        way: (*way).to_owned(),
        operation: *operation,
        more: count.zip(native(runtime, *operation)).map(|(count, native)| count - native),
    });
    Ok(points.filter(|point| point.way != "native").collect())
}

fn markdown(points: &[Point]) -> String {
    let mut table = Table::new([
        "more than natively",
        "spawn",
        "spawn-batch",
        "spawn-detached",
        "spawn-1k",
        "spawn-64b",
        "sleep-create",
        "sleep-drop",
        "timeout-ready",
        "timeout-pending",
        "tcp-ping-pong",
    ]);
    for row in points.chunk_by(|a, b| a.runtime == b.runtime && a.way == b.way) {
        let mut cells = vec![format!("{}/{}", row[0].runtime, row[0].way)];
        cells.extend(row.iter().map(|point| point.more.map_or("–".to_owned(), |more| format!("{more:+.0}"))));
        table.row(cells);
    }
    table.to_markdown()
}

impl Program {
    /// Whether an implementation reports that it does not have an operation.
    fn lacks(&self, implementation: &str, operation: Operation) -> Result<bool, String> {
        let mut program = Command::new(&self.path);
        program.args([implementation, &operation.to_string(), "0"]);
        let output = Program::set_up(&mut program).output();
        let output = output.map_err(|error| format!("{program:?}: {error}"))?;
        Ok(output.status.code() == Some(harness::LACKS.into()))
    }
}
