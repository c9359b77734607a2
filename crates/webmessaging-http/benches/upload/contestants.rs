//! The two ways of an upload.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::io::ReaderStream;
use webmessaging_http::{
    Client, Credentials, Encoder, Endpoint, Error, PresignedPut, PresignedTarget, PresignedUrl,
    RateLimitPolicy, Source,
};
use webmessaging_model::{LimitClass, Method, Operation, RetryClass};

const CREATE: Operation =
    Operation::new("bench.create", Method::Post, "/api/v2/uploads").retry(RetryClass::Repeatable);
const PUT: Operation = Operation::new("bench.put", Method::Put, "").limit(LimitClass::Storage);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    file_name: &'a str,
    file_size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    upload_url: PresignedUrl,
}

impl Endpoint for Create<'_> {
    type Answer = Ticket;

    fn operation(&self) -> &'static Operation {
        &CREATE
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.json(self)
    }
}

/// The client, with all it does.
pub(crate) struct Ours(Client);

impl Ours {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self::limited(address, 1_000_000, Duration::from_secs(1))
    }

    pub(crate) fn limited(address: SocketAddr, requests: u32, window: Duration) -> Self {
        let limit = RateLimitPolicy::default().requests(requests).window(window);
        let credentials = Credentials::new("bench", "a secret");
        let client = Client::builder(credentials).base_url(format!("http://{address}")).rate_limit(limit);
        Self(client.build().unwrap())
    }

    /// Announces and sends.
    pub(crate) async fn upload(&self, path: &Path, files: usize, at_once: usize, digest: bool) {
        let one = async || {
            let source = Source::path(path);
            let (length, _) = source.head(4_096).await.unwrap();
            let issue = async || self.announce(&source, length).await;
            self.put(&source, length, digest, issue).await;
        };
        stream::iter(0..files).for_each_concurrent(at_once, |_| one()).await;
    }

    /// Sends what was announced before, as bare does.
    pub(crate) async fn send(&self, path: &Path, files: usize, at_once: usize, digest: bool) {
        let source = Source::path(path);
        let length = tokio::fs::metadata(path).await.unwrap().len();
        let target = self.announce(&source, length).await.unwrap();
        let issue = async || Ok(target.clone());
        let one = async || self.put(&source, length, digest, issue).await;
        stream::iter(0..files).for_each_concurrent(at_once, |_| one()).await;
    }

    async fn announce(&self, source: &Source, length: u64) -> Result<PresignedTarget, Error> {
        let create = Create { file_name: source.name(), file_size: length };
        let ticket = self.0.send(&create).await?.value;
        Ok(PresignedTarget::new(ticket.upload_url, HeaderMap::new(), Duration::from_secs(300)))
    }

    async fn put(
        &self,
        source: &Source,
        length: u64,
        digest: bool,
        issue: impl AsyncFn() -> Result<PresignedTarget, Error>,
    ) {
        let put = PresignedPut::new(&PUT, source, length).digest(digest);
        let (_, stored) = self.0.put_presigned(put, || issue()).await.unwrap();
        assert_eq!(stored.sha256.is_some(), digest);
    }
}

/// Nothing but the bytes.
pub(crate) struct Bare {
    client: reqwest::Client,
    url: String,
}

impl Bare {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { client, url: format!("http://{address}/put") }
    }

    pub(crate) async fn upload(&self, path: &Path, files: usize, at_once: usize, digest: bool) {
        // As the client's pieces are.
        let chunk_bytes = match at_once {
            1 if !digest => 512 * 1024,
            1..=4 => 256 * 1024,
            _ => 64 * 1024,
        };
        stream::iter(0..files).for_each_concurrent(at_once, |_| self.one(path, digest, chunk_bytes)).await;
    }

    async fn one(&self, path: &Path, digest: bool, chunk_bytes: usize) {
        let file = tokio::fs::File::open(path).await.unwrap();
        let length = file.metadata().await.unwrap().len();
        let hash = digest.then(|| Arc::new(Mutex::new(Sha256::new())));
        let hashed = hash.clone();
        let bytes = ReaderStream::with_capacity(file, chunk_bytes).inspect(move |chunk| {
            if let (Some(hash), Ok(chunk)) = (&hashed, chunk) {
                hash.lock().unwrap().update(chunk);
            }
        });
        let request = self.client.put(&self.url).header(http::header::CONTENT_LENGTH, length);
        let answer = request.body(reqwest::Body::wrap_stream(bytes)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        std::hint::black_box(hash.map(|hash| hash.lock().unwrap().clone().finalize()));
    }
}
