//! Services to be wrapped.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::future::{Pending, Ready, pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tower::{BoxError, Service};

/// Answers with the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo;

impl Service<u32> for Echo {
    type Response = u32;
    type Error = BoxError;
    type Future = Ready<Result<u32, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u32) -> Self::Future {
        ready(Ok(request))
    }
}

/// Never answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silent;

impl Service<()> for Silent {
    type Response = ();
    type Error = BoxError;
    type Future = Pending<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: ()) -> Self::Future {
        pending()
    }
}

/// Echoes what its gate lets through, and is not ready as long as that is shut.
#[derive(Debug)]
pub(crate) struct Gated(pub(crate) Arc<Gate>);

#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<(State, Option<Waker>)>,
    /// How often somebody has asked.
    pub(crate) asked: AtomicUsize,
    /// How many requests it has let through.
    pub(crate) calls: AtomicUsize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum State {
    #[default]
    Shut,
    Open,
    Failed,
    Panics,
}

impl Gate {
    pub(crate) fn set(&self, to: State) {
        let waker = {
            let mut state = self.state.lock().unwrap();
            state.0 = to;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Service<u32> for Gated {
    type Response = u32;
    type Error = BoxError;
    type Future = Ready<Result<u32, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut state = self.0.state.lock().unwrap();
        state.1 = Some(cx.waker().clone());
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let is = state.0;
        drop(state);
        match is {
            State::Shut => Poll::Pending,
            State::Open => Poll::Ready(Ok(())),
            State::Failed => Poll::Ready(Err("the gate has failed".into())),
            State::Panics => panic!("the gate panics"),
        }
    }

    fn call(&mut self, request: u32) -> Self::Future {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        ready(Ok(request))
    }
}
