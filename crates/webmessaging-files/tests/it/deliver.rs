//! Deliveries: what each verdict leads to, and that nothing is called clean that is not on record as such.

use std::error::Error as _;
use std::future::ready;
use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::{BlockReason, BlockedFile, Hooked, QuarantineHook, ScanGate};
use webmessaging_http::{ErrorKind, Source};
use webmessaging_journal::{Event, EventKind, Journal, PrivateText};
use webmessaging_model::{ContentType, ScanVerdict};

use crate::clocks::OddClock;
use crate::setup::{CHANNEL, Kept, Looks, MESSAGE, Setup, eicar, pdf, told};

const HELLO_SHA256: &str = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

fn hello() -> Source {
    Source::bytes("hello.txt", "hello world")
}

#[tokio::test]
async fn a_clean_file_is_delivered_and_recorded() {
    let (setup, memory, kept) = Setup::new().await.recorded();
    let delivered = setup.deliver(hello()).await.unwrap();
    assert!(delivered.is_clean());
    assert!(delivered.attachment.unwrap().download_url().is_some());
    assert_eq!(told(&memory), ["file.uploaded success", "file.scanned success"]);
    assert!(kept.reasons().is_empty());
    let events = memory.events();
    let EventKind::FileScanned(kind) = &events[1].kind else { panic!("{:?}", events[1]) };
    assert_eq!(kind.file_id, delivered.file.file_id);
    assert_eq!((kind.name.as_ref().map(PrivateText::expose), kind.size), (Some("hello.txt"), Some(11)));
    assert_eq!(kind.content_type.as_deref(), Some("text/plain"));
    assert_eq!(kind.message_id.as_ref().map(AsRef::as_ref), Some(MESSAGE));
    assert_eq!(events[1].facts.operation.as_deref(), Some("files.attachment.get"));
}

#[tokio::test]
async fn a_file_that_is_not_clean_is_blocked_recorded_and_handed_to_the_hook() {
    let mut binary = vec![b'a'; 100_000];
    binary.push(0);
    for (content, verdict) in [(eicar(), ScanVerdict::Malicious), (binary, ScanVerdict::FormatRejected)] {
        let (setup, memory, kept) = Setup::new().await.recorded();
        let size = content.len() as u64;
        let delivered = setup.deliver(Source::bytes("words.txt", content)).await.unwrap();
        assert_eq!((delivered.verdict, delivered.is_clean()), (verdict, false));
        assert!(delivered.attachment.unwrap().download_url().is_none());
        let reason = verdict.as_str();
        assert_eq!(
            told(&memory),
            [
                "file.uploaded success".to_owned(),
                format!("file.scanned {reason}"),
                format!("file.quarantined {reason}")
            ]
        );
        let events = memory.events();
        let EventKind::FileQuarantined(kind) = &events[2].kind else { panic!("{:?}", events[2]) };
        assert_eq!((kind.deleted, kind.cause.as_str()), (Some(true), reason));
        let files = kept.files.lock().unwrap();
        let [file] = &files[..] else { panic!("once") };
        assert_eq!((&file.file_id, file.reason), (&delivered.file.file_id, BlockReason::Verdict(verdict)));
        assert_eq!((file.message_id.as_str(), file.size_bytes), (MESSAGE, Some(size)));
        assert_eq!(
            (file.file_name.as_deref(), &file.content_type),
            (Some("words.txt"), &Some(ContentType::PlainText))
        );
        assert!(!file.is_tried_again);
    }
}

#[tokio::test]
async fn no_verdict_in_time_is_no_error_and_not_clean() {
    let (setup, memory, kept) =
        Setup::with(|e| e.scan_duration(Duration::from_secs(100)), |client| client).await.recorded();
    let delivered = setup.deliver(hello()).within(Duration::from_secs(3)).await.unwrap();
    assert_eq!((delivered.verdict, delivered.is_clean()), (ScanVerdict::Pending, false));
    assert!(delivered.attachment.is_none());
    assert_eq!((told(&memory), kept.reasons().len()), (vec!["file.uploaded success".to_owned()], 0));
    let later = setup.files.wait_for_scan(MESSAGE, delivered.file.file_id).await.unwrap();
    assert_eq!(later.verdict(), ScanVerdict::Clean);
}

#[tokio::test]
async fn a_hook_that_fails_is_an_error_that_says_so() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let failing = Kept { fails: true, ..Kept::default() };
    let files = setup.files.clone().on_quarantine(failing.clone());
    let delivery = files.deliver(Source::bytes("eicar.txt", eicar())).channel(CHANNEL).message(MESSAGE);
    let error = delivery.await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::NotRecorded);
    let file = &error.file().unwrap().file_id;
    assert_eq!(
        error.to_string(),
        format!("files.attachment.get: the file is blocked, and its quarantine failed, file {file}")
    );
    assert_eq!(error.source().unwrap().to_string(), "the list is full");
    assert_eq!(failing.reasons(), ["malicious"]);
    // That it is blocked is on record all the same.
    assert_eq!(told(&memory)[1..], ["file.scanned malicious", "file.quarantined malicious"]);
    let EventKind::FileQuarantined(kind) = &memory.events()[2].kind else { panic!("quarantined") };
    assert_eq!(kind.deleted, None);
}

/// A hook that never comes back.
struct Hangs;

impl QuarantineHook for Hangs {
    fn quarantined<'a>(&'a self, _: &'a BlockedFile) -> Hooked<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_hook_that_hangs_is_given_up() {
    let setup = Setup::new().await;
    let files = setup.files.clone().on_quarantine(Hangs).quarantine_within(Duration::from_millis(5));
    let delivery = files.deliver(Source::bytes("eicar.txt", eicar())).channel(CHANNEL).message(MESSAGE);
    let error = delivery.await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::NotRecorded);
    assert_eq!(error.source().unwrap().to_string(), "it took too long");
}

