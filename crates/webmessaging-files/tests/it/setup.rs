//! An emulator and a client whose waits let the emulator's time pass too.

use std::time::Duration;

use webmessaging_emulator::{Emulator, EmulatorBuilder, RecordedRequest, Route};
use webmessaging_files::FilesClient;
use webmessaging_http::testing::{Halfway, SkippingClock};
use webmessaging_http::{Client, ClientBuilder, Credentials};
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

pub(crate) fn metadata() -> UploadMetadata {
    UploadMetadata::new("report.pdf", 4096, CHANNEL, MESSAGE)
}
