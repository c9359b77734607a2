//! Waiting for verdicts: what they come to, webhooks at every moment, and many transfers at once.

use std::task::Poll;
use std::time::Duration;

use serde_json::json;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::TransferState;
use webmessaging_http::{Error, ErrorKind};
use webmessaging_model::{ScanVerdict, TransferId, TransferStatus};

use crate::setup::Setup;
use crate::transfer_setup::{SIZE, Transfers, payload, source};

const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

async fn of_text(transfers: &Transfers, text: Vec<u8>) -> ScanVerdict {
    let payload = payload("words.txt", text.len());
    let source = webmessaging_http::Source::bytes("words.txt", text);
    let finished = transfers.manager.transfer(payload, source).await.unwrap();
    assert_eq!(finished.download_uri().is_some(), finished.verdict() == ScanVerdict::Clean);
    finished.verdict()
}

#[tokio::test]
async fn what_is_not_clean_is_blocked() {
    let transfers = Transfers::new().await;
    assert_eq!(of_text(&transfers, EICAR.concat().into_bytes()).await, ScanVerdict::Malicious);
    // Only the server sees the whole content: a NUL far behind the first bytes.
    let mut text = vec![b'a'; 100_000];
    text.push(0);
    assert_eq!(of_text(&transfers, text).await, ScanVerdict::FormatRejected);
    transfers.setup.emulator.fail_scans(1);
    assert_eq!(of_text(&transfers, b"words".to_vec()).await, ScanVerdict::Failed);
    assert_eq!(of_text(&transfers, b"words".to_vec()).await, ScanVerdict::Clean);
    let ends: Vec<_> = transfers.actions().into_iter().skip(2).step_by(3).collect();
    assert_eq!(
        ends,
        [
            "transfer.blocked virus_detected",
            "transfer.blocked validation_failed",
            "transfer.blocked failed",
            "transfer.finished"
        ]
    );
}

#[tokio::test]
async fn a_file_that_was_not_scanned_is_never_clean() {
    let transfers = Transfers::new().await;
    let payload = payload("report.pdf", SIZE).virus_scan_enabled(false);
    let finished = transfers.manager.transfer(payload, source(SIZE)).await.unwrap();
    assert_eq!((finished.verdict(), finished.download_uri().is_none()), (ScanVerdict::Unknown, true));
    assert_eq!(transfers.actions().last().unwrap(), "transfer.blocked unknown");
}

#[tokio::test]
async fn other_bytes_than_were_sent_are_never_clean() {
    let transfers = Transfers::new().await;
    let answer = json!({"status": "complete", "virusScanResult": "clean", "sha256": "00".repeat(32)});
    transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(200).json(answer));
    let error = transfers.transfer().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert_eq!(
        error.to_string(),
        "files.transfer.get: the platform has other bytes than were sent, by their sha-256"
    );
    assert_eq!(transfers.actions().last().unwrap(), "transfer.blocked digest_mismatch");
}

#[tokio::test]
async fn waiting_asks_less_and_less_often_and_ends() {
    let transfers = Transfers::with(|emulator| emulator.scan_duration(Duration::from_secs(1_000))).await;
    let id = transfers.uploaded().await;
    let error = transfers.manager.wait(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "files.transfer.get: no verdict within 120 s");
    let seconds: Vec<_> = transfers.setup.clock.sleeps().iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(transfers.counts().3, 7);
}

#[tokio::test]
async fn trouble_that_passes_is_waited_out_and_named_when_it_does_not() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    for _ in 0..60 {
        transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(503));
    }
    let error = transfers.manager.wait(&id).within(Duration::from_secs(20)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(cause.kind(), ErrorKind::Server | ErrorKind::CircuitOpen), "{cause}");
}

#[tokio::test]
async fn what_is_gone_is_not_waited_for() {
    let transfers = Transfers::new().await;
    let error = transfers.manager.wait(&TransferId::new("unknown")).await.unwrap_err();
    assert_eq!((error.kind(), transfers.counts().3), (ErrorKind::NotFound, 1));
}

