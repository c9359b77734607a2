//! The platform: sends signed deliveries until they are acknowledged, and knows which were.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use webmessaging::webhooks::{Secret, Signer};

use crate::victim::SECRET;

/// So many send at once.
const SENDERS: usize = 4;

/// What is still to be sent, and what was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    next: AtomicUsize,
    open: Mutex<Vec<usize>>,
    acknowledged: Mutex<BTreeSet<usize>>,
}

impl Sender {
    /// The thing that a delivery is about.
    pub(crate) fn thing(number: usize) -> String {
        if number.is_multiple_of(2) { format!("file-{number}") } else { format!("transfer-{number}") }
    }

    pub(crate) fn acknowledged(&self) -> BTreeSet<String> {
        self.acknowledged.lock().unwrap().iter().copied().map(Self::thing).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Sends until so many more were acknowledged, or nobody takes them; what was not acknowledged is sent again another time.
    pub(crate) fn send(&self, address: SocketAddr, count: usize) {
        let (end, is_gone) = (self.count() + count, AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| {
                    while self.count() < end && !is_gone.load(Ordering::SeqCst) {
                        let number = self.open.lock().unwrap().pop();
                        let number = number.unwrap_or_else(|| self.next.fetch_add(1, Ordering::SeqCst));
                        match deliver(address, number) {
                            Ok(200) => {
                                self.acknowledged.lock().unwrap().insert(number);
                            }
                            Ok(503) => self.open.lock().unwrap().push(number),
                            Ok(status) => panic!("answered {status}"),
                            Err(_) => {
                                self.open.lock().unwrap().push(number);
                                is_gone.store(true, Ordering::SeqCst);
                            }
                        }
                    }
                });
            }
        });
    }

    /// Sends so many deliveries while nobody can keep them: each is turned away, or nobody is there.
    pub(crate) fn send_in_vain(&self, address: SocketAddr, count: usize) {
        for _ in 0..count {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let answer = deliver(address, number);
            assert!(matches!(answer, Ok(503) | Err(_)), "answered {answer:?} without a database");
            self.open.lock().unwrap().push(number);
        }
    }

    /// Sends what is left until all of it was acknowledged.
    pub(crate) fn finish(&self, address: SocketAddr) {
        let left = self.open.lock().unwrap().len();
        self.send(address, left);
    }
}

fn deliver(address: SocketAddr, number: usize) -> std::io::Result<u16> {
    let id = Sender::thing(number);
    let body = if number.is_multiple_of(2) {
        json!({
            "eventType": "genesys.cloud.messaging.file.upload.completed",
            "eventId": format!("event-{number}"),
            "timestamp": "2026-11-25T08:30:00.000Z",
            "data": { "fileId": id, "virusScanResult": "clean", "formatValidation": "passed", "status": "completed" },
        })
    } else {
        json!({ "transferId": id, "status": "complete", "virusScanResult": "clean", "fileName": "a.pdf" })
    };
    let body = body.to_string();
    let headers = Signer::new(Secret::new("only", SECRET).unwrap()).sign(body.as_bytes());
    let mut request =
        format!("POST /webhooks/genesys HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in &headers {
        request.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(format!("{request}\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no answer"))
}
