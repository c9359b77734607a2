//! Downloads that go on: one request for everybody, renewal before the end, jumps of the calendar, a file that turns bad.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::{ExpiryPolicy, ScanGate, SignedDownload};
use webmessaging_http::{ErrorKind, Sent};
use webmessaging_journal::sinks::InMemory;
use webmessaging_model::ScanVerdict;

use crate::clocks::OddClock;
use crate::setup::{CHANNEL, Kept, MESSAGE, Setup, told};

struct Handed {
    setup: Setup,
    clock: OddClock,
    memory: InMemory,
    kept: Kept,
    download: SignedDownload,
}

/// A clean file, and URLs of it that live ten minutes.
async fn handed(fails: bool) -> Handed {
    let clock = OddClock::default();
    let setup =
        Setup::with(|emulator| emulator.scan_duration(Duration::ZERO), |client| client.clock(clock.clone()))
            .await;
    let file = setup.upload("report.txt", b"words".to_vec()).await.file_id;
    let (mut setup, memory, _) = setup.recorded();
    let kept = Kept { fails, ..Kept::default() };
    setup.files = setup.files.on_quarantine(kept.clone());
    let ten_minutes = ExpiryPolicy::new(Duration::from_secs(600));
    let download = setup.files.signed_download(MESSAGE, file).expiry(ten_minutes);
    Handed { setup, clock, memory, kept, download }
}

impl Handed {
    fn asked(&self) -> usize {
        self.setup.emulator.count(Route::GetAttachment)
    }

    fn answer(&self, body: &Value) {
        self.setup.emulator.inject(Route::GetAttachment, Fault::status(200).json(body));
    }
}

fn malicious() -> Value {
    json!({"id": "f", "fileName": "report.txt", "status": "completed", "virusScanResult": "malicious",
        "downloadUrl": "https://store.example/f?signature=s"})
}

#[tokio::test]
async fn a_url_is_kept_until_a_tenth_of_its_life_is_left() {
    let handed = handed(false).await;
    let first = handed.download.url().await.unwrap();
    handed.clock.steady.advance(Duration::from_secs(539));
    let same = handed.download.clone().url().await.unwrap();
    assert_eq!((same.url.expose(), handed.asked()), (first.url.expose(), 1));
    handed.clock.steady.advance(Duration::from_secs(1));
    let second = handed.download.url().await.unwrap();
    assert_eq!(handed.asked(), 2);
    assert!(second.expires_at > first.expires_at);
    assert_eq!(told(&handed.memory), ["file.download_url_issued success"; 2]);
}

#[tokio::test]
async fn many_callers_share_one_request() {
    let handed = handed(false).await;
    let asked = |calls: usize| {
        (0..calls)
            .map(|_| {
                let download = handed.download.clone();
                tokio::spawn(async move { download.url().await })
            })
            .collect::<Vec<_>>()
    };
    for call in asked(20) {
        call.await.unwrap().unwrap();
    }
    assert_eq!(handed.asked(), 1);

    handed.clock.steady.advance(Duration::from_secs(600));
    handed.setup.emulator.inject(Route::GetAttachment, Fault::status(500));
    for call in asked(20) {
        assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Server);
    }
    assert_eq!(handed.asked(), 2, "a failure is everybody's who waited for it");
    handed.download.url().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_way_free() {
    let handed = handed(false).await;
    let mut given_up = Box::pin(handed.download.url());
    std::future::poll_fn(|cx| {
        assert!(given_up.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(given_up);
    handed.download.url().await.unwrap();
}

#[tokio::test]
async fn a_calendar_that_jumps_never_stretches_a_url() {
    let handed = handed(false).await;
    handed.download.url().await.unwrap();
    // Forwards: perhaps the machine slept, so the URL is asked for again.
    handed.clock.move_calendar(600);
    handed.download.url().await.unwrap();
    assert_eq!(handed.asked(), 2);
    // Backwards: the URL looks young for ever by the calendar, and ends by the steady clock.
    handed.clock.move_calendar(-7_200);
    handed.download.url().await.unwrap();
    assert_eq!(handed.asked(), 2);
    handed.clock.steady.advance(Duration::from_secs(540));
    handed.download.url().await.unwrap();
    assert_eq!(handed.asked(), 3);
}

#[tokio::test]
async fn a_file_that_turns_bad_is_blocked_for_good() {
    let handed = handed(false).await;
    handed.download.url().await.unwrap();
    handed.memory.clear();
    handed.answer(&malicious());
    handed.clock.steady.advance(Duration::from_secs(600));
    for _ in 0..3 {
        let error = handed.download.url().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("quarantined, its scan came to malicious"), "{error}");
    }
    // Clean answers would have followed.
    assert_eq!(handed.asked(), 2);
    assert_eq!(told(&handed.memory), ["file.scanned malicious", "file.quarantined malicious"]);
    assert_eq!(handed.kept.reasons(), ["malicious"]);
    let files = handed.kept.files.lock().unwrap();
    assert_eq!((files[0].file_name.as_deref(), files[0].message_id.as_str()), (Some("report.txt"), MESSAGE));
}

#[tokio::test]
async fn a_hook_that_fails_is_called_again() {
    let handed = handed(true).await;
    for _ in 0..2 {
        handed.answer(&malicious());
        let error = handed.download.url().await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::NotRecorded, Sent::Yes));
    }
    assert_eq!(handed.kept.reasons(), ["malicious"; 2]);
}

#[tokio::test]
async fn a_webhook_closes_a_url_that_is_kept() {
    let handed = handed(false).await;
    let gate = ScanGate::new();
    let download = handed.download.clone().gate(&gate);
    let file = download.url().await.unwrap().file_id;
    assert!(gate.tell(file, ScanVerdict::Malicious));
    let error = download.url().await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotFound, Sent::No));
    assert_eq!((handed.asked(), handed.kept.reasons()), (1, vec!["malicious"]));
}

#[tokio::test]
async fn what_is_not_scanned_yet_is_asked_for_again() {
    let setup = Setup::new().await;
    let source = webmessaging_http::Source::bytes("report.txt", "words");
    let file = setup.files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap();
    let download = setup.files.signed_download(MESSAGE, file.file_id);
    let error = download.url().await.unwrap_err();
    assert!(error.to_string().contains("not scanned yet"), "{error}");
    setup.emulator.clock().advance(Duration::from_secs(1));
    download.url().await.unwrap();
}
