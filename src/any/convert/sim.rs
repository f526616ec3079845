use super::{made, runtime};
use crate::AnyRuntime;
use crate::any::net;
use crate::any::time::Sleep;
use crate::backend::Sim;
use crate::backend::sim::Host;
use crate::runtime::{Net, Time};

runtime!(Sim, from_sim, into_sim);
#[cfg(feature = "futures-task")]
crate::any::futures_rt::futures_rt!(Host);
#[cfg(feature = "hyper")]
crate::any::hyper_rt::hyper_rt!(Host);

impl From<Host> for AnyRuntime {
    fn from(host: Host) -> Self {
        host.sim().into()
    }
}

/// The runtime comes back when it is another one.
impl TryFrom<AnyRuntime> for Host {
    type Error = AnyRuntime;

    fn try_from(runtime: AnyRuntime) -> Result<Self, AnyRuntime> {
        runtime.into_sim().map(|sim| sim.this_host())
    }
}

made! {
    <Sim as Time>::Sleep => Sleep, sim;
    <Sim as Net>::TcpStream => net::TcpStream, sim;
    <Sim as Net>::TcpListener => net::TcpListener, sim;
    <Sim as Net>::UdpSocket => net::UdpSocket, sim;
}

#[cfg(unix)]
mod unix {
    use super::{Sim, made};
    use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
    use crate::runtime::UnixNet;

    made! {
        <Sim as UnixNet>::UnixStream => UnixStream, sim;
        <Sim as UnixNet>::UnixListener => UnixListener, sim;
        <Sim as UnixNet>::UnixDatagram => UnixDatagram, sim;
    }
}
