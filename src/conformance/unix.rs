//! Unix sockets.

use std::error::Error as _;
use std::fs;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::{UnixDatagram as StdDatagram, UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::{FutureExt, Stream, StreamExt};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::stream::{self, Family, scenarios_of, tries_of};
use super::support::{Boxed as _, LONG, bell, counted, ms, on_a_plain_thread, poll_once, ready, waiting};
use crate::runtime::{Interest, Runtime, UnixDatagram, UnixListener, UnixStream};
use crate::{AnyRuntime, net};

/// A folder for the files of sockets, until it is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        loop {
            let name = format!("anyrt-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            match fs::create_dir(&path) {
                // Of a process that had this number, and was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(path)).unwrap(),
            }
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) struct Unix;

impl<R: Runtime> Family<R> for Unix {
    type Stream = R::UnixStream;
    type Listener = R::UnixListener;
    type Addr = Arc<Folder>;
    type SocketAddr = std::os::unix::net::SocketAddr;

    async fn bind(rt: &R) -> (R::UnixListener, Arc<Folder>) {
        let folder = Arc::new(Folder::new());
        (rt.unix_bind(folder.path("s")).unwrap(), folder)
    }

    async fn connect(rt: &R, folder: &Arc<Folder>) -> R::UnixStream {
        rt.unix_connect(folder.path("s")).await.unwrap()
    }

    async fn accept(listener: &R::UnixListener) -> io::Result<R::UnixStream> {
        listener.accept().await.map(|(stream, _)| stream)
    }

    fn incoming(
        listener: &mut R::UnixListener,
    ) -> impl Stream<Item = io::Result<R::UnixStream>> + Unpin + Send {
        listener.incoming()
    }

    tries_of!(UnixStream);
}

scenarios_of! {
    Unix:
    unix_halves_reunite = halves_reunite,
    unix_halves_have_the_addresses = halves_have_the_addresses,
    unix_halves_readable_waits_for_bytes = halves_readable_waits_for_bytes,
    unix_halves_writable_waits_for_room = halves_writable_waits_for_room,
    unix_halves_try_what_is_there = halves_try_what_is_there,
    unix_halves_try_io_tells_the_runtime = halves_try_io_tells_the_runtime,
    unix_readable_waits_for_bytes = readable_waits_for_bytes,
    unix_readable_wakes_everybody = readable_wakes_everybody,
    unix_readable_sees_the_end = readable_sees_the_end,
    unix_readable_starves_no_timer = readable_starves_no_timer,
    unix_writable_waits_for_room = writable_waits_for_room,
    unix_try_read_takes_what_is_there = try_read_takes_what_is_there,
    unix_try_write_finds_room = try_write_finds_room,
    unix_try_takes_several_buffers = try_takes_several_buffers,
    unix_first_try_waits_for_nothing = first_try_waits_for_nothing,
    unix_try_io_would_block_and_then_waits = try_io_would_block_and_then_waits,
    unix_stream_round_trip = round_trip,
    unix_close_twice_is_ok = close_twice_is_ok,
    unix_split_mut_reads_and_writes_at_once = split_mut_reads_and_writes_at_once,
    unix_into_split_serves_two_tasks = into_split_serves_two_tasks,
    unix_dropping_the_write_half_sends_eof = dropping_the_write_half_sends_eof,
    unix_read_wakes_the_last_waker = read_wakes_the_last_waker,
    unix_read_is_cancel_safe = read_is_cancel_safe,
    unix_idle_reader_burns_no_polls = idle_reader_burns_no_polls,
    unix_works_on_a_plain_thread = works_on_a_plain_thread,
    unix_accept_serves_every_waiter = accept_serves_every_waiter,
    unix_accept_is_cancel_safe = accept_is_cancel_safe,
    unix_incoming_yields_every_connection = incoming_yields_every_connection,
}

pub(super) async fn unix_close_sends_eof<R: Runtime>(rt: R) {
    stream::close_sends_eof::<R, Unix>(rt.clone()).await;
    stream::close_leaves_the_read_side_open::<R, Unix>(rt.clone()).await;
    stream::write_after_close_is_broken_pipe::<R, Unix>(rt).await;
}

pub(super) async fn unix_read_into_nothing_is_zero<R: Runtime>(rt: R) {
    stream::read_into_nothing_is_zero::<R, Unix>(rt.clone()).await;
    stream::write_of_nothing_is_zero::<R, Unix>(rt).await;
}

pub(super) async fn unix_big_transfer_is_intact<R: Runtime>(rt: R) {
    stream::big_transfer_is_intact::<R, Unix>(rt.clone()).await;
    stream::dropped_stream_delivers_what_was_written::<R, Unix>(rt).await;
}

/// A connection whose other end is a blocking socket of the standard library.
fn with_std<R: Runtime>(rt: &R) -> (R::UnixStream, StdStream) {
    let (ours, theirs) = StdStream::pair().unwrap();
    (rt.unix_stream_from_std(ours).unwrap(), theirs)
}

