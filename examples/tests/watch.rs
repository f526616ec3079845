//! The screen and the picture of the example `watch`, of numbers that are made up.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the program fills them")]
#[path = "../watch/numbers.rs"]
mod numbers;
#[path = "../watch/picture.rs"]
mod picture;
#[path = "../watch/screen.rs"]
mod screen;

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use numbers::{Numbers, Ready, SlowPlace};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn numbers() -> Numbers {
    let mut numbers = Numbers::new("smol");
    numbers.watched_for = ms(12_345);
    (numbers.tasks, numbers.busy_threads, numbers.polls) = (26, 0.29, 5647);
    (numbers.slow_polls, numbers.longest_poll) = (16, ms(151));
    numbers.rates.extend([1, 4, 8]);
    numbers.ready = Ready { resolution: ms(2), p50: ms(0), p99: ms(3), max: ms(130) };
    let spawned_at = "src/main.rs:20:5".to_owned();
    numbers.slow_places.push(SlowPlace { polls: 16, longest: ms(151), spawned_at });
    let blocks = "task 7 \"reader\", spawned at src/main.rs:20:5, blocks thread \"worker\" for 21 ms so far (asleep in \
                  the kernel: hrtimer_nanosleep). Await `anyrt::time::sleep` instead of `std::thread::sleep`.";
    numbers.tell(ms(11_200), blocks.to_owned(), true);
    numbers.tell(ms(11_340), "task 7 <blocked> for 151 ms".to_owned(), false);
    numbers
}

fn drawn(numbers: &Numbers, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen::draw(numbers, frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(screen: &Buffer) -> Vec<String> {
    let rows = screen.content.chunks(screen.area.width.into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn screen_shows_who_blocks() {
    let screen = drawn(&numbers(), 80, 20);
    let expected = r#"
 smol, watched for 12 s                                                 q quits
 Now ──────────────────────────────────   Polls per second: 5647 ───────────────
 tasks         26                          █
 busy threads  0.29                       ▄█
 slow polls    16, the longest 151 ms    ▃██

 How long tasks are ready before they run ──────────────────────────────────────
 half of them <2.0 ms, 99 % of them 3.0 ms or less; the longest 130 ms

 Slow polls, by where their tasks are spawned ──────────────────────────────────
    16 ×, the longest 151 ms, spawned at src/main.rs:20:5

 Reports, the last first ───────────────────────────────────────────────────────
  11.3 s task 7 <blocked> for 151 ms
  11.2 s task 7 "reader", spawned at src/main.rs:20:5, blocks thread "worker"
         for 21 ms so far (asleep in the kernel: hrtimer_nanosleep). Await
         `anyrt::time::sleep` instead of `std::thread::sleep`.
"#;
    assert_eq!(lines(&screen).join("\n").trim_end(), expected.trim_matches('\n'));
    let red: String =
        screen.content.iter().filter(|cell| cell.fg == Color::Red).map(|cell| cell.symbol()).collect();
    assert_eq!(red, "16151 ms130 ms151 ms");
}

#[test]
fn report_that_does_not_fit_is_left_out_or_cut_off_if_it_is_the_last() {
    let said = |height| lines(&drawn(&numbers(), 80, height)).join("\n");
    assert!(said(17).contains("task 7 <blocked>") && said(17).contains("`std::thread::sleep`"));
    assert!(said(16).contains("task 7 <blocked>") && !said(16).contains("reader"));
    let mut one = numbers();
    one.reports.pop_front();
    let cut = lines(&drawn(&one, 80, 14)).join("\n");
    assert!(cut.contains("reader") && !cut.contains("thread::sleep"), "{cut}");
}

#[test]
fn nothing_is_slow_at_first() {
    let said = lines(&drawn(&Numbers::new("tokio"), 80, 20)).join("\n");
    assert!(said.starts_with(" tokio, watched for 0 s") && said.contains("\n none\n"), "{said}");
}

#[test]
fn screen_may_have_any_size() {
    for size in [0, 1, 2, 3, 5, 8, 13, 21, 300] {
        drawn(&numbers(), size, 40);
        drawn(&numbers(), 80, size);
        drawn(&numbers(), size, size);
    }
}

#[test]
fn picture_has_the_text_of_the_screen() {
    let picture = picture::svg(&drawn(&numbers(), 80, 20), "Who blocks & where");
    assert!(picture.contains("<title>Who blocks &amp; where</title>"), "{picture}");
    assert!(
        picture.contains(
            r#"<text class="yellow" x="407.6" y="229.0" textLength="153.6">src/main.rs:20:5</text>"#
        ),
        "{picture}"
    );
    assert!(
        picture.contains("&lt;blocked&gt;") && picture.contains(r#"<text class="red bold""#),
        "{picture}"
    );
    // Lines and bars are no text, whose font may have gaps.
    assert!(!picture.contains(['─', '▃', '▄', '█']), "{picture}");
    assert_eq!(picture.matches(r#"<rect class="cyan""#).count(), 5, "{picture}");
}
