//! A server of axum: JSON, state, and a shutdown that loses no request.
//!
//! `anyrt_hyper_util::serve` replaces `axum::serve`, which needs tokio's runtime. Without its default features, axum
//! itself does not need it, and handlers are written as usual:
//!
//! ```toml
//! [dependencies]
//! anyrt = { version = "0.1", features = ["macros", "smol"] }
//! anyrt-hyper-util = "0.1"
//! axum = { version = "0.8", default-features = false, features = ["json"] }
//! serde = { version = "1", features = ["derive"] }
//! ```
//!
//! ```no_run
//! # use std::io;
//! use anyrt::net::TcpListener;
//! use recipes::axum::{Notes, app};
//!
//! #[anyrt::main(smol)]
//! async fn main() -> io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:3000").await?;
//!     anyrt_hyper_util::serve(listener, app(Notes::default())).await
//! }
//! ```
//!
//! A handler that waits uses [`anyrt::time`]: timers of tokio panic on another runtime, and so do the layers of tower
//! that have a clock, which `anyrt-tower` replaces. In a simulation, time and the network are virtual.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyrt::net::TcpListener;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

/// A note, as requests and responses have it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Note {
    /// The text of the note.
    pub text: String,
}

/// The state: notes by name.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<BTreeMap<String, Note>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes: `PUT` and `GET` of `/notes/{name}`.
pub fn app(notes: Notes) -> Router {
    Router::new().route("/notes/{name}", get(read).put(write)).with_state(notes)
}

async fn read(State(notes): State<Notes>, Path(name): Path<String>) -> Result<Json<Note>, StatusCode> {
    notes.lock().get(&name).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn write(State(notes): State<Notes>, Path(name): Path<String>, Json(note): Json<Note>) -> StatusCode {
    match notes.lock().insert(name, note) {
        None => StatusCode::CREATED,
        Some(_) => StatusCode::NO_CONTENT,
    }
}

/// Serves until `stop` is ready. Then it answers the requests that have begun, and closes idle connections.
pub async fn run(
    listener: TcpListener,
    notes: Notes,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    anyrt_hyper_util::serve(listener, app(notes)).with_graceful_shutdown(stop).await
}

#[cfg(test)]
mod tests {
    use anyrt_hyper_util::{Client, client};
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use futures::FutureExt;
    use futures::channel::oneshot;

    use super::*;

    #[anyrt::test]
    async fn notes_are_kept() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let note = format!("http://{}/notes/milk", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = anyrt::spawn(run(listener, Notes::default(), stopped.map(drop)));

        let client: Client<Body> = client();
        let ask = async |method: &str, body: &'static str| {
            let request =
                Request::builder().method(method).uri(&note).header("content-type", "application/json");
            let response = client.request(request.body(Body::from(body)).unwrap()).await.unwrap();
            let status = response.status();
            let body = to_bytes(Body::new(response.into_body()), 1 << 20).await.unwrap();
            (status, String::from_utf8(body.into()).unwrap())
        };
        assert_eq!(ask("GET", "").await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask("PUT", r#"{"text":"two bottles"}"#).await.0, StatusCode::CREATED);
        assert_eq!(ask("GET", "").await, (StatusCode::OK, r#"{"text":"two bottles"}"#.to_owned()));
        assert_eq!(ask("PUT", r#"{"txet":"three"}"#).await.0, StatusCode::UNPROCESSABLE_ENTITY);

        stop.send(()).unwrap();
        server.await.unwrap()
    }
}
