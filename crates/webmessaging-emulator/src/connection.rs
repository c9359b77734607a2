//! One client connection that a fault can cut, either at once or behind the last byte written.

use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// The handle on a connection that travels with each of its requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    cut: CancellationToken,
    is_reset: Arc<AtomicBool>,
    ends_when_flushed: Arc<AtomicBool>,
    surplus: Arc<Mutex<Bytes>>,
    peer: Option<IpAddr>,
}

impl Connection {
    pub(crate) fn of(peer: SocketAddr) -> Self {
        // An IPv6 socket shows IPv4 peers in a form of its own.
        Self { peer: Some(peer.ip().to_canonical()), ..Self::default() }
    }

    /// Whether the other end is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.peer.is_some_and(|peer| peer.is_loopback())
    }

    /// Cuts the connection at once, with a TCP reset. Never returns: the caller goes down with the connection.
    pub(crate) async fn reset<T>(&self) -> T {
        self.is_reset.store(true, Ordering::SeqCst);
        self.cut.cancel();
        pending().await
    }

    /// Closes the connection as soon as what was produced so far has been written.
    pub(crate) fn end_when_flushed(&self) {
        self.ends_when_flushed.store(true, Ordering::SeqCst);
    }

    /// Sends bytes that belong to no answer, behind what was produced so far.
    pub(crate) fn send_surplus(&self, bytes: Bytes) {
        *self.surplus.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    /// Resolves when the connection has to be dropped.
    pub(crate) async fn is_cut(&self) {
        self.cut.cancelled().await;
    }
}

/// The connection's socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    connection: Connection,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, connection: Connection) -> Self {
        Self { stream, connection }
    }

    /// Flushes the stream, with the surplus if there is some.
    fn poll_surplus(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut surplus = self.connection.surplus.lock().unwrap_or_else(PoisonError::into_inner);
        while !surplus.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &surplus))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            surplus.advance(written);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.is_reset.load(Ordering::SeqCst) {
            // Without it the connection still closes, only more politely than asked for.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.poll_surplus(context);
        // hyper flushes the socket only when its own buffer is empty, so nothing produced is lost here.
        if flushed.is_ready() && self.connection.ends_when_flushed.load(Ordering::SeqCst) {
            self.connection.cut.cancel();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
