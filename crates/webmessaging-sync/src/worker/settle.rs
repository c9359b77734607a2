//! Writes down what came of a request: taken, tried again later, given up.

use std::time::Duration;

use webmessaging_store::{ClaimedItem, ErrorKind as StoreError};

use super::SyncWorker;
use super::deliver::Sent;
use super::destination::Destination;
use super::record::Failed;
use super::round::Tally;
use crate::batch::Batch;
use crate::error::Error;
use crate::log;
use crate::schedule::clamped;
use crate::shape::Told;
use crate::status::Round;
use crate::switch;
use crate::verdict::{Judged, Verdict};

/// How long a target is left alone when it is gone and that could not be written down.
const GONE_PAUSE: Duration = Duration::from_secs(30);

/// A record that the other side did not want, in an answer that took others.
const RECORD_REFUSED: &str = "record_refused";
const RECORD_POSTPONED: &str = "record_postponed";

impl SyncWorker {
    pub(super) async fn settle(
        &self,
        destination: &Destination,
        batch: Batch,
        sent: Sent,
        tally: &mut Tally,
    ) {
        let now = self.now();
        let items: Vec<_> = batch.into_iter().map(|loaded| loaded.item).collect();
        let judged = sent.judged.clone();
        if let Verdict::Done { duplicate } = judged.verdict {
            destination.succeeded(now);
            let told = sent.told.clone().unwrap_or_else(|| vec![Told::Done; items.len()]);
            let (done, refused, later) = sorted(items, &told);
            self.took(destination, &done, &sent, duplicate, tally).await;
            let because = |cause| Judged { cause, ..judged.clone() };
            self.give_up(destination, &refused, &sent, &because(RECORD_REFUSED), tally).await;
            self.postpone(destination, &later, &sent, &because(RECORD_POSTPONED), None, tally).await;
            return;
        }
        destination.failed(now, &judged);
        log::not_delivered(
            &destination.target.name,
            sent.key.as_str(),
            items.len(),
            &judged.reason(),
            sent.outcome.as_ref().err(),
        );
        match judged.verdict {
            Verdict::Later { asked } => {
                if let Some(asked) = asked {
                    destination.pause(now + clamped(asked));
                }
                self.postpone(destination, &items, &sent, &judged, asked, tally).await;
            }
            // The breaker is asked before the next claim, so that this waits for it, too.
            Verdict::NotSent { wait } => self.leave(destination, &items, wait, tally).await,
            Verdict::Gone => self.switch_off(destination, &items, &sent, tally).await,
            Verdict::Refused | Verdict::Done { .. } => {
                self.give_up(destination, &items, &sent, &judged, tally).await;
            }
        }
    }

    async fn took(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        sent: &Sent,
        duplicate: bool,
        tally: &mut Tally,
    ) {
        if items.is_empty() {
            return;
        }
        let claims: Vec<_> = items.iter().map(|item| item.claim.clone()).collect();
        match self.store.mark_delivered(&claims, self.now()).await {
            Ok(lost) => {
                log::delivered(&destination.target.name, items.len() - lost.len());
                let is_lost = |item: &&ClaimedItem| lost.contains(&item.claim);
                tally.stuck.extend(items.iter().filter(is_lost).filter_map(|item| item.lane.clone()));
                if !lost.is_empty() {
                    log::claims_lost(&destination.target.name, lost.len());
                }
                destination.settled(&claims);
                tally.round.delivered = tally.round.delivered.saturating_add(count(items.len() - lost.len()));
                self.record_success(destination, items, sent, duplicate).await;
            }
            // It arrives once more, under the same key.
            Err(error) => stop(items, error.into(), tally),
        }
    }

    /// Tries again by the schedule, or gives up at its end.
    async fn postpone(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        sent: &Sent,
        judged: &Judged,
        asked: Option<Duration>,
        tally: &mut Tally,
    ) {
        // They have the same number of attempts, or they would not be in the same request.
        let Some(attempt) = items.iter().map(|item| item.attempt).max() else { return };
        let Some(wait) = destination.target.schedule.wait_after(attempt, asked, &*self.entropy) else {
            return self.give_up(destination, items, sent, judged, tally).await;
        };
        self.retry(destination, items, wait, judged, tally).await;
        let failed = Failed { judged, is_dead: false, retry_in: Some(wait) };
        self.record_failure(destination, items, sent, &failed).await;
    }

