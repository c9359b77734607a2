//! The inbox in memory.

use std::time::Duration;

use bytes::Bytes;
use webmessaging_model::Timestamp;

use super::{Delivery, MemoryStore, State, Tables, Work};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::DeliveryId;
use crate::inbox::{Accepted, ClaimedDelivery, DeliveryClaim, Effects, Inbox, InboxStats, NewDelivery};
use crate::limits::CLAIM_MAX;
use crate::store::Stored;

impl Inbox for MemoryStore {
    fn accept(&self, delivery: NewDelivery) -> Stored<'_, Accepted> {
        self.work(move |tables| {
            check::delivery(&delivery)?;
            let is_known = |known: &&Delivery| {
                let known = &known.sent;
                let same_id = known.delivery_id.is_some() && known.delivery_id == delivery.delivery_id;
                known.source == delivery.source && (same_id || known.content_key == delivery.content_key)
            };
            let known = tables.deliveries.values().filter(is_known).map(|known| known.sent.received_at).min();
            if let Some(first_received_at) = known {
                return Ok(Accepted::Duplicate { first_received_at });
            }
            let id = tables.next_id();
            let work = Work::new(delivery.received_at, delivery.received_at);
            tables.deliveries.insert(id, Delivery { sent: delivery, work });
            Ok(Accepted::New(DeliveryId::new(id)))
        })
    }

    fn claim_deliveries<'a>(
        &'a self,
        worker: &'a str,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Stored<'a, Vec<ClaimedDelivery>> {
        self.work(move |tables| {
            check::name("worker", worker)?;
            let claimable =
                tables.deliveries.iter_mut().filter(|(_, delivery)| delivery.work.is_claimable(now));
            let mut due: Vec<_> = claimable.collect();
            due.sort_by_key(|(id, delivery)| (delivery.work.due_at, **id));
            due.truncate(usize::try_from(limit.min(CLAIM_MAX)).unwrap_or(usize::MAX));
            due.sort_by_key(|(id, _)| **id);
            let claim = |(id, delivery): (&i64, &mut Delivery)| {
                delivery.work.claim(now + lease, now);
                claimed(*id, delivery)
            };
            Ok(due.into_iter().map(claim).collect())
        })
    }

    fn finish_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        effects: Effects,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        self.work(move |tables| {
            check::effects(&effects)?;
            tables.claimed_delivery(claim)?;
            if effects.scans_must_move {
                effects.scans.iter().try_for_each(|scan| tables.advanced(scan).must_move())?;
            }
            let delivery = tables.claimed_delivery(claim)?;
            delivery.work.to(State::Done, now);
            delivery.sent.body = Bytes::new();
            for item in effects.items {
                tables.enqueue(item, now);
            }
            for entry in effects.quarantine {
                tables.put_into_quarantine(entry);
            }
            for scan in &effects.scans {
                tables.advance(scan);
            }
            Ok(())
        })
    }

    fn retry_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        self.work(move |tables| {
            tables.claimed_delivery(claim)?.work.retry(at, check::cut(reason), now);
            Ok(())
        })
    }

    fn bury_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        self.work(move |tables| {
            tables.claimed_delivery(claim)?.work.bury(check::cut(reason), now);
            Ok(())
        })
    }

    fn inbox_stats(&self, now: Timestamp) -> Stored<'_, InboxStats> {
        self.work(move |tables| {
            let mut stats = InboxStats::default();
            for Delivery { sent, work } in tables.deliveries.values() {
                let count = match work.state {
                    State::Ready | State::Leased if work.due_at <= now => &mut stats.due,
                    State::Ready => &mut stats.waiting,
                    State::Leased => &mut stats.leased,
                    State::Dead => &mut stats.dead,
                    State::Done | State::Dropped => &mut stats.remembered,
                };
                *count += 1;
                if matches!(work.state, State::Ready | State::Leased) {
                    let oldest = stats.oldest_open_at.unwrap_or(sent.received_at);
                    stats.oldest_open_at = Some(oldest.min(sent.received_at));
                }
            }
            Ok(stats)
        })
    }
}

impl Tables {
    fn claimed_delivery(&mut self, claim: &DeliveryClaim) -> Result<&mut Delivery, Error> {
        let delivery = self.deliveries.get_mut(&claim.id.get());
        let delivery = delivery.ok_or_else(|| Error::new(ErrorKind::LeaseLost))?;
        delivery.work.fenced(claim.fence)?;
        Ok(delivery)
    }
}

fn claimed(id: i64, Delivery { sent, work }: &Delivery) -> ClaimedDelivery {
    ClaimedDelivery {
        claim: DeliveryClaim { id: DeliveryId::new(id), fence: work.fence },
        attempt: work.attempt,
        leased_until: work.due_at,
        source: sent.source.clone(),
        delivery_id: sent.delivery_id.clone(),
        content_key: sent.content_key.clone(),
        event_type: sent.event_type.clone(),
        received_at: sent.received_at,
        body: sent.body.clone(),
    }
}
