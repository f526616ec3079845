//! Faults of real sockets: peers that reset, that do not read, that do not accept; no descriptors left; very many
//! connections; very much data; and connects whose futures are dropped.
//!
//! Each test is written once, for any runtime, and runs in a process of its own.
#![allow(clippy::unwrap_used)]
// Windows has neither `sh` nor limits of descriptors.
#![cfg(all(unix, any(feature = "tokio", feature = "smol", feature = "async-std")))]

mod descriptors;
#[cfg(target_os = "linux")]
mod linux;
mod peers;
mod process;
mod support;

#[cfg(target_os = "linux")]
use linux::ALL_DESCRIPTORS;
use process::{AS_IT_IS, FEW_DESCRIPTORS};

/// Creates one test per runtime for each generic function, in a process that `sh` prepares with the given command.
macro_rules! on_each_runtime {
    ($($(#[$attribute:meta])* $file:ident::$test:ident: $prepared:ident;)*) => {
        macro_rules! on {
            ($runtime:expr) => {
                $(#[test]
                $(#[$attribute])*
                fn $test() {
                    let path = concat!(module_path!(), "::", stringify!($test));
                    crate::process::alone(path, crate::$prepared, || crate::$file::$test($runtime));
                })*
            };
        }

        #[cfg(feature = "tokio")]
        mod on_tokio {
            on!(anyrt::Tokio::new().unwrap());
        }

        #[cfg(feature = "smol")]
        mod on_smol {
            on!(anyrt::Smol::new().unwrap());
        }

        #[cfg(feature = "async-std")]
        mod on_async_std {
            on!(anyrt::AsyncStd::global());
        }

        mod on_any {
            on!(crate::any());
        }
    };
}

on_each_runtime! {
    peers::reset_ends_a_read: AS_IT_IS;
    peers::reset_ends_a_write: AS_IT_IS;
    peers::reset_wakes_both_halves: AS_IT_IS;
    peers::unread_stream_waits_and_loses_nothing: AS_IT_IS;
    peers::two_times_256_mib_arrive_as_they_were_sent: AS_IT_IS;
    descriptors::accept_fails_without_descriptors_and_recovers: FEW_DESCRIPTORS;
    descriptors::incoming_waits_when_descriptors_run_out: FEW_DESCRIPTORS;
    #[cfg(target_os = "linux")]
    linux::full_queue_keeps_connects_waiting: AS_IT_IS;
    #[cfg(target_os = "linux")]
    linux::five_thousand_connections_at_once: ALL_DESCRIPTORS;
    #[cfg(target_os = "linux")]
    linux::cancelled_connects_leave_no_descriptor: AS_IT_IS;
}

/// `AnyRuntime` over the first compiled-in runtime.
fn any() -> anyrt::AnyRuntime {
    cfg_if::cfg_if! {
        if #[cfg(feature = "tokio")] {
            anyrt::Tokio::new().unwrap().into()
        } else if #[cfg(feature = "smol")] {
            anyrt::Smol::new().unwrap().into()
        } else {
            anyrt::AsyncStd::global().into()
        }
    }
}
