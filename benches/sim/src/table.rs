//! The results, as tables of Markdown.

use crate::{Figures, build::Cost};

pub(crate) fn print(all: &[Figures]) {
    let [ours, ..] = all else { return };
    let (Some(ours_echo), Some(ours_sleeps)) = (&ours.echo, &ours.sleeps) else { return };
    println!("**A.** Echo: 4 clients × 50 requests × 2 messages\n");
    row([
        "",
        "simulations/s",
        "anyrt is ×",
        "virtual s per s",
        "instructions/message",
        "allocations/message",
    ]);
    row(["---"; 6]);
    for figures in all {
        let Some(echo) = &figures.echo else { continue };
        let instructions = figures.instructions_per_message;
        row([
            figures.simulator,
            &format!("{:.0}", echo.simulations_per_second),
            &times(ours_echo.simulations_per_second, echo.simulations_per_second),
            &format!("{:.0}", echo.virtual_seconds_per_second),
            &instructions.map_or("skipped: no valgrind".to_owned(), |count| format!("{count:.0}")),
            &format!("{:.2}", figures.allocations_per_message),
        ]);
    }

    println!("\n**B.** 1,000 sleeps of 1 ms to 1 h\n");
    row(["", "simulations/s", "anyrt is ×"]);
    row(["---"; 3]);
    for figures in all {
        let Some(sleeps) = &figures.sleeps else { continue };
        row([
            figures.simulator,
            &format!("{:.3}", sleeps.simulations_per_second),
            &times(ours_sleeps.simulations_per_second, sleeps.simulations_per_second),
        ]);
    }

    println!(
        "\n**C.** Planted bugs: seeds that find the bug, simulations/s, median time to find (ratio to anyrt's)\n"
    );
    let scenarios = ours.bugs.iter().map(|bug| format!("{} of {}", bug.scenario, bug.seeds));
    let head: Vec<_> = [String::new()].into_iter().chain(scenarios).collect();
    cells(&head);
    cells(&vec!["---".to_owned(); head.len()]);
    for figures in all.iter().filter(|figures| !figures.bugs.is_empty()) {
        let bugs = figures.bugs.iter().zip(&ours.bugs).map(|(bug, ours)| {
            let time = bug.median_seconds_to_find;
            let times =
                time.zip(ours.median_seconds_to_find).map(|(time, ours)| format!(" ({})", times(time, ours)));
            let (found, rate) = (bug.found, bug.simulations_per_second);
            format!(
                "{found}, {rate:.0}, {}{}",
                time.map_or("–".to_owned(), duration),
                times.unwrap_or_default()
            )
        });
        cells(&[figures.simulator.to_owned()].into_iter().chain(bugs).collect::<Vec<_>>());
    }

    if ours.build.is_none() {
        return;
    }
    println!("\n**Clean build** of the library, in release mode\n");
    row(["", "crates", "CPU s"]);
    row(["---"; 3]);
    for figures in all {
        let Some(Cost { crates, seconds, without }) = figures.build else { continue };
        row([figures.simulator, &crates.to_string(), &cpu(seconds)]);
        if let Some((other, without)) = without {
            let more = seconds.zip(without).map(|(with, without)| with - without);
            row(["… more than without `sim`", &(crates - other).to_string(), &cpu(more)]);
        }
    }
}

fn times(more: f64, less: f64) -> String {
    let times = more / less;
    if times < 10.0 { format!("{times:.2}") } else { format!("{times:.0}") }
}

fn cpu(seconds: Option<f64>) -> String {
    seconds.map_or("skipped: no /proc".to_owned(), |seconds| format!("{seconds:.1}"))
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn row<const N: usize>(cells: [&str; N]) {
    println!("| {} |", cells.join(" | "));
}

fn cells(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}
