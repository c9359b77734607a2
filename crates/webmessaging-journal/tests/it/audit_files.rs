//! The files of a log: whose they are, when there is another one, and that callers share a write.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use webmessaging_journal::ErrorKind;
use webmessaging_journal::audit::{AuditLog, Fault, Retention, Selection, export, verify};
use webmessaging_journal::clock::{Clock, SystemClock, Wait};
use webmessaging_journal::kind::ChannelUpdated;
use webmessaging_model::Timestamp;

use crate::samples::{at, event, files, message};

#[tokio::test]
async fn one_log_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    let error = AuditLog::builder(folder.path()).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().starts_with("another process or log writes to this audit log"), "{error}");
    log.close().await.unwrap();
    let error = log.append(&message(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(log.close().await.unwrap_err().kind(), ErrorKind::Closed);
    AuditLog::builder(folder.path()).open().unwrap();
}

#[tokio::test]
async fn what_the_queue_holds_is_written_before_the_log_closes() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).queue(1).open().unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let log = log.clone();
            tokio::spawn(async move { log.append(&message(number)).await.unwrap().seq() })
        })
        .collect();
    let mut seqs = Vec::new();
    for task in tasks {
        seqs.push(task.await.unwrap());
    }
    seqs.sort_unstable();
    assert_eq!(
        seqs,
        (1..=50).collect::<Vec<_>>(),
        "each record has a number of its own, and none is left out"
    );
    log.close().await.unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().records, 50);
}

#[tokio::test]
async fn a_caller_that_goes_away_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    let (gone, stays) = (message(1), message(2));
    {
        let mut gone = Box::pin(log.append(&gone));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = gone.as_mut().poll(&mut context);
    }
    log.append(&stays).await.unwrap();
    assert!(verify(folder.path(), Some(&log.head().await.unwrap())).unwrap().is_intact());
}

#[tokio::test]
async fn an_event_with_very_much_in_it_is_recorded_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    let paths = (0..10_000).map(|number| format!("{}{number}", "p".repeat(240))).collect::<Vec<_>>();
    log.append(&event(0, ChannelUpdated::new("ch1", paths))).await.unwrap();
    assert!(fs::metadata(&files(folder.path())[0]).unwrap().len() < 32 * 1024);
}

/// A clock that is set by hand.
#[derive(Debug, Clone)]
struct Hands(Arc<Mutex<Timestamp>>);

impl Clock for Hands {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    fn wall(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        SystemClock.watchdog(duration)
    }
}

#[tokio::test]
async fn a_file_that_is_old_is_followed_by_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands(Arc::new(Mutex::new(at(0))));
    let open =
        || AuditLog::builder(folder.path()).file_age(Duration::from_secs(60)).clock(hands.clone()).open();
    let log = open().unwrap();
    for (second, expected) in [(0, 1), (59, 1), (60, 2), (119, 2)] {
        *hands.0.lock().unwrap() = at(second);
        log.append(&message(second)).await.unwrap();
        assert_eq!(files(folder.path()).len(), expected, "after {second} s");
    }
    log.close().await.unwrap();
    // The age is that of the first record, also after the log was opened again.
    *hands.0.lock().unwrap() = at(120);
    let log = open().unwrap();
    log.append(&message(120)).await.unwrap();
    assert_eq!(files(folder.path()).len(), 3);
    assert!(verify(folder.path(), Some(&log.head().await.unwrap())).unwrap().is_intact());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("a/b");
    let log = AuditLog::builder(&folder).open().unwrap();
    log.append(&message(1)).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn a_file_that_somebody_else_has_changed_is_not_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    log.append(&message(1)).await.unwrap();
    fs::write(&files(folder.path())[0], "").unwrap();
    assert_eq!(log.append(&message(2)).await.unwrap_err().kind(), ErrorKind::Damaged);
}

/// Whoever checks or copies meanwhile sees the log before a removal or after it, and is not alarmed.
#[tokio::test]
async fn old_files_can_be_removed_while_somebody_checks() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).file_bytes(1).open().unwrap();
    log.append(&message(0)).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let (folder, is_over) = (folder.path().to_owned(), Arc::clone(&is_over));
        move || {
            let mut checks = 0_u64;
            while !is_over.load(Ordering::SeqCst) || checks == 0 {
                let found = verify(&folder, None).unwrap();
                // What is being written at this moment is not what this is about.
                assert!(matches!(found.problem.map(|problem| problem.fault), None | Some(Fault::Torn)));
                export(&folder, &Selection::all(), &mut std::io::sink()).unwrap();
                checks += 1;
            }
        }
    });
    for round in 0..60 {
        for number in 0..8 {
            log.append(&message(round * 8 + number)).await.unwrap();
        }
        log.retain(Retention::new("test").keep_bytes(1)).await.unwrap().unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    reader.join().unwrap();
    assert!(verify(folder.path(), Some(&log.head().await.unwrap())).unwrap().is_intact());
}
