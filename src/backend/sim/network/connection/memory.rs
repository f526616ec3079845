//! Memory of a Unix stream: what was written and not read yet fills the send buffer, each write with memory of its own.
//!
//! Named after Linux 6.18: `unix_stream_sendmsg`, `sock_alloc_send_pskb` and `unix_write_space`.

use std::collections::VecDeque;

/// Default size of the send buffer (`net.core.wmem_default`).
const SEND_BUFFER: usize = 212_992;

/// Bytes of a buffer before its pages (`SKB_MAX_HEAD`), and in them (`UNIX_SKB_FRAGS_SZ`).
const HEAD: usize = PAGE - FOOTER;
const PAGES: usize = 8 * PAGE;
const PAGE: usize = 4096;

/// Memory of a buffer besides its bytes: its own, and the footer of its head.
const OWN: usize = 256;
const FOOTER: usize = 320;
const SMALLEST: usize = 512;

/// Buffers of one end.
#[derive(Default)]
pub(super) struct Memory {
    used: usize,
    // Of each buffer: bytes that are not read yet, and its memory.
    buffers: VecDeque<(usize, usize)>,
}

impl Memory {
    /// Returns how many of `len` bytes a write takes: there is no room before the limit is reached, but there may be more behind it.
    pub(super) fn room(&self, len: usize) -> usize {
        let (mut used, mut taken) = (self.used, 0);
        while taken < len && used < SEND_BUFFER {
            let buffer = (len - taken).min(HEAD + PAGES);
            used += memory(buffer);
            taken += buffer;
        }
        taken
    }

    pub(super) fn has_room(&self) -> bool {
        self.used < SEND_BUFFER
    }

    /// Whether those who wait for room are woken.
    pub(super) fn has_much_room(&self) -> bool {
        4 * self.used <= SEND_BUFFER
    }

    pub(super) fn written(&mut self, mut len: usize) {
        while len > 0 {
            let buffer = len.min(HEAD + PAGES);
            self.buffers.push_back((buffer, memory(buffer)));
            self.used += memory(buffer);
            len -= buffer;
        }
    }

    pub(super) fn read(&mut self, mut len: usize) {
        while let Some((left, memory)) = self.buffers.front_mut().filter(|_| len > 0) {
            let part = len.min(*left);
            len -= part;
            *left -= part;
            if *left == 0 {
                self.used -= *memory;
                self.buffers.pop_front();
            }
        }
    }
}

/// Memory of a buffer with so many bytes (`skb->truesize`).
fn memory(len: usize) -> usize {
    let pages = len.saturating_sub(HEAD).next_multiple_of(PAGE).min(len);
    OWN + (len - pages + FOOTER).next_power_of_two().max(SMALLEST) + pages
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of Linux 6.18.
    #[test]
    fn as_much_fits_as_on_linux() {
        for (size, fits) in [(1, 278), (1_000, 93_000), (10_000, 170_000), (1 << 24, 219_264)] {
            let (mut memory, mut sent) = (Memory::default(), 0);
            while memory.has_room() {
                let len = memory.room(size);
                memory.written(len);
                sent += len;
            }
            assert_eq!(sent, fits, "{size}");
            memory.read(sent - 1);
            assert!(memory.used > 0 && memory.has_much_room(), "a buffer is kept until all of it is read");
            memory.read(1);
            assert_eq!((memory.used, memory.buffers.len()), (0, 0));
        }
    }
}
