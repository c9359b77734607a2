//! Rate limits on our side: each attempt waits here until the platform can be expected to let it in.
//!
//! A governor cell smooths: half of the quota may go out at once, the rest evenly. A ledger counts what we sent within
//! the last window, listens to the counts in the platform's headers, and shares the quota with other processes of the
//! same OAuth client. A 429 closes the gate of its class for all callers until `Retry-After`. Callers queue in the order
//! they came.

mod hold;
mod ledger;
mod policy;
mod share;
mod told;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};
use tokio::sync::Notify;
use webmessaging_model::LimitClass;

use self::hold::Hold;
use self::ledger::{Entry, Gate, Ledger};
use self::policy::Smoothing;
use self::told::Told;
use crate::clock::{Clock, Entropy, full_jitter};
use crate::log;
use crate::observe::{Scope, WaitCause, Waiting};
use crate::pipeline::{Elapsed, within};
use crate::retry_after::retry_after;

pub use self::policy::RateLimitPolicy;

/// Those who were turned away together come back within this time of each other.
const HOLD_JITTER: Duration = Duration::from_secs(1);

/// Why a request waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The server answered 429 and said when to come back.
    Refused,
    /// Our own requests of the last window use up the quota.
    Quota,
    /// Other processes of the same OAuth client use the quota too.
    Shared,
    /// Half of the quota went out at once; the rest goes out evenly.
    Smoothing,
    /// No answer has said yet where the limit stands.
    Probing,
}

impl WaitReason {
    /// The stable name, as it appears in logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Quota => "quota",
            Self::Shared => "shared",
            Self::Smoothing => "smoothing",
            Self::Probing => "probing",
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the server asked to wait",
            Self::Quota => "our own requests use up the quota",
            Self::Shared => "other processes use the quota too",
            Self::Smoothing => "requests beyond the burst go out evenly",
            Self::Probing => "no answer has said yet where the limit stands",
        })
    }
}

/// How it stands with the rate limit of a class of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitStatus {
    /// The class.
    pub class: LimitClass,
    /// Requests that a window may have, as the server says or, before it did, as the policy does; `None` without a quota.
    pub quota: Option<u32>,
    /// Requests of this client in the window, those under way included.
    pub used: u32,
    /// Requests of everybody in the window, by the last answer that told.
    pub used_by_all: Option<u32>,
    /// Callers that wait for their turn.
    pub waiting: usize,
    /// How long one more caller would wait, as far as it can be told now.
    pub wait: Duration,
    /// What it would wait for; `None` when its turn is at once or only those before it are in the way.
    pub reason: Option<WaitReason>,
}

/// A wait that would outlast the time a caller has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooLong {
    pub(crate) wait: Duration,
    pub(crate) reason: Option<WaitReason>,
}

/// The gates of a client, one for each class.
#[derive(Debug)]
pub(crate) struct Limiter {
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    class: LimitClass,
    books: Mutex<Books>,
    /// Held by the caller whose turn is next; the others queue for it in order.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
    /// Something in the books has changed.
    changed: Notify,
}

#[derive(Debug)]
struct Books {
    hold: Hold,
    quota: Option<(Ledger, Smoothing)>,
}

impl Books {
    /// Whether one more may go out now. Only the question is free of consequences.
    fn gate(&mut self, now: Instant) -> Gate {
        if let Some(until) = self.hold.until(now) {
            return Gate::until(until, WaitReason::Refused);
        }
        self.quota.as_mut().map_or(Gate::Open, |(ledger, _)| ledger.gate(now))
    }

    /// Lets one out, or says what is in the way.
    fn admit(&mut self, now: Instant) -> Result<(), Gate> {
        match self.gate(now) {
            Gate::Open => {}
            closed @ Gate::Closed { .. } => return Err(closed),
        }
        let Some((ledger, smoothing)) = &mut self.quota else { return Ok(()) };
        smoothing
            .admit(ledger.quota(), now)
            .map_err(|wait| Gate::until(now + wait, WaitReason::Smoothing))?;
        ledger.reserve();
        Ok(())
    }
}

impl Limiter {
    pub(crate) fn new(policy: &RateLimitPolicy, now: Instant) -> Self {
        let cell = |class| Cell {
            class,
            books: Mutex::new(Books {
                hold: Hold::default(),
                // The limits of login server and object store are not known; they say so when it is too much.
                quota: policy
                    .quota()
                    .filter(|_| class == LimitClass::Platform)
                    .map(|quota| (Ledger::new(quota, policy.window), Smoothing::new(policy, now))),
            }),
            turn: tokio::sync::Mutex::default(),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
        };
        let classes = LimitClass::ALL.iter().copied().filter(|class| *class != LimitClass::External);
        Self { cells: classes.map(cell).collect() }
    }

