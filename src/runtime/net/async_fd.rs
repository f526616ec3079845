use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Interest, named};
use crate::runtime::task::coop;

/// File descriptor of your own, watched by the runtime: inotify, a serial port, netlink or a TUN device, for example.
///
/// Created by [`AsyncFd::new`] on the current runtime, or by [`UnixNet::async_fd`](super::UnixNet::async_fd). It waits
/// until the descriptor is ready; you do the reading and writing. The descriptor must be **non-blocking**. anyrt does
/// not set that, because the flag is shared with every holder of the descriptor, such as the parent process. anyrt
/// watches a duplicate, so `T` may be any type that lends a descriptor. The system must be able to watch it (epoll,
/// kqueue). Linux watches no regular files and directories, and the error says so: use
/// [`spawn_blocking`](crate::spawn_blocking) and `std::fs` for them.
///
/// Any number of tasks may await at once. Of the tasks that use the `poll_` forms, only the last one in each direction
/// is woken.
///
/// # Cancel safety
///
/// Waiting consumes nothing.
///
/// # Dropping
///
/// The descriptor is no longer watched, and `T` is dropped.
///
/// # Examples
///
/// ```
/// use std::io::{self, Read};
/// use std::os::unix::net::UnixStream;
///
/// use anyrt::net::unix::AsyncFd;
/// use anyrt::runtime::Interest;
///
/// async fn read(port: &AsyncFd<UnixStream>, buf: &mut [u8]) -> io::Result<usize> {
///     port.async_io(Interest::Readable, |mut port| port.read(buf)).await
/// }
///
/// /// As with `AsyncFd` of tokio.
/// async fn read_by_guard(port: &AsyncFd<UnixStream>, buf: &mut [u8]) -> io::Result<usize> {
///     loop {
///         let mut guard = port.readable().await?;
///         match guard.try_io(|port| port.get_ref().read(buf)) {
///             Ok(result) => return result,
///             Err(_would_block) => continue,
///         }
///     }
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `fd_readable_waits_for_bytes`, `fd_writable_waits_for_room`, `fd_async_io_reads_and_writes`,
/// `fd_idle_waiters_burn_no_polls`, `fd_wakes_everybody`, `fd_poll_wakes_the_last_waker`, `fd_busy_starves_no_timer`,
/// `fd_comes_back`, `fd_works_on_a_plain_thread`, `fd_without_a_handle`, `fd_of_a_file_is_an_error`.</details>
#[derive(Debug)]
pub struct AsyncFd<T> {
    // Dropped first, though it would not matter: it has a descriptor of its own.
    watch: Box<dyn WatchFd>,
    inner: T,
}

impl<T> AsyncFd<T> {
    pub(super) fn watched(inner: T, watch: Box<dyn WatchFd>) -> Self {
        Self { watch, inner }
    }

    /// Returns the owner of the descriptor.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns the owner of the descriptor. The original descriptor stays watched even if the owner is replaced.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Stops watching and returns the value.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Waits until the descriptor may be readable.
    ///
    /// Readiness can be spurious. It lasts until [`try_io`](AsyncFdReadyGuard::try_io), or
    /// [`clear_ready`](AsyncFdReadyGuard::clear_ready), reports that nothing is left.
    ///
    /// # Errors
    ///
    /// If the runtime is gone.
    pub async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        self.watch.readable().await?;
        Ok(AsyncFdReadyGuard { fd: self, interest: Interest::Readable })
    }

    /// Waits until a write may succeed; otherwise as [`readable`](Self::readable).
    ///
    /// # Errors
    ///
    /// If the runtime is gone.
    pub async fn writable(&self) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        self.watch.writable().await?;
        Ok(AsyncFdReadyGuard { fd: self, interest: Interest::Writable })
    }

    /// [`readable`](Self::readable) as a poll function, for **one** task.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<AsyncFdReadyGuard<'_, T>>> {
        let guard = AsyncFdReadyGuard { fd: self, interest: Interest::Readable };
        self.watch.poll_readable(cx).map_ok(|()| guard)
    }

    /// [`writable`](Self::writable) as a poll function, for **one** task.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<AsyncFdReadyGuard<'_, T>>> {
        let guard = AsyncFdReadyGuard { fd: self, interest: Interest::Writable };
        self.watch.poll_writable(cx).map_ok(|()| guard)
    }

    /// Calls `operation`, which must not block but fail with `WouldBlock`. That error tells the runtime that the
    /// descriptor is not ready.
    ///
    /// # Errors
    ///
    /// The error of `operation`. `WouldBlock` without a call if the runtime has no readiness recorded for the
    /// descriptor.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        operation: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let (mut operation, mut output) = (Some(operation), None);
        self.watch.try_io(interest, &mut || {
            // Called once: what was an error is not called again.
            let operation = operation.take().ok_or(io::ErrorKind::WouldBlock)?;
            output = Some(operation(&self.inner)?);
            Ok(())
        })?;
        output.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Calls `operation` until it does not fail with `WouldBlock`, and waits for readiness in between. It counts
    /// against the cooperative budget of its task.
    ///
    /// # Errors
    ///
    /// The error of `operation`, or an error if the runtime is gone.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        poll_fn(coop::poll_budget).await;
        loop {
            match self.try_io(interest, &mut operation) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match interest {
                    Interest::Readable => self.watch.readable().await?,
                    Interest::Writable => self.watch.writable().await?,
                },
                result => return result,
            }
        }
    }
}

