//! Errors of the system, with the numbers that Linux would give them here.

use std::io;
#[cfg(any(not(unix), all(test, target_os = "linux")))]
use std::io::ErrorKind;

macro_rules! errnos {
    ($($(#[$attribute:meta])* $name:ident: $number:ident, $kind:ident;)*) => {
        /// An error of the system.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Errno {
            $($(#[$attribute])* $name,)*
        }

        impl From<Errno> for io::Error {
            #[cold]
            fn from(errno: Errno) -> Self {
                #[cfg(unix)]
                match errno {
                    $($(#[$attribute])* Errno::$name => Self::from_raw_os_error(libc::$number),)*
                }
                // Windows has no number for some of them, and for others a number that nobody compares with.
                #[cfg(not(unix))]
                match errno {
                    $($(#[$attribute])* Errno::$name => ErrorKind::$kind.into(),)*
                }
            }
        }

        #[cfg(all(test, target_os = "linux"))]
        const ALL: &[(Errno, ErrorKind)] = &[$((Errno::$name, ErrorKind::$kind),)*];
    };
}

errnos! {
    AccessDenied: EACCES, PermissionDenied;
    AddrInUse: EADDRINUSE, AddrInUse;
    AddrNotAvailable: EADDRNOTAVAIL, AddrNotAvailable;
    BrokenPipe: EPIPE, BrokenPipe;
    ConnectionRefused: ECONNREFUSED, ConnectionRefused;
    ConnectionReset: ECONNRESET, ConnectionReset;
    HostUnreachable: EHOSTUNREACH, HostUnreachable;
    InvalidArgument: EINVAL, InvalidInput;
    NetworkUnreachable: ENETUNREACH, NetworkUnreachable;
    NoAddress: EDESTADDRREQ, Other;
    NoDevice: ENODEV, Other;
    NotConnected: ENOTCONN, NotConnected;
    NotSupported: EOPNOTSUPP, Unsupported;
    #[cfg(unix)]
    NotFound: ENOENT, NotFound;
    #[cfg(unix)]
    NotPermitted: EPERM, PermissionDenied;
    OtherFamily: EAFNOSUPPORT, Other;
    #[cfg(unix)]
    OtherType: EPROTOTYPE, Other;
    TimedOut: ETIMEDOUT, TimedOut;
    TooLong: EMSGSIZE, Other;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_number_and_the_kind_of_linux() {
        for (errno, kind) in ALL {
            let error = io::Error::from(*errno);
            assert!(error.raw_os_error().is_some());
            // The standard library has no stable kind for some.
            assert!(error.kind() == *kind || *kind == ErrorKind::Other, "{errno:?}: {:?}", error.kind());
        }
    }
}
