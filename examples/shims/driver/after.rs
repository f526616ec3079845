//! The functions that a driver needs of its runtime, on anyrt. A panic of a task is an error of its handle.

use std::io;

pub(crate) use anyrt::net::TcpStream as Socket;
pub(crate) use anyrt::time::{sleep, timeout};
pub(crate) use anyrt::{spawn, spawn_blocking};

pub(crate) async fn connect_tcp(host: &str, port: u16) -> io::Result<Socket> {
    let socket = Socket::connect((host, port)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}
