//! The outbox in memory.

use std::time::Duration;

use bytes::Bytes;
use webmessaging_model::Timestamp;

use super::{Item, MemoryStore, State, Tables, Work};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::ItemId;
use crate::limits::CLAIM_MAX;
use crate::outbox::{ClaimedItem, Enqueued, ItemClaim, NewItem, Outbox};
use crate::outbox_stats::OutboxStats;
use crate::store::Stored;

impl Outbox for MemoryStore {
    fn enqueue(&self, items: Vec<NewItem>, now: Timestamp) -> Stored<'_, Vec<Enqueued>> {
        self.work(move |tables| {
            check::items(&items)?;
            Ok(items.into_iter().map(|item| tables.enqueue(item, now)).collect())
        })
    }

    fn claim_items<'a>(
        &'a self,
        target: &'a str,
        worker: &'a str,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Stored<'a, Vec<ClaimedItem>> {
        self.work(move |tables| {
            check::name("worker", worker)?;
            let limit = usize::try_from(limit.min(CLAIM_MAX)).unwrap_or(usize::MAX);
            let mut ids = tables.due(target, limit, now);
            ids.sort_unstable();
            let claim = |id| {
                let item = tables.items.get_mut(&id)?;
                item.work.claim(now + lease, now);
                Some(claimed(id, item))
            };
            Ok(ids.into_iter().filter_map(claim).collect())
        })
    }

    fn mark_delivered<'a>(&'a self, claims: &'a [ItemClaim], now: Timestamp) -> Stored<'a, Vec<ItemClaim>> {
        self.work(move |tables| {
            check::claims(claims.len())?;
            let mut lost = Vec::new();
            for claim in claims {
                match tables.claimed_item(claim) {
                    Ok(item) => {
                        item.work.to(State::Done, now);
                        item.sent.payload = Bytes::new();
                    }
                    Err(_) => lost.push(claim.clone()),
                }
            }
            Ok(lost)
        })
    }

    fn retry_items<'a>(
        &'a self,
        claims: &'a [ItemClaim],
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, Vec<ItemClaim>> {
        self.work(move |tables| {
            check::claims(claims.len())?;
            let (mut lost, mut retried) = (Vec::new(), Vec::new());
            for claim in claims {
                match tables.claimed_item(claim) {
                    Ok(item) => {
                        item.work.retry(at, check::cut(reason), now);
                        item.failing_since.get_or_insert(now);
                        retried.push(claim.id.get());
                    }
                    Err(_) => lost.push(claim.clone()),
                }
            }
            for id in retried {
                tables.give_back(id, now);
            }
            Ok(lost)
        })
    }

    fn release_items<'a>(
        &'a self,
        claims: &'a [ItemClaim],
        at: Timestamp,
        now: Timestamp,
    ) -> Stored<'a, Vec<ItemClaim>> {
        self.work(move |tables| {
            check::claims(claims.len())?;
            let (mut lost, mut released) = (Vec::new(), Vec::new());
            for claim in claims {
                match tables.claimed_item(claim) {
                    Ok(item) => {
                        item.work.release(at, now);
                        released.push(claim.id.get());
                    }
                    Err(_) => lost.push(claim.clone()),
                }
            }
            for id in released {
                tables.give_back(id, now);
            }
            Ok(lost)
        })
    }

    fn bury_item<'a>(&'a self, claim: &'a ItemClaim, reason: &'a str, now: Timestamp) -> Stored<'a, ()> {
        self.work(move |tables| {
            let item = tables.claimed_item(claim)?;
            item.work.bury(check::cut(reason), now);
            item.failing_since.get_or_insert(now);
            tables.give_back(claim.id.get(), now);
            Ok(())
        })
    }

    fn outbox_stats<'a>(&'a self, target: Option<&'a str>, now: Timestamp) -> Stored<'a, OutboxStats> {
        self.work(move |tables| Ok(tables.outbox_stats(target, now)))
    }

    fn targets(&self) -> Stored<'_, Vec<String>> {
        self.work(|tables| Ok(tables.targets()))
    }
}

