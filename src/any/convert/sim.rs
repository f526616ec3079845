use super::{made, runtime};
use crate::any::net;
use crate::any::time::Sleep;
use crate::backend::Sim;
use crate::runtime::{Net, Time};

runtime!(Sim, from_sim, into_sim);

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
