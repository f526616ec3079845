/// Capabilities of a backend. Scenarios that need more are skipped, with the reason on stderr.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    workers: Result<(), &'static str>,
    threads: Result<(), &'static str>,
    pool: Result<(), &'static str>,
    real_sockets: Result<(), &'static str>,
    multicast: Result<(), &'static str>,
    readiness: Result<(), &'static str>,
    reunite: Result<(), &'static str>,
    peer_cred: Result<(), &'static str>,
    fds: Result<(), &'static str>,
    descriptors: Result<(), &'static str>,
    parallelism: Result<(), &'static str>,
    owned: Result<(), &'static str>,
    shutdown: Result<(), &'static str>,
    blocking_threads: Result<usize, &'static str>,
}

impl Capabilities {
    /// All capabilities, and an unknown number of blocking threads.
    pub const ALL: Self = Self {
        workers: Ok(()),
        threads: Ok(()),
        pool: Ok(()),
        real_sockets: Ok(()),
        multicast: Ok(()),
        readiness: Ok(()),
        reunite: Ok(()),
        peer_cred: Ok(()),
        fds: Ok(()),
        descriptors: Ok(()),
        parallelism: Ok(()),
        owned: Ok(()),
        shutdown: Ok(()),
        blocking_threads: Err("the size of its blocking pool was not told"),
    };

    /// Tasks make no progress while the thread in `block_on` is busy.
    pub const fn without_workers(self, reason: &'static str) -> Self {
        Self { workers: Err(reason), parallelism: Err(reason), ..self }
    }

    /// While one thread is in `block_on`, no other thread may wake a task or enter `block_on`, and there are no worker
    /// threads.
    pub const fn without_threads(self, reason: &'static str) -> Self {
        Self { threads: Err(reason), ..self.without_workers(reason) }
    }

    /// A blocking closure runs on the thread in `block_on`, so it must not wait for other tasks.
    pub const fn without_pool(self, reason: &'static str) -> Self {
        Self { pool: Err(reason), blocking_threads: Err(reason), ..self }
    }

    /// The sockets are not system sockets: they cannot be converted from or to system sockets, and cannot reach them.
    pub const fn without_real_sockets(self, reason: &'static str) -> Self {
        Self { real_sockets: Err(reason), ..self }
    }

    /// UDP sockets have no multicast.
    pub const fn without_multicast(self, reason: &'static str) -> Self {
        Self { multicast: Err(reason), ..self }
    }

    /// Streams and Unix datagrams have no `readable` and `writable`: the backend keeps the provided methods.
    pub const fn without_readiness(self, reason: &'static str) -> Self {
        Self { readiness: Err(reason), fds: Err(reason), ..self }
    }

    /// Halves of streams cannot be reunited.
    pub const fn without_reunite(self, reason: &'static str) -> Self {
        Self { reunite: Err(reason), ..self }
    }

    /// Unix streams do not report the credentials of the peer.
    pub const fn without_peer_cred(self, reason: &'static str) -> Self {
        Self { peer_cred: Err(reason), ..self }
    }

    /// Unix streams pass no file descriptors.
    pub const fn without_fds(self, reason: &'static str) -> Self {
        Self { fds: Err(reason), ..self }
    }

    /// The runtime cannot watch file descriptors other than its own sockets.
    pub const fn without_descriptors(self, reason: &'static str) -> Self {
        Self { descriptors: Err(reason), ..self }
    }

    /// Two tasks never run at the same time.
    pub const fn without_parallelism(self, reason: &'static str) -> Self {
        Self { parallelism: Err(reason), ..self }
    }

    /// Dropping the last clone does not drop the tasks, and the runtime cannot be stopped.
    pub const fn without_ownership(self, reason: &'static str) -> Self {
        Self { owned: Err(reason), shutdown: Err(reason), ..self }
    }

    /// The runtime does not implement [`stop`](crate::runtime::backend::BlockOnBackend::stop).
    pub const fn without_shutdown(self, reason: &'static str) -> Self {
        Self { shutdown: Err(reason), ..self }
    }

    /// Sets the exact number of blocking closures that run at once.
    pub const fn blocking_threads(self, count: usize) -> Self {
        Self { blocking_threads: Ok(count), ..self }
    }

    /// Why a scenario cannot run that needs this.
    pub(super) fn missing(&self, need: &str) -> Option<&'static str> {
        match need {
            "workers" => self.workers.err(),
            "threads" => self.threads.err(),
            "pool" => self.pool.err(),
            "real_sockets" => self.real_sockets.err(),
            "multicast" => self.multicast.err(),
            "readiness" => self.readiness.err(),
            "reunite" => self.reunite.err(),
            "peer_cred" => self.peer_cred.err(),
            "fds" => self.fds.err(),
            "descriptors" => self.descriptors.err(),
            "parallelism" => self.parallelism.err(),
            "owned" => self.owned.err(),
            "shutdown" => self.shutdown.err(),
            "blocking_threads" => self.blocking_threads.err(),
            unknown => panic!("the list of scenarios says {unknown}, which is no capability"),
        }
    }

    /// The line that declares that a capability is missing.
    pub(super) fn declaration(need: &str) -> &'static str {
        match need {
            "workers" => "`Capabilities::ALL.without_workers(\"why\")`",
            "threads" => "`Capabilities::ALL.without_threads(\"why\")`",
            "pool" => "`Capabilities::ALL.without_pool(\"why\")`",
            "real_sockets" => "`Capabilities::ALL.without_real_sockets(\"why\")`",
            "multicast" => "`Capabilities::ALL.without_multicast(\"why\")`",
            "readiness" => "`Capabilities::ALL.without_readiness(\"why\")`",
            "reunite" => "`Capabilities::ALL.without_reunite(\"why\")`",
            "peer_cred" => "`Capabilities::ALL.without_peer_cred(\"why\")`",
            "fds" => "`Capabilities::ALL.without_fds(\"why\")`",
            "descriptors" => "`Capabilities::ALL.without_descriptors(\"why\")`",
            "parallelism" => "`Capabilities::ALL.without_parallelism(\"why\")`",
            "owned" => "`Capabilities::ALL.without_ownership(\"why\")`",
            "shutdown" => "`Capabilities::ALL.without_shutdown(\"why\")`",
            "blocking_threads" => "`Capabilities::ALL`, without a number of blocking threads",
            unknown => panic!("the list of scenarios says {unknown}, which is no capability"),
        }
    }

    /// How many closures fill the blocking pool.
    pub(super) fn pool_size(&self) -> usize {
        self.blocking_threads.unwrap_or(1)
    }
}
