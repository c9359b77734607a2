//! What a store takes: sizes and counts, so that nothing in it grows without bound.

/// Longest name in bytes: of a source, an event type, a target, a kind, an operation, a worker, a holder, a lease, a quota, a state.
pub const NAME_BYTES_MAX: usize = 256;

/// Longest key in bytes: a delivery id, a content key, an idempotency key, a lane, a file id, the key of an intent or a value.
pub const KEY_BYTES_MAX: usize = 512;

/// Largest body or payload in bytes: 10 MiB, the most that the design documents allow. A webhook of the platform has a few KiB.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Largest details of an intent or a file in quarantine, and largest shared value, in bytes: 64 KiB.
pub const DETAILS_BYTES_MAX: usize = 64 * 1024;

/// Longest reason or note in bytes. A longer one is cut, not refused: what went wrong has to be written down.
pub const REASON_BYTES_MAX: usize = 1_000;

/// Most items in one call, and most effects of each kind of one delivery.
pub const ITEMS_MAX: usize = 1_000;

/// Most claims of one call, whatever limit it names.
pub const CLAIM_MAX: u32 = 1_000;

/// Most entries of one page, whatever limit it names.
pub const LIST_MAX: u32 = 500;

/// Most times that a dead letter can be edited.
pub const EDITS_MAX: u32 = 100;