pub(super) async fn unix_pair_is_connected<R: Runtime>(rt: R) {
    let (mut a, mut b) = rt.unix_pair().unwrap();
    a.write_all(b"x").await.unwrap();
    assert_eq!(b.read(&mut [0; 8]).await.unwrap(), 1);
    drop(a);
    for _ in 0..2 {
        assert_eq!(b.read(&mut [0; 8]).await.unwrap(), 0);
    }
    let (a, b) = rt.unix_datagram_pair().unwrap();
    b.send(b"datagram").await.unwrap();
    assert_eq!(a.recv(&mut [0; 16]).await.unwrap(), 8);
}

/// How often a task may be polled that has nothing to do, on a busy machine where it starts late; one that spins is
/// polled thousands of times.
const FEW: usize = 10;

/// How many operations of a busy socket a timer that is up has to win against.
const BUSY: usize = 20_000;

pub(super) async fn unix_busy_stream_starves_no_timer<R: Runtime>(rt: R) {
    let (mut ours, mut peer) = with_std(&rt);
    peer.write_all(&[0; 64]).unwrap();
    ours.read_exact(&mut [0; 4]).await.unwrap();
    let busy = async {
        for _ in 0..BUSY {
            ours.read_exact(&mut [0]).await.unwrap();
            peer.write_all(&[0]).unwrap();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the stream");
}

pub(super) async fn unix_addresses_match<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let path = folder.path("s");
    let listener = rt.unix_bind(&path).unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
    let (client, server) = join(rt.unix_connect(&path), listener.accept()).await;
    let (client, (server, peer)) = (client.unwrap(), server.unwrap());
    assert!(peer.is_unnamed() && client.local_addr().unwrap().is_unnamed());
    assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path));
    assert_eq!(server.local_addr().unwrap().as_pathname(), Some(&*path));
    let datagrams = rt.unix_datagram_bind(folder.path("d")).unwrap();
    assert_eq!(datagrams.local_addr().unwrap().as_pathname(), Some(&*folder.path("d")));
    assert_eq!(datagrams.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    assert!(rt.unix_datagram_unbound().unwrap().local_addr().unwrap().is_unnamed());
}

/// The error says which path it is, unless that is empty.
fn assert_bad_path(bad: &str, error: &io::Error) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad:?}: {text}");
    let names_it =
        if bad.is_empty() { text.contains("is empty") } else { text.contains(&format!("{bad:?}")) };
    assert!(names_it, "{bad:?}: {text}");
    if bad.len() > 200 {
        let longest = if cfg!(any(target_os = "linux", target_os = "android")) { "107" } else { "" };
        assert!(text.contains("has 300 bytes") && text.contains(longest), "{text}");
    }
}

/// The error is of this kind and says the path; the system's own, with its number, is its source.
fn assert_names(path: &Path, kind: ErrorKind, error: &io::Error) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(&format!("{path:?}")), "{error}");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>()).unwrap();
    assert!(source.raw_os_error().is_some(), "{source:?}");
}

pub(super) async fn unix_bad_paths_are_invalid_input<R: Runtime>(rt: R) {
    let datagrams = rt.unix_datagram_unbound().unwrap();
    let long = "x".repeat(300);
    // On Linux it is an abstract name.
    let begins_with_a_nul = if HAS_ABSTRACT_NAMES { "nul\0" } else { "\0nul" };
    for bad in ["nul\0", begins_with_a_nul, long.as_str(), ""] {
        let sent = datagrams.send_to(b"x", bad).await.unwrap_err();
        let polled = poll_fn(|cx| datagrams.poll_send_to(cx, b"x", bad)).await.unwrap_err();
        let connected = [rt.unix_connect(bad).await.unwrap_err(), datagrams.connect(bad).unwrap_err()];
        for error in connected.into_iter().chain([sent, polled]) {
            assert_bad_path(bad, &error);
        }
        // An empty path means something to bind to, on Linux.
        if !bad.is_empty() {
            assert_bad_path(bad, &rt.unix_bind(bad).unwrap_err());
            assert_bad_path(bad, &rt.unix_datagram_bind(bad).unwrap_err());
        }
    }
}

const HAS_ABSTRACT_NAMES: bool = cfg!(any(target_os = "linux", target_os = "android"));

