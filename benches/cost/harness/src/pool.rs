//! An allocator that counts, and that takes the same number of instructions whatever has been allocated before.
//!
//! glibc's moves the cost of an allocation by hundreds of instructions, depending on what is free at the moment.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::hint;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Free lists by powers of two, which never give anything back.
///
/// ```
/// #[global_allocator]
/// static POOL: harness::pool::Pool = harness::pool::Pool::new();
/// ```
pub struct Pool {
    locked: AtomicBool,
    state: UnsafeCell<State>,
}

struct State {
    free: [*mut u8; CLASSES],
    next: *mut u8,
    left: usize,
}

const SMALLEST: usize = 16;
const LARGEST: usize = 1 << 20;
const CLASSES: usize = (LARGEST / SMALLEST).ilog2() as usize + 1;
const CHUNK: usize = 4 * LARGEST;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// What the process has asked for so far.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    pub allocations: u64,
    pub bytes: u64,
}

pub fn counted() -> Counted {
    Counted { allocations: ALLOCATIONS.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
}

// SAFETY: the state is touched by whoever holds the lock.
unsafe impl Sync for Pool {}

impl Pool {
    #[allow(clippy::new_without_default, reason = "it is made once, in a static")]
    pub const fn new() -> Self {
        let state = State { free: [ptr::null_mut(); CLASSES], next: ptr::null_mut(), left: 0 };
        Self { locked: AtomicBool::new(false), state: UnsafeCell::new(state) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        while self.locked.swap(true, Ordering::Acquire) {
            hint::spin_loop();
            thread::yield_now();
        }
        // SAFETY: we hold the lock, and `act` allocates nothing here.
        let result = act(unsafe { &mut *self.state.get() });
        self.locked.store(false, Ordering::Release);
        result
    }
}

/// Its number and its size; nothing when it is for the system.
fn class(layout: Layout) -> Option<(usize, usize)> {
    let size = layout.size().max(layout.align()).max(SMALLEST).next_power_of_two();
    (size <= LARGEST).then(|| ((size / SMALLEST).ilog2() as usize, size))
}

// SAFETY: a block is as large as its class, aligned to it, and on no list while it is in use.
unsafe impl GlobalAlloc for Pool {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size() as u64, Ordering::Relaxed);
        let Some((class, size)) = class(layout) else {
            // SAFETY: the layout is the caller's.
            return unsafe { System.alloc(layout) };
        };
        self.with(|state| {
            if let Some(block) = NonNull::new(state.free[class]) {
                // SAFETY: a free block holds the next one of its list, or null.
                state.free[class] = unsafe { block.cast::<*mut u8>().read() };
                return block.as_ptr();
            }
            let unaligned = state.next.addr() % size;
            let skip = if unaligned == 0 { 0 } else { size - unaligned };
            if state.left < skip + size {
                // SAFETY: the layout is not empty, and a power of two.
                let chunk = unsafe { System.alloc(Layout::from_size_align_unchecked(CHUNK, LARGEST)) };
                if chunk.is_null() {
                    return chunk;
                }
                (state.next, state.left) = (chunk.wrapping_add(size), CHUNK - size);
                return chunk;
            }
            let block = state.next.wrapping_add(skip);
            state.next = block.wrapping_add(size);
            state.left -= skip + size;
            block
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some((class, _)) = class(layout) else {
            // SAFETY: such a block came from the system.
            return unsafe { System.dealloc(block, layout) };
        };
        self.with(|state| {
            // SAFETY: it is no longer in use, and large enough for a pointer.
            unsafe { block.cast::<*mut u8>().write(state.free[class]) };
            state.free[class] = block;
        });
    }
}
