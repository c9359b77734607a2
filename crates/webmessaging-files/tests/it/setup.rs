//! An emulator and a client whose waits let the emulator's time pass too.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use webmessaging_emulator::{Emulator, EmulatorBuilder, RecordedRequest, Route};
use webmessaging_files::{
    BlockedFile, Deliver, FilesClient, Hooked, QuarantineHook, Quarantined, UploadedFile,
};
use webmessaging_http::testing::{Halfway, SkippingClock};
use webmessaging_http::{Client, ClientBuilder, Clock, Credentials, Source};
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{Event, Journal, Recorded, Sink};
use webmessaging_model::UploadMetadata;

pub(crate) const CHANNEL: &str = "12345678-1234-1234-1234-123456789012";
pub(crate) const MESSAGE: &str = "87654321-4321-4321-4321-210987654321";

pub(crate) struct Setup {
    pub(crate) emulator: Emulator,
    pub(crate) files: FilesClient,
    pub(crate) http: Client,
    pub(crate) clock: SkippingClock,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self::with(|emulator| emulator, |client| client).await
    }

    pub(crate) async fn with(
        emulator: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let emulator = emulator(Emulator::builder()).start().await.unwrap();
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept: Duration| theirs.advance(slept));
        let builder = Client::builder(Credentials::new("demo-client", "demo-secret"))
            .base_url(emulator.base_url())
            .clock(clock.clone())
            .entropy(Halfway);
        let http = client(builder).build().unwrap();
        let files = FilesClient::new(http.clone());
        Self { emulator, files, http, clock }
    }

    /// The same with a journal that is kept in memory, and a hook for what is blocked.
    pub(crate) fn recorded(mut self) -> (Self, InMemory, Kept) {
        let (memory, kept) = (InMemory::new(), Kept::default());
        let journal = Journal::builder().durable("memory", memory.clone()).build().unwrap();
        self.files = self.files.journal(journal).on_quarantine(kept.clone());
        (self, memory, kept)
    }

    /// The calendar of this machine, as the client sees it.
    pub(crate) fn files_wall(&self) -> SystemTime {
        self.clock.wall()
    }

    /// A file that has arrived.
    pub(crate) async fn upload(&self, name: &str, content: Vec<u8>) -> UploadedFile {
        self.files.upload(Source::bytes(name, content)).channel(CHANNEL).message(MESSAGE).await.unwrap()
    }

    /// A delivery with what it needs.
    pub(crate) fn deliver(&self, source: Source) -> Deliver {
        self.files.deliver(source).channel(CHANNEL).message(MESSAGE)
    }

    /// How often each route was called: login, announcement, bytes.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let count = |route| self.emulator.count(route);
        (count(Route::Token), count(Route::CreateUpload), count(Route::PutUpload))
    }

    /// Lets time pass, here and on the platform.
    pub(crate) fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
        self.emulator.clock().advance(duration);
    }

    /// The requests of a route, in order.
    pub(crate) fn requests(&self, route: Route) -> Vec<RecordedRequest> {
        self.emulator.requests().into_iter().filter(|request| request.route == Some(route)).collect()
    }
}

/// A file of this many bytes that begins like a PDF.
pub(crate) fn pdf(bytes: usize) -> Vec<u8> {
    b"%PDF-1.7\n".iter().copied().chain((0..=255).cycle()).take(bytes).collect()
}

/// The test file of virus scanners, in two halves here, so that this file is none.
pub(crate) fn eicar() -> Vec<u8> {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat().into_bytes()
}

pub(crate) fn metadata() -> UploadMetadata {
    UploadMetadata::new("report.pdf", 4096, CHANNEL, MESSAGE)
}

/// What a journal was told, by action and outcome.
pub(crate) fn told(kept: &InMemory) -> Vec<String> {
    let line = |event: Event| {
        let outcome = event.outcome();
        format!("{} {}", event.action(), outcome.cause().unwrap_or(outcome.name()))
    };
    kept.events().into_iter().map(line).collect()
}

/// A hook that remembers what it was told, and fails when it is to.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) files: Arc<Mutex<Vec<BlockedFile>>>,
    pub(crate) fails: bool,
}

impl Kept {
    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        self.files.lock().unwrap().iter().map(|file| file.reason.as_str()).collect()
    }
}

impl QuarantineHook for Kept {
    fn quarantined<'a>(&'a self, file: &'a BlockedFile) -> Hooked<'a> {
        Box::pin(async move {
            self.files.lock().unwrap().push(file.clone());
            if self.fails { Err("the list is full".into()) } else { Ok(Quarantined::Deleted) }
        })
    }
}

/// A sink that looks at every event.
pub(crate) struct Looks<F>(pub(crate) F);

impl<F: Fn(&Event) + Send + Sync + 'static> Sink for Looks<F> {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        (self.0)(event);
        Box::pin(std::future::ready(Ok(())))
    }
}