/// Waits, and has a webhook come during the first wait of the clock. Scans take ten seconds, and so much of them is over.
async fn told_during(verdict: ScanVerdict, scanned: Duration) -> (Transfers, TransferState) {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    transfers.setup.pass(scanned);
    let manager = transfers.manager.clone();
    let (wait, ()) = tokio::join!(manager.wait(&id), async {
        // The wait is on the list, and the look-out has not begun.
        assert!(manager.tell(&id, verdict));
    });
    (transfers, wait.unwrap())
}

#[tokio::test]
async fn a_webhook_against_a_file_ends_the_wait_without_a_look() {
    let (transfers, state) = told_during(ScanVerdict::Malicious, Duration::ZERO).await;
    assert_eq!((state.verdict(), transfers.counts().3), (ScanVerdict::Malicious, 0));
    assert!(state.is_final());
    assert_eq!(transfers.actions().last().unwrap(), "transfer.blocked virus_detected");
}

#[tokio::test]
async fn a_webhook_in_favor_of_a_file_has_the_platform_asked_at_once() {
    let (transfers, state) = told_during(ScanVerdict::Clean, Duration::from_secs(10)).await;
    assert_eq!((state.verdict(), transfers.counts().3), (ScanVerdict::Clean, 1));
    assert_eq!(state.sha256.as_ref().map(String::len), Some(64));
    assert!(transfers.setup.clock.sleeps().is_empty());
}

/// A webhook can be ahead of what the platform answers, and only its answer has the digest and the URI.
#[tokio::test]
async fn a_webhook_in_favor_of_a_file_does_not_end_the_wait_before_the_platform_says_so() {
    let (transfers, state) = told_during(ScanVerdict::Clean, Duration::ZERO).await;
    assert_eq!((state.verdict(), state.status.clone()), (ScanVerdict::Clean, Some(TransferStatus::Complete)));
    assert!(state.download_uri().is_some() && state.sha256.is_some());
    assert!(transfers.counts().3 > 1, "it was scanned when it was told");
}

#[tokio::test]
async fn an_answer_that_says_nothing_hides_nothing_and_opens_nothing() {
    let transfers = Transfers::new().await;
    for (result, verdict) in [("detected", ScanVerdict::Malicious), ("clean", ScanVerdict::Unknown)] {
        let id = TransferId::new(format!("t-{result}"));
        transfers.manager.tell(&id, ScanVerdict::Clean);
        let body = json!({"virusScanResult": result, "downloadUri": "https://store.example/f?signature=s"});
        transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(200).json(body));
        let state = transfers.manager.status(&id).await.unwrap();
        assert_eq!((state.verdict(), state.download_uri().is_none()), (verdict, true), "{result}");
    }
}

#[tokio::test]
async fn no_duration_is_too_long_for_a_wait() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    let never = u64::MAX.to_string();
    transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(503).header("retry-after", &never));
    let state = transfers.manager.wait(&id).within(Duration::MAX).await.unwrap();
    assert_eq!(state.verdict(), ScanVerdict::Clean);
}

/// The task of the look-out belongs to the runtime of whoever waited first.
#[tokio::test]
async fn a_runtime_that_ends_before_the_first_look_takes_no_other_wait_along() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    let (manager, first) = (transfers.manager.clone(), id.clone());
    let begun = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut wait = manager.wait(&first).into_future();
        runtime.block_on(std::future::poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())))
    });
    assert!(begun.join().unwrap());
    assert_eq!(transfers.manager.wait(&id).await.unwrap().verdict(), ScanVerdict::Clean);
}

