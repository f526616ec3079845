/// A queue of bytes, all of them in one piece.
#[derive(Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    // How many of them have been taken.
    start: usize,
}

impl Inbox {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Of `len` bytes from `at` on, those that there are.
    #[inline]
    pub(super) fn get(&self, at: usize, len: usize) -> &[u8] {
        let all = self.bytes.get(self.start + at..).unwrap_or_default();
        all.get(..len).unwrap_or(all)
    }

    /// Removes bytes at the front. Those behind them move at most once for each that is removed.
    #[inline]
    pub(super) fn take(&mut self, len: usize) {
        self.start += len.min(self.len());
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// Leaves only the first bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.start + len);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn bytes_come_in_order_and_room_is_used_again() {
        let mut random = fastrand::Rng::with_seed(1);
        let (mut inbox, mut expected) = (Inbox::default(), VecDeque::new());
        for n in 0..10_000_u32 {
            let new: Vec<u8> = (0..random.usize(..10)).map(|at| (n as usize + at) as u8).collect();
            inbox.extend(&new);
            expected.extend(new);
            if n % 100 == 0 {
                let len = random.usize(..=expected.len());
                inbox.truncate(len);
                expected.truncate(len);
            }
            let len = random.usize(..10).min(expected.len());
            assert_eq!(inbox.get(0, len), expected.drain(..len).collect::<Vec<_>>());
            inbox.take(len);
            assert_eq!((inbox.len(), inbox.get(0, 1_000)), (expected.len(), &*expected.make_contiguous()));
            assert!(inbox.bytes.len() <= 2 * inbox.len() + 1, "{} for {}", inbox.bytes.len(), inbox.len());
            assert!(inbox.get(inbox.len() + 1, 1).is_empty());
        }
    }
}
