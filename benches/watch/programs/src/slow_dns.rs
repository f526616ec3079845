//! A slow name server, where the runner has given this process a network and a `resolv.conf` of its own.

use std::net::UdpSocket;
use std::time::Duration;
use std::{env, thread};

/// Set by the runner.
const IS_PRIVATE: &str = "ANYRT_BENCH_PRIVATE_NETWORK";

/// Returns a name that takes some time to look up; or `localhost`, which takes none.
pub(crate) fn start() -> &'static str {
    if env::var_os(IS_PRIVATE).is_none() {
        return "localhost";
    }
    let socket = UdpSocket::bind("127.0.0.1:53").expect("the port is free in a network of one's own");
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            let Some(answer) = answer(&query[..length]) else { continue };
            // libc asks for both families at once, and waits for both answers.
            thread::sleep(Duration::from_millis(100));
            let _ = socket.send_to(&answer, client);
        }
    });
    "slow.test"
}

/// 127.0.0.1, and no address of the other family. See RFC 1035, 4.1.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let name = 12 + query.get(12..)?.iter().position(|byte| *byte == 0)? + 1;
    let question = query.get(12..name + 4)?;
    let is_ipv4 = query.get(name..name + 2)? == [0, 1];
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0]);
    answer.extend(question);
    if is_ipv4 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
