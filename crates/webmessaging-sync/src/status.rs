//! How it stands with each target, for metrics, pages and alarms.

use std::time::Duration;

use webmessaging_journal::prometheus::{Page, Value};
use webmessaging_model::Timestamp;
use webmessaging_store::{BlockedLane, OutboxStats};

/// How it stands with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetStatus {
    /// Its name.
    pub name: String,
    /// Its host, and the port where one is named.
    pub host: String,
    /// Whether it is spoken with.
    pub state: TargetState,
    /// Items that are not delivered yet, and not dead.
    pub pending: u64,
    /// Items among the dead letters.
    pub dead: u64,
    /// The age of the oldest pending item.
    pub oldest_age: Option<Duration>,
    /// Whether that is more than the target's `late_after`: somebody should look.
    pub is_late: bool,
    /// The lanes that are held up, longest first; the store says how many it lists at most.
    pub blocked_lanes: Vec<BlockedLane>,
    /// How many lanes are held up.
    pub blocked_lanes_total: u64,
    /// When it last took something from this process.
    pub last_success: Option<Timestamp>,
    /// What last went wrong in this process.
    pub last_failure: Option<LastFailure>,
}

/// Whether a target is spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetState {
    /// It is.
    Ready,
    /// Not before then: it asked to be left alone, or its host has failed too often. Seen from this process.
    Paused {
        /// When it is asked again.
        until: Timestamp,
    },
    /// Not until somebody calls [`SyncWorker::enable`](crate::SyncWorker::enable): it answered 410. Seen from every process.
    Disabled {
        /// Since when.
        since: Timestamp,
    },
}

impl TargetState {
    /// The stable name: `ready`, `paused` or `disabled`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Paused { .. } => "paused",
            Self::Disabled { .. } => "disabled",
        }
    }
}

/// What last went wrong with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastFailure {
    /// When.
    pub at: Timestamp,
    /// The stable code, such as `server` or `timeout`.
    pub cause: &'static str,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
}

/// Items that are not delivered yet, and not dead.
pub(crate) fn pending(stats: &OutboxStats) -> u64 {
    stats.due.saturating_add(stats.waiting).saturating_add(stats.leased)
}

type Read<'a> = &'a dyn Fn(&TargetStatus) -> Option<Value>;

/// How it stands with targets, as Prometheus reads it; `webmessaging_sync_late` is what to be woken up for.
pub fn prometheus(targets: &[TargetStatus]) -> String {
    let mut page = Page::new();
    let seconds = |at: Timestamp| Value::from(at.since(Timestamp::UNIX_EPOCH).as_secs());
    let gauges: [(&str, &str, Read<'_>); 6] = [
        ("webmessaging_sync_pending", "Items that are not delivered yet, and not dead.", &|target| {
            Some(Value::from(target.pending))
        }),
        ("webmessaging_sync_dead", "Items among the dead letters.", &|target| Some(Value::from(target.dead))),
        ("webmessaging_sync_blocked_lanes", "Lanes that are held up.", &|target| {
            Some(Value::from(target.blocked_lanes_total))
        }),
        ("webmessaging_sync_oldest_age_seconds", "The age of the oldest pending item.", &|target| {
            Some(Value::from(target.oldest_age.unwrap_or_default().as_secs_f64()))
        }),
        ("webmessaging_sync_late", "Whether that is more than the target's `late_after`.", &|target| {
            Some(Value::from(target.is_late))
        }),
        ("webmessaging_sync_last_success_timestamp_seconds", "When it last took something.", &|target| {
            target.last_success.map(seconds)
        }),
    ];
    for (name, help, read) in gauges {
        page.family(name, "gauge", help);
        for target in targets {
            if let Some(value) = read(target) {
                page.sample(&[("target", &target.name)], value);
            }
        }
    }
    page.family("webmessaging_sync_state", "gauge", "1 for the state that a target is in.");
    for target in targets {
        page.sample(&[("target", &target.name), ("state", target.state.code())], 1_u64);
    }
    page.into_text()
}

/// What came of one look at the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Round {
    /// Items that were claimed.
    pub claimed: u64,
    /// Items that the targets have taken.
    pub delivered: u64,
    /// Items that are tried again later.
    pub retried: u64,
    /// Items that have become dead letters.
    pub buried: u64,
    /// Items that were given back untried.
    pub given_back: u64,
}

impl Round {
    pub(crate) fn add(&mut self, other: Self) {
        self.claimed = self.claimed.saturating_add(other.claimed);
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.retried = self.retried.saturating_add(other.retried);
        self.buried = self.buried.saturating_add(other.buried);
        self.given_back = self.given_back.saturating_add(other.given_back);
    }
}
