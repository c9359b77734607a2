//! A manager of transfers on an emulator, with a journal whose events can be read.

use std::time::Duration;

use webmessaging_emulator::{EmulatorBuilder, Route};
use webmessaging_files::{FinishedTransfer, TransferManager};
use webmessaging_http::{Error, Source};
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{Event, Journal, Recorded, Sink};
use webmessaging_model::{AccessPolicyDirectives, EncryptionStandard, TransferId, TransferPayload};

use crate::setup::{Setup, pdf};

pub(crate) const ORGANIZATION: &str = "organization-1";
pub(crate) const BUCKET: &str = "7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10";
pub(crate) const SIZE: usize = 1_000_000;

pub(crate) struct Transfers {
    pub(crate) setup: Setup,
    pub(crate) manager: TransferManager,
    events: InMemory,
}

impl Transfers {
    pub(crate) async fn new() -> Self {
        Self::with(|emulator| emulator).await
    }

    /// Scans take 10 seconds, so that there is something to wait for.
    pub(crate) async fn with(emulator: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let ten = Duration::from_secs(10);
        Self::on(Setup::with(|builder| emulator(builder.scan_duration(ten)), |client| client).await)
    }

    pub(crate) fn on(setup: Setup) -> Self {
        let events = InMemory::new();
        let journal = Journal::builder().durable("memory", events.clone()).build().unwrap();
        let manager = TransferManager::new(setup.http.clone(), ORGANIZATION).journal(journal);
        Self { setup, manager, events }
    }

    pub(crate) async fn transfer(&self) -> Result<FinishedTransfer, Error> {
        self.manager.transfer(payload("report.pdf", SIZE), source(SIZE)).await
    }

    /// A transfer whose bytes have arrived.
    pub(crate) async fn uploaded(&self) -> TransferId {
        let transfer = self.manager.create(payload("report.pdf", SIZE)).await.unwrap();
        self.manager.upload(&transfer, source(SIZE)).await.unwrap();
        transfer.transfer_id
    }

    /// How often each route was called: announcement, renewal, bytes, look.
    pub(crate) fn counts(&self) -> (usize, usize, usize, usize) {
        let count = |route| self.setup.emulator.count(route);
        let (create, renew) = (count(Route::CreateTransfer), count(Route::RenewTransfer));
        (create, renew, count(Route::PutTransfer), count(Route::GetTransfer))
    }

    /// Every event so far: its action, its subject, and the cause where it has one.
    pub(crate) fn events(&self) -> Vec<(String, String, String)> {
        let event = |event: &Event| {
            let data = serde_json::to_value(event).unwrap();
            let cause = data["data"]["cause"].as_str().unwrap_or_default().to_owned();
            (event.action().to_owned(), event.subject().id.to_owned(), cause)
        };
        self.events.events().iter().map(event).collect()
    }

    /// The actions of all events so far, with the cause where there is one.
    pub(crate) fn actions(&self) -> Vec<String> {
        let join = |(action, _, cause): (String, String, String)| {
            if cause.is_empty() { action } else { format!("{action} {cause}") }
        };
        self.events().into_iter().map(join).collect()
    }

    /// Everything that was recorded, as text.
    pub(crate) fn recorded(&self) -> String {
        format!("{:?}", self.events.events())
    }
}

/// A journal that can keep nothing.
pub(crate) fn full() -> Journal {
    struct Full;

    impl Sink for Full {
        fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
            let error = webmessaging_journal::Error::new(webmessaging_journal::ErrorKind::Sink, "full");
            Box::pin(std::future::ready(Err(error)))
        }
    }

    Journal::builder().durable("full", Full).build().unwrap()
}

pub(crate) fn payload(name: &str, bytes: usize) -> TransferPayload {
    let policy = AccessPolicyDirectives::new(30, EncryptionStandard::Aes256, true);
    TransferPayload::new(name, bytes as u64, BUCKET, policy)
}

pub(crate) fn source(bytes: usize) -> Source {
    Source::bytes("report.pdf", pdf(bytes))
}
