//! Panics: recorded in the log, and collected instead of printed while seeds run.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::replay::Seed;
use crate::runtime::task::catch_panic::Payload;

/// Message of a panic, and its location, if known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panic {
    pub(super) location: Option<String>,
    pub(super) text: String,
}

impl Panic {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        Self { location: info.location().map(ToString::to_string), text: text(info.payload()) }
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(f, "panicked at {location}:\n{}", self.text),
            None => write!(f, "panicked:\n{}", self.text),
        }
    }
}

/// Guard: panics of this thread are collected instead of printed.
pub(super) struct Quiet {
    before: Option<Kept>,
}

struct Kept {
    seed: Seed,
    panics: Vec<Panic>,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Maximum number of panics that are kept of a run: the first ones, and the last.
const MOST: usize = 64;

impl Quiet {
    pub(super) fn begin(seed: Seed) -> Self {
        install();
        let kept = Kept { seed, panics: Vec::new() };
        Self { before: KEPT.with(|cell| cell.replace(Some(kept))) }
    }

    /// Returns the panics collected so far.
    pub(super) fn take(&self) -> Vec<Panic> {
        let panics =
            KEPT.with(|cell| cell.borrow_mut().as_mut().map(|kept| std::mem::take(&mut kept.panics)));
        panics.unwrap_or_default()
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        KEPT.with(|cell| cell.replace(self.before.take()));
    }
}

/// Returns the message of a panic.
pub(super) fn text(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is no text").to_owned()
}

/// Returns the panic that is unwinding this thread.
pub(super) fn current() -> Panic {
    let unknown = || Panic { location: None, text: "what it said was printed".to_owned() };
    last().unwrap_or_else(unknown)
}

fn last() -> Option<Panic> {
    LAST.try_with(|cell| cell.try_borrow().ok().and_then(|last| last.clone())).ok().flatten()
}

/// Returns the panic with this payload, which this thread has just caught.
pub(super) fn caught(payload: &Payload) -> Panic {
    let text = text(&**payload);
    last().filter(|last| last.text == text).unwrap_or(Panic { location: None, text })
}

/// Installs the hook that records the locations of panics in this process.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            if !keep(info) {
                before(info);
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let _ = LAST.try_with(|cell| {
        if let Ok(mut last) = cell.try_borrow_mut() {
            *last = Some(Panic::of(info));
        }
    });
}

fn keep(info: &PanicHookInfo<'_>) -> bool {
    let kept = KEPT.try_with(|cell| {
        let Ok(mut cell) = cell.try_borrow_mut() else { return false };
        let Some(kept) = cell.as_mut() else { return false };
        if aborts(info) {
            kept.say_last_words();
            return false;
        }
        if kept.panics.len() == MOST {
            kept.panics.remove(MOST / 2);
        }
        kept.panics.push(Panic::of(info));
        true
    });
    kept.unwrap_or(false)
}

impl Kept {
    fn say_last_words(&self) {
        // Output that is captured from a test would be lost with the process.
        let mut stderr = io::stderr();
        let _ = writeln!(
            stderr,
            "anyrt: seed {} ends the process, in a panic after {} others:",
            self.seed,
            self.panics.len()
        );
        for panic in &self.panics {
            let _ = writeln!(stderr, "  {}", panic.to_string().replace('\n', "\n  "));
        }
    }
}

/// Whether the panic ends the process.
fn aborts(info: &PanicHookInfo<'_>) -> bool {
    // `PanicHookInfo::can_unwind` is not stable (rust-lang/rust#92988). Panics that cannot unwind come from core: a
    // destructor that panics during another panic, or an `extern` function (`library/core/src/panicking.rs`).
    let is_of_core =
        info.location().is_some_and(|at| at.file().replace('\\', "/").ends_with("core/src/panicking.rs"));
    cfg!(panic = "abort") || is_of_core && text(info.payload()).starts_with("panic in a ")
}
