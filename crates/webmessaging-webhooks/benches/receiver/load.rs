//! Who sends: signed deliveries over loopback, from a thread of its own.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webmessaging_journal::clock::{Clock, SystemClock};
use webmessaging_webhooks::Signer;

use crate::secret;

/// Deliveries of about 600 bytes, each of its own, ready to be sent.
pub(crate) fn requests(count: usize) -> Vec<Vec<u8>> {
    let signer = Signer::new(secret());
    let note = "x".repeat(270);
    (0..count)
        .map(|_| {
            // Ids as the platform has them: in no order.
            let (event, file) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
            let body = format!(
                r#"{{"eventType":"genesys.cloud.messaging.file.upload.completed","eventId":"{event}","timestamp":"2026-11-25T08:30:00.000Z","data":{{"fileId":"{file}","virusScanResult":"clean","formatValidation":"passed","status":"completed","note":"{note}"}}}}"#
            );
            let headers = signer.sign(body.as_bytes());
            let mut request = format!("POST /webhooks/genesys HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in &headers {
                write!(request, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
            }
            request.push_str("\r\n");
            request.push_str(&body);
            request.into_bytes()
        })
        .collect()
}

/// Sends all requests over so many connections; gives the wall time and the time of each answer. With `every`, one is due after each such
/// time, and its answer is timed from then on, even where it is sent late.
pub(crate) fn load(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
    every: Option<Duration>,
) -> (Duration, Vec<Duration>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let requests = Arc::new(requests);
    runtime.block_on(async {
        let next = Arc::new(AtomicUsize::new(0));
        let started = SystemClock.now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
                tokio::spawn(async move {
                    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let (mut buffer, mut times) = ([0; 1024], Vec::new());
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(request) = requests.get(number) else { break };
                        let mut sent = SystemClock.now();
                        if let Some(every) = every {
                            let due = started + every * u32::try_from(number).unwrap();
                            tokio::time::sleep_until(due.into()).await;
                            sent = due;
                        }
                        stream.write_all(request).await.unwrap();
                        let read = stream.read(&mut buffer).await.unwrap();
                        assert!(
                            buffer[..read].starts_with(b"HTTP/1.1 200"),
                            "{}",
                            String::from_utf8_lossy(&buffer[..read])
                        );
                        times.push(SystemClock.now() - sent);
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.unwrap());
        }
        (SystemClock.now() - started, times)
    })
}
