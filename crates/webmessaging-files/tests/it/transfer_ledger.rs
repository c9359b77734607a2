//! A process that ends in the middle of a transfer: the next one goes on where it was left, and does nothing twice.

use std::sync::Arc;

use futures_util::future::{Either, select};
use tempfile::TempDir;
use tokio::sync::Notify;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::ledger::{FileLedger, Ledger, LedgerEntry, LedgerState, Noted};
use webmessaging_http::ErrorKind;
use webmessaging_model::ScanVerdict;

use crate::transfer_setup::{SIZE, Transfers, payload, source};

const KEY: &str = "report of May";

fn ledger(folder: &TempDir) -> FileLedger {
    FileLedger::open(folder.path().join("transfers.jsonl")).unwrap()
}

/// A ledger whose process ends at a note: before it is written, or right after.
#[derive(Debug)]
struct EndsAt {
    ledger: FileLedger,
    state: LedgerState,
    is_written: bool,
    ended: Arc<Notify>,
}

impl Ledger for EndsAt {
    fn find<'a>(&'a self, key: &'a str) -> Noted<'a, Option<LedgerEntry>> {
        self.ledger.find(key)
    }

    fn note(&self, entry: LedgerEntry) -> Noted<'_, ()> {
        Box::pin(async move {
            let is_the_end = entry.state == self.state;
            if !is_the_end || self.is_written {
                self.ledger.note(entry).await?;
            }
            if is_the_end {
                self.ended.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }

    fn entries(&self) -> Noted<'_, Vec<LedgerEntry>> {
        self.ledger.entries()
    }
}

/// A note at which the process ends, whether it is written, and what is left to do: announcements, renewals, bytes, records.
type Case<'a> = (LedgerState, bool, (usize, usize, usize), &'a [&'a str]);

#[tokio::test]
async fn wherever_the_process_ends_the_next_one_goes_on() {
    let renewed = ["transfer.renewed expiring", "transfer.uploaded", "transfer.finished"];
    let anew = ["transfer.created", "transfer.uploaded", "transfer.finished"];
    let cases: [Case<'_>; 6] = [
        (LedgerState::Announced, false, (1, 0, 1), &anew),
        (LedgerState::Announced, true, (0, 1, 1), &renewed),
        (LedgerState::Stored, false, (0, 0, 0), &["transfer.finished"]),
        (LedgerState::Stored, true, (0, 0, 0), &["transfer.finished"]),
        (LedgerState::Finished, false, (0, 0, 0), &["transfer.finished"]),
        (LedgerState::Finished, true, (0, 0, 0), &[]),
    ];
    for (state, is_written, due, records) in cases {
        let (transfers, folder) = (Transfers::new().await, tempfile::tempdir().unwrap());
        let ended = Arc::new(Notify::new());
        let ends = EndsAt { ledger: ledger(&folder), state, is_written, ended: Arc::clone(&ended) };
        let transfer = || transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE));
        let first = Box::pin(transfer().ledger(ends, KEY, "1").into_future());
        assert!(
            matches!(select(first, Box::pin(ended.notified())).await, Either::Right(_)),
            "{state:?} {is_written}: it did not end"
        );

        let (before, recorded) = (transfers.counts(), transfers.actions().len());
        let finished = transfer().ledger(ledger(&folder), KEY, "1").await.unwrap();
        assert_eq!(finished.verdict(), ScanVerdict::Clean, "{state:?} {is_written}");
        let after = transfers.counts();
        let done = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
        assert_eq!(done, due, "{state:?} {is_written}");
        assert_eq!(transfers.actions()[recorded..], *records, "{state:?} {is_written}");
        let entry = ledger(&folder).find(KEY).await.unwrap().unwrap();
        assert_eq!((entry.state, entry.verdict.as_deref()), (LedgerState::Finished, Some("clean")));
    }
}

#[tokio::test]
async fn another_stamp_under_the_same_key_is_another_transfer() {
    let (transfers, folder) = (Transfers::new().await, tempfile::tempdir().unwrap());
    let first = transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE));
    let first = first.ledger(ledger(&folder), KEY, "1").await.unwrap();
    let other = transfers.manager.transfer(payload("report.pdf", 500), source(500));
    let other = other.ledger(ledger(&folder), KEY, "2").await.unwrap();
    assert_ne!(first.transfer_id, other.transfer_id);
    assert_eq!(transfers.counts().0, 2);
}

/// The digest that was noted is held against what the platform has, also by the next process.
#[tokio::test]
async fn other_bytes_on_the_platform_are_noticed_after_a_restart() {
    let (transfers, folder) = (Transfers::new().await, tempfile::tempdir().unwrap());
    let ended = Arc::new(Notify::new());
    let ends = EndsAt {
        ledger: ledger(&folder),
        state: LedgerState::Stored,
        is_written: true,
        ended: Arc::clone(&ended),
    };
    let transfer = || transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE));
    let first = Box::pin(transfer().ledger(ends, KEY, "1").into_future());
    select(first, Box::pin(ended.notified())).await;

    let other = serde_json::json!({
        "status": "complete", "virusScanResult": "clean", "contentTypeVerification": "passed",
        "sha256": "0".repeat(64),
    });
    transfers.setup.emulator.inject(Route::GetTransfer, Fault::status(200).json(other));
    let error = transfer().ledger(ledger(&folder), KEY, "1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert!(error.to_string().contains("has other bytes than were sent"), "{error}");
}
