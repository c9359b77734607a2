//! A system that the demo tells of something, documents, guests or messages: busy or down at first, and then it takes what it is told and counts
//! by key.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// So many requests are answered 503.
pub(crate) const BUSY: u32 = 2;

/// Longer requests than the demo's are none of its business.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What the system knows.
#[derive(Debug, Default)]
struct Known {
    /// Everything is answered 503.
    is_down: bool,
    busy: u32,
    requests: u32,
    /// Names of files, or ids of guests or messages, with the key they came under, in the order they came in.
    told: Vec<(String, Vec<String>)>,
    /// Requests whose key was known.
    repeated: u32,
}

/// A small HTTP server on threads of its own, as long as the demo runs.
#[derive(Debug, Clone)]
pub(crate) struct OtherSystem {
    pub(crate) url: String,
    known: Arc<Mutex<Known>>,
}

impl OtherSystem {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let system =
            Self { url: format!("http://{}/batches", listener.local_addr()?), known: Arc::default() };
        let this = system.clone();
        std::thread::Builder::new().name("other-system".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let this = this.clone();
                // Whoever hangs up, or finds nobody to serve him, comes again.
                std::thread::spawn(move || this.serve(stream));
            }
        })?;
        Ok(system)
    }

    /// One that is down until somebody brings it [up](Self::up).
    pub(crate) fn start_down() -> io::Result<Self> {
        let system = Self::start()?;
        system.known().is_down = true;
        Ok(system)
    }

    pub(crate) fn up(&self) {
        self.known().is_down = false;
    }

    /// What it was told of, each key counted once.
    pub(crate) fn told(&self) -> Vec<String> {
        self.known().told.iter().flat_map(|(_, told)| told).cloned().collect()
    }

    /// Requests it was busy for, requests in all, and requests whose key it knew.
    pub(crate) fn figures(&self) -> (u32, u32, u32) {
        let known = self.known();
        (known.busy, known.requests, known.repeated)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        while let Some((key, body)) = read_request(&mut reader)? {
            let status = self.take(key, &body);
            write!(writer, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
        }
        Ok(())
    }

    fn take(&self, key: String, body: &[u8]) -> &'static str {
        let mut known = self.known();
        known.requests += 1;
        if known.is_down || known.busy < BUSY {
            known.busy += 1;
            return "503 Service Unavailable";
        }
        let Ok(batch) = serde_json::from_slice::<Value>(body) else { return "400 Bad Request" };
        let list =
            |key: &str| batch.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |entry: &Value, key: &str| entry.get(key)?.as_str().map(str::to_owned);
        let files = list("files").iter().filter_map(|file| text(file, "name"));
        let guests = list("records").iter().filter_map(|guest| text(guest, "externalId"));
        let message = text(&batch, "messageId");
        let told = files.chain(guests).chain(message).collect();
        if known.told.iter().any(|(known, _)| *known == key) {
            known.repeated += 1;
        } else {
            known.told.push((key, told));
        }
        "200 OK"
    }
}

/// The key and the body of the next request.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let (mut line, mut length, mut key) = (String::new(), 0, String::new());
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap_or(usize::MAX);
        } else if name.eq_ignore_ascii_case("idempotency-key") {
            value.clone_into(&mut key);
        }
    }
    if length > BODY_BYTES_MAX {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((key, body)))
}
