//! A screen as an SVG, with text that can be selected, for light and for dark pages.

use std::fmt::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Of a cell. Whatever the font, each piece of text is drawn as wide as its cells.
const WIDTH: f64 = 9.6;
const HEIGHT: f64 = 20.0;
const MARGIN: f64 = 14.0;

const STYLE: &str = "\
text { font: 16px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace }
.ground { fill: #ffffff; stroke: #d0d7de } .none { fill: #1f2328 } .quiet { fill: #59636e } .red { fill: #cf222e } .green { fill: #1a7f37 }
.yellow { fill: #7d4e00 } .cyan { fill: #0969da } .bold { font-weight: 600 } .line { fill: #d0d7de }
rect { shape-rendering: crispEdges }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; stroke: #3d444d } .none { fill: #f0f6fc } .quiet { fill: #9198a1 } .red { fill: #ff7b72 } .green { fill: #3fb950 }
.yellow { fill: #e3b341 } .cyan { fill: #58a6ff } .line { fill: #3d444d }
}";

pub(crate) fn svg(screen: &Buffer, title: &str) -> String {
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write_svg(screen, title, &mut svg);
    svg
}

fn write_svg(screen: &Buffer, title: &str, svg: &mut String) -> fmt::Result {
    let area = screen.area;
    let width = f64::from(area.width) * WIDTH + 2.0 * MARGIN;
    let height = f64::from(area.height) * HEIGHT + 2.0 * MARGIN;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img">"#
    )?;
    writeln!(svg, "<title>{}</title>\n<style>{STYLE}</style>", escaped(title))?;
    writeln!(
        svg,
        r#"<rect class="ground" x="0.5" y="0.5" width="{:.0}" height="{:.0}" rx="8"/>"#,
        width - 1.0,
        height - 1.0
    )?;
    for row in screen.content.chunks(usize::from(area.width)).zip(0_u16..) {
        write_row(row, svg)?;
    }
    writeln!(svg, "</svg>")
}

fn write_row((cells, row): (&[Cell], u16), svg: &mut String) -> fmt::Result {
    let top = MARGIN + f64::from(row) * HEIGHT;
    let mut column = 0;
    while column < cells.len() {
        let kind = Kind::of(&cells[column]);
        let count = cells[column..].iter().take_while(|cell| Kind::of(cell) == kind).count();
        let text: String = cells[column..column + count].iter().map(Cell::symbol).collect();
        let (x, width) = (MARGIN + column as f64 * WIDTH, count as f64 * WIDTH);
        column += count;
        match kind {
            Kind::Line => {
                writeln!(
                    svg,
                    r#"<rect class="line" x="{x:.1}" y="{:.1}" width="{width:.1}" height="1"/>"#,
                    top + HEIGHT / 2.0
                )?;
            }
            Kind::Bar { eighths, class } => {
                let height = HEIGHT * f64::from(eighths) / 8.0;
                writeln!(
                    svg,
                    r#"<rect class="{class}" x="{x:.1}" y="{:.1}" width="{width:.1}" height="{height:.1}"/>"#,
                    top + HEIGHT - height
                )?;
            }
            Kind::Text { class, bold } => {
                let bold = if bold { " bold" } else { "" };
                for (at, text) in pieces(&text) {
                    writeln!(
                        svg,
                        r#"<text class="{class}{bold}" x="{:.1}" y="{:.1}" textLength="{:.1}">{}</text>"#,
                        x + at as f64 * WIDTH,
                        top + HEIGHT * 0.75,
                        text.chars().count() as f64 * WIDTH,
                        escaped(text)
                    )?;
                }
            }
        }
    }
    Ok(())
}

/// Parts of a text without two spaces in a row, which a browser would draw as one; with the cell that each begins in.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for piece in text.split("  ") {
        let text = piece.trim();
        if !text.is_empty() {
            pieces.push((at + piece.chars().take_while(|c| *c == ' ').count(), text));
        }
        at += piece.chars().count() + 2;
    }
    pieces
}

/// What cells in a row have in common that are drawn at once.
#[derive(PartialEq)]
enum Kind {
    Line,
    Bar { eighths: u32, class: &'static str },
    Text { class: &'static str, bold: bool },
}

impl Kind {
    fn of(cell: &Cell) -> Self {
        let class = match cell.fg {
            Color::Red => "red",
            Color::Green => "green",
            Color::Yellow => "yellow",
            Color::Cyan => "cyan",
            Color::DarkGray => "quiet",
            _ => "none",
        };
        match cell.symbol().chars().next() {
            Some('─') => Self::Line,
            // From one eighth to a full block.
            Some(bar @ '▁'..='█') => Self::Bar { eighths: bar as u32 - '▁' as u32 + 1, class },
            _ => Self::Text { class, bold: cell.modifier.contains(Modifier::BOLD) },
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
