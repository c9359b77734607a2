//! Several sinks: all get the event, each fails alone, and nobody is held up for good.

use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use webmessaging_journal::clock::{Clock, SystemClock, Wait};
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{Error, ErrorKind, Event, Journal, Recorded, Sink};
use webmessaging_model::Timestamp;

use crate::samples::message;

struct Failing;
struct Panicking;
struct PanickingLater;
struct Hanging;

impl Sink for Failing {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        Box::pin(ready(Err(Error::new(ErrorKind::Sink, "it is out of ink"))))
    }
}

impl Sink for Panicking {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        panic!("at once")
    }
}

impl Sink for PanickingLater {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        Box::pin(async { panic!("later") })
    }
}

impl Sink for Hanging {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        Box::pin(pending())
    }
}

/// A clock whose watchdogs bite at once.
#[derive(Debug)]
struct Impatient;

impl Clock for Impatient {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    fn wall(&self) -> Timestamp {
        SystemClock.wall()
    }

    fn watchdog(&self, _: Duration) -> Wait {
        Box::pin(ready(()))
    }
}

#[test]
fn without_sinks_nothing_is_made_and_nothing_is_allocated() {
    for journal in [Journal::none(), Journal::builder().build().unwrap()] {
        assert!(journal.is_none());
        let mut context = Context::from_waker(Waker::noop());
        let counted = allocation_counter::measure(|| {
            let recorded = std::pin::pin!(journal.record(|_| unreachable!("nobody wants it")));
            assert!(matches!(recorded.poll(&mut context), Poll::Ready(Ok(()))));
        });
        assert_eq!(counted.count_total, 0);
    }
}

#[tokio::test]
async fn each_durable_sink_fails_alone_and_by_name() {
    let (first, last) = (InMemory::new(), InMemory::new());
    let journal = Journal::builder()
        .durable("first", first.clone())
        .durable("failing", Failing)
        .durable("panicking", Panicking)
        .durable("later", PanickingLater)
        .durable("hanging", Hanging)
        .durable("last", last.clone())
        .clock(Impatient)
        .build()
        .unwrap();
    let error = journal.append(message(1)).await.unwrap_err();
    let all: Vec<_> = std::iter::once(&error)
        .chain(error.further())
        .map(|error| (error.sink().unwrap().to_owned(), error.kind()))
        .collect();
    let expected = [
        ("failing", ErrorKind::Sink),
        ("panicking", ErrorKind::Panicked),
        ("later", ErrorKind::Panicked),
        ("hanging", ErrorKind::TimedOut),
    ];
    assert_eq!(all, expected.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!((first.events().len(), last.events().len()), (1, 1));
}

/// Is done when both have begun.
struct Meeting(Arc<AtomicUsize>);

impl Sink for Meeting {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            if self.0.load(Ordering::SeqCst) == 2 { Poll::Ready(Ok(())) } else { Poll::Pending }
        }))
    }
}

#[tokio::test]
async fn durable_sinks_work_at_the_same_time() {
    let met = Arc::new(AtomicUsize::new(0));
    let journal = Journal::builder()
        .durable("one", Meeting(Arc::clone(&met)))
        .durable("other", Meeting(met))
        .build()
        .unwrap();
    journal.append(message(1)).await.unwrap();
}

/// Blocks its thread until the test lets it go.
struct Blocking(Arc<Barrier>);

impl Sink for Blocking {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        Box::pin(async {
            self.0.wait();
            Ok(())
        })
    }
}

#[tokio::test]
async fn best_effort_sinks_neither_fail_nor_delay_anybody() {
    let (barrier, kept) = (Arc::new(Barrier::new(2)), InMemory::new());
    let journal = Journal::builder()
        .best_effort("blocking", Blocking(Arc::clone(&barrier)))
        .best_effort("failing", Failing)
        .best_effort("panicking", PanickingLater)
        .best_effort("kept", kept.clone())
        .queue(100)
        .build()
        .unwrap();
    for number in 0..100 {
        journal.append(message(number)).await.unwrap();
    }
    let blocked = &journal.best_effort()[0];
    assert_eq!((blocked.name.as_str(), blocked.waiting, blocked.recorded), ("blocking", 100, 0));

    let releases = std::thread::spawn(move || {
        for _ in 0..100 {
            barrier.wait();
        }
    });
    journal.flush().await.unwrap();
    releases.join().unwrap();
    let all: Vec<_> =
        journal.best_effort().iter().map(|sink| (sink.recorded, sink.failed, sink.dropped)).collect();
    assert_eq!(all, [(100, 0, 0), (0, 100, 0), (0, 100, 0), (100, 0, 0)]);
    assert_eq!(kept.events().len(), 100);
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let barrier = Arc::new(Barrier::new(2));
    let journal =
        Journal::builder().best_effort("blocking", Blocking(Arc::clone(&barrier))).queue(3).build().unwrap();
    for number in 0..10 {
        journal.append(message(number)).await.unwrap();
    }
    let status = &journal.best_effort()[0];
    // Three wait, and it is at work on one more, if it was quick.
    assert!((3..=4).contains(&status.waiting), "{status:?}");
    assert_eq!(status.waiting + status.dropped, 10);
    for _ in 0..status.waiting {
        barrier.wait();
    }
    journal.flush().await.unwrap();
    assert_eq!(journal.best_effort()[0].recorded, status.waiting);
}

#[tokio::test]
async fn a_best_effort_sink_that_hangs_is_given_up_and_a_flush_ends() {
    let journal = Journal::builder().best_effort("hanging", Hanging).clock(Impatient).build().unwrap();
    for number in 0..5 {
        journal.append(message(number)).await.unwrap();
    }
    while journal.best_effort()[0].failed < 5 {
        tokio::task::yield_now().await;
    }

    let barrier = Arc::new(Barrier::new(2));
    let journal = Journal::builder()
        .best_effort("blocking", Blocking(Arc::clone(&barrier)))
        .clock(Impatient)
        .build()
        .unwrap();
    journal.append(message(1)).await.unwrap();
    let error = journal.flush().await.unwrap_err();
    assert_eq!((error.kind(), error.sink()), (ErrorKind::TimedOut, Some("blocking")));
    barrier.wait();
}

/// The futures of sinks and records can go to any thread.
#[test]
fn futures_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let journal = Journal::none();
    is_send(&journal.record(|_| unreachable!()));
    is_send(&journal.append(message(1)));
    is_send(&journal.flush());
    let _: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
}

/// No runtime at all: a loop that polls.
#[test]
fn any_executor_will_do() {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let log = webmessaging_journal::audit::AuditLog::builder(folder.path()).open().unwrap();
    let journal = Journal::builder().durable("audit", log).build().unwrap();
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut recorded = std::pin::pin!(journal.append(message(1)));
    while recorded.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        std::thread::park();
    }
    assert_eq!(webmessaging_journal::audit::verify(folder.path(), None).unwrap().records, 1);
}
