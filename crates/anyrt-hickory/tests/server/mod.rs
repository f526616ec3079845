//! A DNS server of a small zone, on the sockets of anyrt.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use anyrt::net::{TcpListener, TcpStream, UdpSocket};
use anyrt::task::AbortOnDropHandle;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};

/// How many addresses `large.test` has: more than fit a datagram.
pub(crate) const LARGE: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    Udp,
    Tcp,
}

/// Who asked for what.
pub(crate) type Questions = Arc<Mutex<Vec<(Over, String, RecordType)>>>;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) questions: Questions,
    _answers: AbortOnDropHandle<()>,
}

impl Server {
    /// On the current runtime, on loopback, at a port that is free for both.
    pub(crate) async fn start() -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let (address, questions) = (udp.local_addr().unwrap(), Questions::default());
        let answers = anyrt::spawn(answer_all(udp, tcp, questions.clone())).abort_on_drop();
        Self { address, questions, _answers: answers }
    }

    pub(crate) fn asked(&self, over: Over) -> usize {
        self.questions.lock().unwrap().iter().filter(|question| question.0 == over).count()
    }
}

pub(crate) async fn answer_all(udp: UdpSocket, tcp: TcpListener, questions: Questions) {
    let datagrams = async {
        let mut buf = [0; 512];
        loop {
            let (len, client) = udp.recv_from(&mut buf).await.unwrap();
            if let Some(answer) = answer(&buf[..len], Over::Udp, &questions) {
                // It may be gone already.
                let _ = udp.send_to(&answer, client).await;
            }
        }
    };
    let streams = async {
        loop {
            let (client, _) = tcp.accept().await.unwrap();
            drop(anyrt::spawn(answer_stream(client, questions.clone())));
        }
    };
    futures::future::join::<_, _>(datagrams, streams).await.0
}

async fn answer_stream(mut client: TcpStream, questions: Questions) {
    let mut len = [0; 2];
    while client.read_exact(&mut len).await.is_ok() {
        let mut question = vec![0; u16::from_be_bytes(len).into()];
        client.read_exact(&mut question).await.unwrap();
        let Some(answer) = answer(&question, Over::Tcp, &questions) else { continue };
        let len = u16::try_from(answer.len()).unwrap().to_be_bytes();
        client.write_all(&[&len[..], &answer].concat()).await.unwrap();
    }
}

/// The zone: `None` is silence.
fn answer(question: &[u8], over: Over, questions: &Questions) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).unwrap();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    let query = question.queries[0].clone();
    let (name, kind) = (query.name().to_lowercase().to_ascii(), query.query_type());
    questions.lock().unwrap().push((over, name.clone(), kind));
    answer.add_query(query.clone());
    let host = name.strip_suffix(".test.").unwrap_or_default();
    let (v4, v6) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]));
    let addresses: Vec<IpAddr> = match host {
        "both" => vec![v6, v4],
        "four" => vec![v4],
        "six" => vec![v6],
        "here" => vec![Ipv4Addr::LOCALHOST.into()],
        "large" if over == Over::Udp => {
            answer.metadata.truncation = true;
            Vec::new()
        }
        "large" => (0..LARGE).map(|n| IpAddr::from([198, 51, 100, n])).collect(),
        "empty" => Vec::new(),
        "silent" => return None,
        // It has no IPv6 address, and is silent about IPv4.
        "half" if kind == RecordType::A => return None,
        "half" => Vec::new(),
        "broken" => {
            answer.metadata.response_code = ResponseCode::ServFail;
            Vec::new()
        }
        numbered if numbered.starts_with('n') => {
            vec![IpAddr::from([10, 0, 0, numbered[1..].parse().unwrap()])]
        }
        _ => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            Vec::new()
        }
    };
    for address in addresses {
        let data = match address {
            IpAddr::V4(ip) => RData::A(ip.into()),
            IpAddr::V6(ip) => RData::AAAA(Ipv6Addr::into(ip)),
        };
        if data.record_type() == kind {
            answer.add_answer(Record::from_rdata(query.name().clone(), 300, data));
        }
    }
    Some(answer.to_vec().unwrap())
}
