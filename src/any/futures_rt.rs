//! The spawn trait of futures, `futures::task::Spawn`, for every runtime.

use crate::AnyRuntime;

/// A runtime that spawns for code which knows of futures only.
macro_rules! futures_rt {
    ($runtime:ty) => {
        /// For code that takes any executor, as `SpawnExt::spawn_with_handle` of futures does. The task is detached,
        /// its panic affects no other task, and it is dropped if the runtime is gone.
        impl futures_task::Spawn for $runtime {
            #[track_caller]
            fn spawn_obj(
                &self,
                future: futures_task::FutureObj<'static, ()>,
            ) -> Result<(), futures_task::SpawnError> {
                drop($crate::Spawn::spawn(self, future));
                Ok(())
            }
        }
    };
}
#[allow(unused_imports, reason = "without a backend only `AnyRuntime` spawns")]
pub(super) use futures_rt;

futures_rt!(AnyRuntime);
