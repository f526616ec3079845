//! What is shown: plain numbers and texts, for a screen and for lines.

use std::collections::VecDeque;
use std::time::Duration;

use anyrt::watch::Snapshot;

/// What is a slow poll.
pub(crate) const LIMIT: Duration = Duration::from_millis(20);

/// How many rates and reports are kept: more than a screen has place for.
const KEPT: usize = 300;

/// How many snapshots a rate is about.
const SMOOTH: usize = 4;

/// The state of a watched runtime, and what has become of it lately.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) runtime: String,
    pub(crate) watched_for: Duration,
    pub(crate) tasks: usize,
    pub(crate) slow_polls: u64,
    pub(crate) longest_poll: Duration,
    pub(crate) busy_threads: f64,
    pub(crate) polls: u64,
    /// Likewise in a second, from one look to the next; the last is the newest.
    pub(crate) rates: VecDeque<u64>,
    pub(crate) ready: Ready,
    pub(crate) slow_places: Vec<SlowPlace>,
    /// The newest is the first.
    pub(crate) reports: VecDeque<Told>,
    before: VecDeque<Counts>,
}

/// How long tasks were ready before their poll.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// Shorter times are seen as none.
    pub(crate) resolution: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// Where tasks with slow polls are spawned.
#[derive(Debug)]
pub(crate) struct SlowPlace {
    pub(crate) polls: u64,
    pub(crate) longest: Duration,
    pub(crate) spawned_at: String,
}

/// A report, and when it came.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) at: Duration,
    pub(crate) text: String,
    /// Something blocks, and not only has.
    pub(crate) is_alarm: bool,
}

#[derive(Debug)]
struct Counts {
    at: Duration,
    polls: u64,
    busy: Duration,
}

impl Numbers {
    pub(crate) fn new(runtime: impl Into<String>) -> Self {
        Self { runtime: runtime.into(), ..Self::default() }
    }

    pub(crate) fn add(&mut self, now: &Snapshot) {
        self.watched_for = now.watched_for;
        self.tasks = now.tasks;
        self.slow_polls = now.slow_polls;
        self.longest_poll = now.longest_poll.as_ref().map_or(Duration::ZERO, |poll| poll.took);
        let (resolution, ready) = (now.resolution, now.ready);
        self.ready = Ready { resolution, p50: ready.p50, p99: ready.p99, max: ready.max };
        let places = now.slow_places.iter().map(|place| SlowPlace {
            polls: place.polls,
            longest: place.longest,
            spawned_at: place.spawned_at.to_string(),
        });
        self.slow_places = places.collect();

        let counts = Counts { at: now.watched_for, polls: now.polls, busy: now.busy };
        if let (Some(first), Some(last)) = (self.before.front(), self.before.back()) {
            self.busy_threads =
                counts.busy.saturating_sub(first.busy).as_secs_f64() / counts.seconds_since(first);
            self.polls = counts.rate_since(first);
            self.rates.push_back(counts.rate_since(last));
            if self.rates.len() > KEPT {
                self.rates.pop_front();
            }
        }
        self.before.push_back(counts);
        if self.before.len() > SMOOTH {
            self.before.pop_front();
        }
    }

    pub(crate) fn tell(&mut self, at: Duration, text: String, is_alarm: bool) {
        self.reports.push_front(Told { at, text, is_alarm });
        self.reports.truncate(KEPT);
    }

    /// For those who have no screen.
    pub(crate) fn line(&self) -> String {
        let Self { tasks, busy_threads, polls, slow_polls, ready, .. } = self;
        let [p50, p99, max] = ready.texts();
        format!(
            "{:.1} s: {tasks} tasks, {polls} polls/s, {busy_threads:.2} threads busy, slow polls: {slow_polls}, ready for \
             {p50} (p50), {p99} (p99), {max} (max)",
            self.watched_for.as_secs_f64(),
        )
    }
}

impl Counts {
    fn seconds_since(&self, before: &Self) -> f64 {
        self.at.saturating_sub(before.at).as_secs_f64().max(1e-3)
    }

    fn rate_since(&self, before: &Self) -> u64 {
        (self.polls.saturating_sub(before.polls) as f64 / self.seconds_since(before)) as u64
    }
}

impl Ready {
    /// p50, p99 and the longest, in words.
    pub(crate) fn texts(&self) -> [String; 3] {
        let Self { resolution, p50, p99, max } = *self;
        let text = |time| if time < resolution { format!("<{}", millis(resolution)) } else { millis(time) };
        [p50, p99, max].map(text)
    }
}

/// `2.5 ms`, or `151 ms`.
pub(crate) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}
