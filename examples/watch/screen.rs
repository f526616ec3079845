//! The terminal view: from top to bottom how the runtime is, who has slowed it, and what was reported.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Sparkline};

use super::numbers::{LIMIT, Numbers, millis};

/// How many slow places there are at most.
const PLACES: usize = 5;

pub(crate) fn draw(numbers: &Numbers, frame: &mut Frame<'_>) {
    let places = numbers.slow_places.len().clamp(1, PLACES) as u16;
    let rows = [1, 5, 3, 2 + places].map(Constraint::Length);
    let rows = Layout::vertical(rows.into_iter().chain([Constraint::Min(3)])).split(frame.area());

    head(numbers, frame, rows[0]);
    let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).spacing(2).areas(rows[1]);
    runtime(numbers, frame, left);
    // With a blank line below, as on the left.
    polls(numbers, frame, Rect { height: right.height.min(4), ..right });
    ready(numbers, frame, rows[2]);
    slow_places(numbers, frame, rows[3]);
    reports(numbers, frame, rows[4]);
}

/// A part of the screen, below a line with its title.
fn part(title: &str) -> Block<'_> {
    Block::new().borders(Borders::TOP).border_style(quiet()).title(Line::from(vec![
        Span::from(" "),
        Span::styled(title, Style::new().fg(Color::Reset).bold()),
        Span::from(" "),
    ]))
}

fn quiet() -> Style {
    Style::new().fg(Color::DarkGray)
}

/// In red if it is longer than a poll should be.
fn time(time: Duration) -> Span<'static> {
    let style = if time >= LIMIT { Style::new().fg(Color::Red) } else { Style::new() };
    Span::styled(millis(time), style)
}

fn head(numbers: &Numbers, frame: &mut Frame<'_>, area: Rect) {
    let watched = format!(", watched for {} s", numbers.watched_for.as_secs());
    let quits = Span::styled("q quits ", quiet());
    frame.render_widget(
        Line::from(vec![" ".into(), numbers.runtime.as_str().bold().cyan(), watched.into()]),
        area,
    );
    frame.render_widget(Line::from(quits).right_aligned(), area);
}

fn row(name: &str, value: impl IntoIterator<Item = Span<'static>>) -> Line<'static> {
    let name = Span::styled(format!(" {name:<14}"), quiet());
    Line::from_iter([name].into_iter().chain(value))
}

fn runtime(numbers: &Numbers, frame: &mut Frame<'_>, area: Rect) {
    let slow = match numbers.slow_polls {
        0 => vec!["0".green()],
        polls => vec![polls.to_string().red().bold(), ", the longest ".into(), time(numbers.longest_poll)],
    };
    let lines = vec![
        row("tasks", [numbers.tasks.to_string().into()]),
        row("busy threads", [format!("{:.2}", numbers.busy_threads).into()]),
        row("slow polls", slow),
    ];
    frame.render_widget(Paragraph::new(lines).block(part("Now")), area);
}

fn polls(numbers: &Numbers, frame: &mut Frame<'_>, area: Rect) {
    let title = format!("Polls per second: {}", numbers.polls);
    let block = part(&title);
    let width = usize::from(block.inner(area).width);
    let rates = numbers.rates.iter().copied().skip(numbers.rates.len().saturating_sub(width));
    let line = Sparkline::default().data(rates).style(Color::Cyan).block(block);
    frame.render_widget(line, area);
}

fn ready(numbers: &Numbers, frame: &mut Frame<'_>, area: Rect) {
    let name = |name| Span::styled(name, quiet());
    let [p50, p99, max] = numbers.ready.texts();
    let max = if numbers.ready.max >= LIMIT { max.red() } else { max.into() };
    let line = Line::from(vec![
        name(" half of them "),
        p50.into(),
        name(", 99 % of them "),
        p99.into(),
        name(" or less; the longest "),
        max,
    ]);
    frame.render_widget(Paragraph::new(line).block(part("How long tasks are ready before they run")), area);
}

fn slow_places(numbers: &Numbers, frame: &mut Frame<'_>, area: Rect) {
    let mut lines: Vec<_> = numbers
        .slow_places
        .iter()
        .take(PLACES)
        .map(|place| {
            Line::from(vec![
                format!(" {:>5} ×, the longest ", place.polls).into(),
                time(place.longest),
                ", spawned at ".into(),
                place.spawned_at.clone().yellow(),
            ])
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::from(" none").style(quiet()));
    }
    frame.render_widget(
        Paragraph::new(lines).block(part("Slow polls, by where their tasks are spawned")),
        area,
    );
}

fn reports(numbers: &Numbers, frame: &mut Frame<'_>, area: Rect) {
    let block = part("Reports, the last first");
    let mut left = block.inner(area);
    frame.render_widget(block, area);
    // The first is cut off where it does not fit, and the others are left out.
    let first = left.y;
    for told in &numbers.reports {
        let [at, text] = Layout::horizontal([Constraint::Length(9), Constraint::Fill(1)]).areas(left);
        let style = if told.is_alarm { Style::new() } else { quiet() };
        let lines = wrapped(&told.text, text.width.saturating_sub(1));
        if lines.len() > left.height.into() && left.y > first {
            break;
        }
        let height = (lines.len() as u16).min(left.height);
        let [at, text] = [at, text].map(|area| Rect { height, ..area });
        frame.render_widget(Line::styled(format!(" {:>5.1} s", told.at.as_secs_f64()), quiet()), at);
        frame.render_widget(Paragraph::new(lines.join("\n")).style(style), text);
        left = Rect { y: left.y + height, height: left.height - height, ..left };
    }
}

/// Lines that are no longer than `width`, unless a word is.
fn wrapped(text: &str, width: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.len() - 1;
        if !lines[line].is_empty()
            && lines[line].chars().count() + 1 + word.chars().count() > usize::from(width)
        {
            lines.push(word.to_owned());
        } else {
            if !lines[line].is_empty() {
                lines[line].push(' ');
            }
            lines[line].push_str(word);
        }
    }
    lines
}
