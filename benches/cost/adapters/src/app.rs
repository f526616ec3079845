//! An app of axum, for `wrk`: by `axum::serve` on tokio, and by `anyrt_hyper_util::serve` on each runtime.

use std::convert::Infallible;
use std::io;

use axum::Router;
use axum::routing::get;

use crate::way::Way;

/// Prints its address, and serves until it is killed.
pub(crate) async fn run(way: Way) -> io::Result<Infallible> {
    let app = Router::new().route("/", get(async || "hello"));
    match way {
        Way::NativeTokio => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?);
            axum::serve(listener, app).await?;
        }
        Way::NativeSmol => return Err(io::Error::other("axum has nothing for smol")),
        Way::AnyrtTokio | Way::AnyrtSmol | Way::AnyrtAsyncStd => {
            let listener = anyrt::net::TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?);
            anyrt_hyper_util::serve(listener, app).await?;
        }
    }
    Err(io::Error::other("the server has ended"))
}
