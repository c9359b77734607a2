//! A small HTTP client with nothing clever in it: one connection per request, no retries, no redirects.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use webmessaging_emulator::{Emulator, EmulatorBuilder};

pub(crate) const UPLOAD_PATH: &str = "/api/v2/conversations/messaging/webmessaging/upload";
pub(crate) const MESSAGE_ID: &str = "message-1";

/// Longer than any test takes, so that a scan ends only when a test says so.
pub(crate) const SCAN: Duration = Duration::from_secs(100);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header that is there exactly once; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() <= 1, "{name} is repeated");
        values.first().map_or("", |value| value.to_str().unwrap())
    }

    /// The status, and the code of a refusal as the header has it.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.header("x-genesys-error-code"))
    }
}

pub(crate) async fn try_send<B>(address: SocketAddr, request: Request<B>) -> Result<Answer, hyper::Error>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut parts, body) = request.into_parts();
    parts.headers.entry(HOST).or_insert(address.to_string().try_into().unwrap());
    parts.uri = parts.uri.path_and_query().unwrap().as_str().parse().unwrap();
    let (parts, body) = sender.send_request(Request::from_parts(parts, body)).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

pub(crate) async fn send(emulator: &Emulator, request: Request<Full<Bytes>>) -> Answer {
    try_send(emulator.address(), request).await.unwrap()
}

pub(crate) fn builder() -> EmulatorBuilder {
    Emulator::builder().scan_duration(SCAN)
}

pub(crate) async fn start() -> Emulator {
    builder().start().await.unwrap()
}

pub(crate) fn token_request(form: &str) -> Request<Full<Bytes>> {
    Request::post("/oauth/token")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(form.to_owned()))
        .unwrap()
}

pub(crate) fn demo_token_request() -> Request<Full<Bytes>> {
    token_request("grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret")
}

pub(crate) async fn token(emulator: &Emulator) -> String {
    let answer = send(emulator, demo_token_request()).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// A correct announcement of a file.
pub(crate) fn announcement(file_name: &str, content_type: &str, size: usize) -> Value {
    json!({
        "fileName": file_name,
        "contentType": content_type,
        "fileSize": size,
        "channelId": "channel-1",
        "messageId": MESSAGE_ID,
        "uploadType": "webmessaging",
    })
}

pub(crate) fn announce_request(token: &str, body: &Value) -> Request<Full<Bytes>> {
    Request::post(UPLOAD_PATH)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))
        .unwrap()
}

/// An announced file: where its bytes go, and its id.
pub(crate) struct Announced {
    pub(crate) url: String,
    pub(crate) id: String,
}

impl Announced {
    pub(crate) fn path(&self) -> String {
        format!("/api/v2/conversations/messaging/messages/{MESSAGE_ID}/attachments/{}", self.id)
    }

    pub(crate) fn put(&self, bytes: &[u8]) -> Request<Full<Bytes>> {
        Request::put(&self.url)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("x-genesys-file-id", &self.id)
            .body(Full::from(bytes.to_vec()))
            .unwrap()
    }
}

pub(crate) async fn announce(
    emulator: &Emulator,
    file_name: &str,
    content_type: &str,
    size: usize,
) -> Announced {
    let body = announcement(file_name, content_type, size);
    let answer = send(emulator, announce_request(&token(emulator).await, &body)).await;
    assert_eq!(answer.status, 200);
    let text = |field: &str| answer.json()[field].as_str().unwrap().to_owned();
    Announced { url: text("uploadUrl"), id: text("fileId") }
}

pub(crate) fn get_request(token: &str, path: &str) -> Request<Full<Bytes>> {
    Request::get(path).header(AUTHORIZATION, format!("Bearer {token}")).body(Full::default()).unwrap()
}

/// Sends a request with a fresh token, and a JSON body if there is one.
pub(crate) async fn request(emulator: &Emulator, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let bearer = format!("Bearer {}", token(emulator).await);
    let mut request = Request::builder().method(method).uri(path).header(AUTHORIZATION, bearer);
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    send(emulator, request.body(Full::from(body)).unwrap()).await
}

/// What the platform says about a file.
pub(crate) async fn state(emulator: &Emulator, file: &Announced) -> Value {
    let answer = send(emulator, get_request(&token(emulator).await, &file.path())).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// Announces and sends a file, and waits for its verdict.
pub(crate) async fn judged(emulator: &Emulator, content_type: &str, bytes: &[u8]) -> Value {
    let file = announce(emulator, "file", content_type, bytes.len()).await;
    assert_eq!(send(emulator, file.put(bytes)).await.status, 200);
    emulator.clock().advance(SCAN);
    state(emulator, &file).await
}

/// A `GET` without credentials.
pub(crate) fn plain_get(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::default()).unwrap()
}
