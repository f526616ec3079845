use std::future::Future;
use std::io;

use anyrt::{AnyRuntime, BlockOn};
use clap::ValueEnum;

/// A runtime, and the adapter that a library uses on it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// tokio, with what libraries have for it
    #[value(name = "native/tokio")]
    NativeTokio,
    /// smol, with what libraries have for it
    #[value(name = "native/smol")]
    NativeSmol,
    #[value(name = "anyrt/tokio")]
    AnyrtTokio,
    #[value(name = "anyrt/smol")]
    AnyrtSmol,
    #[value(name = "anyrt/async-std")]
    AnyrtAsyncStd,
}

impl Way {
    /// Drives the main future, as a program on that runtime does.
    pub(crate) fn block_on<T>(self, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        match self {
            Self::NativeTokio => tokio::runtime::Runtime::new()?.block_on(future),
            Self::NativeSmol => smol::block_on(future),
            Self::AnyrtTokio => anyrt::Tokio::new()?.block_on(future),
            Self::AnyrtSmol => AnyRuntime::from(anyrt::Smol::global()).block_on(future),
            Self::AnyrtAsyncStd => AnyRuntime::from(anyrt::AsyncStd::global()).block_on(future),
        }
    }

    /// Spawns a task inside `block_on`, and detaches it.
    pub(crate) fn spawn(self, future: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::NativeTokio => drop(tokio::spawn(future)),
            Self::NativeSmol => smol::spawn(future).detach(),
            Self::AnyrtTokio | Self::AnyrtSmol | Self::AnyrtAsyncStd => drop(anyrt::spawn(future)),
        }
    }
}
