//! A process that has no descriptors left.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use anyrt::Runtime;
use anyrt::runtime::TcpListener;
use futures::StreamExt;
use futures::io::AsyncWriteExt;
use socket2::{Domain, Socket, Type};

use crate::support::{ms, watched};

/// The number of EMFILE on every Unix.
const EMFILE: Option<i32> = Some(24);

/// Opens files until no descriptor is left.
fn exhaust() -> Vec<File> {
    let mut taken = vec![File::open("/dev/null").unwrap()];
    loop {
        match taken[0].try_clone() {
            Ok(file) => taken.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), EMFILE, "{error}");
                return taken;
            }
        }
    }
}

/// Creates sockets that can connect without further descriptors.
fn clients<const N: usize>() -> [Socket; N] {
    [(); N].map(|()| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap())
}

pub(crate) fn accept_fails_without_descriptors_and_recovers<R: Runtime>(rt: R) {
    rt.block_on(async {
        let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let clients = clients::<4>();
        let (waiting, waits, _) = watched(async move {
            let error = listener.accept().await.unwrap_err();
            (listener, error)
        });
        let waiting = rt.spawn(waiting);
        waits.await.unwrap();

        let mut taken = exhaust();
        clients.iter().for_each(|client| client.connect(&addr.into()).unwrap());
        let (listener, error) = waiting.await.unwrap();
        assert_eq!(error.raw_os_error(), EMFILE, "{error}");
        // While no descriptor is left.
        for _ in 0..10 {
            let error = listener.accept().await.unwrap_err();
            assert_eq!(error.raw_os_error(), EMFILE, "{error}");
        }
        // Frees one descriptor for one connection.
        drop(taken.pop());
        let mut accepted = vec![listener.accept().await.unwrap()];
        let error = listener.accept().await.unwrap_err();
        assert_eq!(error.raw_os_error(), EMFILE, "{error}");

        drop(taken);
        while accepted.len() < clients.len() {
            accepted.push(listener.accept().await.unwrap());
        }
        // All waiting clients were accepted, each once, and their connections work.
        let peers: BTreeSet<SocketAddr> = accepted.iter().map(|(_, peer)| *peer).collect();
        let mut ours = BTreeSet::new();
        for (stream, _) in &mut accepted {
            stream.write_all(b"welcome").await.unwrap();
        }
        for client in clients {
            let mut client = TcpStream::from(client);
            let mut greeting = [0; 7];
            client.read_exact(&mut greeting).unwrap();
            assert_eq!(&greeting, b"welcome");
            ours.insert(client.local_addr().unwrap());
        }
        assert_eq!(peers, ours);
    });
}

pub(crate) fn incoming_waits_when_descriptors_run_out<R: Runtime>(rt: R) {
    rt.block_on(async {
        let mut listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let clients = clients::<2>();
        let taken = exhaust();
        clients.iter().for_each(|client| client.connect(&addr.into()).unwrap());

        let mut incoming = listener.incoming();
        let (end, mut errors) = (rt.now() + ms(500), 0);
        // A timeout alone is not polled beside a stream that is always ready.
        while rt.now() < end {
            if let Ok(next) = rt.timeout_at(end, incoming.next()).await {
                let error = next.unwrap().unwrap_err();
                assert_eq!(error.raw_os_error(), EMFILE, "{error}");
                errors += 1;
            }
        }
        assert!((1..=10).contains(&errors), "{errors} errors in half a second");

        drop(taken);
        for _ in 0..clients.len() {
            // The first errors may be older ones.
            while incoming.next().await.unwrap().is_err() {}
        }
    });
}