fn skip(scenario: &str) {
    let _ = writeln!(io::stderr(), "skipped {scenario}: this system has nothing like it");
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_name(addr: &std::os::unix::net::SocketAddr) -> Option<&[u8]> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt as _;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt as _;
    addr.as_abstract_name()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_name(_: &std::os::unix::net::SocketAddr) -> Option<&[u8]> {
    None
}

pub(super) async fn unix_abstract_names_have_no_file<R: Runtime>(rt: R) {
    if !HAS_ABSTRACT_NAMES {
        return skip("unix_abstract_names_have_no_file");
    }
    // That of a folder that nobody else has.
    let folder = Folder::new();
    let named = |kind: &str| format!("\0{}/{kind}", folder.path("abstract").display());
    // Another NUL is a byte as any other, and it may be as long as the system takes.
    let (streams, longest) = (named("s\0x"), format!("{:_<108}", named("l")));
    let name = streams.trim_start_matches('\0').as_bytes();
    let listener = rt.unix_bind(&streams).unwrap();
    assert_eq!(abstract_name(&listener.local_addr().unwrap()), Some(name));
    let (client, server) = join(rt.unix_connect(&streams), listener.accept()).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
    assert_eq!(abstract_name(&client.peer_addr().unwrap()), Some(name));
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 1);
    assert_eq!(rt.unix_bind(&streams).unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(listener);
    rt.unix_bind(&streams).expect("no file is left");
    rt.unix_bind(&longest).unwrap();
    assert_eq!(rt.unix_bind(longest + "_").unwrap_err().kind(), ErrorKind::InvalidInput);

    let (from, to) = (named("from"), named("to"));
    let (ours, peer) = (rt.unix_datagram_bind(&from).unwrap(), rt.unix_datagram_bind(&to).unwrap());
    let mut buf = [0; 8];
    ours.send_to(b"1", &to).await.unwrap();
    poll_fn(|cx| ours.poll_send_to(cx, b"2", &to)).await.unwrap();
    ours.try_send_to(b"3", &to).unwrap();
    ours.connect(&to).unwrap();
    ours.send(b"4").await.unwrap();
    for n in [b"1", b"2", b"3", b"4"] {
        let (len, sender) = peer.recv_from(&mut buf).await.unwrap();
        assert_eq!(abstract_name(&sender), Some(from.trim_start_matches('\0').as_bytes()));
        assert_eq!(&buf[..len], n);
    }
}

pub(super) async fn unix_peer_cred_tells_who_it_is<R: Runtime>(rt: R) {
    let (ours, _peer) = rt.unix_pair().unwrap();
    if !HAS_ABSTRACT_NAMES {
        assert_eq!(ours.peer_cred().unwrap_err().kind(), ErrorKind::Unsupported);
        return skip("unix_peer_cred_tells_who_it_is");
    }
    let cred = ours.peer_cred().unwrap();
    if ours.descriptor().is_none() {
        // Nobody is in a simulation but the root of each host.
        assert_eq!((cred.uid(), cred.gid(), cred.pid()), (0, 0, None));
        return;
    }
    // Both ends are of this process, which owns what it makes.
    let folder = Folder::new();
    let made = std::os::unix::fs::MetadataExt::uid(&fs::metadata(folder.path("")).unwrap());
    assert_eq!((cred.uid(), cred.pid()), (made, std::process::id().try_into().ok()));
    let listener = rt.unix_bind(folder.path("s")).unwrap();
    let (client, server) = join(rt.unix_connect(folder.path("s")), listener.accept()).await;
    assert_eq!(client.unwrap().peer_cred().unwrap(), cred);
    assert_eq!(server.unwrap().0.peer_cred().unwrap(), cred);
}

pub(super) async fn unix_datagram_recv_msg_tells_of_a_truncated_datagram<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let peer = rt.unix_datagram_bind(folder.path("peer")).unwrap();
    let ours = rt.unix_datagram_bind(folder.path("ours")).unwrap();
    for message in [&b"0123456789"[..], b"0123", b"", b"012"] {
        peer.send_to(message, folder.path("ours")).await.unwrap();
    }
    let mut buf = [0; 4];
    for (len, truncated) in [(4, true), (4, false), (0, false), (3, false)] {
        let message = ours.recv_msg(&mut buf).await.unwrap();
        assert_eq!((message.len, message.truncated), (len, truncated));
        assert_eq!(message.addr.as_pathname(), Some(&*folder.path("peer")));
        assert_eq!(&buf[..len], &b"0123"[..len]);
    }
}

pub(super) async fn unix_connect_errors_have_their_kinds<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (none, left) = (folder.path("none"), folder.path("left"));
    assert_names(&none, ErrorKind::NotFound, &rt.unix_connect(&none).await.unwrap_err());
    drop(StdListener::bind(&left).unwrap());
    assert_names(&left, ErrorKind::ConnectionRefused, &rt.unix_connect(&left).await.unwrap_err());
    let datagrams = rt.unix_datagram_unbound().unwrap();
    assert_names(&none, ErrorKind::NotFound, &datagrams.connect(&none).unwrap_err());
    let error = datagrams.send_to(b"x", folder.path("none")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(datagrams.send(b"to nobody").await.is_err());
}

