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

        impl $crate::Net for $runtime {
            type TcpStream = $crate::backend::async_io::net::TcpStream;
            type TcpListener = $crate::backend::async_io::net::TcpListener;
            type UdpSocket = $crate::backend::async_io::net::UdpSocket;

            async fn finish_connect(&self, stream: std::net::TcpStream) -> std::io::Result<Self::TcpStream> {
                Self::TcpStream::finish_connect(&$crate::backend::AsyncIo, stream).await
            }

            fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> std::io::Result<Self::TcpStream> {
                Self::TcpStream::from_std(&$crate::backend::AsyncIo, stream)
            }

            fn tcp_listener_from_std(
                &self,
                listener: std::net::TcpListener,
            ) -> std::io::Result<Self::TcpListener> {
                Self::TcpListener::from_std(&$crate::backend::AsyncIo, listener)
            }

            fn udp_socket_from_std(&self, socket: std::net::UdpSocket) -> std::io::Result<Self::UdpSocket> {
                Self::UdpSocket::from_std(&$crate::backend::AsyncIo, socket)
            }
        }

        #[cfg(unix)]
        const _: () = {
            use std::io;
            use std::os::fd::OwnedFd;
            use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

            use $crate::backend::AsyncIo;
            use $crate::backend::async_io::net;

            impl $crate::runtime::UnixNet for $runtime {
                type UnixStream = net::UnixStream;
                type UnixListener = net::UnixListener;
                type UnixDatagram = net::UnixDatagram;

                fn unix_stream_from_std(&self, stream: UnixStream) -> io::Result<net::UnixStream> {
                    net::UnixStream::from_std(&AsyncIo, stream)
                }

                fn unix_listener_from_std(&self, listener: UnixListener) -> io::Result<net::UnixListener> {
                    net::UnixListener::from_std(&AsyncIo, listener)
                }

                fn unix_datagram_from_std(&self, socket: UnixDatagram) -> io::Result<net::UnixDatagram> {
                    net::UnixDatagram::from_std(&AsyncIo, socket)
                }

                fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn $crate::runtime::WatchFd>> {
                    $crate::socket::watch_fd(&AsyncIo, fd)
                }
            }
        };
    };
}
pub(crate) use on_async_io;
