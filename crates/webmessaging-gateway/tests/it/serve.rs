//! The server: real connections, and an end that is waited for.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::setup::{SHOP, Setup, UPLOADS};

struct Served {
    setup: Setup,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

fn served(setup: Setup) -> Served {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let widget = setup.widget.clone();
    let server = tokio::spawn(async move {
        widget
            .serve(listener, async {
                let _ = stopped.await;
            })
            .await
    });
    Served { setup, address, stop, server }
}

fn head(length: usize) -> String {
    format!(
        "POST {UPLOADS} HTTP/1.1\r\nhost: gateway\r\norigin: {SHOP}\r\nx-file-name: hello.txt\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_stop_finishes_the_upload_that_is_under_way() {
    let Served { setup, address, stop, server } = served(Setup::new().await);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let half = format!("{}hello", head(11));
    stream.write_all(half.as_bytes()).await.unwrap();
    // The connection is under way when another one, made after it, has been answered.
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(other).await.starts_with("HTTP/1.1 200"));
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b" world").await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains(r#""scan":"clean""#), "{answer}");
    server.await.unwrap().unwrap();
    assert_eq!(setup.announced(), 1);
}

#[tokio::test]
async fn a_browser_that_goes_away_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let Served { setup, address, stop, server } =
        served(Setup::with(|widget| widget.spool(path).uploads_max(1)).await);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{}hello", head(1_000_000)).as_bytes()).await.unwrap();
    drop(stream);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(setup.emulator.requests().is_empty(), "nothing was announced");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let limit = Duration::from_millis(20);
    let Served { address, stop, server, .. } =
        served(Setup::with(|widget| widget.shutdown_time_max(limit)).await);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{}hello", head(1_000_000)).as_bytes()).await.unwrap();
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(other).await.starts_with("HTTP/1.1 200"));
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_page_that_sends_too_much_reads_why_it_is_refused() {
    let Served { setup, address, stop: _stop, .. } =
        served(Setup::with(|widget| widget.file_size_bytes_max(100)).await);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let content = vec![b'a'; 8_000_000];
    stream.write_all(head(content.len()).as_bytes()).await.unwrap();
    stream.write_all(&content).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    assert_eq!(setup.announced(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_waits_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let setup = Setup::with(|widget| widget.spool(path)).await;
    let (mut sender, body) = crate::limits::slow_body();
    let request = http::Request::post(UPLOADS)
        .header("origin", SHOP)
        .header("content-length", 11)
        .header("x-file-name", "hello.txt");
    let mut answer = Box::pin(setup.send(request.body(body).unwrap()));
    sender.write_all(b"hello").await.unwrap();
    for _ in 0..100 {
        assert!(futures_util::poll!(&mut answer).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    sender.write_all(b" world").await.unwrap();
    drop(sender);
    assert_eq!(answer.await.status.as_u16(), 201);
}
