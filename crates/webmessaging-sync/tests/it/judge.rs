//! The judge: a target that counts what it takes by idempotency key, and answers as it is told to.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// Counted from 1.
    pub(crate) number: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn key(&self) -> &str {
        self.header("idempotency-key")
    }

    /// The keys of its items.
    pub(crate) fn item_keys(&self) -> Vec<String> {
        let list = match self.header("x-item-keys") {
            "" => self.key(),
            list => list,
        };
        list.split(',').map(str::to_owned).collect()
    }

    /// Its records: those of a batch, or the body itself.
    pub(crate) fn records(&self) -> Vec<Value> {
        let lists = ["files", "records"];
        let list = lists.iter().find_map(|name| self.body.get(name)?.as_array());
        list.cloned().unwrap_or_else(|| vec![self.body.clone()])
    }
}

/// What the judge does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Takes it: 200 with this body.
    Take(String),
    /// Takes it, and hangs up before it has answered.
    TakeAndHangUp,
    /// Takes it, and never answers.
    TakeAndHang,
    /// Answers with a status and further header lines.
    Refuse(u16, &'static str),
    /// Whatever bytes these are.
    Raw(Vec<u8>),
    /// Hangs up without having taken anything.
    HangUp,
    /// Never answers.
    Hang,
}

pub(crate) fn take() -> Reply {
    Reply::Take("{}".to_owned())
}

type Script = Box<dyn FnMut(&Seen) -> Reply + Send>;

#[derive(Clone)]
pub(crate) struct Judge {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// What was taken, in the order it was taken for the first time: key and record.
    taken: Arc<Mutex<Vec<(String, Value)>>>,
    script: Arc<Mutex<Script>>,
}

impl Judge {
    /// Ends with the test's runtime.
    pub(crate) async fn start(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Script = Box::new(script);
        let judge =
            Self { port, seen: Arc::default(), taken: Arc::default(), script: Arc::new(script.into()) };
        let this = judge.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        judge
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in", self.port)
    }

    /// From now on it answers otherwise.
    pub(crate) fn now(&self, script: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// Every request that came.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// What it has taken, each key once.
    pub(crate) fn taken(&self) -> Vec<(String, Value)> {
        self.taken.lock().unwrap().clone()
    }

    /// The ids of what it has taken, under one of the names that shapes have for them.
    pub(crate) fn ids(&self) -> Vec<String> {
        let names = ["id", "externalId", "messageId", "documentId", "channelId", "about"];
        let id = |(_, record): (String, Value)| {
            let found = names.iter().find_map(|name| record.get(name)?.as_str().map(str::to_owned));
            found.unwrap_or_default()
        };
        self.taken().into_iter().map(id).collect()
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some((headers, body)) = read(&mut stream).await? {
            let (reply, seen) = {
                let mut all = self.seen.lock().unwrap();
                let body = serde_json::from_slice(&body).unwrap();
                let seen = Seen { headers, body, number: all.len() + 1 };
                all.push(seen.clone());
                ((self.script.lock().unwrap())(&seen), seen)
            };
            if matches!(reply, Reply::Take(_) | Reply::TakeAndHangUp | Reply::TakeAndHang) {
                self.count(&seen);
            }
            let answer = match reply {
                Reply::Take(body) => answer(200, "", &body),
                Reply::Refuse(status, headers) => answer(status, headers, "refused: jane@example.com"),
                Reply::Raw(bytes) => bytes,
                Reply::TakeAndHangUp | Reply::HangUp => return Ok(()),
                Reply::Hang | Reply::TakeAndHang => std::future::pending().await,
            };
            stream.write_all(&answer).await?;
            stream.flush().await?;
        }
        Ok(())
    }

    fn count(&self, seen: &Seen) {
        let mut taken = self.taken.lock().unwrap();
        for (key, record) in seen.item_keys().into_iter().zip(seen.records()) {
            if !taken.iter().any(|(known, _)| *known == key) {
                taken.push((key, record));
            }
        }
    }
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

type Request = (BTreeMap<String, String>, Vec<u8>);

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => {
                if let Some((name, value)) = line.split_once(": ") {
                    headers.insert(name.to_ascii_lowercase(), value.to_owned());
                }
            }
        }
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some((headers, body)))
}
