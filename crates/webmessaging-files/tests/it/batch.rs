//! Many files at once: each with its own outcome, and an interrupted batch goes on where it stopped.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::ledger::{FileLedger, Ledger, LedgerEntry, LedgerState, Noted};
use webmessaging_files::{Batch, BatchEvent, BatchItem, BatchReport, ScanGate};
use webmessaging_http::{Error, ErrorKind, Sent, Source};
use webmessaging_model::ScanVerdict;

use crate::setup::{CHANNEL, MESSAGE, Setup, pdf};

/// A folder with so many small files, `00.pdf` and so on.
fn folder(files: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..files {
        fs::write(folder.path().join(format!("{number:02}.pdf")), pdf(100 + number)).unwrap();
    }
    folder
}

fn batch(setup: &Setup) -> Batch {
    setup.files.batch().channel(CHANNEL).message(MESSAGE)
}

fn ledger(folder: &TempDir) -> FileLedger {
    FileLedger::open(folder.path().join("ledger")).unwrap()
}

fn names(report: &BatchReport) -> Vec<String> {
    report.files.iter().map(|file| file.name.rsplit('/').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_that_fails_stops_none_of_the_others() {
    let setup = Setup::new().await;
    let folder = folder(3);
    fs::write(folder.path().join("01.pdf"), "no pdf").unwrap();
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let report = batch(&setup)
        .directory(folder.path())
        .path(folder.path().join("gone.pdf"))
        .source("virus", Source::bytes("eicar.txt", eicar))
        .directory(folder.path().join("nowhere"))
        .await
        .unwrap();
    assert_eq!(names(&report), ["00.pdf", "01.pdf", "02.pdf", "gone.pdf", "virus", "nowhere"]);
    let verdicts: Vec<_> = report
        .files
        .iter()
        .map(|file| file.outcome.as_ref().map(|upload| upload.verdict.unwrap()).map_err(Error::kind))
        .collect();
    assert_eq!(
        verdicts,
        [
            Ok(ScanVerdict::Clean),
            Err(ErrorKind::InvalidInput),
            Ok(ScanVerdict::Clean),
            Err(ErrorKind::InvalidInput),
            Ok(ScanVerdict::Malicious),
            Err(ErrorKind::Source),
        ]
    );
    assert_eq!((report.good().count(), report.blocked().count(), report.failed().count()), (2, 1, 3));
    assert_eq!(setup.counts(), (1, 3, 3));
}

#[tokio::test]
async fn a_tree_has_what_is_below_and_a_directory_what_is_in_it() {
    let setup = Setup::new().await;
    let folder = folder(1);
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    fs::write(folder.path().join("a/b/deep.pdf"), pdf(10)).unwrap();
    let flat = batch(&setup).directory(folder.path()).scan(false).await.unwrap();
    assert_eq!(names(&flat), ["00.pdf"]);
    let tree = batch(&setup).tree(folder.path()).scan(false).await.unwrap();
    assert_eq!(names(&tree), ["00.pdf", "deep.pdf"]);
    assert_eq!(tree.good().count(), 2);
}

#[tokio::test]
async fn no_more_are_under_way_than_was_said_and_all_that_happens_is_told() {
    let setup = Setup::new().await;
    let folder = folder(12);
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let sent = Arc::new(Mutex::new(0));
    let (counted, high, bytes) = (Arc::clone(&under_way), Arc::clone(&most), Arc::clone(&sent));
    let report = batch(&setup)
        .directory(folder.path())
        .concurrency(3)
        .on_event(move |event| match event {
            BatchEvent::Listed { files, bytes } => assert_eq!((files, bytes), (12, 1_266)),
            BatchEvent::Begun { .. } => {
                high.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            }
            BatchEvent::Ended { .. } => {
                counted.fetch_sub(1, Ordering::SeqCst);
            }
            BatchEvent::Sent { progress, .. } if progress.sent_bytes == progress.total_bytes => {
                *bytes.lock().unwrap() += progress.total_bytes;
            }
            _ => {}
        })
        .await
        .unwrap();
    assert_eq!((report.good().count(), under_way.load(Ordering::SeqCst)), (12, 0));
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(*sent.lock().unwrap(), (0..12).map(|number| 100 + number).sum::<u64>());
}

#[tokio::test]
async fn what_is_there_is_not_uploaded_again() {
    let setup = Setup::new().await;
    let (files, book) = (folder(3), tempfile::tempdir().unwrap());
    let first = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    let again = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!(setup.counts(), (1, 3, 3));
    for (first, again) in first.files.iter().zip(&again.files) {
        let (first, again) = (first.outcome.as_ref().unwrap(), again.outcome.as_ref().unwrap());
        assert!(!first.was_there && again.was_there);
        assert_eq!(
            (&first.file_id, &first.sha256, first.verdict),
            (&again.file_id, &again.sha256, again.verdict)
        );
    }
    // One that has changed is another one, and so is one for another message.
    fs::write(files.path().join("01.pdf"), pdf(999)).unwrap();
    batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!(setup.counts(), (1, 4, 4));
    let other = BatchItem::path(files.path().join("01.pdf")).message("another-message");
    batch(&setup).item(other).ledger(ledger(&book)).await.unwrap();
    assert_eq!(setup.counts(), (1, 5, 5));
}

/// The answer to the bytes is lost, for good: the ledger does not know, and the platform does.
#[tokio::test]
async fn of_bytes_that_may_have_arrived_the_platform_is_asked() {
    let setup = Setup::new().await;
    let (files, book) = (folder(1), tempfile::tempdir().unwrap());
    for _ in 0..4 {
        setup.emulator.inject(Route::PutUpload, Fault::drop_after());
    }
    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    let error = report.files[0].outcome.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Interrupted, Sent::Maybe));
    let entry = ledger(&book).entries().await.unwrap().remove(0);
    assert_eq!(entry.state, LedgerState::Announced);

    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    let upload = report.files[0].outcome.as_ref().unwrap();
    assert_eq!((upload.was_there, upload.verdict), (true, Some(ScanVerdict::Clean)));
    assert_eq!(setup.counts(), (1, 1, 4), "nothing was announced or sent again");
    // Nobody has noted the digest; it is held against the platform's all the same.
    assert_eq!(upload.sha256.as_ref().map(String::len), Some(64));
}

