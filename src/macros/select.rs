/// Waits for several futures in one task, runs the handler of the first one that is ready, and drops the others.
///
/// ```text
/// select! {
///     [biased;]
///     <pattern> = <future> [, if <condition>] => <handler>,
///     …
///     [else => <handler>]
/// }
/// ```
///
/// The grammar and the rules are those of `tokio::select!`: conditions are evaluated first, then all futures are
/// created, including those of disabled branches; a branch whose output does not match its pattern is disabled; `else`
/// runs if all branches are disabled. Handlers run after the futures have been dropped, so they may borrow what the
/// futures borrowed, and may use `break`, `return` and `?`.
///
/// The branch that is polled first is random, unless the macro begins with `biased;`. **In a simulation it follows from
/// the seed**, whereas `tokio::select!` differs from run to run.
///
/// A completed `select!` counts against the cooperative budget of its task, so a loop around a branch that is always
/// ready lets other tasks run. On a thread that runs no task, one in 129 is pending once before it completes.
///
/// # Cancel safety
///
/// The futures of the other branches are dropped unfinished: use only futures that are cancel safe, or a reference to a
/// future that is pinned outside of the loop.
///
/// # Panics
///
/// If all branches are disabled and there is no `else`.
///
/// # Examples
///
/// ```
/// use std::{pin::pin, time::Duration};
///
/// use anyrt::time::sleep;
///
/// async fn first_byte(mut bytes: impl AsyncFnMut() -> Option<u8>) -> Option<u8> {
///     let mut patience = pin!(sleep(Duration::from_secs(1)));
///     loop {
///         anyrt::select! {
///             Some(byte) = bytes() => if byte != 0 { return Some(byte) },
///             () = patience.as_mut() => return None,
///             else => return None,
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! select {
    ($($branches:tt)*) => {
        $crate::macros::select! { ($crate) $($branches)* }
    };
}

/// Waits for several futures in one task, and returns their outputs as a tuple.
///
/// All futures run on this task: for parallel work, [spawn](crate::spawn()) tasks. A future is dropped as soon as it is
/// ready. The one that is polled first changes from poll to poll, so a busy future starves no other; with `biased;` in
/// front it is always the first.
///
/// # Cancel safety
///
/// As cancel safe as the futures. The outputs of futures that have completed are lost.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::TcpStream;
///
/// async fn both() -> (io::Result<TcpStream>, io::Result<TcpStream>) {
///     anyrt::join!(
///         TcpStream::connect("db.example:5432"),
///         TcpStream::connect("cache.example:6379"),
///     )
/// }
/// ```
#[macro_export]
macro_rules! join {
    ($($futures:tt)*) => {
        $crate::macros::join! { ($crate) $($futures)* }
    };
}

/// Waits for several futures that return a `Result`, and returns a tuple of their values, or the first error as soon as
/// it occurs.
///
/// # Cancel safety
///
/// As [`join!`]. With the first error all futures are dropped.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::TcpStream;
///
/// async fn both() -> io::Result<(TcpStream, TcpStream)> {
///     anyrt::try_join!(
///         TcpStream::connect("db.example:5432"),
///         TcpStream::connect("cache.example:6379"),
///     )
/// }
/// ```
#[macro_export]
macro_rules! try_join {
    ($($futures:tt)*) => {
        $crate::macros::try_join! { ($crate) $($futures)* }
    };
}
