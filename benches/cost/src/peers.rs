//! The cost of other layers over several runtimes, beside anyrt and the runtimes themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use harness::Operation;

use crate::chart;
use crate::measure::each;
use crate::programs::{ALL, Profile, Program, output};
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
    let points = measure(&Program::peers()?, &Program::workloads(ALL, Profile::One)?)?;
    chart::draw(&OPERATIONS, &points)?;
    table::fill("peers", &markdown(&points))
}

/// Measures the other layers beside the runtimes in `peers`, and anyrt in its own program: there it has the figures of
/// the other tables, and what is compiled beside an operation moves it by some instructions.
fn measure(peers: &Program, anyrt: &Program) -> Result<Vec<Point>, String> {
    let list = output(Command::new(&peers.path).arg("list"))?;
    let list = list.lines().filter_map(|name| name.split_once('/'));
    let implementations =
        list.filter(|(runtime, way)| RUNTIMES.contains(runtime) && *way != "native" && *way != "watched");
    let points: Vec<_> = implementations
        .flat_map(|(runtime, way)| OPERATIONS.map(|operation| (runtime, way, operation)))
        .collect();
    let is_anyrt = |way| ["traits", "any", "free"].contains(&way);
    let needed: BTreeSet<_> = points
        .iter()
        .flat_map(|(runtime, way, operation)| {
            [*way, "native"].map(|of| (is_anyrt(way), *runtime, of, *operation))
        })
        .collect();
    let needed: Vec<_> = needed.into_iter().collect();
    let counts = each("counting", &needed, |(is_anyrt, runtime, way, operation)| {
        let (program, name) = (if *is_anyrt { anyrt } else { peers }, format!("{runtime}/{way}"));
        if program.lacks(&name, *operation)? {
            return Ok(None);
        }
        program.counted(&name, *operation).map(|counted| Some(counted.instructions))
    })?;
    let counts: BTreeMap<_, _> = needed.into_iter().zip(counts).collect();
    let count = |runtime, of, way, operation| counts[&(is_anyrt(way), runtime, of, operation)];
    let points = points.into_iter().map(|(runtime, way, operation)| Point {
        runtime: runtime.to_owned(),
        way: way.to_owned(),
        operation,
        more: count(runtime, way, way, operation)
            .zip(count(runtime, "native", way, operation))
            .map(|(count, native)| count - native),
    });
    Ok(points.collect())
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
