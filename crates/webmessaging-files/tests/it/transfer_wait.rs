//! Waiting for verdicts: what they come to, webhooks at every moment, many transfers at once, and resuming.

use std::time::Duration;

use serde_json::json;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::ledger::FileLedger;
use webmessaging_files::{Transfer, TransferState};
use webmessaging_http::{Error, ErrorKind};
use webmessaging_model::{ScanVerdict, TransferId};

use crate::setup::Setup;
use crate::transfer_setup::{SIZE, Transfers, payload, source};

const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

async fn uploaded(transfers: &Transfers) -> Transfer {
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    transfers.manager.upload(&transfer, source(SIZE)).await.unwrap();
    transfer
}

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
    let id = uploaded(&transfers).await.transfer_id;
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
    let id = uploaded(&transfers).await.transfer_id;
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

/// Waits, and has a webhook come during the first wait of the clock.
async fn told_during(verdict: ScanVerdict) -> (Transfers, TransferState) {
    let day = Duration::from_secs(86_400);
    let transfers = Transfers::with(|emulator| emulator.scan_duration(day)).await;
    let id = uploaded(&transfers).await.transfer_id;
    let manager = transfers.manager.clone();
    let (wait, ()) = tokio::join!(manager.wait(&id), async {
        // The wait is on the list, and the look-out has not begun.
        assert!(manager.tell(&id, verdict));
    });
    (transfers, wait.unwrap())
}

#[tokio::test]
async fn a_webhook_against_a_file_ends_the_wait_without_a_look() {
    let (transfers, state) = told_during(ScanVerdict::Malicious).await;
    assert_eq!((state.verdict(), transfers.counts().3), (ScanVerdict::Malicious, 0));
    assert_eq!(transfers.actions().last().unwrap(), "transfer.blocked virus_detected");
}

#[tokio::test]
async fn a_webhook_in_favor_of_a_file_has_the_platform_asked_at_once() {
    let (transfers, state) = told_during(ScanVerdict::Clean).await;
    assert_eq!((state.verdict(), transfers.counts().3), (ScanVerdict::Clean, 1));
    assert_eq!(state.sha256.as_ref().map(String::len), Some(64));
    assert!(transfers.setup.clock.sleeps().is_empty());
}

#[tokio::test]
async fn a_webhook_before_the_wait_after_it_and_twice() {
    let transfers = Transfers::new().await;
    let id = uploaded(&transfers).await.transfer_id;
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
    let id = uploaded(&transfers).await.transfer_id;
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
    let id = uploaded(&transfers).await.transfer_id;
    let mut wait = Box::pin(transfers.manager.wait(&id).into_future());
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(wait.as_mut().poll(cx).is_pending()));
    assert!(first.await);
    drop(wait);
    tokio::task::yield_now().await;
    assert!(!transfers.manager.tell(&id, ScanVerdict::Clean), "nobody waits");
    assert_eq!(transfers.counts().3, 0);
}

#[tokio::test]
async fn it_goes_on_from_wherever_it_was_left() {
    let transfers = Transfers::new().await;
    let resume = |id: &TransferId| {
        transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE)).resume(id.clone())
    };
    // Announced: renewed, sent, waited for.
    let announced = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap().transfer_id;
    let finished = resume(&announced).await.unwrap();
    assert_eq!((&finished.transfer_id, finished.verdict()), (&announced, ScanVerdict::Clean));
    let (create, renew, put, _) = transfers.counts();
    assert_eq!((create, renew, put), (1, 1, 1));
    // Sent: waited for.
    let sent = uploaded(&transfers).await.transfer_id;
    let finished = resume(&sent).await.unwrap();
    assert_eq!((&finished.transfer_id, finished.uploaded.is_none()), (&sent, true));
    // Over: the outcome, after one look.
    let looks = transfers.counts().3;
    assert_eq!(resume(&sent).await.unwrap().verdict(), ScanVerdict::Clean);
    assert_eq!(transfers.counts().3, looks + 1);
    // Gone: anew.
    let finished = resume(&TransferId::new("00000000-0000-0000-0000-000000000000")).await.unwrap();
    assert!(finished.uploaded.is_some());
    let (create, renew, put, _) = transfers.counts();
    assert_eq!((create, renew, put), (3, 1, 3));
    // Announced, and gone by the time it is renewed: anew as well.
    let announced = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap().transfer_id;
    transfers.setup.emulator.inject(Route::RenewTransfer, Fault::status(410));
    assert_ne!(resume(&announced).await.unwrap().transfer_id, announced);
}

/// A process is ended at every step; the next one starts the same transfer and sends nothing twice.
#[tokio::test]
async fn a_ledger_takes_a_transfer_over_the_end_of_a_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("transfers.jsonl");
    let transfers = Transfers::new().await;
    let run = |stamp: &str| {
        let ledger = FileLedger::open(&path).unwrap();
        let transfer = transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE));
        transfer.ledger(ledger, "report.pdf", stamp)
    };
    // Ended after the announcement: the store refuses the bytes.
    transfers.setup.emulator.inject(Route::PutTransfer, Fault::status(400));
    assert_eq!(run("1").await.unwrap_err().kind(), ErrorKind::Rejected);
    // Ended after the bytes: nobody has the patience to wait.
    assert_eq!(run("1").within(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Timeout);
    let finished = run("1").await.unwrap();
    assert_eq!((finished.verdict(), finished.uploaded.is_none()), (ScanVerdict::Clean, true));
    assert_eq!(run("1").await.unwrap().transfer_id, finished.transfer_id);
    let (create, renew, put, _) = transfers.counts();
    assert_eq!((create, renew, put), (1, 1, 2));
    // The digest of the process that sent the bytes still counts.
    let answer = json!({"status": "complete", "virusScanResult": "clean", "sha256": "00".repeat(32)});
    transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(200).json(answer));
    assert_eq!(run("1").await.unwrap_err().kind(), ErrorKind::UnexpectedAnswer);
    // What is found later is news, and what is known is none.
    let before = transfers.actions().len();
    transfers.setup.emulator.rejudge(finished.transfer_id.as_str(), true).unwrap();
    assert_eq!(run("1").await.unwrap().verdict(), ScanVerdict::Malicious);
    assert_eq!(run("1").await.unwrap().verdict(), ScanVerdict::Malicious);
    assert_eq!(transfers.actions()[before..], ["transfer.blocked virus_detected"]);
    // Another file under the same key is another transfer.
    assert_ne!(run("2").await.unwrap().transfer_id, finished.transfer_id);
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
