//! Test that callers share what is expensive: one `fdatasync` for all that wait.

use std::fs::File;
use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};

use super::medium::Medium;
use super::{AuditLog, verify};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use crate::event::{Event, EventId, Stamp};
use crate::kind::BotMessageSent;

static SYNCS: AtomicU64 = AtomicU64::new(0);
static GATE: Barrier = Barrier::new(2);

/// A disk whose first `fdatasync` lasts until the test lets it go.
#[derive(Debug)]
struct Slow(File);

impl Medium for Slow {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn write_from(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_from(place, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if SYNCS.fetch_add(1, Ordering::SeqCst) == 0 {
            GATE.wait();
        }
        self.0.sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.0.cut(length)
    }
}

fn event() -> Event {
    let at = SystemClock.wall();
    Stamp::new(EventId::new(at, &SystemEntropy), at, "test").event(BotMessageSent::new("c1"))
}

#[tokio::test]
async fn all_that_wait_are_made_durable_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).wrap(|file| Box::new(Slow(file))).open().unwrap();
    let event = event();
    let mut context = Context::from_waker(Waker::noop());
    let mut queued = || {
        let mut append = Box::pin(log.append(&event));
        assert!(append.as_mut().poll(&mut context).is_pending());
        append
    };
    let first = queued();
    while SYNCS.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let others: Vec<_> = (0..100).map(|_| queued()).collect();
    GATE.wait();
    assert_eq!(first.await.unwrap().seq(), 1);
    for (seq, other) in (2..).zip(others) {
        assert_eq!(other.await.unwrap().seq(), seq, "in the order they came");
    }
    assert_eq!(SYNCS.load(Ordering::SeqCst), 2);
    assert_eq!(verify(folder.path(), None).unwrap().records, 101);
}
