/// [`Time`](crate::Time), [`Net`](crate::Net) and [`UnixNet`](crate::runtime::UnixNet) of a runtime that leaves them to async-io.
macro_rules! on_async_io {
    ($runtime:ty) => {
        impl $crate::Time for $runtime {
            type Sleep = $crate::backend::async_io::time::Sleep;

            fn now(&self) -> std::time::Instant {
                std::time::Instant::now()
            }

            fn sleep_until(&self, deadline: std::time::Instant) -> Self::Sleep {
                Self::Sleep::new(deadline)
            }
        }

        const _: () = {
            use std::io;
            use std::net::{TcpListener, TcpStream, UdpSocket};

            use $crate::backend::AsyncIo;
            use $crate::backend::async_io::net;

            impl $crate::runtime::backend::NetBackend for $runtime {
                async fn finish_connect(&self, stream: TcpStream) -> io::Result<net::TcpStream> {
                    net::TcpStream::finish_connect(&AsyncIo, stream).await
                }

                fn adopt_tcp_stream(&self, stream: TcpStream) -> io::Result<net::TcpStream> {
                    net::TcpStream::from_std(&AsyncIo, stream)
                }

                fn adopt_tcp_listener(&self, listener: TcpListener) -> io::Result<net::TcpListener> {
                    net::TcpListener::from_std(&AsyncIo, listener)
                }

                fn adopt_udp_socket(&self, socket: UdpSocket) -> io::Result<net::UdpSocket> {
                    net::UdpSocket::from_std(&AsyncIo, socket)
                }
            }

            impl $crate::Net for $runtime {
                type TcpStream = net::TcpStream;
                type TcpListener = net::TcpListener;
                type UdpSocket = net::UdpSocket;
            }
        };

        #[cfg(unix)]
        const _: () = {
            use std::io;
            use std::os::fd::OwnedFd;
            use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

            use $crate::backend::AsyncIo;
            use $crate::backend::async_io::net;
            use $crate::runtime::backend::{UnixNetBackend, WatchFd};

            impl UnixNetBackend for $runtime {
                fn adopt_unix_stream(&self, stream: UnixStream) -> io::Result<net::UnixStream> {
                    net::UnixStream::from_std(&AsyncIo, stream)
                }

                fn adopt_unix_listener(&self, listener: UnixListener) -> io::Result<net::UnixListener> {
                    net::UnixListener::from_std(&AsyncIo, listener)
                }

                fn adopt_unix_datagram(&self, socket: UnixDatagram) -> io::Result<net::UnixDatagram> {
                    net::UnixDatagram::from_std(&AsyncIo, socket)
                }

                fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
                    $crate::socket::watch_fd(&AsyncIo, fd)
                }
            }

            impl $crate::runtime::UnixNet for $runtime {
                type UnixStream = net::UnixStream;
                type UnixListener = net::UnixListener;
                type UnixDatagram = net::UnixDatagram;
            }
        };
    };
}
pub(crate) use on_async_io;