pub(super) async fn unix_connect_to_a_full_queue_is_refused<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let path = folder.path("s");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    listener.listen(1).unwrap();
    let mut clients = Vec::new();
    // Systems take a few more than they are told.
    let error = loop {
        assert!(clients.len() < 64, "the queue does not end");
        match rt.timeout(LONG, rt.unix_connect(&path)).await.expect("it does not wait") {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
    assert!(error.to_string().contains(&format!("{path:?}")), "{error}");
    assert!(!clients.is_empty());
    // There is room again.
    listener.accept().unwrap();
    rt.unix_connect(&path).await.unwrap();
}

pub(super) async fn unix_connect_from_a_plain_thread<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (path, there) = (folder.path("s"), rt.clone());
    let listener = rt.unix_bind(&path).unwrap();
    let mut client = on_a_plain_thread(async move { there.unix_connect(path).await.unwrap() }).await;
    let mut server = listener.accept().await.unwrap().0;
    server.write_all(b"x").await.unwrap();
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn unix_bind_errors_have_their_kinds<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let path = folder.path("s");
    let listener = rt.unix_bind(&path).unwrap();
    assert_names(&path, ErrorKind::AddrInUse, &rt.unix_bind(&path).unwrap_err());
    assert_names(&path, ErrorKind::AddrInUse, &rt.unix_datagram_bind(&path).unwrap_err());
    drop(listener);
    // Its file is there.
    assert_names(&path, ErrorKind::AddrInUse, &rt.unix_bind(&path).unwrap_err());
    let nowhere = folder.path("no folder").join("s");
    assert_names(&nowhere, ErrorKind::NotFound, &rt.unix_bind(&nowhere).unwrap_err());
    assert_names(&nowhere, ErrorKind::NotFound, &rt.unix_datagram_bind(&nowhere).unwrap_err());
}

pub(super) async fn unix_bind_from_a_plain_thread<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (path, there) = (folder.path("s"), rt.clone());
    let listener = on_a_plain_thread(async move { there.unix_bind(path).unwrap() }).await;
    let accept = on_a_plain_thread(async move { listener.accept().await.unwrap().0 });
    let (client, mut server) = join(rt.unix_connect(folder.path("s")), accept).await;
    client.unwrap().write_all(b"x").await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn unix_file_stays<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (path, datagrams) = (folder.path("s"), folder.path("d"));
    drop(rt.unix_bind(&path).unwrap());
    drop(rt.unix_datagram_bind(&datagrams).unwrap());
    for path in [&path, &datagrams] {
        assert_eq!(rt.unix_bind(path).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(rt.unix_datagram_bind(path).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
    assert_eq!(rt.unix_connect(&path).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let sender = rt.unix_datagram_unbound().unwrap();
    let refused = sender.send_to(b"x", &datagrams).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

pub(super) async fn unix_removed_path_can_be_bound_again<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (path, datagrams) = (folder.path("s"), folder.path("d"));
    let first = rt.unix_bind(&path).unwrap();
    let client = rt.unix_connect(&path).await.unwrap();
    rt.unix_remove(&path).unwrap();
    let _second = rt.unix_bind(&path).unwrap();
    first.accept().await.expect("the first still has its connection");
    drop(client);
    drop(rt.unix_datagram_bind(&datagrams).unwrap());
    rt.unix_remove(&datagrams).unwrap();
    rt.unix_datagram_bind(&datagrams).unwrap();
    let absent = rt.unix_remove(folder.path("absent")).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    assert!(absent.to_string().contains("absent"), "{absent}");
    let file = folder.path("file");
    fs::write(&file, "no socket").unwrap();
    // A simulation has no files.
    let kind = rt.unix_remove(&file).unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::InvalidInput | ErrorKind::NotFound), "{kind:?}");
    assert!(file.exists());
}

pub(super) async fn unix_poll_accept_wakes_the_last_waker<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let listener = rt.unix_bind(folder.path("s")).unwrap();
    let ((first, _rings), (last, mut rings)) = (bell(), bell());
    assert!(listener.poll_accept(&mut Context::from_waker(&first)).is_pending());
    assert!(listener.poll_accept(&mut Context::from_waker(&last)).is_pending());
    rt.unix_connect(folder.path("s")).await.unwrap();
    rt.timeout(LONG, rings.next()).await.expect("it is woken").unwrap();
    poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
}

pub(super) async fn unix_from_blocking_std_sockets<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let path = folder.path("s");
    let (stream, mut peer) = StdStream::pair().unwrap();
    let (datagrams, sender) = StdDatagram::pair().unwrap();
    let mut stream = rt.unix_stream_from_std(stream).unwrap();
    let datagrams = rt.unix_datagram_from_std(datagrams).unwrap();
    let listener = rt.unix_listener_from_std(StdListener::bind(&path).unwrap()).unwrap();
    // A blocking operation would stay in its poll.
    let (release, released) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let in_time = released.recv_timeout(LONG / 10).is_ok();
        peer.write_all(b"x").unwrap();
        sender.send(b"x").unwrap();
        (in_time, StdStream::connect(path).unwrap())
    });
    assert!(poll_once(&mut stream.read(&mut [0; 8])).is_pending());
    assert!(datagrams.recv(&mut [0; 8]).now_or_never().is_none());
    assert!(listener.accept().now_or_never().is_none());
    release.send(()).unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 1);
    assert_eq!(datagrams.recv(&mut [0; 8]).await.unwrap(), 1);
    listener.accept().await.unwrap();
    assert!(watchdog.join().unwrap().0, "an operation blocked its thread");
}

