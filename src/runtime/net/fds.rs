use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use cfg_if::cfg_if;
use rustix::cmsg_space;
use rustix::io::retry_on_intr;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::options::no_such_option;

/// Bytes and file descriptors of one receive; returned by [`UnixStream::recv_with_fds`](super::UnixStream::recv_with_fds).
#[derive(Debug)]
#[non_exhaustive]
pub struct RecvFds {
    /// Number of bytes in the buffer. 0 is the end of the stream.
    pub len: usize,
    /// The descriptors that came with these bytes, in the order in which they were sent. They are close-on-exec.
    pub fds: Vec<OwnedFd>,
    /// Whether more descriptors came than there was room for, or than this process may open. They are closed.
    pub truncated: bool,
}

impl RecvFds {
    /// For a runtime with a network of its own.
    pub const fn new(len: usize, fds: Vec<OwnedFd>, truncated: bool) -> Self {
        Self { len, fds, truncated }
    }
}

/// As many as a message takes on Linux: `SCM_MAX_FD` of unix(7).
const MOST: usize = 253;

/// Whether a message can carry them.
pub(crate) fn check(buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let why = match fds.len() {
        1.. if buf.is_empty() => {
            "descriptors are sent with the first byte of a buffer, and this one is empty".to_owned()
        }
        0..=MOST => return Ok(()),
        many => format!("a message carries {MOST} descriptors, and not {many}"),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("anyrt: {why}")))
}

/// Sends bytes, and descriptors with the first of them.
pub(super) fn send(of: Option<BorrowedFd<'_>>, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    // As in `system`: elsewhere it is an option of the socket.
    #[cfg(not(target_vendor = "apple"))]
    const FLAGS: SendFlags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    const FLAGS: SendFlags = SendFlags::empty();

    let socket = of.ok_or_else(no_such_option)?;
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fits = control.push(SendAncillaryMessage::ScmRights(fds));
    assert!(fits, "there is space for as many as `check` lets through");
    Ok(retry_on_intr(|| sendmsg(socket, &[IoSlice::new(buf)], &mut control, FLAGS))?)
}

/// Receives bytes, and the descriptors that come with them.
pub(super) fn recv(of: Option<BorrowedFd<'_>>, buf: &mut [u8], room: usize) -> io::Result<RecvFds> {
    let socket = of.ok_or_else(no_such_option)?;
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = RecvAncillaryBuffer::new(&mut space[..space_for(room)]);
    let received = retry_on_intr(|| recvmsg(socket, &mut [IoSliceMut::new(buf)], &mut control, CLOEXEC))?;
    let mut all = RecvFds::new(received.bytes, Vec::new(), received.flags.contains(ReturnFlags::CTRUNC));
    for message in control.drain() {
        let RecvAncillaryMessage::ScmRights(fds) = message else { continue };
        for fd in fds {
            // What is dropped here is closed.
            if all.fds.len() < room && close_on_exec(&fd).is_ok() {
                all.fds.push(fd);
            } else {
                all.truncated = true;
            }
        }
    }
    Ok(all)
}

cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        const CLOEXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
        const SPACE: usize = cmsg_space!(ScmRights(MOST), ScmCredentials(1));

        fn close_on_exec(_: &OwnedFd) -> io::Result<()> {
            Ok(())
        }

        /// No more than is wanted, because what has no space there is closed and never opened; and for the credentials of the sender, which
        /// come first if the socket was told to have them (`SO_PASSCRED` of unix(7)).
        fn space_for(room: usize) -> usize {
            cmsg_space!(ScmRights(room.min(MOST)), ScmCredentials(1))
        }
    } else {
        const CLOEXEC: RecvFlags = RecvFlags::empty();
        const SPACE: usize = cmsg_space!(ScmRights(MOST));

        // Not every system has a flag for it.
        fn close_on_exec(fd: &OwnedFd) -> io::Result<()> {
            Ok(rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?)
        }

        /// All of it: macOS opens also what has no space there, and tells nobody its number (python/cpython#80931).
        fn space_for(_: usize) -> usize {
            SPACE
        }
    }
}
