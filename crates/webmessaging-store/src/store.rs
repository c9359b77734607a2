//! The store as a whole: everything that has to outlive the process, behind one object.

use std::pin::Pin;

use crate::dead_letters::DeadLetters;
use crate::error::Error;
use crate::inbox::Inbox;
use crate::intents::Intents;
use crate::leases::Leases;
use crate::outbox::Outbox;
use crate::quarantine::Quarantine;
use crate::rate_leases::RateLeases;
use crate::retention::Upkeep;
use crate::scan_states::ScanStates;
use crate::shared_values::SharedValues;

/// An answer of the store in the making.
///
/// Nothing is done before it is polled. Dropped before it is ready, what it stands for is done or not done, but never half.
pub type Stored<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The durable state of a gateway; `Arc<dyn Store>` is what the rest of a program holds.
///
/// Every call is one transaction: when it has answered, its work is durable, and when it has failed nothing of it is there. One
/// exception is named by its kind: after [`Unavailable`](crate::ErrorKind::Unavailable) it can be either, since the connection can
/// break between the commit and its answer. [`accept`](Inbox::accept), [`enqueue`](Outbox::enqueue) and everything that carries a claim,
/// a token or a key can be called again then; a claim that is lost was used by the first call, or somebody else has it now.
///
/// Time is a parameter, `now`. On SQLite the callers' clock decides what is due, which is the clock of one machine. On PostgreSQL
/// the database's does, so that machines need not agree. A clock that jumps can make two workers try the same thing, under the same
/// idempotency key; that both finish it, no clock can bring about.
pub trait Store:
    Inbox
    + Outbox
    + DeadLetters
    + Intents
    + Quarantine
    + ScanStates
    + Leases
    + SharedValues
    + RateLeases
    + Upkeep
    + std::fmt::Debug
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: Inbox
        + Outbox
        + DeadLetters
        + Intents
        + Quarantine
        + ScanStates
        + Leases
        + SharedValues
        + RateLeases
        + Upkeep
        + std::fmt::Debug
        + Send
        + Sync
        + 'static
{
}
