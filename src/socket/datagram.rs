/// What UDP and Unix sockets for datagrams have in common: sending to the peer, and receiving.
macro_rules! datagram {
    ($addr:ty) => {
        async fn send(&self, buf: &[u8]) -> io::Result<usize> {
            write_io(&self.socket, |socket| socket.send(buf)).await
        }

        fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            poll_io(cx, &self.socket, &self.waits, Way::Write, |socket| socket.send(buf))
        }

        async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
            read_io(&self.socket, |socket| socket.recv(buf)).await
        }

        fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
            poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.recv(buf))
        }

        async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, $addr)> {
            read_io(&self.socket, |socket| socket.recv_from(buf)).await
        }

        fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, $addr)>> {
            poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.recv_from(buf))
        }
    };
}
pub(super) use datagram;
