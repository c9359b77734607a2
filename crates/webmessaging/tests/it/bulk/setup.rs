//! An emulator, a store and a client whose waits let the emulator's time pass too; a clock that stands still.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures_util::stream;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use webmessaging::bots::{Message, SendMessage, Sender};
use webmessaging::http::Clock;
use webmessaging::http::clock::Wait;
use webmessaging::http::testing::SkippingClock;
use webmessaging::http::{Client as HttpClient, Credentials};
use webmessaging::model::Timestamp;
use webmessaging::store::{NewIntent, SqliteOptions, SqliteStore, Store};
use webmessaging::{BulkReport, BulkSender, Client};
use webmessaging_emulator::{Conversation, Emulator, Organization, RateLimit};

pub(super) struct Setup {
    _folder: TempDir,
    pub(super) emulator: Emulator,
    pub(super) client: Client,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: SkippingClock,
}

impl Setup {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("store.db"));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options).await.unwrap());
        let conversations = (0..10).map(|number| Conversation::new(format!("c-{number}")));
        let organization = conversations.fold(Organization::empty(), Organization::conversation);
        let builder = Emulator::builder().organization(organization).rate_limit(RateLimit::off());
        let emulator = builder.start().await.unwrap();
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept| theirs.advance(slept));
        let http = HttpClient::builder(Credentials::new("demo-client", "demo-secret"));
        let http = http.clock(clock.clone());
        let client = Client::new(http.base_url(emulator.base_url()).build().unwrap());
        Self { _folder: folder, emulator, client, store, clock }
    }

    /// A run of a process of its own.
    pub(super) fn bulk(&self) -> BulkSender {
        let bulk = BulkSender::new(Sender::new(self.client.bots()), Arc::clone(&self.store), "list");
        bulk.clock(SkippingClock::with_hook(|_| {}))
    }

    pub(super) async fn run(&self, lines: &[String]) -> (BulkReport, Vec<String>) {
        let mut told = Vec::new();
        let lines = stream::iter(lines.iter().map(|line| Ok(line.clone())));
        let bulk = self.bulk();
        let report = bulk.run(lines, |line, outcome| {
            let outcome = outcome.to_string();
            let outcome = outcome.split(" as ").next().unwrap().to_owned();
            told.push(format!("{line} {outcome}"));
        });
        (report.await.unwrap(), told)
    }

    /// What a process leaves on record that ends before it hears what became of a line.
    pub(super) async fn begin(&self, number: usize, conversation: &str, text: &str, request_id: &str) {
        let message = Message::text("a", "b", text);
        let digest = hex::encode(SendMessage::new(conversation, request_id, &message).sha256());
        let details = json!({"requestId": request_id, "sha256": format!("{conversation}:{digest}")});
        let intent = NewIntent::new("bots.bulk", format!("list:{number}"), Timestamp::UNIX_EPOCH);
        self.store.begin_intent(intent.details(details.to_string())).await.unwrap();
    }

    pub(super) fn texts(&self, conversation: &str) -> Vec<String> {
        let messages = self.emulator.messages(conversation);
        messages.iter().map(|message| message.body["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// A clock that stands still; who waits for it does until it goes on.
#[derive(Debug, Clone)]
pub(super) struct HeldClock {
    stands: SkippingClock,
    pub(super) sleeps: Arc<Mutex<Vec<Duration>>>,
    pub(super) goes_on: watch::Sender<bool>,
}

impl HeldClock {
    pub(super) fn new() -> Self {
        let (goes_on, _) = watch::channel(false);
        Self { stands: SkippingClock::new(), sleeps: Arc::default(), goes_on }
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Instant {
        self.stands.now()
    }

    fn wall(&self) -> SystemTime {
        self.stands.wall()
    }

    fn sleep(&self, duration: Duration) -> Wait {
        self.sleeps.lock().unwrap().push(duration);
        let mut goes_on = self.goes_on.subscribe();
        Box::pin(async move {
            goes_on.wait_for(|goes_on| *goes_on).await.unwrap();
        })
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        self.stands.watchdog(duration)
    }
}

pub(super) fn line(conversation: &str, text: &str) -> String {
    let message = json!({"conversationId": conversation, "to": {"id": "a"}, "from": {"id": "b"}, "type": "text", "text": text});
    message.to_string()
}

pub(super) fn report(sent: u64, sent_before: u64, refused: u64) -> BulkReport {
    let mut report = BulkReport::default();
    (report.sent, report.sent_before, report.refused) = (sent, sent_before, refused);
    report
}
