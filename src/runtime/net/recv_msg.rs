/// Length, sender and truncation of a received datagram; returned by
/// [`UdpSocket::recv_msg`](super::UdpSocket::recv_msg), and by that of Unix datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecvMsg<A> {
    /// Number of bytes in the buffer.
    pub len: usize,
    /// The sender's address.
    pub addr: A,
    /// Whether the datagram was longer than the buffer. The rest is lost.
    pub truncated: bool,
}

/// A buffer that takes more than fits one of `len` bytes.
pub(super) fn longer(len: usize) -> Vec<u8> {
    // Windows reports a datagram that does not fit as an error, without its sender: there every one has to fit.
    let least = if cfg!(windows) { 1 << 16 } else { 0 };
    vec![0; len.saturating_add(1).max(least)]
}

impl<A> RecvMsg<A> {
    /// Copies as much of a datagram as fits.
    pub(super) fn copied(whole: &[u8], addr: A, buf: &mut [u8]) -> Self {
        let len = whole.len().min(buf.len());
        buf[..len].copy_from_slice(&whole[..len]);
        Self { len, addr, truncated: len < whole.len() }
    }
}
