//! A webhook receiver that keeps what it gets and answers as it is told, and the registration of webhooks with it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use webmessaging_emulator::{Delivery, Emulator};

use crate::client::request;

pub(crate) const WEBHOOKS: &str = "/api/v2/platform/webhooks/webhooks";
pub(crate) const PLATFORM_WEBHOOKS: &str = "/api/v2/platform/webhooks";
pub(crate) const SCAN_COMPLETED: &str = "genesys.cloud.messaging.file.upload.completed";
pub(crate) const SECRET: &str = "swordfish-swordfish";

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Status(u16),
    /// Takes the request and never answers.
    Hang,
    /// Takes the request and closes the connection.
    Close,
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct State {
    received: Mutex<Vec<Arc<Received>>>,
    replies: Mutex<VecDeque<Reply>>,
    closed: AtomicUsize,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl Receiver {
    /// Gives these replies, then 200 to everything.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            Arc::new(State { replies: Mutex::new(replies.into_iter().collect()), ..State::default() });
        tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let state = Arc::clone(&state);
                    tokio::spawn(async move {
                        let service = service_fn(|request| take(Arc::clone(&state), request));
                        // A connection that is closed on purpose ends with an error.
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                        state.closed.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks?a=b", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Arc<Received>> {
        self.state.received.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.state.received.lock().unwrap().len()
    }

    /// How many connections have ended.
    pub(crate) fn closed(&self) -> usize {
        self.state.closed.load(Ordering::SeqCst)
    }

    /// Waits for the request with this number, counted from one.
    pub(crate) async fn nth(&self, number: usize) -> Arc<Received> {
        until(|| self.count() >= number).await;
        Arc::clone(&self.received()[number - 1])
    }
}

async fn take(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    state.received.lock().unwrap().push(Arc::new(Received {
        method: parts.method,
        path_and_query: parts.uri.to_string(),
        headers: parts.headers,
        body,
    }));
    let reply = state.replies.lock().unwrap().pop_front();
    match reply.unwrap_or(Reply::Status(200)) {
        Reply::Status(status) => {
            Ok(Response::builder().status(status).body(Full::from("thank you")).unwrap())
        }
        Reply::Hang => {
            let never: Infallible = pending().await;
            match never {}
        }
        Reply::Close => Err(Closed),
    }
}

#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("closed on purpose")
    }
}

impl std::error::Error for Closed {}

/// HMAC as RFC 2104 has it, for keys of up to a block, out of nothing but the hash.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let keyed =
        |pad: u8, rest: &[u8]| Sha256::digest([&block.map(|byte| byte ^ pad), rest].concat()).to_vec();
    keyed(0x5c, &keyed(0x36, message))
}

/// Lets everything else run until the condition holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    for _ in 0..5_000_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("what was waited for did not happen");
}

/// Lets everything else run for long enough to send a request, if there is one to be sent.
pub(crate) async fn let_run() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

/// Waits until the last attempt of the only delivery has come to a result, and gives the delivery.
pub(crate) async fn attempted(emulator: &Emulator, attempts: usize) -> Delivery {
    let delivery = || emulator.deliveries().pop().unwrap();
    until(|| {
        let attempts_so_far = delivery().attempts;
        attempts_so_far.len() == attempts && attempts_so_far.iter().all(|attempt| attempt.result.is_some())
    })
    .await;
    delivery()
}

/// Waits until no delivery is open, and gives them all.
pub(crate) async fn ended(emulator: &Emulator) -> Vec<Delivery> {
    until(|| emulator.deliveries().iter().all(|delivery| delivery.outcome.is_some())).await;
    emulator.deliveries()
}

pub(crate) async fn register(emulator: &Emulator, path: &str, body: &Value) -> Value {
    let answer = request(emulator, "POST", path, Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A registration as the file upload document has it.
pub(crate) fn webhook(uri: &str) -> Value {
    json!({
        "name": "scans",
        "uri": uri,
        "method": "POST",
        "eventFilter": format!("eventType = \"{SCAN_COMPLETED}\""),
        "contentType": "application/json",
        "headers": { "Authorization": "Bearer {{platform:webhook:token}}" },
    })
}

/// A registration as the channel document has it.
pub(crate) fn platform_webhook(url: &str) -> Value {
    json!({
        "name": "channels",
        "description": "changes of channels",
        "callbackUrl": url,
        "eventFilters": [
            { "resource": "channel", "action": "updated", "condition": "channelType == \"webchat\"" },
        ],
        "enabled": true,
        "httpHeaders": { "X-Team": "digital" },
        "secret": SECRET,
    })
}

/// Sends an event that [`platform_webhook`] wants, and gives its id.
pub(crate) fn send_update(emulator: &Emulator, number: usize) -> String {
    let data = json!({ "channelType": "webchat", "number": number });
    emulator.send_event("channel.updated", data).unwrap()
}