pub(super) async fn unix_from_std_on_a_plain_thread<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let ((stream, mut peer), (datagrams, sender)) =
        (StdStream::pair().unwrap(), StdDatagram::pair().unwrap());
    let listener = StdListener::bind(folder.path("s")).unwrap();
    let there = rt.clone();
    let ours = on_a_plain_thread(async move {
        let stream = there.unix_stream_from_std(stream).unwrap();
        let datagrams = there.unix_datagram_from_std(datagrams).unwrap();
        (stream, datagrams, there.unix_listener_from_std(listener).unwrap())
    });
    let (mut stream, datagrams, listener) = ours.await;
    peer.write_all(b"x").unwrap();
    sender.send(b"xy").unwrap();
    let _client = StdStream::connect(folder.path("s")).unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 1);
    assert_eq!(datagrams.recv(&mut [0; 8]).await.unwrap(), 2);
    listener.accept().await.unwrap();
}

pub(super) async fn unix_into_std_blocks<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let path = folder.path("s");
    let (ours, mut peer) = with_std(&rt);
    let (datagrams, sender) = rt.unix_datagram_pair().unwrap();
    let mut stream = ours.into_std().unwrap();
    let (datagrams, sender) = (datagrams.into_std().unwrap(), sender.into_std().unwrap());
    let listener = rt.unix_bind(&path).unwrap().into_std().unwrap();
    let other = thread::spawn(move || {
        thread::sleep(ms(20));
        peer.write_all(b"x").unwrap();
        thread::sleep(ms(20));
        sender.send(b"x").unwrap();
        thread::sleep(ms(20));
        StdStream::connect(path).unwrap()
    });
    assert_eq!(stream.read(&mut [0; 8]).expect("a blocking read waits"), 1);
    assert_eq!(datagrams.recv(&mut [0; 8]).expect("a blocking receive waits"), 1);
    listener.accept().expect("a blocking accept waits");
    drop(other.join().unwrap());
    // And back again.
    rt.unix_stream_from_std(stream).unwrap();
    rt.unix_datagram_from_std(datagrams).unwrap();
    rt.unix_listener_from_std(listener).unwrap();
}

pub(super) async fn unix_sockets_lend_their_descriptors<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let listener = rt.unix_bind(folder.path("s")).unwrap();
    let (stream, _peer) = rt.unix_pair().unwrap();
    let datagrams = rt.unix_datagram_unbound().unwrap();
    for lent in [listener.descriptor(), stream.descriptor(), datagrams.descriptor()] {
        let Some(descriptor) = lent else {
            let _ = writeln!(io::stderr(), "skipped unix_sockets_lend_their_descriptors: it has none");
            return;
        };
        assert!(SockRef::from(&descriptor).local_addr().unwrap().is_unix());
    }
}

pub(super) async fn unix_without_a_handle<R: Runtime>(rt: R) {
    assert!(AnyRuntime::known(&rt).is_some());
    let task = rt.spawn_boxed(async {
        let folder = Folder::new();
        let listener = net::UnixListener::bind(folder.path("s")).unwrap();
        let (client, server) = join(net::UnixStream::connect(folder.path("s")), listener.accept()).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
        client.write_all(b"free").await.unwrap();
        client.close().await.unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "free");
        let (mut a, _b) = net::UnixStream::pair().unwrap();
        a.write_all(b"x").await.unwrap();
        drop(listener);
        net::remove_socket(folder.path("s")).unwrap();
        net::UnixListener::bind(folder.path("s")).unwrap();
        let bound = net::UnixDatagram::bind(folder.path("d")).unwrap();
        net::UnixDatagram::unbound().unwrap().send_to(b"x", folder.path("d")).await.unwrap();
        assert_eq!(bound.recv(&mut [0; 8]).await.unwrap(), 1);
        net::UnixDatagram::pair().unwrap();
        net::UnixStream::from_std(StdStream::pair().unwrap().0).unwrap();
        net::UnixListener::from_std(StdListener::bind(folder.path("l")).unwrap()).unwrap();
        net::UnixDatagram::from_std(StdDatagram::unbound().unwrap()).unwrap();
    });
    task.await.unwrap();
}

/// Two sockets at paths.
fn datagrams<R: Runtime>(rt: &R, folder: &Folder) -> (R::UnixDatagram, R::UnixDatagram) {
    let bind = |name| rt.unix_datagram_bind(folder.path(name)).unwrap();
    (bind("a"), bind("b"))
}

pub(super) async fn unix_datagram_round_trip<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (a, b) = datagrams(&rt, &folder);
    let mut buf = [0; 16];
    for message in [&b"hello"[..], b"", b"again"] {
        assert_eq!(a.send_to(message, folder.path("b")).await.unwrap(), message.len());
        let (len, from) = b.recv_from(&mut buf).await.unwrap();
        assert_eq!(&buf[..len], message);
        assert_eq!(from.as_pathname(), Some(&*folder.path("a")));
        b.send_to(b"answer", from.as_pathname().unwrap()).await.unwrap();
        assert_eq!(a.recv(&mut buf).await.unwrap(), 6);
    }
    let nobody = rt.unix_datagram_unbound().unwrap();
    nobody.send_to(b"x", folder.path("b")).await.unwrap();
    assert!(b.recv_from(&mut buf).await.unwrap().1.is_unnamed());
}