    async fn retry(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        wait: Duration,
        judged: &Judged,
        tally: &mut Tally,
    ) {
        let now = self.now();
        let claims: Vec<_> = items.iter().map(|item| item.claim.clone()).collect();
        match self.store.retry_items(&claims, now + wait, &judged.reason(), now).await {
            Ok(_) => waits(destination, items, tally),
            Err(error) => stop(items, error.into(), tally),
        }
    }

    /// Gives back what was not sent: no attempt was made.
    async fn leave(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        wait: Duration,
        tally: &mut Tally,
    ) {
        let now = self.now();
        let claims: Vec<_> = items.iter().map(|item| item.claim.clone()).collect();
        match self.store.release_items(&claims, now + wait, now).await {
            Ok(_) => waits(destination, items, tally),
            Err(error) => stop(items, error.into(), tally),
        }
    }

    /// Makes dead letters of items.
    async fn give_up(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        sent: &Sent,
        judged: &Judged,
        tally: &mut Tally,
    ) {
        let mut buried = Vec::new();
        for item in items {
            let reason = match item.attempt {
                1 => judged.reason(),
                attempts => format!("{}, {attempts} attempts", judged.reason()),
            };
            match self.bury(destination, item, &reason, &mut tally.round).await {
                Ok(is_dead) => {
                    tally.stuck.extend(item.lane.clone());
                    buried.extend(is_dead.then(|| item.clone()));
                }
                Err(error) => stop(std::slice::from_ref(item), error, tally),
            }
        }
        if !items.is_empty() {
            destination.failed(self.now(), judged);
        }
        // Of the others nobody can say that they are dead.
        if !buried.is_empty() {
            let failed = Failed { judged, is_dead: true, retry_in: None };
            self.record_failure(destination, &buried, sent, &failed).await;
        }
    }

    /// Makes a dead letter of an item; whether it was still ours.
    pub(super) async fn bury(
        &self,
        destination: &Destination,
        item: &ClaimedItem,
        reason: &str,
        round: &mut Round,
    ) -> Result<bool, Error> {
        let is_dead = match self.store.bury_item(&item.claim, reason, self.now()).await {
            Ok(()) => {
                log::buried(&destination.target.name, &item.idempotency_key, reason);
                round.buried = round.buried.saturating_add(1);
                true
            }
            // Whoever has it now hears the same.
            Err(error) if error.kind() == StoreError::LeaseLost => {
                log::claims_lost(&destination.target.name, 1);
                false
            }
            Err(error) => return Err(error.into()),
        };
        destination.settled([&item.claim]);
        Ok(is_dead)
    }

    /// Nobody is asked again before somebody has looked; the items stay where they are.
    async fn switch_off(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        sent: &Sent,
        tally: &mut Tally,
    ) {
        let (target, now) = (&destination.target.name, self.now());
        if destination.gone() {
            match switch::set(&*self.store, target, &self.name, false, now).await {
                Ok(()) => log::switched_off(target),
                Err(error) => {
                    destination.pause(now + GONE_PAUSE);
                    tally.error.get_or_insert(error);
                }
            }
        }
        self.retry(destination, items, Duration::ZERO, &sent.judged, tally).await;
        let failed = Failed { judged: &sent.judged, is_dead: false, retry_in: None };
        self.record_failure(destination, items, sent, &failed).await;
    }
}

/// These have been given back, and wait.
fn waits(destination: &Destination, items: &[ClaimedItem], tally: &mut Tally) {
    destination.settled(items.iter().map(|item| &item.claim));
    tally.round.retried = tally.round.retried.saturating_add(count(items.len()));
    tally.stuck.extend(items.iter().filter_map(|item| item.lane.clone()));
}

/// Nothing more of these lanes is sent, since nobody knows what is written of their first items.
fn stop(items: &[ClaimedItem], error: Error, tally: &mut Tally) {
    tally.stuck.extend(items.iter().filter_map(|item| item.lane.clone()));
    tally.error.get_or_insert(error);
}

/// Items by what the other side said of them: done, refused, later.
fn sorted(items: Vec<ClaimedItem>, told: &[Told]) -> (Vec<ClaimedItem>, Vec<ClaimedItem>, Vec<ClaimedItem>) {
    let (mut done, mut refused, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for (item, told) in items.into_iter().zip(told) {
        match told {
            Told::Done => done.push(item),
            Told::Refused => refused.push(item),
            Told::Later => later.push(item),
        }
    }
    (done, refused, later)
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
