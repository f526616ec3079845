//! I/O traits of streams, and utilities for streams.
//!
//! Every stream of anyrt implements the traits of [futures-io](https://docs.rs/futures-io), which this module
//! re-exports. Methods such as `read_exact`, `write_all` and `lines` come from extension traits, of which there are two
//! families:
//!
//! | | futures | tokio |
//! |---|---|---|
//! | feature of anyrt | `io` | `tokio-io` |
//! | to write | `use anyrt::io::{AsyncReadExt, AsyncWriteExt};` | `use tokio::io::{AsyncReadExt, AsyncWriteExt};` |
//! | in Cargo.toml | nothing else, or the crate `futures` itself | `tokio`, feature `io-util` |
//! | lines | `AsyncBufReadExt::lines`, a `Stream` | `lines().next_line().await` |
//! | numbers, `read_u32`, `write_u64_le`, … | – | `AsyncReadExt`, `AsyncWriteExt` |
//! | the end of what is written | `close` | `shutdown` |
//! | split any stream | `AsyncReadExt::split`, behind a lock | `split`, behind a lock |
//! | copy | `copy`, `copy_buf` | `copy`, `copy_buf` |
//! | copy both ways | [`copy_bidirectional`] | `copy_bidirectional` |
//! | a pair in memory | [`duplex`], with both families' traits | `duplex` |
//!
//! Import only one family in a file: methods that both have are ambiguous. tokio's I/O traits do not need tokio's
//! runtime, and work on every runtime. `TcpStream` and `UnixStream` split without a lock by their own methods, `split`
//! and `into_split`.

mod copy_bidirectional;
mod duplex;

pub use std::io::{Error, ErrorKind, Result, SeekFrom};

pub use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};
#[cfg(feature = "io")]
pub use futures_util::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter, Cursor, LineWriter,
    Lines, copy, copy_buf, empty, repeat, sink,
};

pub use self::copy_bidirectional::copy_bidirectional;
pub use self::duplex::{DuplexStream, duplex};
