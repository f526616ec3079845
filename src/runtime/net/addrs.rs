use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use sealed::Addrs;

/// Types that convert to socket addresses: an address, a slice of addresses, `"host:port"` or `("host", port)`.
///
/// Differs from [`std::net::ToSocketAddrs`] in two points: names are resolved off the worker threads, and an IPv6
/// address may be in brackets, as in a URL: `("[::1]", port)`. The trait is sealed; pass a slice of addresses from a
/// type of your own.
pub trait ToSocketAddrs: sealed::ToAddrs {}

impl<A: sealed::ToAddrs + ?Sized> ToSocketAddrs for A {}

pub(crate) mod sealed {
    use std::net::SocketAddr;

    pub trait ToAddrs {
        fn to_addrs(&self) -> Addrs;
    }

    /// Addresses, or a name that still has to be resolved.
    #[derive(Debug)]
    pub enum Addrs {
        One(SocketAddr),
        Many(Vec<SocketAddr>),
        /// `host:port`, still in one piece.
        Text(String),
        Host(String, u16),
    }
}

impl sealed::ToAddrs for SocketAddr {
    // Inlined, so that the kind of the address is known at compile time and no check remains.
    #[inline]
    fn to_addrs(&self) -> Addrs {
        Addrs::One(*self)
    }
}

impl sealed::ToAddrs for [SocketAddr] {
    fn to_addrs(&self) -> Addrs {
        Addrs::Many(self.to_vec())
    }
}

impl sealed::ToAddrs for str {
    fn to_addrs(&self) -> Addrs {
        match self.parse() {
            Ok(addr) => Addrs::One(addr),
            Err(_) => Addrs::Text(self.to_owned()),
        }
    }
}

impl sealed::ToAddrs for (&str, u16) {
    fn to_addrs(&self) -> Addrs {
        let host = without_brackets(self.0);
        match host.parse::<IpAddr>() {
            Ok(ip) => Addrs::One((ip, self.1).into()),
            Err(_) => Addrs::Host(host.to_owned(), self.1),
        }
    }
}

/// The host of a URL, where an IPv6 address is in brackets (RFC 3986, 3.2.2), as a resolver wants it.
pub(super) fn without_brackets(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) if address.contains(':') => address,
        _ => host,
    }
}

impl<A: sealed::ToAddrs + ?Sized> sealed::ToAddrs for &A {
    #[inline]
    fn to_addrs(&self) -> Addrs {
        (**self).to_addrs()
    }
}

/// `to_addrs` of what converts into something above.
macro_rules! to_addrs_through {
    ($($type:ty => |$this:ident| $through:expr;)*) => {
        $(impl sealed::ToAddrs for $type {
            #[inline]
            fn to_addrs(&self) -> Addrs {
                let $this = self;
                sealed::ToAddrs::to_addrs(&$through)
            }
        })*
    };
}

to_addrs_through! {
    SocketAddrV4 => |this| SocketAddr::V4(*this);
    SocketAddrV6 => |this| SocketAddr::V6(*this);
    (IpAddr, u16) => |this| SocketAddr::from(*this);
    (Ipv4Addr, u16) => |this| SocketAddr::from(*this);
    (Ipv6Addr, u16) => |this| SocketAddr::from(*this);
    Vec<SocketAddr> => |this| this[..];
    String => |this| this[..];
    (String, u16) => |this| (this.0.as_str(), this.1);
}

impl<const N: usize> sealed::ToAddrs for [SocketAddr; N] {
    fn to_addrs(&self) -> Addrs {
        self[..].to_addrs()
    }
}
