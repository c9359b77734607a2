//! Going on with a transfer from wherever it was left, by its id or by a ledger.

use std::task::Poll;
use std::time::Duration;

use serde_json::json;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::FinishedTransfer;
use webmessaging_files::ledger::{FileLedger, Ledger, LedgerEntry, LedgerState};
use webmessaging_http::{Error, ErrorKind, Sent, Source};
use webmessaging_model::{ScanVerdict, TransferId};

use crate::setup::pdf;
use crate::transfer_setup::{SIZE, Transfers, full, payload, source};

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
    let sent = transfers.uploaded().await;
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

/// A webhook has found something that the platform's answers do not say.
#[tokio::test]
async fn a_verdict_on_record_is_not_taken_back_after_a_restart() {
    for (recorded, verdict) in
        [("malicious", ScanVerdict::Malicious), ("something new", ScanVerdict::Unknown)]
    {
        let process = Process::new().await;
        let id = process.transfers.uploaded().await;
        process.transfers.setup.pass(Duration::from_secs(10));
        let entry = LedgerEntry::new("report.pdf", "1", LedgerState::Finished, id.as_str());
        process.ledger.note(entry.verdict(recorded)).await.unwrap();
        // A new process, which knows nothing but the ledger.
        let finished = process.run().await.unwrap();
        assert_eq!((finished.verdict(), finished.download_uri().is_none()), (verdict, true), "{recorded}");
        assert_eq!(process.entry().await.verdict.as_deref(), Some(verdict.as_str()));
        assert!(!process.transfers.actions().contains(&"transfer.finished".to_owned()));
    }
}

/// Notes that a process has announced this transfer and come no further.
async fn announced(ledger: &FileLedger, id: &TransferId) {
    let entry = LedgerEntry::new("report.pdf", "1", LedgerState::Announced, id.as_str());
    ledger.note(entry).await.unwrap();
}

struct Process {
    transfers: Transfers,
    ledger: FileLedger,
    _folder: tempfile::TempDir,
}

impl Process {
    async fn new() -> Self {
        let (transfers, folder) = (Transfers::new().await, tempfile::tempdir().unwrap());
        let ledger = FileLedger::open(folder.path().join("transfers.jsonl")).unwrap();
        Self { transfers, ledger, _folder: folder }
    }

    async fn run(&self) -> Result<FinishedTransfer, Error> {
        let transfer = self.transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE));
        transfer.ledger(self.ledger.clone(), "report.pdf", "1").await
    }

    async fn entry(&self) -> LedgerEntry {
        self.ledger.find("report.pdf").await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_scan_that_failed_gets_another_one() {
    let process = Process::new().await;
    process.transfers.setup.emulator.fail_scans(1);
    let failed = process.run().await.unwrap();
    assert_eq!(failed.verdict(), ScanVerdict::Failed);
    let again = process.run().await.unwrap();
    assert_ne!(again.transfer_id, failed.transfer_id);
    assert_eq!(again.verdict(), ScanVerdict::Clean);
}

#[tokio::test]
async fn a_status_that_nobody_knows_does_not_keep_the_bytes_back() {
    let process = Process::new().await;
    let Process { transfers, ledger, .. } = &process;
    let unknown = || Fault::status(200).json(json!({"status": "queued"}));
    // Without its bytes it is renewed.
    let id = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap().transfer_id;
    announced(ledger, &id).await;
    transfers.setup.emulator.inject(Route::GetTransfer, unknown());
    let finished = process.run().await.unwrap();
    assert_eq!((finished.transfer_id, finished.state.verdict()), (id, ScanVerdict::Clean));
    assert_eq!((transfers.counts().1, transfers.counts().2), (1, 1));
    // With them the platform refuses to renew it.
    let id = transfers.uploaded().await;
    announced(ledger, &id).await;
    transfers.setup.emulator.inject(Route::GetTransfer, unknown());
    let finished = process.run().await.unwrap();
    assert_eq!((finished.transfer_id, finished.state.verdict()), (id, ScanVerdict::Clean));
    assert_eq!((transfers.counts().1, transfers.counts().2), (2, 2));
}

/// Nobody has noted the digest: the answer of the store got lost, or the process ended before it could.
#[tokio::test]
async fn bytes_whose_digest_nobody_noted_are_compared_all_the_same() {
    for (first, is_same) in [(0, true), (1, false)] {
        let process = Process::new().await;
        let Process { transfers, ledger, .. } = &process;
        let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
        let mut bytes = pdf(SIZE);
        bytes[SIZE - 1] ^= first;
        let other = Source::bytes("report.pdf", bytes);
        transfers.manager.upload(&transfer, other).await.unwrap();
        announced(ledger, &transfer.transfer_id).await;
        match process.run().await {
            Ok(finished) => {
                assert!(is_same);
                assert_eq!(process.entry().await.sha256, finished.state.sha256);
            }
            Err(error) => {
                assert!(!is_same, "{error}");
                assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
                assert_eq!(transfers.actions().last().unwrap(), "transfer.blocked digest_mismatch");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_announced_once_all_the_same() {
    let mut process = Process::new().await;
    let working = process.transfers.manager.clone();
    process.transfers.manager = working.clone().journal(full());
    assert_eq!(process.run().await.unwrap_err().kind(), ErrorKind::NotRecorded);
    let id = process.entry().await.id;
    process.transfers.manager = working;
    assert_eq!(process.run().await.unwrap().transfer_id.as_str(), id);
    assert_eq!(process.transfers.counts().0, 1);
}

#[tokio::test]
async fn whoever_cancels_a_look_back_hears_that_there_is_a_transfer() {
    let transfers = Transfers::new().await;
    let id = transfers.uploaded().await;
    let before = transfers.actions();
    let mut is_begun = false;
    let second_poll = std::future::poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut is_begun, true) { Poll::Ready(()) } else { Poll::Pending }
    });
    let transfer = transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE)).resume(id);
    let error = transfer.cancel_on(second_poll).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Canceled, Sent::Maybe));
    assert_eq!(error.operation().unwrap().name, "files.transfer.get");
    assert_eq!(transfers.actions(), before, "nothing failed");
}

/// It can have failed for want of bytes.
#[tokio::test]
async fn a_transfer_that_failed_does_not_say_that_the_bytes_arrived() {
    let transfers = Transfers::new().await;
    transfers.setup.emulator.inject(Route::PutTransfer, Fault::status(400));
    let failed = Fault::status(200).json(json!({"status": "failed"}));
    transfers.setup.emulator.inject(Route::GetTransfer, failed);
    assert_eq!(transfers.transfer().await.unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!(transfers.actions(), ["transfer.created", "operation.failed rejected"]);
}

#[tokio::test]
async fn a_renewal_that_cannot_be_recorded_is_one_all_the_same() {
    let transfers = Transfers::new().await;
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    let mut fresh = transfers.manager.clone().journal(full()).keep_fresh(&transfer);
    let renewed = fresh.changed().await.unwrap();
    assert!(renewed.expires_at > transfer.expires_at);
    assert_eq!(fresh.failure().unwrap().kind(), ErrorKind::NotRecorded);
    assert!(fresh.changed().await.unwrap().expires_at > renewed.expires_at, "it goes on");
}
