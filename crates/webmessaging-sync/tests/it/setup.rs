//! What every test needs: a store in a file, a clock that skips its waits, events.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use webmessaging_http::testing::{Halfway, SkippingClock};
use webmessaging_http::{Clock, Proxy};
use webmessaging_journal::clock::SystemEntropy;
use webmessaging_journal::kind::{
    BotMessageSent, Consent, DataChanges, FileScanned, GuestChange, GuestUpdated,
};
use webmessaging_journal::{Event, EventId, EventKind, Facts, Stamp};
use webmessaging_model::{MessageId, ScanVerdict, Timestamp};
use webmessaging_store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use webmessaging_sync::{Round, Secrets, ShapeName, SyncWorker, SyncWorkerBuilder, TargetConfig, Targets};

use crate::judge::Judge;

pub(crate) const AT: &str = "2026-11-25T08:30:00.000Z";

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: SkippingClock,
    folder: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        Self { store, clock: SkippingClock::new(), folder }
    }

    /// One whose store is in memory: the same promises, without a disk.
    pub(crate) fn in_memory() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self { store, clock: SkippingClock::new(), folder: tempfile::tempdir().unwrap() }
    }

    /// The same file, opened once more.
    pub(crate) async fn reopened(&self) -> Arc<dyn Store> {
        open(&self.folder).await
    }

    /// Another process's way into the file.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("store.db")).unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.wall().into()
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub(crate) fn builder(&self, targets: &Targets) -> SyncWorkerBuilder {
        SyncWorker::builder(Arc::clone(&self.store), targets.clone())
            .clock(self.clock.clone())
            .entropy(Halfway)
            .client(|_, client| client.proxy(Proxy::none()))
    }

    pub(crate) fn worker(&self, targets: &Targets) -> SyncWorker {
        self.builder(targets).build().unwrap()
    }

    pub(crate) async fn enqueue(&self, targets: &Targets, events: &[Event]) {
        for event in events {
            self.store.enqueue(targets.items_for(event, self.now()), self.now()).await.unwrap();
        }
    }

    /// Looks again and again, with an hour in between, until nothing is pending.
    pub(crate) async fn until_settled(&self, worker: &SyncWorker) -> Round {
        let mut last = Round::default();
        for _ in 0..200 {
            last = worker.deliver_due().await.unwrap();
            if worker.status().await.unwrap().iter().all(|status| status.pending == 0) {
                return last;
            }
            self.advance(Duration::from_secs(3_600));
        }
        panic!("it does not come to an end: {last:?}");
    }
}

async fn open(folder: &TempDir) -> Arc<dyn Store> {
    let options = SqliteOptions::new(folder.path().join("store.db")).busy_timeout(Duration::from_secs(1));
    Arc::new(SqliteStore::open(options).await.unwrap())
}

pub(crate) fn config(judge: &Judge, shape: ShapeName) -> TargetConfig {
    TargetConfig::new("judge", judge.url(), shape).allow_private(["127.0.0.1"])
}

pub(crate) fn targets(configs: impl IntoIterator<Item = TargetConfig>) -> Targets {
    Targets::new(configs.into_iter().map(|config| config.build(&Secrets::none()).unwrap())).unwrap()
}

pub(crate) fn event(kind: impl Into<EventKind>) -> Event {
    let at: Timestamp = AT.parse().unwrap();
    Stamp::new(EventId::new(at, &SystemEntropy), at, "test").event(kind)
}

/// Message number `number` of a conversation.
pub(crate) fn message(conversation: &str, number: usize) -> Event {
    let message = MessageId::new(format!("{conversation}-{number}"));
    event(BotMessageSent::new(conversation).message_id(message))
        .facts(Facts::new().status(200).latency(Duration::from_millis(42)))
}

/// A clean file.
pub(crate) fn file(number: usize) -> Event {
    let kind = FileScanned::new(format!("file-{number}"), ScanVerdict::Clean);
    event(kind.name("a.pdf").size(7).content_type("application/pdf"))
}

pub(crate) fn files(count: usize) -> Vec<Event> {
    (1..=count).map(file).collect()
}

/// A guest who was changed.
pub(crate) fn guest(number: usize) -> Event {
    let change = GuestChange::new(DataChanges::new())
        .email_hash("0123456789abcdef".repeat(4))
        .consent_flags(Consent::new(false, true));
    event(GuestUpdated::new(format!("guest-{number}"), Box::new(change)))
}
