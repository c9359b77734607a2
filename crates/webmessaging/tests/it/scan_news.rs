//! What webhooks say of scans reaches whoever waits in the same process, and what is blocked reaches the store.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use webmessaging::files::{CreateWebhook, ScanGate, TransferManager};
use webmessaging::http::{Client as HttpClient, Credentials};
use webmessaging::journal::Journal;
use webmessaging::model::{
    AccessPolicyDirectives, EncryptionStandard, ScanVerdict, Timestamp, TransferPayload,
};
use webmessaging::store::{SqliteOptions, SqliteStore, Store};
use webmessaging::sync::{Auth, OutboxSink, Secrets, ShapeName, TargetConfig, Targets};
use webmessaging::webhooks::receiver::{PlatformEvents, Receiver};
use webmessaging::webhooks::{Secret, Signer, Verifier};
use webmessaging::{Client, ScanNews, Source, StoreQuarantine};
use webmessaging_emulator::{Emulator, Route};

const TOKEN: &str = "a token of sufficient length";
const CHANNEL: &str = "12345678-1234-1234-1234-123456789012";
const MESSAGE: &str = "87654321-4321-4321-4321-210987654321";

struct Setup {
    _folder: TempDir,
    emulator: Emulator,
    client: Client,
    transfers: TransferManager,
    store: Arc<dyn Store>,
    gate: ScanGate,
    receiver: Receiver,
    url: String,
}

impl Setup {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(SqliteOptions::new(path)).await.unwrap());
        let emulator = Emulator::builder().webhook_token(TOKEN).start().await.unwrap();
        let http = HttpClient::builder(Credentials::new("demo-client", "demo-secret"));
        let client = Client::new(http.base_url(emulator.base_url()).build().unwrap());
        let (gate, transfers) = (ScanGate::new(), client.transfers("organization-1"));
        let work = ScanNews::new(PlatformEvents::new(Arc::clone(&store))).gate(&gate).transfers(&transfers);
        let verifier = Verifier::new(Secret::new("test", TOKEN).unwrap());
        let receiver = Receiver::builder(Arc::clone(&store), verifier).handler(work).build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/webhooks/genesys", listener.local_addr().unwrap());
        let serving = receiver.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        Self { _folder: folder, emulator, client, transfers, store, gate, receiver, url }
    }

    /// Waits until the receiver has worked on so many deliveries.
    async fn handled(&self, deliveries: u64) {
        while self.receiver.status().handled < deliveries {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_ends_a_delivery_and_what_is_blocked_is_in_the_store() {
    let setup = Setup::new().await;
    let files = setup.client.files().on_quarantine(StoreQuarantine::new(Arc::clone(&setup.store)));
    let webhook = CreateWebhook::new(&*setup.url).without_headers().allow_loopback();
    assert!(!files.register_scan_webhook(webhook).await.unwrap().existed);

    let deliver = |name: &str, content: Vec<u8>| {
        let delivery = files.deliver(Source::bytes(name, content)).channel(CHANNEL).message(MESSAGE);
        delivery.gate(&setup.gate).into_future()
    };
    let clean = deliver("hello.txt", b"hello".to_vec()).await.unwrap();
    assert_eq!(clean.verdict, ScanVerdict::Clean);
    setup.handled(1).await;
    assert_eq!(setup.gate.verdict(clean.file.file_id), ScanVerdict::Clean);

    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let blocked = deliver("eicar.txt", eicar.into_bytes()).await.unwrap();
    assert_eq!(blocked.verdict, ScanVerdict::Malicious);
    let entry = setup.store.quarantine_entry(blocked.file.file_id.as_str()).await.unwrap().unwrap();
    assert_eq!(entry.reason, "malicious");
}

/// The next attempt is another file, and nobody else lists this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_scan_is_tried_again_is_listed_as_well() {
    let setup = Setup::new().await;
    let files = setup.client.files().on_quarantine(StoreQuarantine::new(Arc::clone(&setup.store)));
    setup.emulator.fail_scans(1);
    let delivery = files.deliver(Source::bytes("hello.txt", "hello")).channel(CHANNEL).message(MESSAGE);
    let delivered = delivery.scan_retry_after(Duration::ZERO).await.unwrap();
    assert_eq!(delivered.verdict, ScanVerdict::Clean);
    let listed = setup.store.quarantined(None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
}

/// What a delivery has found goes to a document system by the outbox, in the shape that it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_delivery_is_in_the_outbox_and_a_blocked_one_is_not() {
    let setup = Setup::new().await;
    let target = TargetConfig::new("documents", "https://documents.example/batch", ShapeName::Documents);
    let targets = Targets::new([target.auth(Auth::None).build(&Secrets::none()).unwrap()]).unwrap();
    let outbox = OutboxSink::new(Arc::clone(&setup.store), targets);
    let journal = Journal::builder().durable("outbox", outbox).build().unwrap();
    let files = setup.client.files().journal(journal);
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    for (name, content) in [("hello.txt", "hello".to_owned()), ("eicar.txt", eicar)] {
        let delivery = files.deliver(Source::bytes(name, content)).channel(CHANNEL).message(MESSAGE);
        assert_eq!(delivery.await.unwrap().is_clean(), name == "hello.txt");
    }
    let now = Timestamp::from_unix_millis(4_000_000_000_000);
    let items = setup.store.claim_items("documents", "test", 9, Duration::from_secs(60), now).await.unwrap();
    let payloads: Vec<_> =
        items.iter().map(|item| String::from_utf8_lossy(&item.payload).into_owned()).collect();
    assert_eq!(payloads.len(), 1, "{payloads:?}");
    assert!(payloads[0].contains("hello.txt") && payloads[0].contains("text/plain"), "{payloads:?}");
}

/// The platform itself says nothing yet: only the webhook can have ended the wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_ends_the_wait_for_a_transfer() {
    let setup = Setup::new().await;
    let policy = AccessPolicyDirectives::new(30, EncryptionStandard::Aes256, true);
    let payload = TransferPayload::new("hello.txt", 5, "7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10", policy);
    let transfer = setup.transfers.create(payload).await.unwrap();
    let wait = tokio::spawn(setup.transfers.wait(&transfer.transfer_id).into_future());

    let body = json!({ "transferId": transfer.transfer_id, "status": "virus_detected", "virusScanResult": "detected" });
    let secret = Secret::new("test", TOKEN).unwrap();
    let text = body.to_string();
    let headers = Signer::new(secret).sign(text.as_bytes());
    post(&setup.url, &text, &headers);
    setup.handled(1).await;
    let state = wait.await.unwrap().unwrap();
    assert_eq!(state.verdict(), ScanVerdict::Malicious);
    assert_eq!(setup.emulator.count(Route::GetTransfer), 0);
}

fn post(url: &str, body: &str, headers: &http::HeaderMap) {
    use std::fmt::Write as _;
    use std::io::{Read, Write as _};

    let place = url.trim_start_matches("http://");
    let (host, path) = place.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