    /// The turn of one request, where nobody waits and nothing is in the way.
    pub(crate) fn try_permit<'a>(
        &'a self,
        class: LimitClass,
        now: Instant,
        turns: Turns<'a>,
    ) -> Option<Permit<'a>> {
        let Some(cell) = self.cell(class) else { return Some(Permit::new(None, turns)) };
        let _turn = cell.turn.try_lock().ok()?;
        cell.books().admit(now).ok()?;
        Some(Permit::new(Some(cell), turns))
    }

    fn cell(&self, class: LimitClass) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.class == class)
    }

    /// Waits for the turn of one request; not at all when that is known to take longer than `left`.
    pub(crate) async fn permit<'a>(
        &'a self,
        class: LimitClass,
        left: Duration,
        turns: Turns<'a>,
        scope: Scope<'_>,
    ) -> Result<Permit<'a>, TooLong> {
        let Some(cell) = self.cell(class) else { return Ok(Permit::new(None, turns)) };
        let clock = turns.clock;
        let now = clock.now();
        // What is in everybody's way is in this one's way too; those before it may be quick.
        if let Gate::Closed { until: Some(until), why } = cell.books().gate(now) {
            let wait = until.saturating_duration_since(now);
            if wait >= left {
                return Err(TooLong { wait, reason: Some(why) });
            }
        }
        let queued = Queued::join(&cell.waiting);
        let mut watchdog = clock.watchdog(left);
        let late = |_| {
            let status = cell.status(clock.now());
            TooLong { wait: status.wait, reason: status.reason }
        };
        let _turn = if let Ok(turn) = cell.turn.try_lock() {
            turn
        } else {
            let _waiting = scope.wait(WaitCause::Queue { class }, None);
            within(cell.turn.lock(), &mut watchdog).await.map_err(late)?
        };
        drop(queued);
        let mut waiting: Option<(WaitReason, Waiting<'_>)> = None;
        loop {
            // Asked for before the books are read, so that no change is missed.
            let mut changed = std::pin::pin!(cell.changed.notified());
            changed.as_mut().enable();
            let at = clock.now();
            let left = left.saturating_sub(at.saturating_duration_since(now));
            if left.is_zero() {
                return Err(late(Elapsed));
            }
            let Err(closed) = cell.books().admit(at) else { return Ok(Permit::new(Some(cell), turns)) };
            let Gate::Closed { until, why } = closed else { continue };
            let wait = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(at));
            if wait >= left {
                return Err(TooLong { wait, reason: Some(why) });
            }
            log::waiting(class, wait, why);
            // What wakes it up for nothing does not end the wait.
            if waiting.as_ref().is_none_or(|(reason, _)| *reason != why) {
                drop(waiting.take());
                let cause = WaitCause::Limit { class, reason: why };
                waiting = Some((why, scope.wait(cause, until.map(|_| wait))));
            }
            let mut pause = if until.is_some() { clock.sleep(wait) } else { clock.watchdog(left) };
            // Either way the books are read again.
            let _ = within(changed, &mut pause).await;
        }
    }

    pub(crate) fn status(&self, now: Instant) -> Vec<LimitStatus> {
        self.cells.iter().map(|cell| cell.status(now)).collect()
    }
}

impl Cell {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self, now: Instant) -> LimitStatus {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let mut books = self.books();
        let smoothed = books.quota.as_ref().map(|(_, smoothing)| smoothing.next_at());
        let (mut wait, reason) = match books.gate(now) {
            Gate::Open => match smoothed.filter(|at| now < *at) {
                Some(at) => (at.saturating_duration_since(now), Some(WaitReason::Smoothing)),
                None => (Duration::ZERO, None),
            },
            Gate::Closed { until, why } => {
                (until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)), Some(why))
            }
        };
        let mut status = LimitStatus {
            class: self.class,
            quota: None,
            used: 0,
            used_by_all: None,
            waiting,
            wait: Duration::ZERO,
            reason,
        };
        if let Some((ledger, smoothing)) = &mut books.quota {
            // Those before it go out evenly where places are short; probes and pauses let many out at once.
            let is_paced =
                matches!(reason, Some(WaitReason::Quota | WaitReason::Shared | WaitReason::Smoothing));
            if is_paced {
                wait += smoothing.interval(ledger.quota()) * u32::try_from(waiting).unwrap_or(u32::MAX);
            }
            status.quota = Some(ledger.quota());
            status.used = ledger.used(now);
            status.used_by_all = ledger.told();
        }
        LimitStatus { wait, ..status }
    }
}

/// A caller in the queue, counted until its turn or until it gives up.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn join(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a turn is told and drawn with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
}

/// Leave to send one request. Once out, the request counts, whatever becomes of its answer.
#[must_use]
pub(crate) struct Permit<'a> {
    cell: Option<&'a Cell>,
    /// Once the request is out.
    entry: Option<Entry>,
    turns: Turns<'a>,
}

impl<'a> Permit<'a> {
    fn new(cell: Option<&'a Cell>, turns: Turns<'a>) -> Self {
        Self { cell, entry: None, turns }
    }

    /// The request goes out.
    pub(crate) fn goes_out(&mut self, now: Instant) {
        let Some(cell) = self.cell else { return };
        if let Some((ledger, _)) = &mut cell.books().quota {
            self.entry = Some(ledger.send(now));
        }
    }

    /// It turned out that it did not.
    pub(crate) fn was_not_sent(&mut self) {
        self.entry = None;
    }

    /// The head of the answer is here.
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        let (Some(cell), entry) = (self.cell.take(), self.entry.take()) else { return };
        let (now, told) = (self.turns.clock.now(), Told::read(headers));
        let is_refused = status == StatusCode::TOO_MANY_REQUESTS;
        let mut books = cell.books();
        if is_refused {
            let wait = retry_after(headers, self.turns.clock.wall());
            books.hold.extend(wait, full_jitter(self.turns.entropy, HOLD_JITTER), now);
            log::rate_limited(cell.class, wait);
        }
        if let (Some((ledger, _)), Some(entry)) = (&mut books.quota, entry) {
            ledger.answered(&entry, is_refused, told, now);
        }
        drop(books);
        cell.changed.notify_one();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(cell) = self.cell else { return };
        if let Some((ledger, _)) = &mut cell.books().quota {
            match self.entry.take() {
                Some(entry) => ledger.answered(&entry, false, None, self.turns.clock.now()),
                None => ledger.take_back(),
            }
        }
        cell.changed.notify_one();
    }
}
