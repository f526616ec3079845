//! A journal whose records are in segments. The one that finds its segment full is lost.

use std::sync::{Arc, Mutex};

use anyrt::{BlockOn, Sim, Spawn};

/// More than any test writes.
const FULL: usize = 10_000;

#[derive(Default)]
struct Journal {
    segments: Vec<Vec<u64>>,
    current: Vec<u64>,
}

impl Journal {
    fn append(&mut self, record: u64, is_rare: bool) {
        if self.current.len() == FULL || is_rare && anyrt::buggify!(0.05) {
            self.segments.push(std::mem::take(&mut self.current));
            // The bug: it belongs into the new segment.
            return;
        }
        self.current.push(record);
    }

    fn len(&self) -> usize {
        self.segments.iter().map(Vec::len).sum::<usize>() + self.current.len()
    }
}

/// Three writers, with ten records each.
pub(crate) fn loses_a_record(sim: &Sim, is_rare: bool) -> bool {
    let journal = Arc::new(Mutex::new(Journal::default()));
    let writers = [0, 1, 2].map(|writer| {
        let journal = journal.clone();
        sim.spawn(async move {
            for record in 0..10 {
                if let Ok(mut journal) = journal.lock() {
                    journal.append(10 * writer + record, is_rare);
                }
                anyrt::yield_now().await;
            }
        })
    });
    sim.block_on(async {
        for writer in writers {
            let _ = writer.await;
        }
    });
    journal.lock().is_ok_and(|journal| journal.len() < 30)
}
