//! Webhooks and polls together: before, during, after, never, twice, late.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::ScanGate;
use webmessaging_http::observe::AttemptStarted;
use webmessaging_http::{ErrorKind, Observer};
use webmessaging_model::ScanVerdict::{self, Clean, Malicious, Pending};

use crate::clocks::OddClock;
use crate::setup::{MESSAGE, Setup, pdf};

const LONG: Duration = Duration::from_secs(100);

/// A webhook that comes while the platform is asked, that often.
#[derive(Clone, Default)]
struct Meanwhile(Arc<Mutex<Vec<(ScanGate, String, ScanVerdict)>>>);

impl Observer for Meanwhile {
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
        if attempt.operation().name == "files.attachment.get"
            && let Some((gate, file, verdict)) = self.0.lock().unwrap().pop()
        {
            gate.tell(file, verdict);
        }
    }
}

async fn scanning() -> Setup {
    Setup::with(|emulator| emulator.scan_duration(LONG), |client| client).await
}

fn answer(status: &str, virus: &str) -> Fault {
    let url = "https://store.example/f?signature=s";
    Fault::status(200)
        .json(json!({"id": "f", "status": status, "virusScanResult": virus, "downloadUrl": url}))
}

#[tokio::test]
async fn a_webhook_before_the_wait_counts_at_once() {
    let setup = scanning().await;
    let file = setup.upload("report.pdf", pdf(100)).await.file_id;
    let gate = ScanGate::new();
    gate.tell(file.clone(), Malicious);
    let attachment = setup.files.wait_for_scan(MESSAGE, file.clone()).gate(&gate).await.unwrap();
    assert_eq!((attachment.verdict(), attachment.id.as_str()), (Malicious, file.as_str()));
    assert_eq!(setup.emulator.count(Route::GetAttachment), 0);

    // A clean one still needs the URL.
    let gate = ScanGate::new();
    gate.tell(file.clone(), Clean);
    setup.emulator.clock().advance(LONG);
    let attachment = setup.files.wait_for_scan(MESSAGE, file).gate(&gate).await.unwrap();
    assert_eq!((attachment.verdict(), attachment.download_url().is_some()), (Clean, true));
    assert_eq!(setup.emulator.count(Route::GetAttachment), 1);
}

#[tokio::test]
async fn a_late_scanning_takes_nothing_back_and_opens_nothing() {
    let setup = scanning().await;
    let file = setup.upload("report.pdf", pdf(100)).await.file_id;
    let gate = ScanGate::new();
    gate.tell(file.clone(), Clean);
    let attachment = setup.files.wait_for_scan(MESSAGE, file.clone()).gate(&gate).await.unwrap();
    assert_eq!((attachment.verdict(), attachment.download_url().is_some()), (Clean, false));
    assert_eq!(setup.emulator.count(Route::GetAttachment), 1);
    assert!(setup.clock.sleeps().is_empty());
    let error = setup.files.download_url(MESSAGE, file).gate(&gate).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (
            ErrorKind::NotFound,
            "files.attachment.get: no download: the platform has not finished with the file yet"
        )
    );
}

#[tokio::test]
async fn a_webhook_ends_a_wait_that_would_go_on() {
    for verdict in [Clean, Malicious] {
        // Nothing but the webhook can end this wait, because the pause between two looks does not.
        let setup = Setup::with(|e| e.scan_duration(LONG), |client| client.clock(OddClock::stopped())).await;
        let file = setup.upload("report.pdf", pdf(100)).await.file_id;
        let gate = ScanGate::new();
        let wait = tokio::spawn(setup.files.wait_for_scan(MESSAGE, file.clone()).gate(&gate).into_future());
        while setup.emulator.count(Route::GetAttachment) == 0 {
            tokio::task::yield_now().await;
        }
        setup.emulator.clock().advance(LONG);
        assert!(gate.tell(file.clone(), verdict));
        assert!(!gate.tell(file.clone(), verdict), "the same webhook twice changes nothing");
        assert_eq!(wait.await.unwrap().unwrap().verdict(), verdict);
    }
}