#[tokio::test]
async fn a_webhook_before_the_wait_after_it_and_twice() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    assert!(!transfers.manager.tell(&id, ScanVerdict::Pending), "nobody waits");
    assert!(!transfers.manager.tell(&id, ScanVerdict::Clean));
    assert!(!transfers.manager.tell(&id, ScanVerdict::Clean));
    transfers.setup.pass(Duration::from_secs(10));
    assert_eq!(transfers.manager.wait(&id).await.unwrap().verdict(), ScanVerdict::Clean);
    assert!(transfers.setup.clock.sleeps().is_empty(), "no reason to wait");

    // A virus that is found later stays found, whatever an old answer says.
    assert!(!transfers.manager.tell(&id, ScanVerdict::Malicious));
    assert!(!transfers.manager.tell(&id, ScanVerdict::Clean));
    let state = transfers.manager.status(&id).await.unwrap();
    assert_eq!((state.verdict(), state.download_uri().is_none()), (ScanVerdict::Malicious, true));
    assert_eq!(transfers.manager.wait(&id).await.unwrap().verdict(), ScanVerdict::Malicious);
}

#[tokio::test]
async fn two_who_wait_for_the_same_transfer_share_the_looks() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    let (one, two) = tokio::join!(transfers.manager.wait(&id), transfers.manager.clone().wait(&id));
    assert_eq!((one.unwrap().verdict(), two.unwrap().verdict()), (ScanVerdict::Clean, ScanVerdict::Clean));
    assert_eq!(transfers.counts().3, 3);
}

#[tokio::test]
async fn a_hundred_transfers_are_waited_for_within_the_pace() {
    let minute = Duration::from_secs(60);
    let transfers = Transfers::with(|emulator| emulator.scan_duration(minute)).await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        let transfer = transfers.manager.create(payload("words.txt", 5)).await.unwrap();
        let words = webmessaging_http::Source::bytes("words.txt", "words");
        transfers.manager.upload(&transfer, words).await.unwrap();
        ids.push(transfer.transfer_id);
    }
    let before = transfers.setup.clock.sleeps().len();
    let waits: Vec<_> = ids.iter().map(|id| tokio::spawn(transfers.manager.wait(id).into_future())).collect();
    for wait in waits {
        assert_eq!(wait.await.unwrap().unwrap().verdict(), ScanVerdict::Clean);
    }
    let took: Duration = transfers.setup.clock.sleeps().iter().skip(before).sum();
    let looks = transfers.counts().3;
    // At most one look in 300 ms, and no transfer was looked at more often than a lone one.
    assert!(looks as u128 <= took.as_millis() / 300 + 1, "{looks} looks in {took:?}");
    assert!((200..=500).contains(&looks), "{looks} looks");
    assert!(took < 2 * minute, "{took:?}");
    let refused = transfers.setup.requests(Route::GetTransfer);
    assert!(refused.iter().all(|request| request.status == Some(200)), "the platform had to refuse none");
}

#[tokio::test]
async fn a_wait_that_is_dropped_ends_its_looks() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    let mut wait = Box::pin(transfers.manager.wait(&id).into_future());
    let first = std::future::poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending()));
    assert!(first.await);
    drop(wait);
    tokio::task::yield_now().await;
    assert!(!transfers.manager.tell(&id, ScanVerdict::Clean), "nobody waits");
    assert_eq!(transfers.counts().3, 0);
}

#[tokio::test]
async fn a_download_exists_only_for_a_clean_verdict() {
    let transfers = Transfers::on(Setup::new().await);
    for (status, virus, content, verdict) in [
        ("created", "clean", "passed", ScanVerdict::Pending),
        ("complete", "clean", "failed", ScanVerdict::FormatRejected),
        ("complete", "detected", "passed", ScanVerdict::Malicious),
        ("complete", "probably fine", "passed", ScanVerdict::Unknown),
        ("archived", "clean", "passed", ScanVerdict::Pending),
    ] {
        let body = json!({
            "status": status, "virusScanResult": virus, "contentTypeVerification": content,
            "downloadUri": "https://store.example/f?signature=s",
        });
        transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(200).json(body));
        let state = transfers.manager.status(&TransferId::new(format!("t-{status}-{virus}"))).await.unwrap();
        assert_eq!((state.verdict(), state.download_uri().is_none()), (verdict, true), "{status} {virus}");
    }
}
