//! The other system: counts by the items' own keys, is busy now and then, and hangs up after it has taken something.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What arrived.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// For each thing, the keys it came under.
    pub(crate) keys: BTreeMap<String, BTreeSet<String>>,
    /// For each request's key, the bodies it came with.
    pub(crate) bodies: BTreeMap<String, BTreeSet<String>>,
    pub(crate) requests: u64,
    /// Taken, and the answer was not given.
    pub(crate) unanswered: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Target {
    /// One that is busy now and then, and hangs up after it has taken something.
    pub(crate) fn start() -> Self {
        Self::with_moods(true)
    }

    /// One that takes everything and says so.
    pub(crate) fn calm() -> Self {
        Self::with_moods(false)
    }

    fn with_moods(has_moods: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, seen) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || {
                    let _ = serve(stream, &seen, has_moods);
                });
            }
        });
        Self { url, seen }
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Seen>, has_moods: bool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut length, mut key, mut items) = (0, String::new(), String::new());
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "idempotency-key" => value.clone_into(&mut key),
                "x-item-keys" => value.clone_into(&mut items),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let fate = if has_moods { fastrand::u8(..100) } else { 50 };
        if fate < 10 {
            // Busy: nothing is taken.
            writer.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        take(seen, &key, &items, &body, fate >= 90);
        if fate >= 90 {
            return Ok(());
        }
        writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

fn take(seen: &Mutex<Seen>, key: &str, items: &str, body: &[u8], is_unanswered: bool) {
    let value: Value = serde_json::from_slice(body).unwrap();
    let things: Vec<_> = match value["files"].as_array() {
        Some(files) => files.iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect(),
        None => vec![value["documentId"].as_str().unwrap().to_owned()],
    };
    let keys: Vec<_> = if items.is_empty() { vec![key] } else { items.split(',').map(str::trim).collect() };
    assert_eq!(things.len(), keys.len(), "each thing has a key");
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    seen.unanswered += u64::from(is_unanswered);
    for (thing, key) in things.into_iter().zip(keys) {
        seen.keys.entry(thing).or_default().insert(key.to_owned());
    }
    seen.bodies.entry(key.to_owned()).or_default().insert(String::from_utf8(body.to_vec()).unwrap());
}
