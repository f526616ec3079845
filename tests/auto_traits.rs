//! Which types are `Send`, `Sync` and `Unpin`, and which must not be `Clone`.

use std::fmt::Debug;
use std::hash::Hash;

use anyrt::runtime::{TcpListener, TcpStream, UdpSocket};
use anyrt::task::{AbortHandle, AbortOnDropHandle, Id, JoinError, JoinHandle, JoinSet, LocalSet, NoLocalSet};
use anyrt::time::{Elapsed, Interval, MissedTickBehavior, Timeout};
use anyrt::{AnyRuntime, NoRuntime, Runtime, SetDefaultError, net};
use futures::StreamExt;

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn debug<T: Debug>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn tasks() {
    // An output that is `Send` and not `Sync`.
    type Output = std::cell::Cell<u8>;
    send::<JoinHandle<Output>>();
    sync::<JoinHandle<Output>>();
    unpin::<JoinHandle<std::marker::PhantomPinned>>();
    debug::<JoinHandle<Output>>();
    send::<AbortHandle>();
    sync::<AbortHandle>();
    send::<AbortOnDropHandle<Output>>();
    sync::<AbortOnDropHandle<Output>>();
    send::<JoinSet<Output>>();
    sync::<JoinSet<Output>>();
    unpin::<JoinSet<Output>>();
    error::<JoinError>();
    unpin::<LocalSet>();
    debug::<LocalSet>();
    error::<NoLocalSet>();
    // Handles of local tasks require nothing of the output.
    unpin::<JoinHandle<std::rc::Rc<u8>>>();
    debug::<AbortOnDropHandle<&u8>>();
    debug::<JoinSet<std::rc::Rc<u8>>>();
    error::<Elapsed>();
    send::<MissedTickBehavior>();
}

#[cfg(unix)]
#[test]
fn descriptors() {
    fn lends<T: std::os::fd::AsFd>() {}

    lends::<net::TcpStream>();
    lends::<net::TcpListener>();
    lends::<net::UdpSocket>();
    lends::<net::UnixStream>();
    lends::<net::UnixListener>();
    lends::<net::UnixDatagram>();
}

#[cfg(unix)]
#[test]
fn unix_sockets() {
    fn shared<T: Send + Sync + Unpin + Debug>() {}
    fn future<F: Future + Send + 'static>(_: fn() -> F) {}

    shared::<net::UnixStream>();
    shared::<net::UnixListener>();
    shared::<net::UnixDatagram>();
    shared::<net::unix::OwnedReadHalf>();
    shared::<net::unix::OwnedWriteHalf>();
    future(|| net::UnixStream::connect("/run/server.sock"));
    future(|| async { net::UnixDatagram::unbound()?.send_to(b"x", "/dev/log").await });
}

#[test]
fn types_without_parameters() {
    fn static_clone<T: Clone + 'static>() {}
    fn static_hash<T: Hash + Eq + 'static>() {}

    send::<AnyRuntime>();
    sync::<AnyRuntime>();
    debug::<AnyRuntime>();
    static_clone::<AnyRuntime>();
    static_hash::<AnyRuntime>();
    send::<Id>();
    sync::<Id>();
    debug::<Id>();
    static_clone::<Id>();
    static_hash::<Id>();
    sync::<anyrt::task::TaskMeta<'_>>();
    send::<anyrt::task::Builder<'_>>();
    error::<NoRuntime>();
    error::<SetDefaultError>();
    send::<anyrt::time::Sleep>();
    sync::<anyrt::time::Sleep>();
    send::<Timeout<anyrt::time::Sleep>>();
    unpin::<Interval>();
    send::<net::TcpStream>();
    sync::<net::TcpStream>();
    unpin::<net::TcpStream>();
    send::<net::OwnedReadHalf>();
    sync::<net::OwnedWriteHalf>();
    send::<net::TcpListener>();
    send::<net::UdpSocket>();
    sync::<net::UdpSocket>();
    unpin::<net::UdpSocket>();
    sync::<net::TcpListener>();
    // Futures that await these can be spawned.
    fn future<F: Future + Send + 'static>(_: fn() -> F) {}
    future(|| net::TcpStream::connect("localhost:80"));
    future(|| net::TcpListener::bind(("localhost", 80)));
    future(|| net::UdpSocket::bind("localhost:80"));
    future(|| net::lookup_host("localhost:80"));
    future(|| anyrt::yield_now());
    future(|| anyrt::time::timeout(std::time::Duration::ZERO, async {}));
}

/// Compiles for any runtime, so it holds for every runtime.
#[allow(dead_code, reason = "it is there to be compiled")]
fn runtime<R: Runtime>(runtime: R) {
    fn futures<F: Future + Send>(_: F) {}

    send::<R>();
    sync::<R>();
    send::<R::Sleep>();
    sync::<R::Sleep>();
    send::<Timeout<R::Sleep, R>>();
    send::<Interval<R>>();
    sync::<Interval<R>>();
    unpin::<Interval<R>>();
    unpin::<R::TcpStream>();
    send::<<R::TcpStream as TcpStream>::OwnedReadHalf>();
    sync::<<R::TcpStream as TcpStream>::OwnedWriteHalf>();
    unpin::<R::TcpListener>();
    sync::<R::UdpSocket>();
    unpin::<R::UdpSocket>();
    // Futures that await these can be spawned.
    futures(runtime.tcp_connect("localhost:80"));
    futures(runtime.tcp_bind(("localhost", 80)));
    futures(runtime.lookup_host("localhost:80"));
    futures(runtime.yield_now());
    futures(async {
        let mut interval = runtime.interval(std::time::Duration::from_secs(1));
        interval.tick().await;
        let mut listener = runtime.tcp_bind("localhost:80").await?;
        listener.incoming().next().await.transpose()?;
        let (mut stream, _) = listener.accept().await?;
        let socket = runtime.udp_bind("localhost:0").await?;
        let (_, peer) = socket.recv_from(&mut [0]).await?;
        socket.send_to(&[0], peer).await?;
        stream.peek(&mut [0]).await
    });
}
