//! The protocol: a request of one byte, answered by the name of the thread that serves it.
//!
//! Only this module is generic; the bound brings the I/O traits of `futures` into scope. A library with a larger
//! protocol uses the `AsyncReadExt` of `futures`.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use anyrt::runtime::TcpStream;

use crate::report::thread_name;
use crate::woken::Woken;

/// Returns the answer, and the threads that woke the caller.
pub(crate) async fn ask<S: TcpStream>(mut stream: S) -> io::Result<(String, BTreeSet<String>)> {
    let (mut answer, mut buf, mut asked) = (Vec::new(), [0; 64], false);
    let asking = poll_fn(|cx| {
        loop {
            match Pin::new(&mut stream).poll_read(cx, &mut buf)? {
                Poll::Ready(0) => return Poll::Ready(io::Result::Ok(())),
                Poll::Ready(n) => answer.extend_from_slice(&buf[..n]),
                Poll::Pending if asked => return Poll::Pending,
                // The read is polled before the answer can be there.
                Poll::Pending => {
                    ready!(Pin::new(&mut stream).poll_write(cx, b"?"))?;
                    asked = true;
                    return Poll::Pending;
                }
            }
        }
    });
    let (asked, wakers) = Woken::new(asking).await;
    asked?;
    Ok((String::from_utf8(answer).map_err(io::Error::other)?, wakers))
}

pub(crate) async fn answer<S: TcpStream>(mut stream: S) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, &mut [0])).await?;
    let name = thread_name();
    let mut rest = name.as_bytes();
    while !rest.is_empty() {
        let n = poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, rest)).await?;
        rest = &rest[n..];
    }
    poll_fn(|cx| Pin::new(&mut stream).poll_close(cx)).await
}
