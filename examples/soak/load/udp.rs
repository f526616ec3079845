//! UDP: an echo server, and clients that compare the data. Lost datagrams are counted and are not errors.

use std::io;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::UdpSocket;
use fastrand::Rng;

use super::{Load, bytes, wrong};

/// Time limit of an answer; on loopback it is lost by then.
const PATIENCE: Duration = Duration::from_millis(500);

/// Answers until it is aborted.
pub(super) async fn serve<R: Runtime>(load: Load<R>, socket: R::UdpSocket) {
    let mut datagram = [0; 2048];
    loop {
        let echoed = match socket.recv_from(&mut datagram).await {
            Ok((len, client)) => socket.send_to(&datagram[..len], client).await.map(drop),
            Err(error) => Err(error),
        };
        // A client that is gone is not an error, but Windows reports one here.
        if echoed.is_err() {
            load.pause(Duration::from_millis(1)).await;
        }
    }
}

pub(super) async fn one<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let socket = load.runtime.udp_bind("127.0.0.1:0").await?;
    socket.connect(load.udp_server)?;
    let mut questions = Vec::new();
    let mut answer = [0; 2048];
    for _ in 0..random.u64(..20) {
        let len = random.usize(..1_400);
        let question = bytes(random, len);
        socket.send(&question).await?;
        load.counts.sent.add(1);
        questions.push(question);
        load.counts.timers.add(1);
        let Ok(received) = load.runtime.timeout(PATIENCE, socket.recv(&mut answer)).await else { continue };
        // The answer may be late, and belong to an earlier question.
        let answer = &answer[..received?];
        let Some(answered) = questions.iter().position(|question| question == answer) else {
            return Err(wrong(format!("an answer of {} bytes to nothing that was asked", answer.len())));
        };
        questions.swap_remove(answered);
        load.counts.answered.add(1);
    }
    Ok(())
}