#[tokio::test]
async fn bytes_that_did_not_arrive_are_sent_again() {
    let setup = Setup::new().await;
    let (files, book) = (folder(1), tempfile::tempdir().unwrap());
    for _ in 0..4 {
        setup.emulator.inject(Route::PutUpload, Fault::drop_body_after(50));
    }
    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!(report.failed().count(), 1);
    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    let upload = report.files[0].outcome.as_ref().unwrap();
    assert_eq!((upload.was_there, upload.verdict), (false, Some(ScanVerdict::Clean)));
    assert_eq!(setup.counts(), (1, 2, 5));
}

#[tokio::test]
async fn a_batch_that_is_canceled_says_so_of_each_file_and_goes_on_later() {
    let setup = Setup::new().await;
    let (files, book) = (folder(6), tempfile::tempdir().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let report = batch(&setup)
        .directory(files.path())
        .concurrency(1)
        .ledger(ledger(&book))
        .on_event(move |event| {
            if let BatchEvent::Ended { index: 2, .. } = event {
                drop(stop.lock().unwrap().take());
            }
        })
        .cancel_on(async { drop(stopped.await) })
        .await
        .unwrap();
    assert_eq!(report.good().count(), 3);
    assert!(report.failed().all(|file| file.outcome.as_ref().unwrap_err().kind() == ErrorKind::Canceled));
    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!(report.good().count(), 6);
    assert_eq!(setup.counts().2, 6);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_keeps_the_bytes_here() {
    #[derive(Debug)]
    struct Full;

    impl Ledger for Full {
        fn find<'a>(&'a self, _: &'a str) -> Noted<'a, Option<LedgerEntry>> {
            Box::pin(async { Ok(None) })
        }

        fn note(&self, _: LedgerEntry) -> Noted<'_, ()> {
            Box::pin(async { Err(std::io::ErrorKind::StorageFull.into()) })
        }

        fn entries(&self) -> Noted<'_, Vec<LedgerEntry>> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }

    let setup = Setup::new().await;
    let files = folder(1);
    let report = batch(&setup).directory(files.path()).ledger(Full).await.unwrap();
    let error = report.files[0].outcome.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    assert!(error.to_string().contains("the ledger cannot be used: no storage space"), "{error}");
    assert_eq!(setup.counts(), (1, 1, 0));
}

#[tokio::test]
async fn a_file_whose_verdict_is_not_known_is_there_all_the_same() {
    let slow = Duration::from_secs(1_000);
    let setup = Setup::with(|emulator| emulator.scan_duration(slow), |client| client).await;
    let (files, book) = (folder(2), tempfile::tempdir().unwrap());
    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!((report.troubled().count(), report.blocked().count(), report.failed().count()), (2, 0, 0));
    let upload = report.files[0].outcome.as_ref().unwrap();
    assert_eq!(upload.trouble.as_ref().unwrap().kind(), ErrorKind::Timeout);
    setup.emulator.clock().advance(slow);
    let report = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!(report.good().count(), 2);
    assert_eq!(setup.counts(), (1, 2, 2));
}

#[tokio::test]
async fn a_file_that_was_named_twice_is_one_and_two_things_under_one_key_are_refused() {
    let setup = Setup::new().await;
    let files = folder(2);
    let report = batch(&setup)
        .directory(files.path())
        .path(files.path().join("01.pdf"))
        .item(BatchItem::path(files.path().join("00.pdf")).file_name("other.pdf"))
        .source("made", Source::bytes("a.txt", "a"))
        .source("made", Source::bytes("b.txt", "b"))
        .await
        .unwrap();
    assert_eq!(names(&report), ["00.pdf", "01.pdf", "00.pdf", "made", "made"]);
    assert_eq!((report.good().count(), setup.counts().2), (3, 3));
    for file in report.failed() {
        let error = file.outcome.as_ref().unwrap_err();
        assert_eq!(error.violations().unwrap().to_string(), "key is not allowed");
    }
}

/// What an earlier run has noted is not the last word.
#[tokio::test]
async fn a_file_that_a_webhook_has_blocked_since_is_blocked_in_the_next_run() {
    let setup = Setup::new().await;
    let (files, book, gate) = (folder(1), tempfile::tempdir().unwrap(), ScanGate::new());
    let run = || batch(&setup).directory(files.path()).gate(&gate).ledger(ledger(&book));
    let first = run().await.unwrap();
    let file = first.files[0].outcome.as_ref().unwrap().file_id.clone();
    assert_eq!(first.good().count(), 1);
    gate.tell(file, ScanVerdict::Malicious);
    assert_eq!(run().await.unwrap().blocked().count(), 1);
    // It stays so without the gate.
    let later = batch(&setup).directory(files.path()).ledger(ledger(&book)).await.unwrap();
    assert_eq!((later.good().count(), later.blocked().count()), (0, 1));
}

#[tokio::test]
async fn a_record_that_fails_takes_no_id_with_it() {
    use webmessaging_journal::{
        Error as JournalError, ErrorKind as JournalKind, Event, Journal, Recorded, Sink,
    };

    struct Full;

    impl Sink for Full {
        fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
            Box::pin(async { Err(JournalError::new(JournalKind::Io, "the disk is full")) })
        }
    }

    let setup = Setup::new().await;
    let files = folder(1);
    let journal = Journal::builder().durable("full", Full).build().unwrap();
    let batch = setup.files.clone().journal(journal).batch().channel(CHANNEL).message(MESSAGE);
    let report = batch.directory(files.path()).await.unwrap();
    assert_eq!((report.troubled().count(), report.failed().count()), (1, 0));
    let upload = report.files[0].outcome.as_ref().unwrap();
    assert_eq!(upload.trouble.as_ref().unwrap().kind(), ErrorKind::NotRecorded);
    assert_eq!(upload.verdict, Some(ScanVerdict::Clean));
    assert!(!upload.file_id.as_str().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_nowhere_is_a_file_that_is_missing() {
    let setup = Setup::new().await;
    let files = folder(1);
    std::os::unix::fs::symlink("/nowhere/at/all.pdf", files.path().join("link.pdf")).unwrap();
    let report = batch(&setup).directory(files.path()).await.unwrap();
    assert_eq!(names(&report), ["00.pdf", "link.pdf"]);
    assert_eq!(report.files[1].outcome.as_ref().unwrap_err().kind(), ErrorKind::Source);
}