impl Item {
    /// Whether later items of its lane have to wait for it.
    fn is_in_the_way(&self) -> bool {
        !self.work.is_settled()
    }

    pub(super) fn is_known_by(&self, target: &str, key: &str) -> bool {
        let mut keys = self.edits.iter().map(|edit| &edit.idempotency_key);
        self.sent.target == target && (self.sent.idempotency_key == key || keys.any(|known| known == key))
    }
}

impl Tables {
    pub(super) fn enqueue(&mut self, item: NewItem, now: Timestamp) -> Enqueued {
        let is_known = |known: &Item| known.is_known_by(&item.target, &item.idempotency_key);
        if let Some((id, _)) = self.items.iter().find(|(_, known)| is_known(known)) {
            return Enqueued::Known(ItemId::new(*id));
        }
        let id = self.next_id();
        let work = Work::new(item.available_at, now);
        let item = Item { sent: item, enqueued_at: now, edits: Vec::new(), failing_since: None, work };
        self.items.insert(id, item);
        Enqueued::New(ItemId::new(id))
    }

    /// The items of a lane, in order; none for an item without a lane.
    fn lane_of(&self, id: i64) -> impl Iterator<Item = (i64, &Item)> {
        let place = self.items.get(&id).map(|item| &item.sent);
        let lane = place.and_then(|sent| Some((&sent.target, sent.lane.as_ref()?)));
        let is_there = move |item: &&Item| {
            lane.is_some_and(|lane| (&item.sent.target, item.sent.lane.as_ref()) == (lane.0, Some(lane.1)))
        };
        self.items.iter().map(|(id, item)| (*id, item)).filter(move |(_, item)| is_there(item))
    }

    pub(super) fn is_first_in_lane(&self, id: i64) -> bool {
        !self.lane_of(id).any(|(other, item)| other < id && item.is_in_the_way())
    }

    fn due(&self, target: &str, limit: usize, now: Timestamp) -> Vec<i64> {
        let claimable = self
            .items
            .iter()
            .filter(|(id, item)| {
                item.sent.target == target && item.work.is_claimable(now) && self.is_first_in_lane(**id)
            })
            .map(|(id, item)| (item.work.due_at, *id));
        let mut heads: Vec<_> = claimable.collect();
        heads.sort_unstable();
        heads.truncate(limit);
        let mut ids: Vec<_> = heads.iter().map(|(_, id)| *id).collect();
        for (_, head) in heads {
            let behind = self.lane_of(head).filter(|(id, item)| *id > head && item.is_in_the_way());
            let due = behind.take_while(|(_, item)| item.work.is_claimable(now)).map(|(id, _)| id);
            ids.extend(due.take(limit - ids.len()));
        }
        ids
    }

    fn claimed_item(&mut self, claim: &ItemClaim) -> Result<&mut Item, Error> {
        let item = self.items.get_mut(&claim.id.get()).ok_or_else(|| Error::new(ErrorKind::LeaseLost))?;
        item.work.fenced(claim.fence)?;
        Ok(item)
    }

    fn give_back(&mut self, after: i64, now: Timestamp) {
        let held = self.lane_of(after).filter(|(id, item)| *id > after && item.work.state == State::Leased);
        let held: Vec<_> = held.map(|(id, _)| id).collect();
        for id in held {
            if let Some(item) = self.items.get_mut(&id) {
                item.work.release(now, now);
            }
        }
    }
}

fn claimed(id: i64, Item { sent, enqueued_at, work, .. }: &Item) -> ClaimedItem {
    ClaimedItem {
        claim: ItemClaim { id: ItemId::new(id), fence: work.fence },
        attempt: work.attempt,
        leased_until: work.due_at,
        target: sent.target.clone(),
        lane: sent.lane.clone(),
        idempotency_key: sent.idempotency_key.clone(),
        kind: sent.kind.clone(),
        payload: sent.payload.clone(),
        enqueued_at: *enqueued_at,
    }
}
