/// What UDP and Unix sockets for datagrams have in common: sending to the peer, and receiving.
macro_rules! datagram {
    ($addr:ty) => {
        async fn send(&self, buf: &[u8]) -> io::Result<usize> {
            let untold = || SockRef::from(&self.socket).send(buf);
            or_untold(self.socket.send(buf), || self.is_untold(), untold).await
        }

        fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            match self.socket.poll_send(cx, buf) {
                Poll::Pending => poll_untold(cx, || SockRef::from(&self.socket).send(buf)),
                ready => ready,
            }
        }

        receives!(recv, poll_recv);
        receives!(recv_from, poll_recv_from from $addr);
    };
}
pub(super) use datagram;

/// A method that receives, and its poll function, which tells how much by the buffer.
macro_rules! receives {
    ($name:ident, $poll:ident) => {
        receives!($name, $poll -> usize: len => len, (len, ()) => len);
    };
    ($name:ident, $poll:ident from $addr:ty) => {
        receives!(
            $name, $poll -> (usize, $addr):
            (len, peer) => (len, peer.into()), (len, peer) => (len, peer.into())
        );
    };
    ($name:ident, $poll:ident -> $output:ty: $got:pat => $is:expr, $polled:pat => $polled_is:expr) => {
        async fn $name(&self, buf: &mut [u8]) -> io::Result<$output> {
            match untold(self.is_untold(), || self.std()?.$name(buf)).await {
                Some(result) => result,
                None => self.socket.$name(buf).await.map(|$got| $is),
            }
        }

        fn $poll(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<$output>> {
            let mut read = ReadBuf::new(buf);
            let polled = match self.socket.$poll(cx, &mut read) {
                Poll::Pending if self.is_untold() => return poll_untold(cx, || self.std()?.$name(buf)),
                // Told just then, between the poll and the question.
                Poll::Pending => self.socket.$poll(cx, &mut read),
                ready => ready,
            };
            polled.map_ok(|peer| match (read.filled().len(), peer) {
                $polled => $polled_is,
            })
        }
    };
}
pub(super) use receives;
