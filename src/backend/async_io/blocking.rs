use crate::runtime::task::native::async_task::{Executor, Job, Output};

/// The pool that smol and async-std share.
pub(crate) fn unblock<H, F, T>(job: Job<H, F, T>) -> async_task::Task<Output<T>>
where
    H: Executor + 'static,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    blocking::unblock(move || job.run())
}

/// How many threads the pool of the process has in tests, where some scenarios fill it.
#[cfg(test)]
pub(crate) const SMALL_POOL: usize = 8;

#[cfg(test)]
pub(crate) fn small_pool<R>(runtime: R) -> R {
    blocking::set_max_blocking_threads(SMALL_POOL.try_into().unwrap());
    runtime
}
