//! How it stands with the outbox: counts, age, and the lanes that are held up.

use webmessaging_model::Timestamp;

/// How it stands with the outbox, of one target or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxStats {
    /// Can be claimed now, those with a lease that ran out included.
    pub due: u64,
    /// Due later, or behind another item of their lane.
    pub waiting: u64,
    /// Being delivered.
    pub leased: u64,
    /// Among the dead letters.
    pub dead: u64,
    /// Delivered, and remembered by their keys.
    pub delivered: u64,
    /// Dropped by somebody, and kept for the record.
    pub dropped: u64,
    /// When the oldest one that is not yet delivered and not dead was enqueued.
    pub oldest_open_at: Option<Timestamp>,
    /// The lanes that are held up, longest first, at most [`LIST_MAX`](crate::limits::LIST_MAX) of them.
    pub blocked_lanes: Vec<BlockedLane>,
    /// How many lanes are held up.
    pub blocked_lanes_total: u64,
}

/// A lane that does not move.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockedLane {
    /// The system.
    pub target: String,
    /// The lane.
    pub lane: String,
    /// What holds it up.
    pub by: BlockedBy,
    /// Since when.
    pub since: Timestamp,
    /// What went wrong, as it was told.
    pub reason: String,
}

/// What holds up a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockedBy {
    /// Its first item failed, and is tried again then.
    Retry {
        /// When.
        at: Timestamp,
    },
    /// Its first item is a dead letter: somebody has to retry or drop it.
    DeadLetter,
}
