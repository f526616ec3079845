/// Credentials of the peer of a Unix stream: the user, the group and the process that connected or listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    uid: u32,
    gid: u32,
    pid: Option<i32>,
}

impl UCred {
    /// Creates credentials; for authors of backends.
    pub const fn new(uid: u32, gid: u32, pid: Option<i32>) -> Self {
        Self { uid, gid, pid }
    }

    /// Returns the id of the user.
    pub const fn uid(&self) -> u32 {
        self.uid
    }

    /// Returns the id of the group.
    pub const fn gid(&self) -> u32 {
        self.gid
    }

    /// Returns the id of the process, if known.
    pub const fn pid(&self) -> Option<i32> {
        self.pid
    }
}
