//! The far side on real sockets: a server that takes every login and every call, with or without TLS, and remembers
//! their heads.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The head of a request as it came, line by line.
pub(crate) type Head = Vec<String>;

/// A server on a free port of this machine; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct FarSide {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl FarSide {
    pub(crate) async fn plain() -> Self {
        Self::start(None).await
    }

    pub(crate) async fn tls(config: ServerConfig) -> Self {
        Self::start(Some(config)).await
    }

    /// One that answers whatever it hears first with these bytes, and hangs up.
    pub(crate) async fn stubborn(answer: &'static [u8]) -> Self {
        let (listener, side) = Self::listen().await;
        let this = side.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                this.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 1024]).await?;
                    stream.write_all(answer).await?;
                    hang_up(stream).await
                });
            }
        });
        side
    }

    async fn listen() -> (TcpListener, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, Self { port, connections: Arc::default(), heads: Arc::default() })
    }

    async fn start(config: Option<ServerConfig>) -> Self {
        let (listener, side) = Self::listen().await;
        let (acceptor, this) = (config.map(|config| TlsAcceptor::from(Arc::new(config))), side.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                this.connections.fetch_add(1, Ordering::Relaxed);
                let (acceptor, this) = (acceptor.clone(), this.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else { return this.serve(stream).await };
                    match acceptor.accept(stream).into_fallible().await {
                        Ok(stream) => this.serve(stream).await,
                        Err((_, stream)) => hang_up(stream).await,
                    }
                });
            }
        });
        side
    }

    /// How many connections were taken, whatever became of them.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn heads(&self) -> Vec<Head> {
        self.heads.lock().unwrap().clone()
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(head) = read_head(&mut stream).await? {
            let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await?;
            let is_login = head[0].contains("/oauth/token");
            self.heads.lock().unwrap().push(head);
            let answer =
                if is_login { r#"{"access_token":"t","expires_in":300}"# } else { r#"{"done":true}"# };
            let length = answer.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}");
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
        }
        Ok(())
    }
}

/// Ends a connection so that all that was said is heard: with unread bytes it would be reset, and an alert lost.
pub(crate) async fn hang_up(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ())
}

/// The next head, or `None` at the end.
pub(crate) async fn read_head(stream: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<Head>> {
    let mut head = Head::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => return Ok(Some(head)),
            line => head.push(line.to_owned()),
        }
    }
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a Head, name: &str) -> Option<&'a str> {
    let mut headers = head.iter().filter_map(|line| line.split_once(": "));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
