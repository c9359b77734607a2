#![doc = include_str!("../README.md")]

pub mod dead_letters;
pub mod inbox;
pub mod intents;
pub mod leases;
pub mod limits;
pub mod outbox;
pub mod outbox_stats;
pub mod quarantine;
pub mod rate_leases;
pub mod retention;
pub mod scan_states;
pub mod shared_values;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
mod check;
mod error;
mod hidden;
mod ids;
#[cfg(feature = "testing")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod state;
mod store;

pub use crate::dead_letters::{
    DeadLetter, DeadLetterContent, DeadLetterCursor, DeadLetterFilter, DeadLetterId, DeadLetterPage,
    DeadLetters, Dropped, Edit, InvalidDeadLetterId, Origin,
};
pub use crate::error::{Error, ErrorKind};
pub use crate::ids::{DeliveryId, IntentId, ItemId};
pub use crate::inbox::{Accepted, ClaimedDelivery, DeliveryClaim, Effects, Inbox, InboxStats, NewDelivery};
pub use crate::intents::{Begun, Intent, IntentOutcome, Intents, NewIntent};
pub use crate::leases::{Lease, LeaseAnswer, Leases};
#[cfg(feature = "testing")]
pub use crate::memory::MemoryStore;
pub use crate::outbox::{ClaimedItem, Enqueued, ItemClaim, NewItem, Outbox};
pub use crate::outbox_stats::{BlockedBy, BlockedLane, OutboxStats};
#[cfg(feature = "postgres")]
pub use crate::postgres::{PostgresOptions, PostgresStore};
pub use crate::quarantine::{NewQuarantine, Quarantine, QuarantineEntry, QuarantineState};
pub use crate::rate_leases::{Permits, RateLeases, RateQuota};
pub use crate::retention::{DedupPolicy, Purged, Retention, SenderSchedule, Upkeep};
pub use crate::scan_states::{NewScan, ScanAdvance, ScanState, ScanStates};
pub use crate::shared_values::{SharedValue, SharedValues};
#[cfg(feature = "sqlite")]
pub use crate::sqlite::{SqliteOptions, SqliteStore};
pub use crate::store::{Store, Stored};
