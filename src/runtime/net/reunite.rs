use std::error::Error;
use std::fmt;

/// Error of [`TcpStream::reunite`](super::TcpStream::reunite) and of that of Unix streams: the halves are not of one
/// stream. It gives both of them back.
#[derive(Debug)]
pub struct ReuniteError<R, W>(
    /// The read half.
    pub R,
    /// The write half.
    pub W,
);

impl<R, W> fmt::Display for ReuniteError<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are not of one stream")
    }
}

impl<R: fmt::Debug, W: fmt::Debug> Error for ReuniteError<R, W> {}
