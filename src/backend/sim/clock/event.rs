use std::fmt;
use std::net::SocketAddr;
use std::task::Waker;

use crate::backend::sim::slots::Id;

/// An event that is still to come.
#[derive(Debug)]
pub(crate) enum Event {
    Timer(Waker),
    /// Of a host, when its clock shows that.
    HostTimer(Waker, u32, u64),
    /// A task of a slow host, which was ready before, gets its turn.
    Late(u64),
    Net(NetEvent),
    Fault {
        index: usize,
        begins: bool,
    },
}

impl Event {
    pub(super) fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Timer(waker) | Self::HostTimer(waker, ..) => Some(waker),
            Self::Late(_) | Self::Net(_) | Self::Fault { .. } => None,
        }
    }
}

impl From<NetEvent> for Event {
    fn from(event: NetEvent) -> Self {
        Self::Net(event)
    }
}

/// What happens in the network.
pub(crate) enum NetEvent {
    /// A connection is asked for.
    Ask {
        conn: Id,
        tries: u32,
    },
    /// Nobody listens there.
    Refused {
        conn: Id,
        tries: u32,
        message: u64,
    },
    /// The timeout of a request has elapsed.
    GiveUp {
        conn: Id,
    },
    /// The first packet on the way to one end of a connection is due.
    Arrive {
        conn: Id,
        to: usize,
    },
    /// A keepalive probe is due at one end of a connection.
    Probe {
        conn: Id,
        side: usize,
    },
    // Apart, for it is large, and there are few of it.
    Datagram(Box<Datagram>),
    DatagramRefused(Box<Refusal>),
    /// The send buffer of a UDP socket has room again.
    SendBufferHasRoom {
        socket: u64,
    },
}

impl fmt::Debug for NetEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetEvent").finish_non_exhaustive()
    }
}

/// A datagram on its way.
#[derive(Clone)]
pub(crate) struct Datagram {
    pub(crate) socket: u64,
    pub(crate) from_host: usize,
    pub(crate) from: SocketAddr,
    pub(crate) host: usize,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    // For the log.
    pub(crate) message: u64,
}

/// Notice that a datagram's port was closed, on its way to the sender.
pub(crate) struct Refusal {
    pub(crate) socket: u64,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) message: u64,
}
