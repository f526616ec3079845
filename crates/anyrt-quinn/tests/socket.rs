//! A socket as quinn uses it, where it has no room.
#![allow(clippy::unwrap_used)]

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;

use futures::poll;
use quinn::udp::Transmit;

/// quinn asks for room before each send: as long as there was some, the answer comes at once.
#[anyrt::test]
async fn there_is_room_until_a_send_finds_none() {
    let bind = || anyrt::net::UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let (sink, socket) = (bind().await.unwrap(), bind().await.unwrap());
    let socket = anyrt_quinn::wrap(socket).unwrap();
    let mut pollers = [(); 2].map(|()| socket.clone().create_io_poller());
    for n in 0..3 {
        for poller in &mut pollers {
            assert!(poll!(poll_fn(|cx| poller.as_mut().poll_writable(cx))).is_ready(), "{n}");
        }
        let destination = sink.local_addr().unwrap();
        let transmit = Transmit { destination, ecn: None, contents: b"x", segment_size: None, src_ip: None };
        socket.try_send(&transmit).unwrap();
        assert_eq!(sink.recv(&mut [0; 8]).await.unwrap(), 1);
    }
}

/// A simulated socket has no room once the budget of a turn is spent.
#[anyrt::test(only(sim))]
async fn sender_without_room_waits_for_it() {
    let socket = anyrt::net::UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let socket = anyrt_quinn::wrap(socket).unwrap();
    let mut pollers = [(); 2].map(|()| socket.clone().create_io_poller());
    let destination = "10.0.0.9:9".parse().unwrap();
    let transmit = Transmit { destination, ecn: None, contents: b"x", segment_size: None, src_ip: None };
    for _ in 0..3 {
        let error = loop {
            if let Err(error) = socket.try_send(&transmit) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // Each of those who share it.
        for poller in &mut pollers {
            assert!(poll!(poll_fn(|cx| poller.as_mut().poll_writable(cx))).is_pending());
        }
        for poller in &mut pollers {
            poll_fn(|cx| poller.as_mut().poll_writable(cx)).await.unwrap();
        }
    }
}
