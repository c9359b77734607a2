//! The books of one limit: what we sent, what was answered, and whether one more may go out. Pure: time comes in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::WaitReason;
use super::share::{Own, Share};
use super::told::Told;

/// So many requests go out before the first answer says where the limit stands, and so many more with each answer.
const PROBES: u32 = 4;

/// An answer that takes longer than this does not hold the next probes up.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// Where the server tells no counts, a 429 leaves this part of what we allow ourselves, at most once in a window, and
/// each window that goes well gives back a part of the quota. Who uses more loses more, all gain the same.
const CUT: f64 = 0.7;
const GROWTH: f64 = 0.02;

/// No 429 takes more than leaves this part of the quota.
const CEILING_MIN: f64 = 0.05;

/// Of a quota of at least this many, one place stays empty: who comes new to a window that slides would else be refused
/// each time, and we would never hear of it.
const DOOR_FROM: u32 = 100;

/// Whether the next request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Closed {
        /// When to look again; `None` is when something has been answered.
        until: Option<Instant>,
        why: WaitReason,
    },
}

impl Gate {
    pub(super) fn until(at: Instant, why: WaitReason) -> Self {
        Self::Closed { until: Some(at), why }
    }
}

/// A request that went out, until its answer is in the books.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    number: u64,
    sent_at: Instant,
    /// What of ours the server could have counted by then.
    used: u32,
}

/// The books of one quota.
#[derive(Debug)]
pub(super) struct Ledger {
    quota: u32,
    /// Without a word from the server, and when it does not repeat its word for two windows.
    own_quota: u32,
    told_at: Option<Instant>,
    window: Duration,
    /// When our requests of the last window were answered. The server counted each of them before that, so that what
    /// has left this list has left the server's window too, whether that one slides or not.
    answered: VecDeque<Instant>,
    in_flight: u32,
    number: u64,
    last_sent: Option<Instant>,
    last_answer: Option<Instant>,
    /// Smoothed time from a request to its answer.
    round_trip: Duration,
    /// Below the quota when a server that tells no counts has refused us.
    ceiling: f64,
    cut_at: Option<Instant>,
    share: Share,
}

impl Ledger {
    pub(super) fn new(quota: u32, window: Duration) -> Self {
        Self {
            quota,
            own_quota: quota,
            told_at: None,
            window,
            answered: VecDeque::new(),
            in_flight: 0,
            number: 0,
            last_sent: None,
            last_answer: None,
            round_trip: Duration::ZERO,
            ceiling: f64::from(quota),
            cut_at: None,
            share: Share::default(),
        }
    }

    pub(super) fn quota(&self) -> u32 {
        self.quota
    }

    /// What of ours is in the window, requests under way included.
    pub(super) fn used(&mut self, now: Instant) -> u32 {
        let mut left = 0;
        while self.answered.front().is_some_and(|at| *at + self.window <= now) {
            self.answered.pop_front();
            left += 1;
        }
        self.share.left(left);
        u32::try_from(self.answered.len()).unwrap_or(u32::MAX).saturating_add(self.in_flight)
    }

    /// What the server said last that all have used.
    pub(super) fn told(&self) -> Option<u32> {
        self.share.told_count()
    }

    pub(super) fn gate(&mut self, now: Instant) -> Gate {
        if self.told_at.is_some_and(|at| at + self.window * 2 <= now) {
            self.told_at = None;
            self.set_quota(self.own_quota);
        }
        let used = self.used(now);
        let informed = self.last_answer.is_some_and(|at| now < at + self.window);
        let probes = if informed { PROBES.saturating_add(used - self.in_flight) } else { PROBES };
        let patience = self.last_sent.map(|at| at + PROBE_PATIENCE).filter(|at| now < *at);
        if let Some(until) = patience.filter(|_| self.in_flight >= probes) {
            return Gate::until(until, WaitReason::Probing);
        }
        let places = self.quota - u32::from(self.quota >= DOOR_FROM);
        if f64::from(used) >= self.ceiling.min(f64::from(places)).max(1.0) {
            return Gate::Closed { until: self.when_leaves(1), why: WaitReason::Quota };
        }
        if !informed {
            return Gate::Open;
        }
        let own = self.own(used);
        self.share.gate(now, &own, |count| self.when_leaves(count))
    }

