//! Descriptors on their way to one end of a connection, at the place that they have among its bytes.

use std::collections::VecDeque;

/// In a simulation of Unix sockets a descriptor is a real one, of the process that simulates.
#[cfg(unix)]
pub(crate) type Fd = std::os::fd::OwnedFd;
#[cfg(not(unix))]
pub(crate) type Fd = std::convert::Infallible;

/// In the order of their bytes.
#[derive(Default)]
pub(super) struct Fds {
    // How many bytes have been taken from the inbox since there was one.
    taken: u64,
    sent: VecDeque<Sent>,
}

struct Sent {
    // The bytes that they were sent with, counted from the first that was ever sent.
    from: u64,
    to: u64,
    fds: Vec<Fd>,
}

impl Fds {
    /// They come with the last `len` bytes of the inbox, which has `all`.
    #[inline]
    pub(super) fn sent(&mut self, fds: &mut Vec<Fd>, all: usize, len: usize) {
        if !fds.is_empty() {
            let to = self.taken + all as u64;
            self.sent.push_back(Sent { from: to - len as u64, to, fds: std::mem::take(fds) });
        }
    }

    /// As much of the first `len` bytes as one receive takes, which ends where bytes end that descriptors came with.
    #[inline]
    pub(super) fn limit(&self, len: usize) -> usize {
        match self.sent.front() {
            Some(first) if first.from < self.taken + len as u64 => len.min((first.to - self.taken) as usize),
            _ => len,
        }
    }

    /// The first bytes of the inbox are taken, and the descriptors that came with them.
    #[inline]
    pub(super) fn take(&mut self, len: usize, fds: &mut Vec<Fd>) {
        self.taken += len as u64;
        while self.sent.front().is_some_and(|first| first.from < self.taken) {
            fds.extend(self.sent.pop_front().into_iter().flat_map(|first| first.fds));
        }
    }

    /// Only the first bytes of the inbox are left.
    pub(super) fn truncate(&mut self, len: usize) {
        let end = self.taken + len as u64;
        self.sent.retain(|sent| sent.from < end);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn descriptor() -> (Vec<Fd>, UnixStream) {
        let (passed, other) = UnixStream::pair().unwrap();
        other.set_nonblocking(true).unwrap();
        (vec![passed.into()], other)
    }

    #[test]
    fn what_does_not_arrive_is_closed() {
        let mut fds = Fds::default();
        let ((mut first, mut other_of_first), (mut second, mut other_of_second)) =
            (descriptor(), descriptor());
        let take = |fds: &mut Fds, len| {
            let mut taken = Vec::new();
            fds.take(len, &mut taken);
            taken
        };
        assert!(take(&mut fds, 10).is_empty());
        fds.sent(&mut first, 5, 2);
        fds.sent(&mut second, 9, 3);
        fds.truncate(6);
        assert_eq!(other_of_second.read(&mut [0]).unwrap(), 0);
        assert!(other_of_first.read(&mut [0]).is_err(), "a part of its bytes is left");
        assert_eq!((fds.limit(3), fds.limit(6)), (3, 5));
        assert!(take(&mut fds, 3).is_empty());
        assert_eq!(take(&mut fds, 1).len(), 1);
        assert_eq!(fds.limit(5), 5);
        assert_eq!(other_of_first.read(&mut [0]).unwrap(), 0);
    }
}
