//! Tests on a disk that fails: what was not durable is an error, and nothing of it stays.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::medium::Medium;
use super::{AuditLog, Retention, verify};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use crate::error::ErrorKind;
use crate::event::{Event, EventId, Stamp};
use crate::kind::BotMessageSent;

/// How many bytes the disk still has room for.
static ROOM: AtomicU64 = AtomicU64::new(u64::MAX);
static SYNC_FAILS: AtomicBool = AtomicBool::new(false);
static CUT_FAILS: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
struct Faulty(File);

impl Medium for Faulty {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    /// Writes as much as there is room for, as a full disk does.
    fn write_from(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        let room = usize::try_from(ROOM.load(Ordering::SeqCst)).unwrap().min(bytes.len());
        self.0.write_from(place, &bytes[..room])?;
        if room < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if SYNC_FAILS.load(Ordering::SeqCst) {
            Err(io::Error::other("the cable is out"))
        } else {
            self.0.sync()
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if CUT_FAILS.load(Ordering::SeqCst) {
            Err(io::Error::other("the cable is out"))
        } else {
            self.0.cut(length)
        }
    }
}

fn event(number: u64) -> Event {
    let at = SystemClock.wall();
    Stamp::new(EventId::new(at, &SystemEntropy), at, "test").event(BotMessageSent::new(number.to_string()))
}

fn bytes(folder: &Path) -> u64 {
    folder.join(super::folder::file_name(1)).metadata().unwrap().len()
}

/// One test, since the faults are the same for all.
#[tokio::test]
async fn a_failed_write_leaves_nothing_and_later_ones_work() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).wrap(|file| Box::new(Faulty(file))).open().unwrap();
    log.append(&event(1)).await.unwrap();
    let whole = bytes(folder.path());

    for room in [0, 1, 100, whole - 1] {
        ROOM.store(room, Ordering::SeqCst);
        let error = log.append(&event(2)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.to_string(), "the audit log cannot be written, free some space: no storage space");
        assert_eq!(bytes(folder.path()), whole, "nothing half-written stays");
        assert!(verify(folder.path(), Some(&log.head().await.unwrap())).unwrap().is_intact());
    }
    ROOM.store(u64::MAX, Ordering::SeqCst);

    // What was written and not made durable goes, too.
    SYNC_FAILS.store(true, Ordering::SeqCst);
    assert_eq!(log.append(&event(3)).await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(bytes(folder.path()), whole);

    // Not even cutting works: nothing is taken until it does.
    CUT_FAILS.store(true, Ordering::SeqCst);
    assert_eq!(log.append(&event(4)).await.unwrap_err().kind(), ErrorKind::Io);
    SYNC_FAILS.store(false, Ordering::SeqCst);
    assert!(bytes(folder.path()) > whole);
    assert_eq!(log.append(&event(5)).await.unwrap_err().kind(), ErrorKind::Io);

    CUT_FAILS.store(false, Ordering::SeqCst);
    assert_eq!(log.append(&event(6)).await.unwrap().seq(), 2);
    let found = verify(folder.path(), Some(&log.head().await.unwrap())).unwrap();
    assert_eq!((found.problem, found.records), (None, 2));

    log.close().await.unwrap();
    a_removal_that_could_not_be_recorded_is_recorded_later().await;
}

async fn a_removal_that_could_not_be_recorded_is_recorded_later() {
    let folder = tempfile::tempdir().unwrap();
    // A file for each record.
    let open =
        || AuditLog::builder(folder.path()).file_bytes(1).wrap(|file| Box::new(Faulty(file))).open().unwrap();
    let found = || verify(folder.path(), None).unwrap();
    let rule = || Retention::new("gdpr_retention").keep_bytes(1);
    let mut log = open();
    for is_opened_again in [false, true] {
        log.append(&event(1)).await.unwrap();
        log.append(&event(2)).await.unwrap();
        ROOM.store(0, Ordering::SeqCst);
        assert_eq!(log.retain(rule()).await.unwrap_err().kind(), ErrorKind::Io);
        let removed = found().removed.unwrap();
        assert_eq!((removed.unrecorded_from.is_some(), found().removal_on_record), (true, false));
        assert!(found().is_intact());

        ROOM.store(u64::MAX, Ordering::SeqCst);
        if is_opened_again {
            log.close().await.unwrap();
            log = open();
            log.head().await.unwrap();
        } else {
            log.append(&event(3)).await.unwrap();
            // Which is answered after what the last one has led to.
            log.head().await.unwrap();
        }
        assert_eq!((found().problem, found().removal_on_record), (None, true));
        let now = found().removed.unwrap();
        assert_eq!((now.unrecorded_from, now.records), (None, removed.records));
    }
}
