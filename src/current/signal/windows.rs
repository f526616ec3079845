//! Ctrl-C on Windows, where a thread of the system calls a handler.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::ready;

use async_signal::{Signal, Signals};
use futures_core::Stream;

use crate::AnyRuntime;

/// Ctrl-C.
pub(super) fn interrupted(
    _: AnyRuntime,
) -> io::Result<impl Future<Output = io::Result<()>> + Send + 'static> {
    let mut signals = Signals::new([Signal::Int])?;
    Ok(poll_fn(move |cx| {
        let signal = ready!(Pin::new(&mut signals).poll_next(cx));
        signal.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into())).map(drop).into()
    }))
}