fn clean(sha256: &Value) -> Fault {
    Fault::status(200)
        .json(json!({"id": "f", "status": "completed", "virusScanResult": "clean", "sha256": sha256}))
}

#[tokio::test]
async fn other_bytes_than_were_sent_are_never_clean() {
    for theirs in ["0".repeat(64), String::new(), HELLO_SHA256[1..].to_owned()] {
        let (setup, memory, kept) = Setup::new().await.recorded();
        setup.emulator.inject(Route::GetAttachment, clean(&theirs.into()));
        let gate = ScanGate::new();
        let error = setup.deliver(hello()).gate(&gate).await.unwrap_err();
        assert_eq!(error.error().kind(), ErrorKind::UnexpectedAnswer);
        assert!(error.to_string().contains("other bytes than were sent: their sha-256 differs"), "{error}");
        assert_eq!(told(&memory), ["file.uploaded success", "file.quarantined digest_mismatch"]);
        assert_eq!(kept.reasons(), ["digest_mismatch"]);
        // Nor does anybody else get it who asks the same gate.
        let file = error.file().unwrap().file_id.clone();
        let error = setup.files.download_url(MESSAGE, file).gate(&gate).await.unwrap_err();
        assert!(error.to_string().contains("quarantined, its scan came to unknown"), "{error}");
    }
}

#[tokio::test]
async fn the_same_bytes_or_no_digest_are_fine() {
    let setup = Setup::new().await;
    for theirs in [json!(HELLO_SHA256), json!(HELLO_SHA256.to_uppercase()), json!(null)] {
        setup.emulator.inject(Route::GetAttachment, clean(&theirs));
        assert!(setup.deliver(hello()).await.unwrap().is_clean(), "{theirs}");
    }
    setup.emulator.inject(Route::GetAttachment, clean(&json!("0".repeat(64))));
    assert!(setup.deliver(hello()).digest(false).await.unwrap().is_clean());
}

/// A setup whose gate is told something as soon as a certain event is recorded.
async fn with_webhook(when: fn(&EventKind) -> bool, verdict: ScanVerdict) -> (Setup, ScanGate, Kept) {
    let (mut setup, gate, kept) = (Setup::new().await, ScanGate::new(), Kept::default());
    let teller = gate.clone();
    let tells = Looks(move |event: &Event| {
        if when(&event.kind) {
            teller.tell(event.subject().id, verdict);
        }
    });
    let journal = Journal::builder().durable("teller", tells).build().unwrap();
    setup.files = setup.files.journal(journal).on_quarantine(kept.clone());
    (setup, gate, kept)
}

#[tokio::test]
async fn a_webhook_can_come_before_the_wait_begins() {
    let (setup, gate, kept) =
        with_webhook(|kind| matches!(kind, EventKind::FileUploaded(_)), ScanVerdict::Malicious).await;
    let delivered = setup.deliver(hello()).gate(&gate).await.unwrap();
    assert_eq!((delivered.verdict, kept.reasons()), (ScanVerdict::Malicious, vec!["malicious"]));
    assert_eq!(setup.emulator.count(Route::GetAttachment), 0);
}

#[tokio::test]
async fn a_verdict_that_changes_while_it_is_recorded_is_blocked() {
    let is_clean = |kind: &EventKind| matches!(kind, EventKind::FileScanned(scanned) if scanned.is_clean());
    let (setup, gate, kept) = with_webhook(is_clean, ScanVerdict::Malicious).await;
    let delivered = setup.deliver(hello()).gate(&gate).await.unwrap();
    assert_eq!((delivered.verdict, kept.reasons()), (ScanVerdict::Malicious, vec!["malicious"]));
    assert!(delivered.attachment.unwrap().download_url().is_none());
}

#[tokio::test]
async fn a_scan_that_cannot_be_asked_for_keeps_the_file() {
    for (fault, kind) in [
        (Fault::status(403), ErrorKind::Permission),
        (Fault::status(404), ErrorKind::NotFound),
        (Fault::status(200).html("<html>log in</html>"), ErrorKind::UnexpectedAnswer),
    ] {
        let setup = Setup::new().await;
        setup.emulator.inject(Route::GetAttachment, fault);
        let error = setup.deliver(hello()).await.unwrap_err();
        assert_eq!((error.error().kind(), error.file().is_some()), (kind, true));
        assert!(!error.to_string().contains("log in"), "{error}");
    }
}

#[tokio::test]
async fn a_delivery_can_be_canceled_wherever_it_is() {
    let setup = Setup::new().await;
    let error = setup.deliver(hello()).cancel_on(ready(())).await.unwrap_err();
    assert_eq!((error.error().kind(), error.file().is_none()), (ErrorKind::Canceled, true));
    assert_eq!(setup.counts(), (0, 0, 0));

    let setup = Setup::with(
        |emulator| emulator.scan_duration(Duration::from_secs(100)),
        |client| client.clock(OddClock::stopped()),
    )
    .await;
    let (cancel, canceled) = tokio::sync::oneshot::channel::<()>();
    let delivery = setup.deliver(Source::bytes("report.pdf", pdf(10)));
    let delivery = tokio::spawn(delivery.cancel_on(async { drop(canceled.await) }).into_future());
    while setup.emulator.count(Route::GetAttachment) == 0 {
        tokio::task::yield_now().await;
    }
    drop(cancel);
    let error = delivery.await.unwrap().unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Canceled);
    assert_eq!(error.file().unwrap().size_bytes, 10);
}