pub(super) async fn unix_datagram_connected_round_trip<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (a, b) = datagrams(&rt, &folder);
    a.connect(folder.path("b")).unwrap();
    assert_eq!(a.peer_addr().unwrap().as_pathname(), Some(&*folder.path("b")));
    a.send(b"ping").await.unwrap();
    assert_eq!(b.recv(&mut [0; 8]).await.unwrap(), 4);
    b.send_to(b"pong!", folder.path("a")).await.unwrap();
    assert_eq!(a.recv(&mut [0; 8]).await.unwrap(), 5);
}

pub(super) async fn unix_datagram_poll_forms_round_trip<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (a, b) = datagrams(&rt, &folder);
    let mut buf = [0; 16];
    assert_eq!(poll_fn(|cx| a.poll_send_to(cx, b"to and from", folder.path("b"))).await.unwrap(), 11);
    let (len, from) = poll_fn(|cx| b.poll_recv_from(cx, &mut buf)).await.unwrap();
    assert_eq!((&buf[..len], from.as_pathname()), (&b"to and from"[..], Some(&*folder.path("a"))));
    b.connect(folder.path("a")).unwrap();
    assert_eq!(poll_fn(|cx| b.poll_send(cx, b"back")).await.unwrap(), 4);
    assert_eq!(poll_fn(|cx| a.poll_recv(cx, &mut buf)).await.unwrap(), 4);
    assert_eq!(&buf[..4], b"back");
}

pub(super) async fn unix_datagram_truncates_and_loses_the_rest<R: Runtime>(rt: R) {
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    for message in [&b"0123456789"[..], b"abcdefghij", b"end"] {
        peer.send(message).await.unwrap();
    }
    let mut buf = [0; 4];
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 4);
    assert_eq!(&buf, b"0123");
    assert_eq!(ours.recv_from(&mut buf).await.unwrap().0, 4);
    assert_eq!(&buf, b"abcd");
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 3);
}

pub(super) async fn unix_datagram_receive_serves_every_waiter<R: Runtime>(rt: R) {
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let ours = Arc::new(ours);
    let (mut tasks, mut all_wait) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (waits, is_waiting) = oneshot::channel();
        let ours = ours.clone();
        tasks.push(rt.spawn_boxed(async move { waiting(ours.recv(&mut [0; 8]), waits).await }));
        all_wait.push(is_waiting);
    }
    for is_waiting in all_wait {
        is_waiting.await.unwrap();
    }
    for _ in 0..3 {
        peer.send(b"x").await.unwrap();
    }
    for task in tasks {
        assert_eq!(rt.timeout(LONG, task).await.expect("every waiter is served").unwrap().unwrap(), 1);
    }
}

pub(super) async fn unix_datagram_sender_waits_for_room<R: Runtime>(rt: R) {
    if cfg!(not(target_os = "linux")) {
        let _ = writeln!(io::stderr(), "skipped unix_datagram_sender_waits_for_room: ENOBUFS instead");
        return;
    }
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let mut queued = 0_usize;
    while let Ok(sent) = rt.timeout(ms(50), ours.send(b"x")).await {
        sent.unwrap();
        queued += 1;
        assert!(queued < 100_000, "the queue does not end");
    }
    let (waits, is_waiting) = oneshot::channel();
    let last = rt.spawn_boxed(async move { waiting(ours.send(b"last"), waits).await });
    is_waiting.await.unwrap();
    let mut buf = [0; 8];
    for _ in 0..queued {
        assert_eq!(peer.recv(&mut buf).await.unwrap(), 1);
    }
    assert_eq!(rt.timeout(LONG, last).await.expect("there is room").unwrap().unwrap(), 4);
    assert_eq!(peer.recv(&mut buf).await.unwrap(), 4);
}

pub(super) async fn unix_datagram_send_to_waits_for_room<R: Runtime>(rt: R) {
    if cfg!(not(target_os = "linux")) {
        let _ = writeln!(io::stderr(), "skipped unix_datagram_send_to_waits_for_room: ENOBUFS instead");
        return;
    }
    let folder = Folder::new();
    let (ours, full) = datagrams(&rt, &folder);
    // Others fill it: a queue may have room for more than one of them may have under way.
    let mut queued = 0_usize;
    loop {
        let other = StdDatagram::unbound().unwrap();
        other.set_nonblocking(true).unwrap();
        let before = queued;
        while other.send_to(b"x", folder.path("b")).is_ok() {
            queued += 1;
        }
        if queued == before {
            break;
        }
    }
    let path = folder.path("b");
    let (sending, polls) = counted(Box::pin(async move { ours.send_to(b"last", path).await }));
    let sending = rt.spawn_boxed(sending);
    rt.sleep(ms(30)).await;
    let before = polls.load(Ordering::SeqCst);
    rt.sleep(ms(100)).await;
    let after = polls.load(Ordering::SeqCst);
    assert!(after - before <= FEW, "polled {before} and then {after} times");
    assert!(!sending.is_finished());
    let mut buf = [0; 8];
    for _ in 0..queued {
        assert_eq!(full.recv(&mut buf).await.unwrap(), 1);
    }
    assert_eq!(rt.timeout(LONG, sending).await.expect("there is room").unwrap().unwrap(), 4);
    assert_eq!(full.recv(&mut buf).await.unwrap(), 4);
}

