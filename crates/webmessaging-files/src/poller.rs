//! One look-out for all transfers that are waited for, so that many waits ask no more than the platform allows.
//!
//! Each transfer is looked at after 2 seconds, then after twice as long each time, up to 30 seconds. All of them together
//! share a pace and at most a few looks at once; whoever is due first goes first. A wait is given up only after a look that
//! began at its end or later, so nobody hears "took too long" without having been looked at.

mod known;
mod round;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use webmessaging_http::{Client, Error, ErrorKind, Facts, Sent};
use webmessaging_model::{OrganizationId, ScanProgress, ScanVerdict, TransferId};

use self::known::Known;
use self::round::Running;
use crate::get_transfer::{TransferState, blocks};
use crate::operations::GET_TRANSFER;

const FIRST_INTERVAL: Duration = Duration::from_secs(2);
const LONGEST_INTERVAL: Duration = Duration::from_secs(30);
/// No wait is longer, whatever is asked for: ten years, which every clock can add to its time.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Two thirds of the requests that the platform allows one OAuth client, whose 300 a minute are for everything.
const LOOKS_PER_MINUTE: u32 = 200;

/// The look-out; it runs while somebody waits.
#[derive(Clone)]
pub(crate) struct Poller(Arc<Inner>);

struct Inner {
    http: Client,
    organization: OrganizationId,
    /// The least time from the start of one look to the start of the next.
    gap: Duration,
    state: Mutex<State>,
    /// Somebody came, went or is in a hurry.
    changed: Notify,
}

#[derive(Default)]
struct State {
    watches: HashMap<TransferId, Watch>,
    known: Known,
    is_running: bool,
    waiters_so_far: u64,
}

/// A transfer that is waited for.
struct Watch {
    due: Instant,
    interval: Duration,
    /// A look is under way.
    is_looked_at: bool,
    waiters: Vec<Waiter>,
}

struct Waiter {
    number: u64,
    deadline: Instant,
    within: Duration,
    answer: oneshot::Sender<Result<Seen, Error>>,
}

/// What the wait for a transfer came to; without facts where a webhook has said it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) state: TransferState,
    pub(crate) facts: Option<Facts>,
}

impl Seen {
    fn told(known: ScanProgress) -> Self {
        Self { state: TransferState::told(known), facts: None }
    }
}

impl Watch {
    /// When it has to be looked at: at its turn, or at the end of somebody's patience.
    fn due(&self) -> Instant {
        self.waiters.iter().map(|waiter| waiter.deadline).fold(self.due, Instant::min)
    }

    fn patience(&self, now: Instant) -> Duration {
        let left = |waiter: &Waiter| waiter.deadline.saturating_duration_since(now);
        self.waiters.iter().map(left).max().unwrap_or_default()
    }

    fn end(self, outcome: &Result<Seen, Error>) {
        for waiter in self.waiters {
            // Whoever has left does not want to know.
            let _ = waiter.answer.send(outcome.clone());
        }
    }
}

impl Poller {
    pub(crate) fn new(http: Client, organization: OrganizationId) -> Self {
        Self::with_gap(http, organization, gap(LOOKS_PER_MINUTE))
    }

    /// Another look-out with its own pace.
    pub(crate) fn paced(&self, looks_per_minute: u32) -> Self {
        Self::with_gap(self.0.http.clone(), self.0.organization.clone(), gap(looks_per_minute))
    }

    fn with_gap(http: Client, organization: OrganizationId, gap: Duration) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { http, organization, gap, state, changed }))
    }

    /// Waits for a verdict.
    pub(crate) async fn wait(&self, id: &TransferId, within: Duration) -> Result<Seen, Error> {
        let (answer, mut outcome) = oneshot::channel();
        let inner = &self.0;
        let (_leaving, running) = {
            let now = inner.http.clock().now();
            let mut state = inner.lock();
            let known = state.known.of(id);
            if blocks(known) {
                return Ok(Seen::told(known));
            }
            state.waiters_so_far += 1;
            let number = state.waiters_so_far;
            let watch = state.watches.entry(id.clone()).or_insert_with(|| Watch {
                due: if known.verdict() == ScanVerdict::Clean { now } else { now + FIRST_INTERVAL },
                interval: FIRST_INTERVAL * 2,
                is_looked_at: false,
                waiters: Vec::new(),
            });
            watch.waiters.push(Waiter { number, deadline: now + within.min(LONGEST_WAIT), within, answer });
            let is_first = !std::mem::replace(&mut state.is_running, true);
            (Leaving { inner, id, number }, is_first.then(|| Running::new(Arc::clone(inner))))
        };
        // Not under the lock: a runtime that is just ending drops the task at once, and that takes the lock.
        if let Some(running) = running {
            tokio::spawn(round::run(running));
        }
        inner.changed.notify_one();
        (&mut outcome).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Canceled, Sent::Maybe)
                .with_operation(&GET_TRANSFER)
                .with_message("the look-out for transfers was ended"))
        })
    }

    /// Takes what a webhook has said; tells whether anybody waits for it.
    pub(crate) fn tell(&self, id: &TransferId, verdict: ScanVerdict) -> bool {
        let now = self.0.http.clock().now();
        let mut state = self.0.lock();
        let known = state.known.advance(id, verdict);
        if blocks(known) {
            let Some(watch) = state.watches.remove(id) else { return false };
            watch.end(&Ok(Seen::told(known)));
        } else {
            let Some(watch) = state.watches.get_mut(id) else { return false };
            if known.verdict() == ScanVerdict::Clean {
                watch.due = now;
            }
        }
        drop(state);
        self.0.changed.notify_one();
        true
    }

    /// An answer together with what was known before; what it says is known from now on.
    pub(crate) fn knowing(&self, id: &TransferId, answer: TransferState) -> TransferState {
        self.0.lock().knowing(id, answer)
    }
}

impl State {
    fn knowing(&mut self, id: &TransferId, answer: TransferState) -> TransferState {
        let answer = answer.knowing(self.known.of(id));
        self.known.advance(id, answer.verdict());
        answer
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gap(looks_per_minute: u32) -> Duration {
    Duration::from_secs(60) / looks_per_minute.max(1)
}

/// Takes a waiter off the list when its future ends, however it does.
struct Leaving<'a> {
    inner: &'a Inner,
    id: &'a TransferId,
    number: u64,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        if let Some(watch) = state.watches.get_mut(self.id) {
            watch.waiters.retain(|waiter| waiter.number != self.number);
            if watch.waiters.is_empty() {
                state.watches.remove(self.id);
            }
        }
        drop(state);
        self.inner.changed.notify_one();
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("gap", &self.0.gap).finish_non_exhaustive()
    }
}
