use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Sim;
use crate::backend::sim::log::Kind;
use crate::backend::sim::network::{Network, Record};
use crate::backend::sim::world::{World, current};

/// The names of a simulation: names take time to resolve, fail, and change.
///
/// Returned by [`Sim::dns`]. It does not keep the simulation alive. Without it every name of a host is known
/// everywhere, at once. Upper and lower case are the same, and so is a name with a dot at its end.
///
/// # Examples
///
/// A database moves, and its clients have to find it again:
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::{BlockOn, Net, Sim};
///
/// let sim = Sim::new()?;
/// let db = sim.host("db", [10, 0, 0, 2])?;
/// let spare = sim.host("spare", [10, 0, 0, 3])?;
/// sim.dns().latency(Duration::from_millis(20));
/// let found = sim.block_on(sim.lookup_host("db:5432"))?;
/// assert_eq!(found[0].ip(), db.ip());
/// assert!(sim.elapsed() >= Duration::from_millis(20));
/// sim.dns().set("db", [spare.ip()]);
/// let found = sim.block_on(sim.lookup_host("DB.:5432"))?;
/// assert_eq!(found[0].ip(), spare.ip());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Dns {
    world: Arc<World>,
}

impl Sim {
    /// Returns a handle to the names of the simulation.
    pub fn dns(&self) -> Dns {
        Dns { world: self.world.clone() }
    }
}

impl Dns {
    /// Sets the addresses of a name, which need not be that of a host. Without addresses it is not found.
    pub fn set<I>(&self, name: &str, ips: I)
    where
        I: IntoIterator,
        I::Item: Into<IpAddr>,
    {
        let ips = ips.into_iter().map(Into::into).collect();
        self.record(name, Some(Record::Ips(ips)));
    }

    /// Removes a name: it is not found, even if a host has it.
    pub fn remove(&self, name: &str) {
        self.record(name, Some(Record::Absent));
    }

    /// Lets the resolver fail for a name ("temporary failure in name resolution"), until [`set`](Self::set) or
    /// [`reset`](Self::reset).
    pub fn fail(&self, name: &str) {
        self.record(name, Some(Record::Fails));
    }

    /// Undoes what was said of a name: it is that of a host again, if there is one.
    pub fn reset(&self, name: &str) {
        self.record(name, None);
    }

    /// Sets how long the server takes for an answer, and up to a tenth more, drawn from the seed. Default: no time.
    pub fn latency(&self, latency: Duration) {
        let nanos = latency.as_nanos().try_into().unwrap_or(u64::MAX / 4);
        self.change(format_args!("an answer takes {latency:?}"), |network| network.set_name_latency(nanos));
    }

    /// Puts the server on a host: what is asked and answered takes the paths between it and the host that asks, with
    /// their latency, losses and partitions. Default: names are known everywhere.
    ///
    /// A resolver that gets no answer asks once more after 5 s, and fails 5 s later (resolv.conf(5)). So it does while the host is down
    /// ([`crash`](super::Host::crash)); where only its process is gone ([`kill`](super::Host::kill)), the system of the host refuses both
    /// questions at once. `localhost` and addresses need no server.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no such host; the error lists the hosts.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Net, Sim};
    ///
    /// let sim = Sim::new()?;
    /// sim.host("db", [10, 0, 0, 2])?;
    /// sim.host("ns", [10, 0, 0, 53])?;
    /// sim.dns().served_by("ns")?;
    /// sim.link("main", "ns")?.partition();
    /// assert!(sim.block_on(sim.lookup_host("db:5432")).is_err());
    /// assert_eq!(sim.elapsed(), Duration::from_secs(10));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn served_by(&self, host: &str) -> io::Result<()> {
        self.world.with(|state| {
            let host = state.network.host_named(host)?;
            state.network.set_name_server(host);
            io::Result::Ok(())
        })?;
        self.change(format_args!("served by {host:?}"), |_| {});
        Ok(())
    }

    fn record(&self, name: &str, record: Option<Record>) {
        let is = match &record {
            Some(Record::Ips(ips)) if !ips.is_empty() => {
                let ips: Vec<_> = ips.iter().map(ToString::to_string).collect();
                format!("is {}", ips.join(", "))
            }
            Some(Record::Ips(_) | Record::Absent) => "is not found".to_owned(),
            Some(Record::Fails) => "cannot be resolved".to_owned(),
            None => "is what it was at first".to_owned(),
        };
        self.change(format_args!("{name:?} {is}"), |network| network.set_name(name, record));
    }

    /// Does so, and logs it: what a name is, is no part of what happens until somebody asks.
    fn change(&self, what: fmt::Arguments<'_>, change: impl FnOnce(&mut Network)) {
        let host = current().map_or(0, |(_, host)| host);
        self.world.with(|state| {
            change(&mut state.network);
            let (nanos, task) = (state.clock.nanos, state.clock.whose_turn().unwrap_or(0));
            if let Some(log) = state.clock.trace.log() {
                log.add(nanos, Kind::NamesChanged, task, 0);
                log.says(host, what.to_string());
            }
        });
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns").field("seed", &self.world.seed).finish_non_exhaustive()
    }
}
