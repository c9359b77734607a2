//! Scans that fail, and the second upload after a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::ScanGate;
use webmessaging_http::{ErrorKind, Source, SourceContent};
use webmessaging_journal::{Event, EventKind, Journal};
use webmessaging_model::ScanVerdict;

use crate::clocks::OddClock;
use crate::setup::{Looks, Setup, told};

const PAUSE: Duration = Duration::from_secs(300);

fn hello() -> Source {
    Source::bytes("hello.txt", "hello world")
}

fn fail_scans(setup: &Setup, scans: usize) {
    for _ in 0..scans {
        let failed = Fault::status(200).json(json!({"id": "f", "status": "failed"}));
        setup.emulator.inject(Route::GetAttachment, failed);
    }
}

fn pauses(setup: &Setup, pause: Duration) -> usize {
    setup.clock.sleeps().into_iter().filter(|slept| *slept == pause).count()
}

#[tokio::test]
async fn a_scan_that_failed_is_tried_again_after_five_minutes() {
    let (setup, memory, kept) = Setup::new().await.recorded();
    fail_scans(&setup, 1);
    let delivered = setup.deliver(hello()).await.unwrap();
    assert!(delivered.is_clean());
    assert_eq!((setup.counts(), pauses(&setup, PAUSE)), ((1, 2, 2), 1));
    assert_eq!(
        told(&memory),
        [
            "file.uploaded success",
            "file.scanned scan_failed",
            "file.quarantined failed",
            "file.uploaded success",
            "file.scanned success",
        ]
    );
    // The first upload stays behind on the platform, and is nobody's any more.
    let files = kept.files.lock().unwrap();
    let [first] = &files[..] else { panic!("one file") };
    assert!(first.is_tried_again && first.file_id != delivered.file.file_id);
}

#[tokio::test]
async fn scans_that_keep_failing_end_with_a_blocked_file() {
    let (setup, memory, kept) = Setup::new().await.recorded();
    fail_scans(&setup, 2);
    let delivered = setup.deliver(hello()).await.unwrap();
    assert_eq!((delivered.verdict, setup.counts().1), (ScanVerdict::Failed, 2));
    let tried: Vec<_> = kept.files.lock().unwrap().iter().map(|file| file.is_tried_again).collect();
    assert_eq!(tried, [true, false]);
    assert_eq!(told(&memory).last().unwrap(), "file.quarantined failed");
    assert_eq!(kept.files.lock().unwrap()[1].file_id, delivered.file.file_id);
}

#[tokio::test]
async fn how_often_and_how_late_can_be_set() {
    let setup = Setup::new().await;
    fail_scans(&setup, 1);
    let delivered = setup.deliver(hello()).scan_retries(0).await.unwrap();
    assert_eq!((delivered.verdict, setup.counts().1), (ScanVerdict::Failed, 1));

    let (setup, minute) = (Setup::new().await, Duration::from_secs(60));
    fail_scans(&setup, 3);
    let delivered = setup.deliver(hello()).scan_retries(3).scan_retry_after(minute).await.unwrap();
    assert!(delivered.is_clean());
    assert_eq!((setup.counts().1, pauses(&setup, minute)), (4, 3));
}

#[tokio::test]
async fn malware_is_not_uploaded_again() {
    let setup = Setup::new().await;
    let malicious = json!({"id": "f", "status": "failed", "virusScanResult": "malicious"});
    setup.emulator.inject(Route::GetAttachment, Fault::status(200).json(malicious));
    let delivered = setup.deliver(hello()).await.unwrap();
    assert_eq!((delivered.verdict, setup.counts().1), (ScanVerdict::Malicious, 1));
}

fn is_quarantined(event: &Event) -> bool {
    matches!(event.kind, EventKind::FileQuarantined(_))
}

#[tokio::test]
async fn a_webhook_during_the_pause_can_end_it_for_good() {
    let (mut setup, gate) = (Setup::new().await, ScanGate::new());
    let (memory, teller) = (webmessaging_journal::sinks::InMemory::new(), gate.clone());
    let tells = Looks(move |event: &Event| {
        if is_quarantined(event) {
            teller.tell(event.subject().id, ScanVerdict::Malicious);
        }
    });
    let journal = Journal::builder().durable("teller", tells).durable("memory", memory.clone()).build();
    setup.files = setup.files.journal(journal.unwrap());
    fail_scans(&setup, 1);
    let delivered = setup.deliver(hello()).gate(&gate).await.unwrap();
    assert_eq!((delivered.verdict, setup.counts().1), (ScanVerdict::Malicious, 1));
    assert_eq!(told(&memory)[3..], ["file.scanned malicious", "file.quarantined malicious"]);
}

#[tokio::test]
async fn the_pause_can_be_canceled_and_keeps_the_file() {
    let mut setup = Setup::with(|emulator| emulator, |client| client.clock(OddClock::stopped())).await;
    let (cancel, canceled) = tokio::sync::oneshot::channel::<()>();
    let cancel = Mutex::new(Some(cancel));
    let cancels = Looks(move |event: &Event| {
        if is_quarantined(event) {
            cancel.lock().unwrap().take();
        }
    });
    setup.files = setup.files.journal(Journal::builder().durable("cancels", cancels).build().unwrap());
    fail_scans(&setup, 1);
    let error = setup.deliver(hello()).cancel_on(async { drop(canceled.await) }).await.unwrap_err();
    assert_eq!((error.error().kind(), error.file().is_some()), (ErrorKind::Canceled, true));
    assert_eq!(setup.counts().1, 1);
}

/// The first upload is on the platform, whatever becomes of the second.
#[tokio::test]
async fn a_second_upload_that_fails_does_not_lose_the_first() {
    let (setup, memory, _) = Setup::new().await.recorded();
    fail_scans(&setup, 1);
    let opened = Arc::new(AtomicUsize::new(0));
    let source = Source::open_with("hello.txt", move || {
        // The head, the bytes; the second round finds nothing any more.
        if opened.fetch_add(1, Ordering::SeqCst) < 2 {
            Ok(SourceContent::from_reader(11, std::io::Cursor::new("hello world")))
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        }
    });
    let error = setup.deliver(source).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::InvalidInput);
    let EventKind::FileUploaded(first) = &memory.events()[0].kind else { panic!("no upload") };
    assert_eq!(error.file().unwrap().file_id, first.file_id);
}
