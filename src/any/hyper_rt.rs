//! The executor and timer traits of hyper 1, for every runtime. For its streams, use those with tokio's traits, in
//! `TokioIo` of hyper-util.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::AnyRuntime;
use crate::runtime;

/// A runtime that hyper runs on.
macro_rules! hyper_rt {
    ($runtime:ty) => {
        /// Spawns what hyper runs beside a connection.
        impl<F> hyper::rt::Executor<F> for $runtime
        where
            F: std::future::Future + Send + 'static,
            F::Output: Send + 'static,
        {
            #[track_caller]
            fn execute(&self, future: F) {
                drop($crate::Spawn::spawn(self, future));
            }
        }

        /// Timeouts of hyper are those of this runtime, in a simulation too.
        impl hyper::rt::Timer for $runtime {
            fn sleep(&self, duration: std::time::Duration) -> std::pin::Pin<Box<dyn hyper::rt::Sleep>> {
                Box::pin($crate::any::hyper_rt::Sleep { sleep: $crate::Time::sleep(self, duration) })
            }

            fn sleep_until(&self, deadline: std::time::Instant) -> std::pin::Pin<Box<dyn hyper::rt::Sleep>> {
                Box::pin($crate::any::hyper_rt::Sleep { sleep: $crate::Time::sleep_until(self, deadline) })
            }

            fn now(&self) -> std::time::Instant {
                $crate::Time::now(self)
            }

            /// A sleep of another timer is replaced by one of this.
            fn reset(
                &self,
                sleep: &mut std::pin::Pin<Box<dyn hyper::rt::Sleep>>,
                deadline: std::time::Instant,
            ) {
                type Sleep = $crate::any::hyper_rt::Sleep<<$runtime as $crate::Time>::Sleep>;
                match sleep.as_mut().downcast_mut_pin::<Sleep>() {
                    Some(sleep) => sleep.reset(deadline),
                    None => *sleep = hyper::rt::Timer::sleep_until(self, deadline),
                }
            }
        }
    };
}
#[allow(unused_imports, reason = "without a backend only `AnyRuntime` runs hyper")]
pub(super) use hyper_rt;

hyper_rt!(AnyRuntime);

pin_project_lite::pin_project! {
    /// Sleep of a hyper timer.
    pub(super) struct Sleep<S> {
        #[pin]
        pub(super) sleep: S,
    }
}

impl<S: runtime::Sleep> Sleep<S> {
    pub(super) fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().sleep.reset(deadline);
    }
}

impl<S: runtime::Sleep> Future for Sleep<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl<S: runtime::Sleep> hyper::rt::Sleep for Sleep<S> {}
