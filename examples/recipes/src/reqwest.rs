//! reqwest, and other libraries that need tokio, on any runtime: inside `async_compat::Compat`.
//!
//! reqwest takes timers, sockets and tasks from tokio, and panics without it ("there is no reactor running").
//! [`Compat`] around a future makes tokio current while the future is polled: the tokio of this thread, or one in a
//! thread of async-compat, which starts at the first use. The future remains a task of your runtime, and may use anyrt.
//!
//!
//! ```toml
//! [dependencies]
//! async-compat = "0.2"
//! reqwest = { version = "0.13", default-features = false, features = ["json"] } # and a feature for TLS
//! ```
//!
//! The body is read inside as well. The wrapper costs a thread, and a hop to it and back for every packet. If a library
//! accepts a stream, a connector or a runtime, use that instead: the pooled client of `anyrt-hyper-util` needs no
//! wrapper.
//!
//! **Not in a simulation.** Its sockets are real, so it finds no simulated server, and its timers are real. It waits
//! for a thread that the simulation does not know, which ends with an error: "another thread has woken a task", or "the
//! simulation is stuck", whichever comes first.

use async_compat::Compat;
use serde::de::DeserializeOwned;

/// Requests JSON.
pub async fn get_json<T: DeserializeOwned>(url: String) -> Result<T, reqwest::Error> {
    Compat::new(async { reqwest::get(url).await?.error_for_status()?.json().await }).await
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyrt::AnyRuntime;
    use anyrt::net::TcpListener;
    use reqwest::StatusCode;

    use super::*;
    use crate::axum::{Note, Notes, app};

    #[anyrt::test(skip(sim = "reqwest has sockets and timers of the system"))]
    async fn json_comes_from_axum(rt: AnyRuntime) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/notes/milk", listener.local_addr()?);
        drop(anyrt::spawn(anyrt_hyper_util::serve(listener, app(Notes::default())).into_future()));

        let missing = get_json::<Note>(url.clone()).await.unwrap_err();
        assert_eq!(missing.status(), Some(StatusCode::NOT_FOUND));
        let milk = Note { text: "two bottles".to_owned() };
        let put = async {
            // Still on the runtime of the task.
            assert_eq!(AnyRuntime::current(), rt);
            reqwest::Client::new().put(&url).json(&milk).send().await
        };
        assert_eq!(Compat::new(put).await.unwrap().status(), StatusCode::CREATED);
        assert_eq!(get_json::<Note>(url).await.unwrap(), milk);
        Ok(())
    }
}
