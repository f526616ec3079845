//! A server and a client of hyper, HTTP/1 and HTTP/2, on every runtime.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, Runtime};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::rt::{Sleep, Timer};
use hyper::service::service_fn;
use hyper::{Request, Response, client, server};
use hyper_util::rt::TokioIo;

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(request.into_body().collect().await.unwrap().to_bytes())))
}

fn post(body: Vec<u8>) -> Request<Full<Bytes>> {
    Request::post("http://server/").body(Full::new(body.into())).unwrap()
}

/// Connects to a server that runs `serve`.
async fn connect<F>(
    serve: impl FnOnce(TokioIo<TcpStream>) -> F + Send + 'static,
) -> io::Result<TokioIo<TcpStream>>
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serves = anyrt::spawn(async move { serve(TokioIo::new(listener.accept().await.unwrap().0)).await });
    drop(serves);
    Ok(TokioIo::new(TcpStream::connect(address).await?))
}

#[anyrt::test]
async fn http1_echoes_a_mebibyte(rt: AnyRuntime) -> io::Result<()> {
    let stream = connect(|stream| async move {
        server::conn::http1::Builder::new()
            .timer(rt)
            .serve_connection(stream, service_fn(echo))
            .await
            .unwrap();
    });
    let (mut sender, connection) = client::conn::http1::handshake(stream.await?).await.unwrap();
    drop(anyrt::spawn(connection));
    let sent: Vec<u8> = (0..1 << 20).map(|n| n as u8).collect();
    let answer = sender.send_request(post(sent.clone())).await.unwrap();
    assert!(answer.into_body().collect().await.unwrap().to_bytes() == sent);
    Ok(())
}

#[anyrt::test]
async fn http2_runs_requests_beside_each_other<R>(rt: R) -> io::Result<()>
where
    R: Runtime + Timer + Sync,
    AnyRuntime: From<R>,
{
    let (any, timer) = (AnyRuntime::from(rt.clone()), rt);
    let executor = any.clone();
    let stream = connect(|stream| async move {
        let mut builder = server::conn::http2::Builder::new(executor);
        builder.timer(timer).keep_alive_interval(Duration::from_secs(1));
        builder.serve_connection(stream, service_fn(echo)).await.unwrap();
    });
    let (sender, connection) = client::conn::http2::handshake(any, stream.await?).await.unwrap();
    drop(anyrt::spawn(connection));
    let requests = (0..20_u8).map(|n| {
        let mut sender = sender.clone();
        anyrt::spawn(async move { sender.send_request(post(vec![n; 10_000])).await.unwrap() })
    });
    for (n, request) in requests.collect::<Vec<_>>().into_iter().enumerate() {
        let body = request.await.unwrap().into_body().collect().await.unwrap().to_bytes();
        assert!(body.len() == 10_000 && body.iter().all(|byte| usize::from(*byte) == n));
    }
    Ok(())
}

#[anyrt::test]
async fn slow_headers_end_a_connection(rt: AnyRuntime) -> io::Result<()> {
    use futures::io::{AsyncReadExt, AsyncWriteExt};

    let mut stream = connect(|stream| async move {
        let mut builder = server::conn::http1::Builder::new();
        builder.timer(rt).header_read_timeout(Duration::from_millis(50));
        let error = builder.serve_connection(stream, service_fn(echo)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    })
    .await?
    .into_inner();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: ser").await?;
    // Waits until the other end is closed, in order or by a reset.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    Ok(())
}

#[anyrt::test]
async fn sleep_is_reset_in_place(rt: AnyRuntime) {
    let (begun, hour) = (Timer::now(&rt), Duration::from_secs(3600));
    let mut sleep: Pin<Box<dyn Sleep>> = Timer::sleep(&rt, hour);
    let place = &raw const *sleep;
    rt.reset(&mut sleep, begun + Duration::from_millis(1));
    assert!(std::ptr::addr_eq(place, &raw const *sleep));
    sleep.await;
    assert!(Timer::now(&rt) >= begun + Duration::from_millis(1));

    // A sleep of another timer.
    struct Other;

    impl Future for Other {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
            std::task::Poll::Pending
        }
    }

    impl Sleep for Other {}

    let mut sleep: Pin<Box<dyn Sleep>> = Box::pin(Other);
    rt.reset(&mut sleep, begun);
    sleep.await;
}
