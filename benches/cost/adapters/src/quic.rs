//! Bytes on one stream of quinn, from the client to the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyrt_quinn::AnyrtRuntime;
use quinn::{ClientConfig, Endpoint, EndpointConfig, Runtime, ServerConfig, SmolRuntime, TokioRuntime};
use rustls::RootCertStore;

use crate::way::Way;
use crate::{Report, Start};

pub(crate) async fn run(way: Way, bytes: u64) -> io::Result<Report> {
    let (server, client) = configs().map_err(io::Error::other)?;
    let server = endpoint(way, Some(server))?;
    let address = server.local_addr()?;
    let (send, received) = tokio::sync::oneshot::channel();
    way.runtime().spawn(Box::pin(async move {
        // The receiver gets an error through the channel.
        let _ = send.send(receive(&server).await);
    }));

    let endpoint = endpoint(way, None)?;
    let connecting = endpoint.connect_with(client, address, "localhost").map_err(io::Error::other)?;
    let connection = connecting.await?;
    let start = Start::now()?;
    let mut stream = connection.open_uni().await?;
    let (chunk, mut left) = (vec![7; 1 << 16], bytes);
    while left > 0 {
        let len = left.min(chunk.len() as u64);
        stream.write_all(&chunk[..len as usize]).await?;
        left -= len;
    }
    stream.finish()?;
    let got = received.await.map_err(io::Error::other)??;
    if got != bytes {
        return Err(io::Error::other(format!("{got} of {bytes} bytes")));
    }
    let report = start.report();
    connection.close(0_u32.into(), b"");
    report
}

/// Returns the number of bytes that a client sends.
async fn receive(server: &Endpoint) -> io::Result<u64> {
    let Some(incoming) = server.accept().await else { return Ok(0) };
    let mut stream = incoming.await?.accept_uni().await?;
    let mut all = 0;
    while let Some(chunk) = stream.read_chunk(1 << 20, true).await? {
        all += chunk.bytes.len() as u64;
    }
    Ok(all)
}

fn endpoint(way: Way, server: Option<ServerConfig>) -> io::Result<Endpoint> {
    let loopback: SocketAddr = ([127, 0, 0, 1], 0).into();
    match way {
        Way::NativeTokio | Way::NativeSmol => {
            let socket = std::net::UdpSocket::bind(loopback)?;
            Endpoint::new(EndpointConfig::default(), server, socket, way.runtime())
        }
        _ => AnyrtRuntime::current().endpoint(EndpointConfig::default(), server, loopback),
    }
}

impl Way {
    fn runtime(self) -> Arc<dyn Runtime> {
        match self {
            Self::NativeTokio => Arc::new(TokioRuntime),
            Self::NativeSmol => Arc::new(SmolRuntime),
            _ => Arc::new(AnyrtRuntime::current()),
        }
    }
}

fn configs() -> Result<(ServerConfig, ClientConfig), Box<dyn std::error::Error + Send + Sync>> {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let certificate = certified.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let server = ServerConfig::with_single_cert(vec![certificate], key.into())?;
    Ok((server, ClientConfig::with_root_certificates(Arc::new(roots))?))
}
