use cfg_if::cfg_if;

cfg_if! {
    if #[cfg(unix)] {
        use std::os::fd::BorrowedFd;
        pub(crate) use std::os::fd::AsFd as AsDescriptor;

        /// The operating system's handle of a socket, borrowed: a file descriptor on Unix, a `SOCKET` on Windows.
        pub type Descriptor<'a> = BorrowedFd<'a>;

        pub(crate) fn descriptor<S: AsDescriptor>(socket: &S) -> Descriptor<'_> {
            socket.as_fd()
        }
    } else if #[cfg(windows)] {
        use std::os::windows::io::BorrowedSocket;
        pub(crate) use std::os::windows::io::AsSocket as AsDescriptor;

        /// The operating system's handle of a socket, borrowed: a file descriptor on Unix, a `SOCKET` on Windows.
        pub type Descriptor<'a> = BorrowedSocket<'a>;

        pub(crate) fn descriptor<S: AsDescriptor>(socket: &S) -> Descriptor<'_> {
            socket.as_socket()
        }
    } else {
        /// The operating system's handle of a socket; on this system there are no sockets.
        pub type Descriptor<'a> = std::convert::Infallible;
    }
}

/// `AsFd`, or `AsSocket`, of a type: by what the expression borrows from it.
macro_rules! lends {
    ([$($generics:tt)*] $type:ty, $it:ident => $descriptor:expr) => {
        #[cfg(unix)]
        impl<$($generics)*> std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                let $it = self;
                $descriptor
            }
        }

        #[cfg(windows)]
        impl<$($generics)*> std::os::windows::io::AsSocket for $type {
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                let $it = self;
                $descriptor
            }
        }
    };
}
pub(crate) use lends;
