//! Messages of 64 bytes, there and back, through the I/O traits of tokio.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stream::pair;
use crate::way::Way;
use crate::{Report, Start};

pub(crate) async fn run(way: Way, messages: u64) -> io::Result<Report> {
    let (mut ours, mut theirs) = pair(way).await?;
    way.spawn(async move {
        let mut message = [0; 64];
        while theirs.read_exact(&mut message).await.is_ok() {
            if theirs.write_all(&message).await.is_err() {
                return;
            }
        }
    });
    let (start, mut message) = (Start::now()?, [7; 64]);
    for _ in 0..messages {
        ours.write_all(&message).await?;
        ours.read_exact(&mut message).await?;
    }
    start.report()
}
