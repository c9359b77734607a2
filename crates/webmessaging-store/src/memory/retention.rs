//! Upkeep in memory.

use std::collections::BTreeMap;

use webmessaging_model::Timestamp;

use super::{MemoryStore, State};
use crate::quarantine::QuarantineState;
use crate::retention::{Purged, Retention, Upkeep};
use crate::store::Stored;

impl Upkeep for MemoryStore {
    fn purge<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> Stored<'a, Purged> {
        self.work(move |tables| {
            let batch = u64::from(retention.batch);
            let (decided, delivered) = (now - retention.decided, now - retention.delivered);
            let horizon = now - retention.deliveries.horizon();
            let mut purged = Purged {
                deliveries: forget(&mut tables.deliveries, batch, |delivery| {
                    let is_late = delivery.work.state == State::Done || delivery.work.changed_at < decided;
                    delivery.work.is_settled() && delivery.sent.received_at < horizon && is_late
                }),
                items: forget(&mut tables.items, batch, |item| match item.work.state {
                    State::Done => item.work.changed_at < delivered,
                    State::Dropped => item.work.changed_at < decided,
                    State::Ready | State::Leased | State::Dead => false,
                }),
                intents: forget(&mut tables.intents, batch, |(intent, _)| {
                    intent.finished_at.is_some_and(|finished| finished < decided)
                }),
                files: forget(&mut tables.quarantine, batch, |entry| match &entry.state {
                    QuarantineState::Held => false,
                    QuarantineState::Released { at, .. } | QuarantineState::Deleted { at, .. } => {
                        *at < decided
                    }
                }),
                scans: forget(&mut tables.scans, batch, |scan| scan.at < now - retention.scans),
                ..Purged::default()
            };
            for (value, expires_at, _) in tables.values.values_mut() {
                if purged.values < batch && value.is_some() && *expires_at <= now {
                    *value = None;
                    purged.values += 1;
                }
            }
            purged.has_more = purged.is_full(batch);
            Ok(purged)
        })
    }

    fn probe(&self, _: Timestamp) -> Stored<'_, ()> {
        self.work(|_| Ok(()))
    }
}

fn forget<K: Ord, V>(table: &mut BTreeMap<K, V>, batch: u64, is_past: impl Fn(&V) -> bool) -> u64 {
    let mut gone = 0;
    table.retain(|_, row| {
        let goes = gone < batch && is_past(row);
        gone += u64::from(goes);
        !goes
    });
    gone
}
