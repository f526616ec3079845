//! Looks a name up, on the runtime of `ANYRT_RUNTIME`: `cargo run -p anyrt-hickory --example lookup -- example.org`.
//!
//! Without a name, it asks a name server of its own for `hello.test`, and connects to it.

use std::env;
use std::io;
use std::net::Ipv4Addr;

use anyrt::net::{ConnectOptions, TcpListener, TcpStream, UdpSocket};
use anyrt_hickory::Resolver;
use anyrt_hickory::hickory_resolver::proto::op::Message;
use anyrt_hickory::hickory_resolver::proto::rr::{RData, Record, RecordType};

#[anyrt::main]
async fn main() -> io::Result<()> {
    if let Some(host) = env::args().nth(1) {
        for address in Resolver::from_system()?.lookup_ip(&host).await? {
            println!("{host} is {address}");
        }
        return Ok(());
    }

    let name_server = UdpSocket::bind("127.0.0.1:0").await?;
    let resolver = Resolver::from_name_servers([name_server.local_addr()?])?;
    let answers = anyrt::spawn(answer_all(name_server)).abort_on_drop();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let options = ConnectOptions::new().resolver(resolver);
    let stream = TcpStream::connect_with(("hello.test", port), &options).await?;
    println!("hello.test is {}, on {:?}", stream.peer_addr()?.ip(), anyrt::AnyRuntime::current());
    drop(answers);
    Ok(())
}

/// A name server that knows every name: it is this machine.
async fn answer_all(socket: UdpSocket) -> io::Result<()> {
    let mut datagram = [0; 512];
    loop {
        let (len, client) = socket.recv_from(&mut datagram).await?;
        let Ok(question) = Message::from_vec(&datagram[..len]) else { continue };
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        for query in &question.queries {
            answer.add_query(query.clone());
            if query.query_type() == RecordType::A {
                let here = RData::A(Ipv4Addr::LOCALHOST.into());
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, here));
            }
        }
        socket.send_to(&answer.to_vec().map_err(io::Error::other)?, client).await?;
    }
}
