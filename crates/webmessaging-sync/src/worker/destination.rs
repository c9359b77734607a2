//! A target as a worker sees it: its client, what is claimed for it, and how it went lately.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use webmessaging_http::{BreakerState, ExternalClient};
use webmessaging_model::Timestamp;
use webmessaging_store::{ClaimedItem, ItemClaim, ItemId, OutboxStats};

use crate::status::{LastFailure, TargetState, TargetStatus, pending};
use crate::target::Target;
use crate::verdict::Judged;

#[derive(Debug)]
pub(super) struct Destination {
    pub(super) target: Target,
    pub(super) client: ExternalClient,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Items that this worker has claimed and has not settled.
    held: BTreeMap<ItemId, ClaimedItem>,
    /// Those of them that the target was asked to take, and whose answer is not settled.
    asked: BTreeSet<ItemId>,
    paused_until: Option<Timestamp>,
    /// It has answered 410 in this round.
    is_gone: bool,
    last_success: Option<Timestamp>,
    last_failure: Option<LastFailure>,
}

/// What is claimed and not settled.
pub(super) struct Held {
    /// What the target may have taken.
    pub(super) asked: Vec<ClaimedItem>,
    pub(super) untried: Vec<ClaimedItem>,
}

/// What the host's breaker lets through.
pub(super) enum Passage {
    Open,
    /// One request, to see.
    One,
    Closed(Duration),
}

impl Destination {
    pub(super) fn new(target: Target, client: ExternalClient) -> Self {
        Self { target, client, state: Mutex::default() }
    }

    pub(super) fn hold(&self, items: &[ClaimedItem]) {
        let mut state = self.state();
        state.is_gone = false;
        state.held.extend(items.iter().map(|item| (item.claim.id(), item.clone())));
    }

    pub(super) fn settled<'a>(&self, claims: impl IntoIterator<Item = &'a ItemClaim>) {
        let mut state = self.state();
        for claim in claims {
            state.held.remove(&claim.id());
            state.asked.remove(&claim.id());
        }
    }

    /// A request with these is about to go out.
    pub(super) fn asked<'a>(&self, claims: impl IntoIterator<Item = &'a ItemClaim>) {
        self.state().asked.extend(claims.into_iter().map(ItemClaim::id));
    }

    /// What is claimed and not settled.
    pub(super) fn held(&self) -> Held {
        let state = self.state();
        let is_asked = |item: &ClaimedItem| state.asked.contains(&item.claim.id());
        let (asked, untried) = state.held.values().cloned().partition(is_asked);
        Held { asked, untried }
    }

    /// The target takes nothing before then.
    pub(super) fn pause(&self, until: Timestamp) {
        let mut state = self.state();
        state.paused_until = state.paused_until.max(Some(until));
    }

    pub(super) fn unpause(&self) {
        let mut state = self.state();
        state.paused_until = None;
        state.is_gone = false;
    }

    /// It has answered 410; whether this is news.
    pub(super) fn gone(&self) -> bool {
        !std::mem::replace(&mut self.state().is_gone, true)
    }

    /// Whether nothing more is to be sent in this round.
    pub(super) fn is_halted(&self, now: Timestamp) -> bool {
        let state = self.state();
        state.is_gone || state.paused_until.is_some_and(|until| until > now)
    }

    pub(super) fn paused_for(&self, now: Timestamp) -> Option<Duration> {
        self.state().paused_until.filter(|until| *until > now).map(|until| until.since(now))
    }

    pub(super) fn succeeded(&self, at: Timestamp) {
        self.state().last_success = Some(at);
    }

    pub(super) fn failed(&self, at: Timestamp, judged: &Judged) {
        let failure = LastFailure { at, cause: judged.cause, status: judged.status };
        self.state().last_failure = Some(failure);
    }

    pub(super) fn passage(&self) -> Passage {
        let host = self.target.host();
        let breakers = self.client.breakers();
        match breakers.into_iter().find(|breaker| breaker.host == host) {
            None => Passage::Open,
            Some(breaker) => match breaker.state {
                BreakerState::Open => Passage::Closed(breaker.retry_after.unwrap_or_default()),
                BreakerState::HalfOpen => Passage::One,
                _ => Passage::Open,
            },
        }
    }

    pub(super) fn status(
        &self,
        off_since: Option<Timestamp>,
        stats: OutboxStats,
        now: Timestamp,
    ) -> TargetStatus {
        let pause = match self.passage() {
            Passage::Closed(wait) => Some(wait).max(self.paused_for(now)),
            Passage::Open | Passage::One => self.paused_for(now),
        };
        let standing = match (off_since, pause) {
            (Some(since), _) => TargetState::Disabled { since },
            (None, Some(wait)) => TargetState::Paused { until: now + wait },
            (None, None) => TargetState::Ready,
        };
        let oldest_age = stats.oldest_open_at.map(|at| now.since(at));
        let known = self.state();
        TargetStatus {
            name: self.target.name.clone(),
            host: self.target.host().to_owned(),
            state: standing,
            pending: pending(&stats),
            dead: stats.dead,
            oldest_age,
            is_late: oldest_age.is_some_and(|age| age > self.target.late_after),
            blocked_lanes: stats.blocked_lanes,
            blocked_lanes_total: stats.blocked_lanes_total,
            last_success: known.last_success,
            last_failure: known.last_failure.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