    /// When `count` of our answered requests have left the window.
    fn when_leaves(&self, count: usize) -> Option<Instant> {
        self.answered.get(count.saturating_sub(1)).map(|at| *at + self.window)
    }

    fn own(&self, used: u32) -> Own {
        Own {
            used,
            number: self.number,
            last_sent: self.last_sent,
            quota: self.quota,
            window: self.window,
            round_trip: self.round_trip,
        }
    }

    /// Keeps a place for a request that is about to go out.
    pub(super) fn reserve(&mut self) {
        self.in_flight = self.in_flight.saturating_add(1);
    }

    /// It goes out, in the place that was kept for it.
    pub(super) fn send(&mut self, now: Instant) -> Entry {
        self.number += 1;
        self.last_sent = Some(now);
        let used = self.used(now);
        self.share.sent(used);
        Entry { number: self.number, sent_at: now, used }
    }

    /// The request did not go out after all.
    pub(super) fn take_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The answer came, or none will come: then the server may have counted the request, and so do we.
    pub(super) fn answered(&mut self, entry: &Entry, is_refused: bool, told: Option<Told>, now: Instant) {
        self.close(entry, told, now);
        if is_refused {
            if told.is_none() && self.cut_at.is_none_or(|at| at + self.window <= now) {
                self.ceiling = (self.ceiling * CUT).max(f64::from(self.quota) * CEILING_MIN);
                self.cut_at = Some(now);
            }
            return;
        }
        self.answered.push_back(now);
        if self.answered.len() > self.quota as usize {
            self.answered.pop_front();
        }
        self.ceiling += GROWTH * f64::from(self.quota) / self.ceiling.max(1.0);
        self.ceiling = self.ceiling.min(f64::from(self.quota));
    }

    fn set_quota(&mut self, quota: u32) {
        if quota != self.quota {
            self.ceiling *= f64::from(quota) / f64::from(self.quota.max(1));
            self.quota = quota;
        }
    }

    fn close(&mut self, entry: &Entry, told: Option<Told>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_answer = Some(now);
        let took = now.saturating_duration_since(entry.sent_at);
        self.round_trip = if self.round_trip.is_zero() { took } else { (self.round_trip * 9 + took) / 10 };
        let Some(told) = told else { return };
        self.told_at = Some(now);
        self.set_quota(told.allowed);
        let used = self.used(now);
        let sent_since = u32::try_from(self.number - entry.number).unwrap_or(u32::MAX);
        let ours_at_most = entry.used.saturating_add(sent_since);
        self.share.learn(&told, entry.number, ours_at_most, &self.own(used), now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Clock, TokioClock};

    const WINDOW: Duration = Duration::from_secs(60);

    fn told() -> impl Strategy<Value = Option<Told>> {
        let told = (any::<u32>(), 1..400_u32, 0..3_600_u64).prop_map(|(count, allowed, reset)| Told {
            count,
            allowed,
            reset: Duration::from_secs(reset),
        });
        prop_oneof![Just(None), told.prop_map(Some)]
    }

    proptest! {
        /// Whatever a server says: nobody sends more than the quota, and nobody waits for ever.
        #[test]
        fn it_opens_again_and_never_lets_out_too_many(
            answers in prop::collection::vec((told(), any::<bool>(), 0..90_000_u64), 1..120),
        ) {
            let mut now = TokioClock.now();
            let mut ledger = Ledger::new(300, WINDOW);
            let mut out = Vec::new();
            for (told, is_refused, millis) in answers {
                for _ in 0..10 {
                    if ledger.gate(now) == Gate::Open {
                        ledger.reserve();
                        out.push(ledger.send(now));
                        prop_assert!(ledger.used(now) <= ledger.quota().max(1));
                    }
                }
                now += Duration::from_millis(millis);
                if let Some(entry) = out.pop() {
                    ledger.answered(&entry, is_refused, told, now);
                }
            }
            for entry in out.drain(..) {
                ledger.answered(&entry, false, None, now);
            }
            // At the latest when the end that a server named has come and our own have left the window.
            now += Duration::from_secs(3_600) + WINDOW * 2;
            prop_assert_eq!(ledger.gate(now), Gate::Open);
        }
    }
}
