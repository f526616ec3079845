use std::time::Duration;

use crate::{Setup, Simulator, Stream, connect_late};

/// Number of clients.
pub(crate) const CLIENTS: u64 = 4;

/// **A.** Clients on hosts of their own, each of which sends a message and waits for its echo, again and again.
pub(crate) fn echo<S: Simulator>(setup: Setup, requests: u64) -> Duration {
    let clients = (0..CLIENTS).map(|client| async move {
        let mut stream = connect_late::<S>().await;
        let sent = [client as u8; 16];
        for _ in 0..requests {
            let mut received = [0; 16];
            stream.send(&sent).await;
            assert!(stream.receive(&mut received).await && received == sent, "it is no echo");
        }
    });
    S::run(setup, serve::<S>, clients.collect())
}

async fn serve<S: Simulator>() {
    let listener = S::listen().await;
    loop {
        let mut stream = S::accept(&listener).await;
        drop(S::spawn(async move {
            let mut message = [0; 16];
            while stream.receive(&mut message).await {
                stream.send(&message).await;
            }
        }));
    }
}