pub(super) async fn unix_datagram_poll_wakes_the_last_waker<R: Runtime>(rt: R) {
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let mut buf = [0; 8];
    for round in 0..2 {
        let ((first, _rings), (last, mut rings)) = (bell(), bell());
        for waker in [&first, &last] {
            let cx = &mut Context::from_waker(waker);
            match round {
                0 => assert!(ours.poll_recv_from(cx, &mut buf).is_pending()),
                _ => assert!(ours.poll_recv(cx, &mut buf).is_pending()),
            }
        }
        peer.send(b"x").await.unwrap();
        rt.timeout(LONG, rings.next()).await.expect("it is woken").unwrap();
        assert_eq!(poll_fn(|cx| ours.poll_recv(cx, &mut buf)).await.unwrap(), 1);
        assert!(poll_fn(|cx| Poll::Ready(ours.poll_recv(cx, &mut buf))).await.is_pending());
    }
}

pub(super) async fn unix_displaced_pollers_are_not_woken<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let listener = rt.unix_bind(folder.path("s")).unwrap();
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let ((displaced, mut first_rings), (last, mut last_rings)) = (bell(), bell());
    for waker in [&displaced, &last] {
        let cx = &mut Context::from_waker(waker);
        assert!(listener.poll_accept(cx).is_pending());
        assert!(ours.poll_recv(cx, &mut [0; 8]).is_pending());
    }
    let _client = rt.unix_connect(folder.path("s")).await.unwrap();
    rt.timeout(LONG, last_rings.next()).await.expect("the last one is woken").unwrap();
    peer.send(b"x").await.unwrap();
    rt.timeout(LONG, last_rings.next()).await.expect("the last one is woken").unwrap();
    assert!(first_rings.next().now_or_never().is_none(), "the one before is woken as well");
}

