//! One look at the outbox for one target: claim, send in waves, give back what was not tried.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::watch;
use webmessaging_model::Timestamp;
use webmessaging_store::ClaimedItem;

use super::SyncWorker;
use super::destination::{Destination, Held, Passage};
use crate::batch::{Batch, Loaded, heads, waves};
use crate::error::Error;
use crate::log;
use crate::status::Round;
use crate::switch;

/// What came of a look.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) round: Round,
    /// How long there is nothing to look for.
    pub(super) wait: Option<Duration>,
    pub(super) error: Option<Error>,
}

/// What came of a request, and of those it was split into.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) round: Round,
    /// Items that were not tried.
    pub(super) untried: Vec<Loaded>,
    /// Lanes whose first item was not taken: nothing more of them is sent.
    pub(super) stuck: Vec<String>,
    pub(super) error: Option<Error>,
}

/// Until when a round may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    pub(super) stopping: &'a watch::Receiver<bool>,
    pub(super) leased_until: Timestamp,
}

impl SyncWorker {
    pub(super) async fn round(&self, destination: &Destination, stopping: &watch::Receiver<bool>) -> Outcome {
        let mut outcome = Outcome::default();
        match self.claim(destination).await {
            Ok(Claimed::Items(items)) => self.work(destination, items, stopping, &mut outcome).await,
            Ok(Claimed::Wait(wait)) => outcome.wait = wait,
            Err(error) => outcome.error = Some(error),
        }
        outcome
    }

    async fn claim(&self, destination: &Destination) -> Result<Claimed, Error> {
        let (target, now) = (&destination.target, self.now());
        if switch::off_since(&*self.store, &target.name, now).await?.is_some() {
            return Ok(Claimed::Wait(None));
        }
        if let Some(wait) = destination.paused_for(now) {
            return Ok(Claimed::Wait(Some(wait)));
        }
        // Asked before anything is claimed, since a claim counts as an attempt.
        let limit = match destination.passage() {
            Passage::Open => target.claim_max(),
            Passage::One => u32::try_from(target.batch_max).unwrap_or(u32::MAX),
            Passage::Closed(wait) => return Ok(Claimed::Wait(Some(wait))),
        };
        let items = self.store.claim_items(&target.name, &self.name, limit, target.lease(), now).await?;
        destination.hold(&items);
        if items.is_empty() {
            return Ok(Claimed::Wait(None));
        }
        log::claimed(&target.name, items.len());
        Ok(Claimed::Items(items))
    }

    async fn work(
        &self,
        destination: &Destination,
        items: Vec<ClaimedItem>,
        stopping: &watch::Receiver<bool>,
        outcome: &mut Outcome,
    ) {
        let target = &destination.target;
        outcome.round.claimed = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let leased_until = items.iter().map(|item| item.leased_until).min().unwrap_or_else(|| self.now());
        let limits = Limits { stopping, leased_until };
        let claims: Vec<_> = items.iter().map(|item| item.claim.clone()).collect();
        let (mut stuck, mut untried) = (HashSet::new(), Vec::new());
        let loaded = self.load(destination, items, outcome).await;
        for wave in waves(loaded, target.batch_max) {
            let requests =
                wave.into_iter().map(|batch| without(batch, &stuck)).filter(|batch| !batch.is_empty());
            let deliveries = requests.map(|batch| self.deliver(destination, batch, limits));
            let tallies: Vec<_> = stream::iter(deliveries).buffer_unordered(target.at_once).collect().await;
            for tally in tallies {
                outcome.round.add(tally.round);
                outcome.error = outcome.error.take().or(tally.error);
                stuck.extend(tally.stuck);
                for Loaded { item, .. } in tally.untried {
                    stuck.extend(item.lane.clone());
                    untried.push(item);
                }
            }
        }
        outcome.round.given_back = u64::try_from(untried.len()).unwrap_or(u64::MAX);
        if let Err(error) = self.release(destination, untried).await {
            outcome.error.get_or_insert(error);
        }
        // Whatever could not be settled is due again when its lease runs out.
        destination.settled(&claims);
    }

    /// Reads the payloads. What is no JSON is given up at once: no target takes it.
    async fn load(
        &self,
        destination: &Destination,
        items: Vec<ClaimedItem>,
        outcome: &mut Outcome,
    ) -> Vec<Loaded> {
        let (mut loaded, mut ended) = (Vec::with_capacity(items.len()), HashSet::new());
        for item in items {
            // What comes before it in its lane goes out, and what comes after it does not.
            if item.lane.as_ref().is_some_and(|lane| ended.contains(lane)) {
                continue;
            }
            if let Ok(record) = serde_json::from_slice(&item.payload) {
                loaded.push(Loaded { item, record });
                continue;
            }
            ended.extend(item.lane.clone());
            if let Err(error) =
                self.bury(destination, &item, "the payload is not JSON", &mut outcome.round).await
            {
                outcome.error.get_or_insert(error);
            }
        }
        loaded
    }

    /// Gives back all that is claimed, when the worker stops.
    pub(super) async fn give_back(&self, destination: &Destination) -> Result<(), Error> {
        let Held { asked, untried } = destination.held();
        if !asked.is_empty() {
            let now = self.now();
            // Nobody heard the answer. It counts as an attempt, so that what went together goes together again, under the same key.
            self.store.retry_items(&heads(&asked), now, "the worker was stopped", now).await?;
            destination.settled(asked.iter().map(|item| &item.claim));
        }
        self.release(destination, untried).await
    }

    /// Gives back what was claimed and not tried, which costs no attempt; due again at once.
    async fn release(&self, destination: &Destination, items: Vec<ClaimedItem>) -> Result<(), Error> {
        if items.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.store.release_items(&heads(&items), now, now).await?;
        destination.settled(items.iter().map(|item| &item.claim));
        Ok(())
    }
}

enum Claimed {
    Items(Vec<ClaimedItem>),
    Wait(Option<Duration>),
}

/// What is left of a request when nothing of these lanes goes out.
fn without(batch: Batch, stuck: &HashSet<String>) -> Batch {
    batch
        .into_iter()
        .filter(|item| item.item.lane.as_ref().is_none_or(|lane| !stuck.contains(lane)))
        .collect()
}