#[tokio::test]
async fn a_webhook_during_a_look_counts_against_its_answer() {
    let meanwhile = Meanwhile::default();
    let setup = Setup::with(|e| e.scan_duration(LONG), |client| client.observer(meanwhile.clone())).await;
    let gate = ScanGate::new();
    let look = async |told: ScanVerdict, faults: Vec<Fault>| {
        let file = setup.upload("report.pdf", pdf(100)).await.file_id;
        meanwhile.0.lock().unwrap().push((gate.clone(), file.to_string(), told));
        let before = setup.emulator.count(Route::GetAttachment);
        for fault in faults {
            setup.emulator.inject(Route::GetAttachment, fault);
        }
        let attachment = setup.files.wait_for_scan(MESSAGE, file.clone()).gate(&gate).await.unwrap();
        assert_eq!(gate.verdict(file), attachment.verdict());
        let is_open = attachment.download_url().is_some();
        (attachment.verdict(), is_open, setup.emulator.count(Route::GetAttachment) - before)
    };
    // What was answered before the webhook is old, so it is read once more.
    let outcome = look(Clean, vec![answer("scanning", "?"), answer("completed", "clean")]).await;
    assert_eq!(outcome, (Clean, true, 2));
    let outcome = look(Clean, vec![answer("scanning", "?"), answer("scanning", "?")]).await;
    assert_eq!(outcome, (Clean, false, 2));
    // A clean answer after a webhook that says otherwise, and the other way round.
    let (verdict, is_open, _) = look(Malicious, vec![answer("completed", "clean")]).await;
    assert_eq!((verdict, is_open), (Malicious, false));
    let outcome = look(Clean, vec![answer("completed", "malicious")]).await;
    assert_eq!(outcome, (Malicious, false, 1));
}

#[tokio::test]
async fn what_the_platform_answered_is_told_to_the_gate() {
    let setup = Setup::new().await;
    let gate = ScanGate::new();
    setup.emulator.inject(Route::GetAttachment, answer("completed", "malicious"));
    setup.files.wait_for_scan(MESSAGE, "f").gate(&gate).await.unwrap();
    assert!(!gate.tell("f", Clean), "a webhook that comes later takes nothing back");
    let attachment = setup.files.wait_for_scan(MESSAGE, "f").gate(&gate).await.unwrap();
    assert_eq!((attachment.verdict(), attachment.download_url().is_some()), (Malicious, false));
}

#[tokio::test]
async fn a_webhook_that_never_comes_leaves_it_to_the_platform() {
    let setup = scanning().await;
    let file = setup.upload("report.pdf", pdf(100)).await.file_id;
    let gate = ScanGate::new();
    let wait = setup.files.wait_for_scan(MESSAGE, file.clone()).gate(&gate);
    let error = wait.clone().within(Duration::from_secs(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(gate.verdict(file), Pending);
    assert_eq!(wait.await.unwrap().verdict(), Clean);
}

#[tokio::test]
async fn many_waits_for_one_file_end_together() {
    let setup = Setup::with(|e| e.scan_duration(LONG), |client| client.clock(OddClock::stopped())).await;
    let file = setup.upload("report.pdf", pdf(100)).await.file_id;
    let gate = ScanGate::new();
    let waits: Vec<_> = (0..10)
        .map(|_| tokio::spawn(setup.files.wait_for_scan(MESSAGE, file.clone()).gate(&gate).into_future()))
        .collect();
    while setup.emulator.count(Route::GetAttachment) < 10 {
        tokio::task::yield_now().await;
    }
    gate.tell(file, Malicious);
    for wait in waits {
        assert_eq!(wait.await.unwrap().unwrap().verdict(), Malicious);
    }
}
