use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::addrs::sealed::Addrs;
use super::bind::no_address;
use super::lookup::resolve_all;
use super::{ConnectOptions, named};
use crate::runtime::time::deadline_after;
use crate::runtime::{Net, Sleep as _};

/// [`Net::tcp_connect`] and [`Net::tcp_connect_with`].
pub(crate) async fn connect<N: Net>(
    net: &N,
    addrs: Addrs,
    options: &ConnectOptions,
) -> io::Result<N::TcpStream> {
    options.check()?;
    let mut addrs = match addrs {
        Addrs::One(addr) if options.local_addr.is_none() => return connect_one(net, addr, options).await,
        addrs => resolve_all(net, addrs, options.resolver.as_ref()).await?,
    };
    let mut last = None;
    if let Some(local) = options.local_addr {
        if let Some(other) = addrs.iter().find(|addr| addr.is_ipv4() != local.is_ipv4()) {
            let text = format!("cannot connect from {local} to {other}: one is IPv4 and the other IPv6");
            last = Some(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        addrs.retain(|addr| addr.is_ipv4() == local.is_ipv4());
    }
    if let Some(delay) = options.attempt_delay {
        // Boxed, so that the others are not as large as this.
        return Box::pin(race(net, by_turns(addrs), options, delay, last)).await;
    }
    for addr in addrs {
        match connect_one(net, addr, options).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(none_to_connect_to))
}

fn none_to_connect_to() -> io::Error {
    no_address("connect to")
}

async fn connect_one<N: Net>(
    net: &N,
    addr: SocketAddr,
    options: &ConnectOptions,
) -> io::Result<N::TcpStream> {
    let connected = match options.timeout {
        None => net.connect_addr(addr, options).await,
        Some(timeout) => match net.timeout(timeout, net.connect_addr(addr, options)).await {
            Ok(connected) => connected,
            Err(_) => {
                let text = format!("it did not answer within {timeout:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
        },
    };
    connected.map_err(|error| named(error, format!("cannot connect to {addr}")))
}

/// Connects to all of them, one `delay` after the other, until the first answers.
async fn race<N: Net>(
    net: &N,
    mut addrs: VecDeque<SocketAddr>,
    options: &ConnectOptions,
    delay: Duration,
    mut last: Option<io::Error>,
) -> io::Result<N::TcpStream> {
    type Attempt<'a, S> = Pin<Box<dyn Future<Output = io::Result<S>> + Send + 'a>>;

    let mut attempts = Vec::<Attempt<'_, N::TcpStream>>::new();
    let mut next = pin!(net.sleep(delay));
    let mut start = true;
    let won = poll_fn(|cx| {
        loop {
            if start {
                if let Some(addr) = addrs.pop_front() {
                    attempts.push(Box::pin(connect_one(net, addr, options)));
                    next.as_mut().reset(deadline_after(net.now(), delay));
                } else if attempts.is_empty() {
                    return Poll::Ready(None);
                }
            }
            let (mut won, mut failed) = (None, false);
            attempts.retain_mut(|attempt| match attempt.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(result) => {
                    match result {
                        Ok(stream) => won = Some(stream),
                        Err(error) => (last, failed) = (Some(error), true),
                    }
                    false
                }
            });
            if won.is_some() {
                return Poll::Ready(won);
            }
            // One that fails makes room for the next at once.
            start = failed || !addrs.is_empty() && next.as_mut().poll(cx).is_ready();
            if !start {
                return Poll::Pending;
            }
        }
    })
    .await;
    won.ok_or_else(|| last.unwrap_or_else(none_to_connect_to))
}

/// IPv6 and IPv4 by turns, beginning with the first address (RFC 8305, 4).
fn by_turns(addrs: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let (mut first, mut other): (VecDeque<_>, VecDeque<_>) =
        addrs.iter().partition(|addr| addr.is_ipv4() == addrs[0].is_ipv4());
    let mut turns = VecDeque::with_capacity(addrs.len());
    while let Some(addr) = first.pop_front() {
        turns.push_back(addr);
        if !other.is_empty() {
            std::mem::swap(&mut first, &mut other);
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_come_by_turns_and_keep_their_order() {
        let [a4, b4, c4] = [1, 2, 3].map(|n| SocketAddr::from(([192, 0, 2, n], 80)));
        let [a6, b6] = [1, 2].map(|n| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, n], 80)));
        assert_eq!(by_turns(vec![a6, b6, a4, b4, c4]), [a6, a4, b6, b4, c4]);
        assert_eq!(by_turns(vec![a4, b4, a6]), [a4, a6, b4]);
        assert_eq!(by_turns(vec![a4, b4]), [a4, b4]);
        assert!(by_turns(Vec::new()).is_empty());
    }
}
