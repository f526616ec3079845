//! A server that answers, and a client that asks, on the runtime of `ANYRT_RUNTIME`.

use std::io;
use std::sync::Arc;

use anyrt_quinn::AnyrtRuntime;
use quinn::{ClientConfig, Endpoint, EndpointConfig, ServerConfig};
use rustls::RootCertStore;

#[anyrt::main]
async fn main() -> io::Result<()> {
    println!("{}", ask().await?);
    Ok(())
}

async fn ask() -> io::Result<String> {
    let (server, client) = configs().map_err(io::Error::other)?;
    let runtime = AnyrtRuntime::current();
    let loopback = ([127, 0, 0, 1], 0).into();
    let server = runtime.endpoint(EndpointConfig::default(), Some(server), loopback)?;
    let address = server.local_addr()?;
    let serving = anyrt::spawn(serve(server));

    let endpoint = runtime.endpoint(EndpointConfig::default(), None, loopback)?;
    let connecting = endpoint.connect_with(client, address, "localhost").map_err(io::Error::other)?;
    let connection = connecting.await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(b"what time is it?").await?;
    send.finish()?;
    let answer = receive.read_to_end(1 << 10).await.map_err(io::Error::other)?;
    connection.close(0_u32.into(), b"thank you");
    endpoint.wait_idle().await;
    serving.await??;
    String::from_utf8(answer).map_err(io::Error::other)
}

/// One connection.
async fn serve(endpoint: Endpoint) -> io::Result<()> {
    let Some(incoming) = endpoint.accept().await else { return Ok(()) };
    let connection = incoming.await?;
    let (mut send, mut receive) = connection.accept_bi().await?;
    let question = receive.read_to_end(1 << 10).await.map_err(io::Error::other)?;
    send.write_all(format!("you ask in {} bytes", question.len()).as_bytes()).await?;
    send.finish()?;
    connection.closed().await;
    Ok(())
}

fn configs() -> Result<(ServerConfig, ClientConfig), Box<dyn std::error::Error + Send + Sync>> {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let certificate = certified.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let server = ServerConfig::with_single_cert(vec![certificate], key.into())?;
    let client = ClientConfig::with_root_certificates(Arc::new(roots))?;
    Ok((server, client))
}
