//! How it stands with the outbox in memory.

use std::collections::BTreeSet;

use webmessaging_model::Timestamp;

use super::{Item, State, Tables};
use crate::limits::LIST_MAX;
use crate::outbox_stats::{BlockedBy, BlockedLane, OutboxStats};

impl Tables {
    pub(super) fn outbox_stats(&self, target: Option<&str>, now: Timestamp) -> OutboxStats {
        let mut stats = OutboxStats::default();
        for (id, item) in &self.items {
            if target.is_some_and(|target| item.sent.target != target) {
                continue;
            }
            let is_first = self.is_first_in_lane(*id);
            let Item { work, enqueued_at, .. } = item;
            let count = match work.state {
                State::Ready | State::Leased if work.due_at <= now && is_first => &mut stats.due,
                State::Leased if work.due_at > now => &mut stats.leased,
                State::Ready | State::Leased => &mut stats.waiting,
                State::Done => &mut stats.delivered,
                State::Dead => &mut stats.dead,
                State::Dropped => &mut stats.dropped,
            };
            *count += 1;
            if matches!(work.state, State::Ready | State::Leased) {
                let oldest = stats.oldest_open_at.unwrap_or(*enqueued_at);
                stats.oldest_open_at = Some(oldest.min(*enqueued_at));
            }
            stats.blocked_lanes.extend(blocked(item, now).filter(|_| is_first));
        }
        stats.blocked_lanes.sort_by_key(|lane| lane.since);
        stats.blocked_lanes_total = u64::try_from(stats.blocked_lanes.len()).unwrap_or(u64::MAX);
        stats.blocked_lanes.truncate(usize::try_from(LIST_MAX).unwrap_or(usize::MAX));
        stats
    }

    pub(super) fn targets(&self) -> Vec<String> {
        let names: BTreeSet<_> = self.items.values().map(|item| &item.sent.target).collect();
        names.into_iter().take(usize::try_from(LIST_MAX).unwrap_or(usize::MAX)).cloned().collect()
    }
}

fn blocked(Item { sent, work, failing_since, .. }: &Item, now: Timestamp) -> Option<BlockedLane> {
    let by = match work.state {
        State::Dead => BlockedBy::DeadLetter,
        State::Ready if work.due_at > now && work.attempt > 0 => BlockedBy::Retry { at: work.due_at },
        _ => return None,
    };
    Some(BlockedLane {
        target: sent.target.clone(),
        lane: sent.lane.clone()?,
        by,
        since: (*failing_since)?,
        reason: work.reason.clone(),
    })
}
