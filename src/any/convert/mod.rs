//! From what a backend makes to the types of this room, and back.
//!
//! One of the parts of the registry, with `runtime/task/native`, `backend`, `named` and `macros`.

#[cfg(any(feature = "smol", feature = "async-std"))]
mod async_io;
#[cfg(feature = "async-std")]
mod async_std;
#[cfg(not(all(feature = "tokio", feature = "smol", feature = "async-std", feature = "sim")))]
mod disabled;
#[cfg(feature = "sim")]
mod sim;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

#[allow(unused_macros, reason = "without a backend nothing is converted")]
/// A runtime, there and back.
macro_rules! runtime {
    ($runtime:ty, $from:ident, $into:ident) => {
        #[cfg(feature = "futures-task")]
        $crate::any::futures_rt::futures_rt!($runtime);
        #[cfg(feature = "hyper")]
        $crate::any::hyper_rt::hyper_rt!($runtime);

        impl From<$runtime> for $crate::AnyRuntime {
            fn from(runtime: $runtime) -> Self {
                Self::$from(runtime)
            }
        }

        /// The runtime comes back when it is another one.
        impl TryFrom<$crate::AnyRuntime> for $runtime {
            type Error = $crate::AnyRuntime;

            fn try_from(runtime: $crate::AnyRuntime) -> Result<Self, $crate::AnyRuntime> {
                runtime.$into()
            }
        }
    };
}

#[allow(unused_macros, reason = "without a backend nothing is converted")]
/// Objects that a runtime makes: its sleep and its sockets.
macro_rules! made {
    ($($made:ty => $any:ty, $from:ident;)*) => {
        $(impl From<$made> for $any {
            fn from(made: $made) -> Self {
                Self::$from(made)
            }
        })*
    };
}

/// A type of the runtime's own crate, there and back.
#[allow(unused_macros, reason = "without a backend nothing is converted")]
macro_rules! native {
    ($($(#[$doc:meta])* $native:ty => $any:ty, $into:ident, $it:ident => $back:expr $(, $made:ident => $there:expr)?;)*) => {
        $(
            $(impl From<$native> for $any {
                fn from($made: $native) -> Self {
                    $there.into()
                }
            })?

            $(#[$doc])*
            impl TryFrom<$any> for $native {
                type Error = $any;

                fn try_from(any: $any) -> Result<Self, $any> {
                    any.$into().map(|$it| $back)
                }
            }
        )*
    };
}

#[allow(unused_imports, reason = "without a backend nothing is converted")]
use {made, native, runtime};
