//! A system that things are delivered to: it keeps every request, and answers as it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

/// After this long, a request that is waited for does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// In place of a status: it never answers.
pub(crate) const HANG: u16 = 0;

#[derive(Debug, Clone)]
pub(crate) struct Request {
    headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn key(&self) -> &str {
        self.header("idempotency-key")
    }
}

pub(crate) struct System {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    came: Condvar,
}

#[derive(Default)]
struct Inner {
    requests: Vec<Request>,
    /// The next statuses.
    answers: VecDeque<u16>,
    /// What it answers when there are no more.
    is_down: bool,
    /// Who waits for an answer that does not come.
    hanging: Vec<TcpStream>,
}

impl System {
    pub(crate) fn start(answers: impl IntoIterator<Item = u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        state.inner.lock().unwrap().answers.extend(answers);
        let shared = Arc::clone(&state);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever hangs up half-way is heard of by nobody.
                let _ = shared.answer(stream);
            }
        });
        Self { port, state }
    }

    /// From now on it answers 503, or takes what comes.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state.inner.lock().unwrap().is_down = is_down;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/archive?sig=swordfish", self.port)
    }

    /// The requests, once there are so many.
    pub(crate) fn requests(&self, count: usize) -> Vec<Request> {
        let inner = self.state.inner.lock().unwrap();
        let is_missing = |inner: &mut Inner| inner.requests.len() < count;
        let (inner, waited) = self.state.came.wait_timeout_while(inner, PATIENCE, is_missing).unwrap();
        assert!(!waited.timed_out(), "{} requests of {count}", inner.requests.len());
        inner.requests.clone()
    }
}

impl State {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let request = read(&mut BufReader::new(&stream))?;
        let mut inner = self.inner.lock().unwrap();
        inner.requests.push(request);
        let usual = if inner.is_down { 503 } else { 200 };
        match inner.answers.pop_front().unwrap_or(usual) {
            HANG => inner.hanging.push(stream),
            status => {
                let head =
                    format!("HTTP/1.1 {status} It\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
                stream.write_all(head.as_bytes())?;
            }
        }
        self.came.notify_all();
        Ok(())
    }
}

fn read(from: &mut impl BufRead) -> std::io::Result<Request> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Request { headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}
