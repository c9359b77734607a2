//! What the tests of the receiver share: a clock that is told the time, a store in a file, and requests without a network.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::ServiceExt;
use webmessaging_journal::Journal;
use webmessaging_journal::clock::{Clock, SystemClock, Wait};
use webmessaging_journal::sinks::InMemory;
use webmessaging_model::Timestamp;
use webmessaging_store::{SqliteOptions, SqliteStore, Store};
use webmessaging_webhooks::receiver::{
    Handled, Handler, HandlerError, Handling, PlatformEvents, Received, Receiver, ReceiverBuilder,
};
use webmessaging_webhooks::{Secret, Signer, Verifier};

pub(super) const PATH: &str = "/webhooks/genesys";
pub(super) const START: &str = "2026-11-25T08:30:00.000Z";

/// Longer waits are limits that nothing in a test comes to.
const IMPATIENCE: Duration = Duration::from_secs(30);

/// A clock whose calendar stands still until it is moved, and whose waits end at once or never.
#[derive(Debug, Clone)]
pub(super) struct TestClock {
    wall: Arc<AtomicI64>,
    is_impatient: Arc<AtomicBool>,
}

impl TestClock {
    pub(super) fn new() -> Self {
        Self { wall: Arc::new(AtomicI64::new(now().unix_millis())), is_impatient: Arc::default() }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.wall.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// From now on every wait is over at once, but for very long ones.
    pub(super) fn lose_patience(&self) {
        self.is_impatient.store(true, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.wall.load(Ordering::SeqCst))
    }

    fn watchdog(&self, wait: Duration) -> Wait {
        if self.is_impatient.load(Ordering::SeqCst) && wait < IMPATIENCE {
            Box::pin(ready(()))
        } else {
            Box::pin(pending())
        }
    }
}

/// The moment at which clocks start.
pub(super) fn now() -> Timestamp {
    START.parse().unwrap()
}

pub(super) fn secret(label: &str) -> Secret {
    Secret::new(label, format!("a secret of length for {label}")).unwrap()
}

/// A receiver on a store of its own.
pub(super) struct Setup {
    pub(super) folder: TempDir,
    pub(super) clock: TestClock,
    pub(super) store: Arc<dyn Store>,
    pub(super) journal: InMemory,
    pub(super) receiver: Receiver,
    pub(super) handled: UnboundedReceiver<()>,
}

impl Setup {
    pub(super) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// With another setup of the receiver.
    pub(super) async fn with(set_up: impl FnOnce(ReceiverBuilder) -> ReceiverBuilder) -> Self {
        Self::with_store(|_, builder| set_up(builder)).await
    }

    /// With another setup of the receiver, which needs its store.
    pub(super) async fn with_store(
        set_up: impl FnOnce(&Arc<dyn Store>, ReceiverBuilder) -> ReceiverBuilder,
    ) -> Self {
        Self::of(|usual| usual, set_up).await
    }

    /// With another setup of the usual work.
    pub(super) async fn with_work(set_up: impl FnOnce(PlatformEvents) -> PlatformEvents) -> Self {
        Self::of(set_up, |_, builder| builder).await
    }

    async fn of(
        set_up_work: impl FnOnce(PlatformEvents) -> PlatformEvents,
        set_up: impl FnOnce(&Arc<dyn Store>, ReceiverBuilder) -> ReceiverBuilder,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder, None).await;
        let (clock, journal) = (TestClock::new(), InMemory::new());
        let usual = set_up_work(PlatformEvents::new(Arc::clone(&store)));
        let (builder, handled) = builder(&store, &clock, &journal, usual);
        Self { receiver: set_up(&store, builder).build(), folder, clock, store, journal, handled }
    }

    /// A receiver like the first one on the same store: that one has stopped.
    pub(super) fn again(self) -> Self {
        let Self { folder, clock, store, journal, .. } = self;
        let (builder, handled) = builder(&store, &clock, &journal, PlatformEvents::new(Arc::clone(&store)));
        Self { receiver: builder.build(), folder, clock, store, journal, handled }
    }

    pub(super) async fn post(&self, body: &str) -> (StatusCode, Value) {
        post(&self.receiver.router(), body, Signer::new(secret("new")).sign(body.as_bytes())).await
    }

    /// Works until so many deliveries were handled, and finishes them.
    pub(super) async fn work(&mut self, deliveries: usize) {
        let receiver = self.receiver.clone();
        let worker = tokio::spawn(async move { receiver.run().await });
        for _ in 0..deliveries {
            self.handled.recv().await.unwrap();
        }
        self.receiver.stop();
        worker.await.unwrap();
    }

    pub(super) fn actions(&self) -> Vec<String> {
        self.journal.events().iter().map(|event| event.action().to_owned()).collect()
    }
}

fn builder(
    store: &Arc<dyn Store>,
    clock: &TestClock,
    journal: &InMemory,
    usual: PlatformEvents,
) -> (ReceiverBuilder, UnboundedReceiver<()>) {
    let (told, handled) = unbounded_channel();
    let builder = Receiver::builder(Arc::clone(store), Verifier::new(secret("new")))
        .clock(clock.clone())
        .journal(Journal::builder().durable("memory", journal.clone()).build().unwrap())
        .handler(Telling { usual: Box::new(usual), told });
    (builder, handled)
}

pub(super) async fn open(folder: &TempDir, bytes_max: Option<u64>) -> Arc<dyn Store> {
    let mut options = SqliteOptions::new(folder.path().join("store.db"));
    if let Some(bytes) = bytes_max {
        options = options.bytes_max(bytes);
    }
    Arc::new(SqliteStore::open(options).await.unwrap())
}

/// The usual work, and a word when it was done.
struct Telling {
    usual: Box<dyn Handler>,
    told: UnboundedSender<()>,
}

impl Handler for Telling {
    fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
        Box::pin(async move {
            let outcome = self.usual.handle(received).await;
            let _ = self.told.send(());
            outcome
        })
    }
}

/// Work that fails as it is told to.
pub(super) struct Failing<F>(pub(super) F);

impl<F: Fn(u32) -> Result<Handled, HandlerError> + Send + Sync + 'static> Handler for Failing<F> {
    fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
        Box::pin(async move { (self.0)(received.delivery.attempt) })
    }
}

pub(super) async fn post(router: &Router, body: &str, headers: HeaderMap) -> (StatusCode, Value) {
    let mut request = Request::post(PATH).body(Body::from(body.to_owned())).unwrap();
    *request.headers_mut() = headers;
    answer(router, request).await
}

pub(super) async fn answer(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

pub(super) async fn get(router: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// An event about the scan of a file.
pub(super) fn scan(id: &str, file: &str, status: &str, virus: &str) -> String {
    let data =
        json!({ "fileId": file, "status": status, "virusScanResult": virus, "formatValidation": "passed" });
    json!({
        "eventType": "genesys.cloud.messaging.file.upload.completed",
        "eventId": id,
        "timestamp": START,
        "data": data,
    })
    .to_string()
}
