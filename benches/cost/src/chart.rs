//! chart.svg: a point for each implementation of each operation, as additional instructions relative to the runtime
//! itself.

use std::fmt::Write;
use std::fs;

use harness::Operation;

use crate::peers::{Point, RUNTIMES};
use crate::programs::root;

/// The ways, with their names and colours, which are readable on white and on black; one lane each.
const WAYS: [(&str, &str, &str); 8] = [
    ("traits", "anyrt, traits", "#2f81f7"),
    ("any", "anyrt, AnyRuntime", "#1f9e89"),
    ("free", "anyrt, functions", "#7b61ff"),
    ("agnostic", "agnostic", "#d29922"),
    ("async-rs", "async-rs", "#e5662b"),
    ("tor-rtcompat", "tor-rtcompat", "#d63a3a"),
    ("async_executors", "async_executors", "#d957a8"),
    ("any_spawner", "any_spawner", "#9a7b4f"),
];

const LABELS: f64 = 130.0;
const PANEL: f64 = 290.0;
const GAP: f64 = 20.0;
const TOP: f64 = 92.0;
const LANE: f64 = 6.5;
const ROW: f64 = LANE * WAYS.len() as f64 + 12.0;
const TICKS: [f64; 7] = [-1_000.0, -100.0, -10.0, 0.0, 10.0, 100.0, 1_000.0];

const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #24292f } .small { font-size: 10px; fill: #57606a } .title { font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 } .zero { stroke: #57606a; stroke-width: 1.5 } .band { fill: #8c959f; opacity: 0.09 }
.ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #30363d } .zero { stroke: #9198a1 } .ground { fill: #0d1117 }
}";

pub(crate) fn draw(operations: &[Operation], points: &[Point]) -> Result<(), String> {
    let path = root().join("chart.svg");
    // Writing to a string does not fail.
    let svg = svg(operations, points).map_err(|error| error.to_string())?;
    fs::write(&path, svg).map_err(|error| format!("{}: {error}", path.display()))
}

fn svg(operations: &[Operation], points: &[Point]) -> Result<String, std::fmt::Error> {
    let width = LABELS + RUNTIMES.len() as f64 * (PANEL + GAP);
    let bottom = TOP + operations.len() as f64 * ROW;
    let height = bottom + 36.0;
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
    )?;
    writeln!(
        svg,
        "<title>Instructions more than the runtime itself, by operation</title>\n<style>{STYLE}</style>"
    )?;
    writeln!(svg, r#"<rect class="ground" width="100%" height="100%"/>"#)?;
    legend(&mut svg)?;
    for (row, operation) in operations.iter().enumerate() {
        let y = TOP + row as f64 * ROW;
        if row % 2 == 0 {
            writeln!(svg, r#"<rect class="band" x="0" y="{y}" width="{width}" height="{ROW}"/>"#)?;
        }
        writeln!(svg, r#"<text x="10" y="{:.1}">{operation}</text>"#, y + ROW / 2.0 + 4.0)?;
    }
    for (column, runtime) in RUNTIMES.iter().enumerate() {
        let left = LABELS + column as f64 * (PANEL + GAP);
        let x = |more: f64| left + PANEL / 2.0 * (1.0 + scale(more));
        writeln!(
            svg,
            r#"<text class="title" x="{:.1}" y="{}" text-anchor="middle">{runtime}</text>"#,
            left + PANEL / 2.0,
            TOP - 24.0
        )?;
        for tick in TICKS {
            let class = if tick == 0.0 { "zero" } else { "grid" };
            let x = x(tick);
            writeln!(svg, r#"<line class="{class}" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/>"#)?;
            let name = if tick == 0.0 { "0".to_owned() } else { format!("{tick:+}") };
            for y in [TOP - 6.0, bottom + 14.0] {
                writeln!(
                    svg,
                    r#"<text class="small" x="{x:.1}" y="{y}" text-anchor="middle">{name}</text>"#
                )?;
            }
        }
        for point in points.iter().filter(|point| point.runtime == *runtime) {
            let row = operations.iter().position(|operation| *operation == point.operation);
            let way = WAYS.iter().enumerate().find(|(_, (way, ..))| *way == point.way);
            let (Some(row), Some((lane, (_, name, colour))), Some(more)) = (row, way, point.more) else {
                continue;
            };
            let y = TOP + row as f64 * ROW + 6.0 + (lane as f64 + 0.5) * LANE;
            let (from, to) = (x(0.0), x(more));
            writeln!(
                svg,
                r#"<line x1="{from:.1}" x2="{to:.1}" y1="{y:.1}" y2="{y:.1}" stroke="{colour}" stroke-width="2"/>"#
            )?;
            writeln!(
                svg,
                r#"<circle cx="{to:.1}" cy="{y:.1}" r="3" fill="{colour}"><title>{name}, {}: {more:+.0}</title></circle>"#,
                point.operation
            )?;
        }
    }
    writeln!(
        svg,
        r#"<text class="small" x="{:.1}" y="{:.1}" text-anchor="middle">instructions more than the runtime itself; fewer to the left. On a logarithmic scale.</text>"#,
        width / 2.0,
        height - 6.0
    )?;
    writeln!(svg, "</svg>")?;
    Ok(svg)
}

fn legend(svg: &mut String) -> std::fmt::Result {
    for (at, (_, name, colour)) in WAYS.iter().enumerate() {
        let (x, y) = (LABELS + (at % 4) as f64 * 200.0, 20.0 + (at / 4) as f64 * 20.0);
        writeln!(svg, r#"<circle cx="{x}" cy="{}" r="5" fill="{colour}"/>"#, y - 4.0)?;
        writeln!(svg, r#"<text x="{}" y="{y}">{name}</text>"#, x + 12.0)?;
    }
    Ok(())
}

/// Maps to -1 to 1: linear near zero, logarithmic up to some thousands.
fn scale(more: f64) -> f64 {
    const LARGEST: f64 = 3_000.0;
    let bent = |more: f64| (1.0 + more / 5.0).ln();
    more.signum() * (bent(more.abs()) / bent(LARGEST)).min(1.0)
}