pub(super) async fn unix_first_poll_finds_what_is_there<R: Runtime>(rt: R) {
    let mut buf = [0; 8];
    for form in 0..3 {
        let (mut ours, mut peer) = with_std(&rt);
        peer.write_all(b"x").unwrap();
        let read = match form {
            0 => ours.read(&mut buf).now_or_never(),
            1 => ours.split_mut().0.read(&mut buf).now_or_never(),
            _ => ours.into_split().0.read(&mut buf).now_or_never(),
        };
        assert_eq!(read.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
    }
    let cx = &mut Context::from_waker(Waker::noop());
    for form in 0..4 {
        let (ours, peer) = StdDatagram::pair().unwrap();
        peer.send(b"x").unwrap();
        let ours = rt.unix_datagram_from_std(ours).unwrap();
        let received = match form {
            0 => ours.recv(&mut buf).now_or_never(),
            1 => ours.recv_from(&mut buf).now_or_never().map(|received| received.map(|(len, _)| len)),
            2 => ready(ours.poll_recv(cx, &mut buf)),
            _ => ready(ours.poll_recv_from(cx, &mut buf).map_ok(|(len, _)| len)),
        };
        assert_eq!(received.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
    }
}

pub(super) async fn unix_first_send_waits_for_nothing<R: Runtime>(rt: R) {
    for form in 0..4 {
        let (mut ours, mut peer) = rt.unix_pair().unwrap();
        let written = match form {
            0 => ours.write(b"x").now_or_never(),
            1 => ours.write_vectored(&[io::IoSlice::new(b"x")]).now_or_never(),
            2 => ours.split_mut().1.write(b"x").now_or_never(),
            _ => ours.into_split().1.write(b"x").now_or_never(),
        };
        assert_eq!(written.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
        assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 1);
    }
    let folder = Folder::new();
    let cx = &mut Context::from_waker(Waker::noop());
    let sink = rt.unix_datagram_bind(folder.path("sink")).unwrap();
    for form in 0..4 {
        let ours = rt.unix_datagram_unbound().unwrap();
        ours.connect(folder.path("sink")).unwrap();
        let sent = match form {
            0 => ours.send(b"x").now_or_never(),
            1 => ours.send_to(b"x", folder.path("sink")).now_or_never(),
            2 => ready(ours.poll_send(cx, b"x")),
            _ => ready(ours.poll_send_to(cx, b"x", folder.path("sink"))),
        };
        assert_eq!(sent.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
        assert_eq!(sink.recv(&mut [0; 8]).await.unwrap(), 1);
    }
}

pub(super) async fn unix_datagram_send_finds_some_room<R: Runtime>(rt: R) {
    if cfg!(not(target_os = "linux")) {
        let _ = writeln!(io::stderr(), "skipped unix_datagram_send_finds_some_room: ENOBUFS instead");
        return;
    }
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let cx = &mut Context::from_waker(Waker::noop());
    for form in 0..2 {
        let mut queued = 0_usize;
        while let Ok(sent) = rt.timeout(ms(50), ours.send(b"x")).await {
            sent.unwrap();
            queued += 1;
            assert!(queued < 100_000, "the queue does not end");
        }
        assert!(ours.poll_send(cx, b"x").is_pending());
        assert_eq!(peer.recv(&mut [0; 8]).await.unwrap(), 1);
        let sent = match form {
            0 => ours.send(b"x").now_or_never(),
            _ => ready(ours.poll_send(cx, b"x")),
        };
        assert_eq!(sent.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
    }
}

pub(super) async fn unix_datagram_busy_socket_starves_no_timer<R: Runtime>(rt: R) {
    let (ours, peer) = StdDatagram::pair().unwrap();
    let ours = rt.unix_datagram_from_std(ours).unwrap();
    for _ in 0..5 {
        peer.send(b"x").unwrap();
    }
    ours.recv(&mut [0]).await.unwrap();
    let busy = async {
        for _ in 0..BUSY {
            ours.recv(&mut [0]).await.unwrap();
            peer.send(b"x").unwrap();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the socket");
}

fn would_block<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Nothing is there to be received. It may be ready in vain, a few times.
async fn nothing_is_there(socket: &impl UnixDatagram) {
    for _ in 0..FEW {
        if poll_fn(|cx| Poll::Ready(socket.poll_recv_ready(cx))).await.is_pending() {
            return;
        }
        assert!(would_block(&socket.try_recv(&mut [0; 8])));
    }
    panic!("it is readable for ever, and nothing is there");
}

pub(super) async fn unix_datagram_readable_waits_for_a_datagram<R: Runtime>(rt: R) {
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let mut buf = [0; 8];
    for message in [b"1", b"2"] {
        nothing_is_there(&ours).await;
        let mut readable = pin!(ours.readable());
        assert!(readable.as_mut().now_or_never().is_none());
        assert_eq!(peer.send(message).await.unwrap(), 1);
        rt.timeout(LONG, readable).await.expect("it is readable").unwrap();
        rt.timeout(LONG, poll_fn(|cx| ours.poll_recv_ready(cx))).await.expect("it still is").unwrap();
        assert_eq!(ours.try_recv(&mut buf).unwrap(), 1);
        assert_eq!(&buf[..1], message);
    }
}

pub(super) async fn unix_datagram_writable_waits_for_room<R: Runtime>(rt: R) {
    let (ours, peer) = rt.unix_datagram_pair().unwrap();
    let mut sent = 0;
    while rt.timeout(ms(50), ours.writable()).await.is_ok() {
        while ours.try_send(b"x").is_ok() {
            sent += 1;
        }
    }
    assert!(poll_fn(|cx| Poll::Ready(ours.poll_send_ready(cx))).await.is_pending());
    let mut writable = pin!(ours.writable());
    assert!(writable.as_mut().now_or_never().is_none());
    for _ in 0..sent {
        assert_eq!(peer.recv(&mut [0; 8]).await.unwrap(), 1);
    }
    rt.timeout(LONG, writable).await.expect("there is room").unwrap();
    rt.timeout(LONG, poll_fn(|cx| ours.poll_send_ready(cx))).await.expect("there is room").unwrap();
    assert_eq!(ours.try_send(b"more").unwrap(), 4);
    assert_eq!(peer.recv(&mut [0; 8]).await.unwrap(), 4);
}

pub(super) async fn unix_datagram_tries_wait_for_nothing<R: Runtime>(rt: R) {
    let folder = Folder::new();
    let (ours, peer) = (folder.path("ours"), folder.path("peer"));
    let (ours, peers) = (rt.unix_datagram_bind(&ours).unwrap(), rt.unix_datagram_bind(&peer).unwrap());
    let mut buf = [0; 8];
    assert!(would_block(&peers.try_recv(&mut buf)) && would_block(&peers.try_recv_from(&mut buf)));
    // The first send of a new socket; its receiver has it at once.
    assert_eq!(ours.try_send_to(b"to", &peer).unwrap(), 2);
    rt.timeout(LONG, peers.readable()).await.expect("it is there").unwrap();
    let (len, from) = peers.try_recv_from(&mut buf).unwrap();
    assert_eq!((len, from.as_pathname()), (2, Some(&*folder.path("ours"))));
    ours.connect(&peer).unwrap();
    assert_eq!(ours.try_send(b"again").unwrap(), 5);
    assert_eq!(peers.recv(&mut buf).await.unwrap(), 5);
    assert_bad_path("", &ours.try_send_to(b"x", "").unwrap_err());
    assert_eq!(ours.try_io(Interest::Writable, || Ok(7)).unwrap(), 7);
}
