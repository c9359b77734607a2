//! A forward proxy on a real socket: tunnels and absolute requests, for those who say who they are.

use std::io;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::far_side::{FarSide, Head, header, read_head};

/// A proxy on a free port of this machine that finds the far side behind every name.
#[derive(Clone)]
pub(crate) struct ForwardProxy {
    pub(crate) port: u16,
    far_side: u16,
    authorization: Option<&'static str>,
    asked: Arc<Mutex<Vec<Head>>>,
}

impl ForwardProxy {
    /// `authorization` is what it wants to hear, `tls` how it is spoken with if not plainly.
    pub(crate) async fn start(
        side: &FarSide,
        authorization: Option<&'static str>,
        tls: Option<ServerConfig>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, far_side: side.port, authorization, asked: Arc::default() };
        let (acceptor, this) = (tls.map(|config| TlsAcceptor::from(Arc::new(config))), proxy.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, this) = (acceptor.clone(), this.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => this.serve(stream).await,
                        Some(acceptor) => this.serve(acceptor.accept(stream).await?).await,
                    }
                });
            }
        });
        proxy
    }

    /// The heads of what it was asked for.
    pub(crate) fn asked(&self) -> Vec<Head> {
        self.asked.lock().unwrap().clone()
    }

    /// The first lines of what it was asked for.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|head| head[0].clone()).collect()
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let Some(head) = read_head(&mut stream).await? else { return Ok(()) };
        self.asked.lock().unwrap().push(head.clone());
        if self.authorization.is_some_and(|wanted| header(&head, "proxy-authorization") != Some(wanted)) {
            let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\
                           content-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(refusal.as_bytes()).await?;
            stream.shutdown().await?;
            return tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ());
        }
        let mut far = TcpStream::connect(("127.0.0.1", self.far_side)).await?;
        if head[0].starts_with("CONNECT ") {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            stream.flush().await?;
        } else {
            far.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes()).await?;
        }
        copy_bidirectional(&mut stream, &mut far).await.map(|_| ())
    }
}
