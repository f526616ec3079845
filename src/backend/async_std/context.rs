use super::AsyncStd;

/// async-std, if this thread is in a task that `async_std::task::spawn` or `block_on` started.
pub(crate) fn current() -> Option<AsyncStd> {
    async_std::task::try_current().map(|_| AsyncStd::global())
}
