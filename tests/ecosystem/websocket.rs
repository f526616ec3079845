//! WebSockets of tokio-websockets, which needs only the I/O traits of tokio.
//!
//! With its feature `fastrand`, keys and masks come from the generator that `hosts` has seeded.

use anyrt::runtime::TcpListener;
use anyrt::{BlockOn, Net, Spawn};
use futures::{SinkExt, StreamExt};
use tokio_websockets::{ClientBuilder, CloseCode, Message, ServerBuilder};

use crate::{Run, bytes, hosts, ms, run};

pub(crate) fn messages(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let listener = there.tcp_bind("0.0.0.0:80").await.unwrap();
        let server = there.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (request, mut socket) = ServerBuilder::new().accept(stream).await.unwrap();
            assert_eq!(request.uri().path(), "/chat");
            let mut echoed = 0;
            while let Some(message) = socket.next().await {
                let message = message.unwrap();
                if let Some((code, reason)) = message.as_close() {
                    assert_eq!((code, reason), (CloseCode::NORMAL_CLOSURE, "bye"));
                } else if message.is_text() || message.is_binary() {
                    socket.send(message).await.unwrap();
                    echoed += 1;
                }
            }
            echoed
        });

        let stream = here.tcp_connect("server:80").await.unwrap();
        let client = ClientBuilder::new().uri("ws://server/chat").unwrap();
        let (mut socket, _) = client.connect_on(stream).await.unwrap();
        // A frame encodes its length in one, two or eight bytes.
        for len in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
            let sent = bytes(len);
            socket.send(Message::binary(sent.clone())).await.unwrap();
            let answer = socket.next().await.unwrap().unwrap();
            assert!(answer.is_binary() && answer.as_payload()[..] == sent[..], "{len}");
        }
        socket.send(Message::text("schöne Grüße")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap().as_text(), Some("schöne Grüße"));

        let before = here.sim().elapsed();
        socket.send(Message::ping("are you there?")).await.unwrap();
        let pong = socket.next().await.unwrap().unwrap();
        assert!(pong.is_pong() && pong.as_payload()[..] == b"are you there?"[..]);
        let took = here.sim().elapsed() - before;
        assert!(took >= ms(2) && took <= ms(3), "{took:?}");

        socket.send(Message::close(Some(CloseCode::NORMAL_CLOSURE), "bye")).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer.as_close().unwrap().0, CloseCode::NORMAL_CLOSURE);
        assert!(socket.next().await.is_none());
        assert_eq!(server.await.unwrap(), 8);
    });
    run(&here)
}

#[test]
fn websocket_echoes_pongs_and_closes() {
    messages(7);
}
