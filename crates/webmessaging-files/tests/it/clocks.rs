//! A clock whose calendar can be moved by itself, and whose waits need not end.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use webmessaging_http::Clock;
use webmessaging_http::clock::Wait;
use webmessaging_http::testing::SkippingClock;

#[derive(Debug, Clone, Default)]
pub(crate) struct OddClock {
    pub(crate) steady: SkippingClock,
    calendar_seconds: Arc<AtomicI64>,
    /// Waits on purpose never end.
    pub(crate) is_stopped: bool,
}

impl OddClock {
    pub(crate) fn stopped() -> Self {
        Self { is_stopped: true, ..Self::default() }
    }

    /// Moves the calendar alone, as an operator does.
    pub(crate) fn move_calendar(&self, seconds: i64) {
        self.calendar_seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for OddClock {
    fn now(&self) -> Instant {
        self.steady.now()
    }

    fn wall(&self) -> SystemTime {
        let seconds = self.calendar_seconds.load(Ordering::Relaxed);
        let away = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self.steady.wall() - away } else { self.steady.wall() + away }
    }

    fn sleep(&self, duration: Duration) -> Wait {
        if self.is_stopped { Box::pin(pending()) } else { self.steady.sleep(duration) }
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        self.steady.watchdog(duration)
    }
}
