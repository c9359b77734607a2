//! Sinks that nobody waits for: a bounded queue and a thread for each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::fan_out::{self, Named};
use crate::watchdog::Watchdogs;

/// How it stands with a best-effort sink.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BestEffortStatus {
    /// The name of the sink.
    pub name: String,
    /// Events that wait for it, or that it is working on.
    pub waiting: u64,
    /// Events that it has taken.
    pub recorded: u64,
    /// Events that it has not taken: it has failed, panicked, or was not done in time.
    pub failed: u64,
    /// Events that it never saw, because its queue was full.
    pub dropped: u64,
}

/// The queue of a sink. The thread ends when the queue is gone and empty.
#[derive(Debug)]
pub(crate) struct Queue {
    name: Cow<'static, str>,
    sender: SyncSender<Arc<Event>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    queued: u64,
    recorded: u64,
    failed: u64,
    dropped: u64,
    /// Those who wait until it is idle, each by a number of its own.
    waiting: BTreeMap<u64, Waker>,
    next_waiting: u64,
}

impl Counted {
    fn done(&self) -> u64 {
        self.recorded.saturating_add(self.failed)
    }
}

impl Counts {
    fn get(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    pub(crate) fn start(named: Named, capacity: usize, watchdogs: Arc<Watchdogs>) -> Result<Self, Error> {
        let (sender, receiver) = sync_channel(capacity);
        let (name, counts) = (named.name.clone(), Arc::new(Counts::default()));
        let theirs = Arc::clone(&counts);
        thread::Builder::new()
            .name("journal sink".to_owned())
            .spawn(move || work(&named, &receiver, &theirs, &watchdogs))
            .map_err(|error| {
                Error::new(ErrorKind::Io, "the thread of the sink cannot be started")
                    .with_source(error)
                    .with_sink(name.clone())
            })?;
        Ok(Self { name, sender, counts })
    }

    /// Never waits: when the queue is full the event is dropped and counted.
    pub(crate) fn offer(&self, event: Arc<Event>) {
        // The counts are held meanwhile, so that it cannot be done before it is counted.
        let mut counts = self.counts.get();
        let count = match self.sender.try_send(event) {
            Ok(()) => &mut counts.queued,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => &mut counts.dropped,
        };
        *count = count.saturating_add(1);
    }

    /// Waits until everything that was offered so far is done.
    pub(crate) async fn idle(&self) {
        let waiting = Waiting::new(&self.counts);
        poll_fn(|context| {
            let mut counts = self.counts.get();
            if counts.done() >= waiting.until {
                return Poll::Ready(());
            }
            counts.waiting.insert(waiting.number, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn status(&self) -> BestEffortStatus {
        let counts = self.counts.get();
        BestEffortStatus {
            name: self.name.to_string(),
            waiting: counts.queued.saturating_sub(counts.done()),
            recorded: counts.recorded,
            failed: counts.failed,
            dropped: counts.dropped,
        }
    }
}

/// Somebody who waits, until he does not any more.
struct Waiting<'a> {
    counts: &'a Counts,
    number: u64,
    until: u64,
}

impl<'a> Waiting<'a> {
    fn new(counts: &'a Counts) -> Self {
        let mut counted = counts.get();
        let number = counted.next_waiting;
        counted.next_waiting = number.wrapping_add(1);
        Self { counts, number, until: counted.queued }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counts.get().waiting.remove(&self.number);
    }
}

fn work(named: &Named, receiver: &Receiver<Arc<Event>>, counts: &Counts, watchdogs: &Watchdogs) {
    for event in receiver {
        let result = block_on(fan_out::record(std::slice::from_ref(named), &event, watchdogs));
        let mut counts = counts.get();
        match result {
            Ok(()) => counts.recorded = counts.recorded.saturating_add(1),
            Err(_) => counts.failed = counts.failed.saturating_add(1),
        }
        let waiting = std::mem::take(&mut counts.waiting);
        drop(counts);
        waiting.into_values().for_each(Waker::wake);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread, which sleeps meanwhile.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
