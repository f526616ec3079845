//! The current runtime where it is found in a few instructions, for the functions that are called most: no look-up is called, and
//! the compiler knows what kind of runtime it is.

/// Does `$do` with the current runtime `$it`, a handle of its own type, if it is one of these:
/// [`innermost`](super::innermost) and [`native_context`](super::native_context) find the same.
macro_rules! at_hand {
    ($it:ident => $do:expr) => {{
        use $crate::backend::{FindCurrent, MaybeAsyncStd, MaybeSmol, tokio_context};
        use $crate::thread::{Place, RuntimeKind, innermost};

        match innermost() {
            None | Some(Place::In(RuntimeKind::Tokio)) => {
                if let Some($it) = tokio_context::current() {
                    $do
                }
            }
            Some(Place::In(kind @ RuntimeKind::Smol)) => {
                if let Some($it) = <MaybeSmol as FindCurrent>::find_current(kind) {
                    $do
                }
            }
            Some(Place::In(kind @ RuntimeKind::AsyncStd)) => {
                if let Some($it) = <MaybeAsyncStd as FindCurrent>::find_current(kind) {
                    $do
                }
            }
            _ => {}
        }
    }};
}
pub(crate) use at_hand;
