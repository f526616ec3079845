//! `Serialize`, by hand: a derive would bring what reads Rust, and spell out each duration.

use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Latency, LongPoll, Place, Report, SlowPlace, Snapshot, TaskInfo, TaskKind};

/// What a field looks like.
trait Shown {
    fn shown(&self) -> impl Serialize;
}

/// In seconds: what dashboards take.
impl Shown for Duration {
    fn shown(&self) -> impl Serialize {
        self.as_secs_f64()
    }
}

macro_rules! shown_as_they_are {
    ($($type:ty),*) => {
        $(
            impl Shown for $type {
                fn shown(&self) -> impl Serialize {
                    self
                }
            }
        )*
    };
}

shown_as_they_are!(
    Latency,
    Option<LongPoll>,
    Option<String>,
    Place,
    String,
    TaskInfo,
    TaskKind,
    Vec<SlowPlace>,
    u32,
    u64,
    usize
);

/// A map of the fields, which have to be all.
macro_rules! serialize {
    ($($type:ident { $($field:ident),* })*) => {
        $(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let Self { $($field),* } = self;
                    let mut map = serializer.serialize_struct(stringify!($type), [$(stringify!($field)),*].len())?;
                    $(map.serialize_field(stringify!($field), &$field.shown())?;)*
                    map.end()
                }
            }
        )*
    };
}

serialize! {
    Snapshot {
        runtime, watched_for, resolution, tasks, spawned, polls, busy, slow_polls, longest_poll, slow_places, ready,
        descheduled, blocking_running, blocking_queued
    }
    LongPoll { took, task }
    SlowPlace { spawned_at, polls, longest }
    Latency { count, p50, p99, max }
    TaskInfo { id, name, spawned_at, kind }
}

/// Likewise, and which variant it is.
macro_rules! serialize_report {
    ($($variant:ident $name:literal { $($field:ident),* })*) => {
        impl Serialize for Report {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(
                        Self::$variant { $($field),* } => {
                            let fields = 1 + [$(stringify!($field)),*].len();
                            let mut map = serializer.serialize_struct("Report", fields)?;
                            map.serialize_field("report", $name)?;
                            $(map.serialize_field(stringify!($field), &$field.shown())?;)*
                            map.end()
                        }
                    )*
                }
            }
        }
    };
}

serialize_report! {
    Blocked "blocked" { runtime, task, thread, elapsed, asleep_in, before, left_out }
    Ended "ended" { runtime, task, thread, took }
    Starved "starved" { runtime, task, waited, tasks }
    PoolFull "pool_full" { runtime, closure, waited, queued, running }
    Descheduled "descheduled" { runtime, task, thread, took, waited }
}

/// As it is displayed: a label of a dashboard.
impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for TaskKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.word().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    const PLACE: Place = Place { file: "src/main.rs", line: 20, column: 5 };

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn task(kind: TaskKind) -> TaskInfo {
        TaskInfo { id: Some("7".into()), name: Some("reader".into()), spawned_at: PLACE, kind }
    }

    #[test]
    fn snapshot_has_this_shape() {
        let mut snapshot = Snapshot {
            runtime: "AnyRuntime(smol)".into(),
            watched_for: ms(90_000),
            resolution: ms(1),
            tasks: 12,
            spawned: 34,
            polls: 5678,
            busy: ms(1500),
            slow_polls: 2,
            longest_poll: Some(LongPoll { took: ms(250), task: task(TaskKind::Task) }),
            slow_places: vec![SlowPlace { spawned_at: PLACE, polls: 2, longest: ms(250) }],
            ready: Latency { count: 5678, p50: ms(0), p99: ms(2), max: ms(31) },
            descheduled: 1,
            blocking_running: 3,
            blocking_queued: 4,
        };
        let shape = json!({
            "runtime": "AnyRuntime(smol)",
            "watched_for": 90.0,
            "resolution": 0.001,
            "tasks": 12,
            "spawned": 34,
            "polls": 5678,
            "busy": 1.5,
            "slow_polls": 2,
            "longest_poll": {
                "took": 0.25,
                "task": { "id": "7", "name": "reader", "spawned_at": "src/main.rs:20:5", "kind": "task" },
            },
            "slow_places": [{ "spawned_at": "src/main.rs:20:5", "polls": 2, "longest": 0.25 }],
            "ready": { "count": 5678, "p50": 0.0, "p99": 0.002, "max": 0.031 },
            "descheduled": 1,
            "blocking_running": 3,
            "blocking_queued": 4,
        });
        assert_eq!(to_value(&snapshot).unwrap(), shape);
        snapshot.longest_poll = None;
        assert!(to_value(&snapshot).unwrap()["longest_poll"].is_null());
    }

    #[test]
    fn reports_have_these_shapes() {
        let runtime = || "AnyRuntime(smol)".to_owned();
        let thread = || "smol-1".to_owned();
        let what =
            |kind| json!({ "id": "7", "name": "reader", "spawned_at": "src/main.rs:20:5", "kind": kind });
        let nameless = TaskInfo { id: None, name: None, spawned_at: PLACE, kind: TaskKind::BlockOn };
        let reports = [
            Report::Blocked {
                runtime: runtime(),
                task: nameless,
                thread: thread(),
                elapsed: ms(105),
                asleep_in: Some("hrtimer_nanosleep".into()),
                before: 1,
                left_out: 2,
            },
            Report::Ended { runtime: runtime(), task: task(TaskKind::Task), thread: thread(), took: ms(200) },
            Report::Starved { runtime: runtime(), task: task(TaskKind::Task), waited: ms(1000), tasks: 3 },
            Report::PoolFull {
                runtime: runtime(),
                closure: task(TaskKind::Blocking),
                waited: ms(1000),
                queued: 4,
                running: 5,
            },
            Report::Descheduled {
                runtime: runtime(),
                task: task(TaskKind::Task),
                thread: thread(),
                took: ms(300),
                waited: ms(250),
            },
        ];
        let shapes = json!([
            {
                "report": "blocked",
                "runtime": "AnyRuntime(smol)",
                "task": { "id": null, "name": null, "spawned_at": "src/main.rs:20:5", "kind": "block_on" },
                "thread": "smol-1",
                "elapsed": 0.105,
                "asleep_in": "hrtimer_nanosleep",
                "before": 1,
                "left_out": 2,
            },
            {
                "report": "ended",
                "runtime": "AnyRuntime(smol)",
                "task": what("task"),
                "thread": "smol-1",
                "took": 0.2,
            },
            {
                "report": "starved",
                "runtime": "AnyRuntime(smol)",
                "task": what("task"),
                "waited": 1.0,
                "tasks": 3,
            },
            {
                "report": "pool_full",
                "runtime": "AnyRuntime(smol)",
                "closure": what("blocking"),
                "waited": 1.0,
                "queued": 4,
                "running": 5,
            },
            {
                "report": "descheduled",
                "runtime": "AnyRuntime(smol)",
                "task": what("task"),
                "thread": "smol-1",
                "took": 0.3,
                "waited": 0.25,
            },
        ]);
        assert_eq!(to_value(reports).unwrap(), shapes);
    }
}
