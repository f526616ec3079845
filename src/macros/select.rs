/// Waits for several futures in one task, runs the handler of the first that is ready, and drops the others.
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
/// The grammar and the rules are those of `tokio::select!`: conditions are evaluated first, then the futures are made, also of
/// branches that are disabled; a branch whose output does not match its pattern is disabled; `else` runs when all branches
/// are. Handlers run after the futures have been dropped, so that they may borrow what the futures had, and may `break`, `return`
/// and `?`.
///
/// Which branch is polled first is random, unless the macro begins with `biased;`. **In a simulation it follows from the seed**,
/// where `tokio::select!` differs from run to run.
///
/// One that is always ready counts for the budget of its task, so that a loop around it lets others run.
///
/// # Cancel safety
///
/// The futures of the other branches are dropped where they are: write only what is cancel safe, or a reference to a future
/// that is pinned outside of the loop.
///
/// # Panics
///
/// When all branches are disabled and there is no `else`.
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
/// Each has its turns on this task: for work in parallel, [spawn](crate::spawn()) tasks. A future is dropped where it is ready.
/// Which one is polled first changes from poll to poll, so that a busy one starves no other; with `biased;` in front it
/// is the first one.
///
/// # Cancel safety
///
/// As cancel safe as the futures, whose outputs are lost.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::TcpStream;
///
/// async fn both() -> (io::Result<TcpStream>, io::Result<TcpStream>) {
///     anyrt::join!(TcpStream::connect("db.example:5432"), TcpStream::connect("cache.example:6379"))
/// }
/// ```
#[macro_export]
macro_rules! join {
    ($($futures:tt)*) => {
        $crate::macros::join! { ($crate) $($futures)* }
    };
}

/// [`join!`] of futures that return a `Result`: a tuple of their values, or the first error as soon as there is one.
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
///     anyrt::try_join!(TcpStream::connect("db.example:5432"), TcpStream::connect("cache.example:6379"))
/// }
/// ```
#[macro_export]
macro_rules! try_join {
    ($($futures:tt)*) => {
        $crate::macros::try_join! { ($crate) $($futures)* }
    };
}
