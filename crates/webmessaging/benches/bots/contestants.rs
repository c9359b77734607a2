//! The ways of sending a message.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use webmessaging::bots::{BotsClient, Message};
use webmessaging::http::{Client, Credentials, RateLimitPolicy};
use webmessaging::journal::Journal;

use crate::server::TOKEN;

const TEXT: &str = "Your order has been shipped and arrives on Tuesday. Reply with a question if any.";
const CONVERSATIONS: usize = 64;

/// Something that sends a message to the conversation that is next.
#[derive(Clone)]
pub(crate) enum Contestant {
    Ours(BotsClient, Arc<AtomicUsize>),
    Reqwest(Arc<(reqwest::Client, SocketAddr, AtomicUsize)>),
    Hyper(Arc<Connections>),
}

/// A connection for each caller, and nothing that hands them out.
pub(crate) struct Connections {
    free: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    address: SocketAddr,
    next: AtomicUsize,
}

impl Contestant {
    /// The client with all it does: check, hash, limit, token, breaker, ids, spans, and a record for the journal.
    pub(crate) fn ours(address: SocketAddr, journal: Journal) -> Self {
        // A quota that is never used up: the limiter keeps its books all the same.
        let roomy =
            RateLimitPolicy::default().requests(100_000).window(Duration::from_millis(100)).burst(100_000);
        let client = Client::builder(Credentials::new("id", "secret"));
        let client = client.base_url(format!("http://{address}")).rate_limit(roomy).build().unwrap();
        Self::Ours(BotsClient::new(client).journal(journal), Arc::default())
    }

    pub(crate) fn reqwest(address: SocketAddr) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self::Reqwest(Arc::new((client, address, AtomicUsize::new(0))))
    }

    pub(crate) fn hyper(address: SocketAddr) -> Self {
        let free = Mutex::default();
        Self::Hyper(Arc::new(Connections { free, address, next: AtomicUsize::new(0) }))
    }

    pub(crate) async fn send(&self) {
        match self {
            Self::Ours(bots, next) => {
                let sent = bots.send(conversation(next), &message()).await.unwrap();
                assert_eq!(sent.message_id.as_str().len(), 36);
            }
            Self::Reqwest(shared) => {
                let (client, address, next) = &**shared;
                let url = format!("http://{address}/api/v2/conversations/{}/messages", conversation(next));
                let request = client
                    .post(url)
                    .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
                    .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                    .header(ACCEPT, HeaderValue::from_static("application/json"))
                    .header("x-genesys-request-id", uuid::Uuid::new_v4().to_string())
                    .body(body());
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 200);
                is_sent(&answer.bytes().await.unwrap());
            }
            Self::Hyper(connections) => connections.send().await,
        }
    }
}

impl Connections {
    async fn send(&self) {
        let free = self.free.lock().await.pop();
        let mut connection = if let Some(connection) = free {
            connection
        } else {
            let stream = TcpStream::connect(self.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        };
        connection.ready().await.unwrap();
        let request = Request::post(format!("/api/v2/conversations/{}/messages", conversation(&self.next)))
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header("x-genesys-request-id", uuid::Uuid::new_v4().to_string())
            .body(Full::new(body()))
            .unwrap();
        let answer = connection.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        is_sent(&answer.into_body().collect().await.unwrap().to_bytes());
        self.free.lock().await.push(connection);
    }
}

fn conversation(next: &AtomicUsize) -> String {
    format!("conversation-{}", next.fetch_add(1, Ordering::Relaxed) % CONVERSATIONS)
}

fn message() -> Message {
    Message::text("customer-participant-id-123", "bot-participant-id-456", TEXT)
}

/// Without a check.
fn body() -> Bytes {
    serde_json::to_vec(&message()).unwrap().into()
}

fn is_sent(answer: &[u8]) {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap();
    assert_ne!(answer["id"], json!(null));
}
