use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::one_of::{OneOf, OneOfProjection, each, each_pinned};
use crate::any::custom;
use crate::backend::{AsyncIoSleep, MaybeSim, MaybeTokio};
use crate::runtime::time::instant::Instant as OfRuntime;
use crate::runtime::{self, Time};

type Inner = OneOf<<MaybeTokio as Time>::Sleep, AsyncIoSleep, <MaybeSim as Time>::Sleep, custom::time::Sleep>;

pin_project! {
    /// Future of [`sleep`](crate::time::sleep), for any runtime.
    ///
    /// It follows the rules of [`runtime::Sleep`]. It must be pinned before it can be polled:
    ///
    /// ```compile_fail
    /// fn unpin<T: Unpin>() {}
    ///
    /// unpin::<anyrt::time::Sleep>();
    /// ```
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{pin::pin, time::Duration};
    ///
    /// async fn patience() {
    ///     let mut sleep = pin!(anyrt::time::sleep(Duration::from_secs(1)));
    ///     let deadline = sleep.deadline() + Duration::from_secs(1);
    ///     sleep.as_mut().reset(deadline);
    ///     sleep.await;
    /// }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Sleep {
        #[pin]
        inner: Inner,
        // Only tokio's has to be pinned, but which traits a type has is not to depend on features.
        #[pin]
        _pinned: PhantomPinned,
    }
}

#[allow(dead_code, reason = "without its backend nobody makes one")]
impl Sleep {
    pub(crate) fn tokio(it: <MaybeTokio as Time>::Sleep) -> Self {
        Self::new(OneOf::Tokio { it })
    }

    pub(crate) fn async_io(it: AsyncIoSleep) -> Self {
        Self::new(OneOf::AsyncIo { it })
    }

    pub(crate) fn sim(it: <MaybeSim as Time>::Sleep) -> Self {
        Self::new(OneOf::Sim { it })
    }
}

impl Sleep {
    fn new(inner: Inner) -> Self {
        Self { inner, _pinned: PhantomPinned }
    }

    /// Returns the deadline; see [`runtime::Sleep::deadline`].
    pub fn deadline(&self) -> OfRuntime {
        runtime::Sleep::deadline(self).into()
    }

    /// Returns whether the deadline has passed and the sleep has completed.
    pub fn is_elapsed(&self) -> bool {
        each!(&self.inner, it => runtime::Sleep::is_elapsed(it))
    }

    /// Moves the deadline; see [`runtime::Sleep::reset`].
    pub fn reset(self: Pin<&mut Self>, deadline: impl Into<Instant>) {
        let deadline = deadline.into();
        each_pinned!(self.project().inner, it => runtime::Sleep::reset(it, deadline));
    }
}

impl From<custom::time::Sleep> for Sleep {
    fn from(it: custom::time::Sleep) -> Self {
        Self::new(OneOf::Custom { it })
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.poll(cx)
    }
}

impl runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        each!(&self.inner, it => runtime::Sleep::deadline(it))
    }

    fn is_elapsed(&self) -> bool {
        self.is_elapsed()
    }

    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.reset(deadline);
    }
}
