//! The I/O traits of streams, and what is written once over them.
//!
//! Every stream of anyrt has the traits of [futures-io](https://docs.rs/futures-io), which are here. The methods with which
//! programs read and write, `read_exact`, `write_all` or `lines`, are those of extension traits, and there are two families:
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
//! Import one family in a file: methods of one name in both are ambiguous. tokio's I/O traits come without its runtime, and work
//! on each. `TcpStream` and `UnixStream` split without a lock by their own methods, `split` and `into_split`.

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
