//! A body over HTTP/1 through hyper, in either direction.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, client, server};
use hyper_util::rt::TokioIo;

use crate::stream::{Stream, pair};
use crate::way::Way;
use crate::{Report, Start};

type Body = BoxBody<Bytes, Infallible>;

/// The sender of the bytes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum From {
    Client,
    Server,
}

pub(crate) async fn run(way: Way, from: From, bytes: u64) -> io::Result<Report> {
    let (ours, theirs) = pair(way).await?;
    let answer = service_fn(move |request: Request<Incoming>| async move {
        let got = count(request.into_body()).await?;
        hyper::Result::Ok(Response::new(match from {
            From::Client => Full::new(Bytes::from(got.to_string())).boxed(),
            From::Server => chunks(bytes),
        }))
    });
    let serve = server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), answer);
    way.spawn(async move { drop(serve.await) });
    let (mut sender, connection) =
        client::conn::http1::handshake::<TokioIo<Box<dyn Stream>>, Body>(TokioIo::new(ours))
            .await
            .map_err(io::Error::other)?;
    way.spawn(async move { drop(connection.await) });

    let start = Start::now()?;
    let body = if from == From::Client { chunks(bytes) } else { Full::default().boxed() };
    let request = Request::post("/").header("host", "server").body(body).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?.into_body();
    let got = match from {
        From::Client => {
            let text = response.collect().await.map_err(io::Error::other)?.to_bytes();
            String::from_utf8_lossy(&text).parse().map_err(io::Error::other)?
        }
        From::Server => count(response).await.map_err(io::Error::other)?,
    };
    if got != bytes {
        return Err(io::Error::other(format!("{got} of {bytes} bytes")));
    }
    start.report()
}

/// A body in pieces of 64 KiB.
fn chunks(bytes: u64) -> Body {
    let chunk = Bytes::from(vec![7; 1 << 16]);
    let pieces = (0..bytes.div_ceil(chunk.len() as u64)).map(move |n| {
        let len = (bytes - n * chunk.len() as u64).min(chunk.len() as u64);
        Ok(Frame::data(chunk.slice(..len as usize)))
    });
    BodyExt::boxed(StreamBody::new(futures_lite::stream::iter(pieces)))
}

/// Returns the number of bytes received.
async fn count(mut body: Incoming) -> hyper::Result<u64> {
    let mut all = 0;
    while let Some(frame) = body.frame().await {
        all += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(all)
}
