//! The time limit of a record. Timers that were not needed are used again: making one wakes a thread, which would cost
//! more than the record.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::clock::{Clock, Wait};

/// So many timers are kept for the next records.
const SPARE_MAX: usize = 64;

/// The limit, and timers that still run.
pub(crate) struct Watchdogs {
    clock: Arc<dyn Clock>,
    limit: Duration,
    spare: Mutex<Vec<Wait>>,
}

impl Watchdogs {
    pub(crate) fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self { clock, limit, spare: Mutex::default() }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// A limit that begins when it is asked first.
    pub(crate) fn watch(&self) -> Watchdog<'_> {
        Watchdog { all: self, began: None, wait: None, is_used: false }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Wait>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watchdogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdogs").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The limit of one record.
pub(crate) struct Watchdog<'a> {
    all: &'a Watchdogs,
    began: Option<Instant>,
    wait: Option<Wait>,
    /// The timer was made for a record before this one, and ends too early.
    is_used: bool,
}

impl Watchdog<'_> {
    pub(crate) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let Watchdogs { clock, limit, .. } = self.all;
        let began = *self.began.get_or_insert_with(|| clock.now());
        if self.wait.is_none() {
            self.wait = self.all.spare().pop();
            self.is_used = self.wait.is_some();
        }
        let wait = self.wait.get_or_insert_with(|| clock.watchdog(*limit));
        if wait.as_mut().poll(context).is_pending() {
            return false;
        }
        let left = limit.saturating_sub(clock.now().saturating_duration_since(began));
        if !self.is_used || left.is_zero() {
            // It has ended, so nobody can use it again.
            self.wait = None;
            return true;
        }
        self.is_used = false;
        let wait = self.wait.insert(clock.watchdog(left));
        let is_over = wait.as_mut().poll(context) == Poll::Ready(());
        if is_over {
            self.wait = None;
        }
        is_over
    }
}

impl Drop for Watchdog<'_> {
    fn drop(&mut self) {
        let Some(wait) = self.wait.take() else { return };
        let mut spare = self.all.spare();
        if spare.len() < SPARE_MAX {
            spare.push(wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::Waker;

    use webmessaging_model::Timestamp;

    use super::*;
    use crate::clock::SystemClock;

    /// A clock that is moved by hand, and how many timers it has made.
    #[derive(Debug, Clone)]
    struct Hands(Arc<(Instant, AtomicU64, AtomicU64)>);

    impl Hands {
        fn new() -> Self {
            Self(Arc::new((SystemClock.now(), AtomicU64::new(0), AtomicU64::new(0))))
        }

        fn move_to(&self, second: u64) {
            self.0.1.store(second, Ordering::SeqCst);
        }
    }

    impl Clock for Hands {
        fn now(&self) -> Instant {
            self.0.0 + Duration::from_secs(self.0.1.load(Ordering::SeqCst))
        }

        fn wall(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn watchdog(&self, duration: Duration) -> Wait {
            self.0.2.fetch_add(1, Ordering::SeqCst);
            let (hands, end) = (self.clone(), self.now() + duration);
            Box::pin(std::future::poll_fn(
                move |_| {
                    if hands.now() >= end { Poll::Ready(()) } else { Poll::Pending }
                },
            )) as Pin<Box<_>>
        }
    }

    #[test]
    fn a_timer_is_used_again_and_each_record_has_all_of_its_time() {
        let hands = Hands::new();
        let all = Watchdogs::new(Arc::new(hands.clone()), Duration::from_secs(10));
        let mut context = Context::from_waker(Waker::noop());
        for second in 0..9 {
            hands.move_to(second);
            assert!(!all.watch().is_over(&mut context));
        }
        assert_eq!(hands.0.2.load(Ordering::SeqCst), 1, "nine records, one timer");

        // It is the one that ends after 10 s: too early for a record that has begun after 9.
        hands.move_to(9);
        let mut last = all.watch();
        for (second, is_over) in [(9, false), (10, false), (18, false), (19, true)] {
            hands.move_to(second);
            assert_eq!(last.is_over(&mut context), is_over, "after {second} s");
        }
        drop(last);
        assert_eq!(hands.0.2.load(Ordering::SeqCst), 2);
        assert!(all.spare().is_empty(), "one that has ended is not kept");
    }

    #[test]
    fn not_more_timers_are_kept_than_there_is_room_for() {
        let all = Watchdogs::new(Arc::new(Hands::new()), Duration::from_secs(10));
        let mut context = Context::from_waker(Waker::noop());
        let mut at_once: Vec<_> = (0..2 * SPARE_MAX).map(|_| all.watch()).collect();
        assert!(at_once.iter_mut().all(|watchdog| !watchdog.is_over(&mut context)));
        drop(at_once);
        assert_eq!(all.spare().len(), SPARE_MAX);
    }
}
