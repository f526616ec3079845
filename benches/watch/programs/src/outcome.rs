//! Events of a program, and reports of a tool about them.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Something that a tool has said.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The file and the line that it names.
    pub place: Option<(String, u32)>,
    /// The name of a task.
    pub name: Option<String>,
    /// How long it says that it took, or has taken so far; the highest of all counts.
    pub took: Option<Duration>,
    /// In which words.
    pub text: String,
}

/// Of a bad program, what a tool has seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// How long the program blocked a thread.
    pub took_ms: f64,
    /// How long threads of the process were ready meanwhile and got no CPU; nothing where the system does not say.
    pub waited_ms: Option<f64>,
    /// When the tool reported it, from when it began to block.
    pub first_ms: Option<f64>,
    /// It still blocked then.
    pub is_live: bool,
    /// How long it took, as the tool says.
    pub told_ms: Option<f64>,
    pub names_task: bool,
    pub names_place: bool,
    pub reports: Vec<String>,
    /// Reports about tasks that behave.
    pub false_reports: Vec<String>,
    /// What else the tool knows.
    pub note: Option<String>,
}

struct Time {
    at: Instant,
    // In all.
    waited: Option<Duration>,
}

struct Notes {
    begun: Option<Time>,
    ended: Option<Time>,
    seen: Vec<(Instant, Seen)>,
    note: Option<String>,
}

static NOTES: Mutex<Notes> = Mutex::new(Notes { begun: None, ended: None, seen: Vec::new(), note: None });

fn with<T>(does: impl FnOnce(&mut Notes) -> T) -> T {
    does(&mut NOTES.lock().expect("nobody panics"))
}

impl Time {
    fn now() -> Self {
        let at = Instant::now();
        Self { at, waited: waited() }
    }
}

/// How long all threads have waited for a CPU.
fn waited() -> Option<Duration> {
    let mut waited = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        // The second number: see proc(5). A thread may end meanwhile.
        let Ok(schedstat) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        waited += schedstat.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(waited))
}

/// The first counts, where there are several.
pub(crate) fn begin() {
    let mut begun = Time::now();
    // What takes a moment itself comes before.
    begun.at = Instant::now();
    with(|notes| {
        notes.begun.get_or_insert(begun);
    });
}

/// Likewise.
pub(crate) fn end() {
    let ended = Time::now();
    with(|notes| {
        notes.ended.get_or_insert(ended);
    });
}

/// Code that blocks a thread.
pub(crate) fn blocking(call: impl FnOnce()) {
    begin();
    call();
    end();
}

pub(crate) fn has_ended() -> bool {
    with(|notes| notes.ended.is_some())
}

/// To be called as soon as a tool says something.
pub fn see(seen: Seen) {
    with(|notes| notes.seen.push((Instant::now(), seen)));
}

/// To be called with what a tool knows besides.
pub fn note(text: String) {
    with(|notes| notes.note = Some(text));
}

/// `file` and `line` are where the culprit was spawned.
pub(crate) fn sum_up(file: &str, line: u32) -> Outcome {
    with(|notes| {
        let (Some(begun), Some(ended)) = (&notes.begun, &notes.ended) else { panic!("no program has run") };
        let is_place =
            |seen: &Seen| seen.place.as_ref().is_some_and(|at| at.0.ends_with(file) && at.1 == line);
        // What names nobody is not wrong.
        let (right, wrong): (Vec<_>, Vec<_>) =
            notes.seen.iter().partition(|(_, seen)| is_place(seen) || seen.place.is_none());
        let first = right.first().map(|(at, _)| *at);
        let waited = ended.waited.zip(begun.waited).map(|(after, before)| after.saturating_sub(before));
        Outcome {
            took_ms: millis(ended.at - begun.at),
            waited_ms: waited.map(millis),
            first_ms: first.map(|first| millis(first.saturating_duration_since(begun.at))),
            is_live: first.is_some_and(|first| first < ended.at),
            told_ms: right.iter().filter_map(|(_, seen)| seen.took).max().map(millis),
            names_task: right.iter().any(|(_, seen)| seen.name.as_deref() == Some("culprit")),
            names_place: right.iter().any(|(_, seen)| is_place(seen)),
            reports: right.iter().map(|(_, seen)| seen.text.clone()).collect(),
            false_reports: wrong.iter().map(|(_, seen)| seen.text.clone()).collect(),
            note: notes.note.clone(),
        }
    })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