impl<T: AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

/// Adds to the error of a descriptor that the system cannot watch what to use instead.
pub(super) fn cannot_watch(error: io::Error) -> io::Error {
    // EPERM: that is the only cause which epoll_ctl(2) has for it.
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    let what = "the system cannot watch this descriptor, as it cannot watch regular files and directories; use \
                `anyrt::spawn_blocking` with std::fs for those";
    named(error, what.to_owned())
}

/// Guard of a descriptor that the runtime considers ready.
#[derive(Debug)]
#[must_use = "the descriptor stays ready until it is said that it is not"]
pub struct AsyncFdReadyGuard<'a, T> {
    fd: &'a AsyncFd<T>,
    interest: Interest,
}

impl<'a, T> AsyncFdReadyGuard<'a, T> {
    /// Calls `operation`. If it fails with `WouldBlock`, the descriptor is marked as not ready.
    ///
    /// # Errors
    ///
    /// [`TryIoError`] if `operation` fails with `WouldBlock`: wait again.
    pub fn try_io<R>(
        &mut self,
        operation: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match self.fd.try_io(self.interest, |_| operation(self.fd)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(TryIoError(())),
            result => Ok(result),
        }
    }

    /// Marks the descriptor as not ready.
    pub fn clear_ready(&mut self) {
        let _ = self.fd.try_io(self.interest, |_| Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    }

    /// Leaves the descriptor ready, as dropping this does.
    pub fn retain_ready(&mut self) {}

    /// Returns the watched descriptor.
    pub const fn get_ref(&self) -> &'a AsyncFd<T> {
        self.fd
    }

    /// Returns the owner of the descriptor.
    pub const fn get_inner(&self) -> &'a T {
        self.fd.get_ref()
    }
}

/// Error: the descriptor was not ready after all.
#[derive(Debug)]
pub struct TryIoError(());

impl fmt::Display for TryIoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the descriptor is not ready: wait for it again")
    }
}

impl Error for TryIoError {}

/// Future returned by a [`WatchFd`].
pub type FdReady<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// Registration of a descriptor with a reactor; returned by a backend from
/// [`watch_fd`](crate::runtime::backend::UnixNetBackend::watch_fd). Dropping it ends the registration.
///
/// A backend that uses the sockets of [`socket`](crate::socket) finds an implementation there.
pub trait WatchFd: fmt::Debug + Send + Sync + Unpin + 'static {
    /// Waits until the descriptor may be readable. Any number of tasks may wait.
    fn readable(&self) -> FdReady<'_>;

    /// Waits until the descriptor may be writable. Any number of tasks may wait.
    fn writable(&self) -> FdReady<'_>;

    /// As [`readable`](Self::readable); wakes the last task that polled.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// As [`writable`](Self::writable); wakes the last task that polled.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Calls `operation`, or fails with `WouldBlock` without a call if it is known not to be ready. `WouldBlock` from
    /// `operation` marks it as not ready.
    ///
    /// # Errors
    ///
    /// The error of `operation`.
    fn try_io(&self, interest: Interest, operation: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        let _ = interest;
        operation()
    }
}
