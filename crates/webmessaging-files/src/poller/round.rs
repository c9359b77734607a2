//! The task behind the look-out: looks at whoever is due, at its pace, until nobody waits.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use webmessaging_http::{Answer, Error, ErrorKind, Sent};
use webmessaging_model::TransferId;

use super::{Inner, LONGEST_INTERVAL, Seen, State, Watch};
use crate::get_transfer::{GetTransfer, TransferState};
use crate::operations::GET_TRANSFER;

/// One that hangs must not hold up the others.
const LOOKS_MAX: usize = 4;
/// Even at the very end, a look is given the time that an answer takes.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// No server can have a transfer not looked at for longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);

pub(super) async fn run(mut running: Running) {
    let inner = Arc::clone(&running.inner);
    let clock = inner.http.clock();
    let mut looks = JoinSet::new();
    let mut next_look = clock.now();
    loop {
        let now = clock.now();
        let next = {
            let mut state = inner.lock();
            if state.watches.is_empty() && looks.is_empty() {
                state.is_running = false;
                running.is_over = true;
                return;
            }
            let is_free = looks.len() < LOOKS_MAX;
            let next = state.first_due().filter(|_| is_free).map(|(id, due)| (id, due.max(next_look)));
            match next {
                Some((id, at)) if at <= now => {
                    let patience = state.begin_look(&id, now);
                    next_look = now + inner.gap;
                    looks.spawn(look(Arc::clone(&inner), id, now, patience));
                    continue;
                }
                next => next.map(|(_, at)| at.saturating_duration_since(now)),
            }
        };
        // A wait on purpose while nothing else happens; with a look under way it is one for the network.
        let mut pause =
            next.map(|wait| if looks.is_empty() { clock.sleep(wait) } else { clock.watchdog(wait) });
        let mut changed = pin!(inner.changed.notified());
        let is_broken = poll_fn(|cx| {
            let looked = if looks.is_empty() { Poll::Pending } else { looks.poll_join_next(cx) };
            if let Poll::Ready(Some(look)) = looked {
                return Poll::Ready(look.is_err());
            }
            let is_changed = changed.as_mut().poll(cx).is_ready();
            let is_due = pause.as_mut().is_some_and(|pause| pause.as_mut().poll(cx).is_ready());
            if is_changed || is_due { Poll::Ready(false) } else { Poll::Pending }
        })
        .await;
        if is_broken {
            // Nobody is to wait for a look that panicked.
            return;
        }
    }
}

async fn look(inner: Arc<Inner>, id: TransferId, began: Instant, patience: Duration) {
    let endpoint = GetTransfer::new(inner.organization.clone(), id.clone());
    let outcome = inner.http.send_within(&endpoint, patience.clamp(SHORTEST_LOOK, LONGEST_LOOK)).await;
    let now = inner.http.clock().now();
    inner.lock().settle(&id, began, now, outcome);
}

impl State {
    fn first_due(&self) -> Option<(TransferId, Instant)> {
        let waiting = self.watches.iter().filter(|(_, watch)| !watch.is_looked_at);
        let due = waiting.map(|(id, watch)| (watch.due(), id)).min()?;
        Some((due.1.clone(), due.0))
    }

    fn begin_look(&mut self, id: &TransferId, now: Instant) -> Duration {
        let Some(watch) = self.watches.get_mut(id) else { return Duration::ZERO };
        watch.is_looked_at = true;
        watch.patience(now)
    }

    /// Takes what a look came to, and tells whoever is done waiting.
    fn settle(
        &mut self,
        id: &TransferId,
        began: Instant,
        now: Instant,
        outcome: Result<Answer<TransferState>, Error>,
    ) {
        let outcome = outcome.map(|mut answer| {
            answer.value = self.knowing(id, answer.value);
            answer
        });
        let Some(watch) = self.watches.get_mut(id) else { return };
        let (is_over, again) = match &outcome {
            Ok(answer) => (answer.value.is_final(), watch.interval),
            // Asking once more can help.
            Err(error) if error.is_transient() => {
                let wanted = error.retry_after().unwrap_or_default().min(LONGEST_RETRY_AFTER);
                (false, watch.interval.max(wanted))
            }
            Err(_) => (true, Duration::ZERO),
        };
        if is_over {
            let seen = outcome.map(|answer| Seen { state: answer.value, facts: Some(answer.facts) });
            if let Some(watch) = self.watches.remove(id) {
                watch.end(&seen);
            }
            return;
        }
        watch.is_looked_at = false;
        watch.due = now + again;
        watch.interval = (watch.interval * 2).min(LONGEST_INTERVAL);
        watch.give_up(began, outcome.err().as_ref());
        if watch.waiters.is_empty() {
            self.watches.remove(id);
        }
    }
}

impl Watch {
    /// Ends the waits whose time was over when the look began.
    fn give_up(&mut self, began: Instant, trouble: Option<&Error>) {
        for waiter in self.waiters.extract_if(.., |waiter| waiter.deadline <= began) {
            let mut error = Error::new(ErrorKind::Timeout, Sent::Yes)
                .with_operation(&GET_TRANSFER)
                .with_message(format!("no verdict within {} s", waiter.within.as_secs()));
            if let Some(trouble) = trouble {
                error = error.with_source(trouble.clone());
            }
            let _ = waiter.answer.send(Err(error));
        }
    }
}

/// Lets everybody go when the task ends in the middle, or before it has begun, so that nobody waits for one that is gone.
pub(super) struct Running {
    inner: Arc<Inner>,
    is_over: bool,
}

impl Running {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self { inner, is_over: false }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.inner.lock();
            state.is_running = false;
            state.watches.clear();
        }
    }
}
