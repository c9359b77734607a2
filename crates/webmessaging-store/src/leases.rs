//! Leases: something that one process at a time does, with a token that tells a late one from the current one.

use std::time::Duration;

use webmessaging_model::Timestamp;

use crate::store::Stored;

/// Rights that one process has at a time.
///
/// A lease ends by itself; its holder may be too slow to notice. What makes that harmless is the token, which only ever grows: whoever is
/// given it along with the work refuses one that is smaller than the last one it saw.
pub trait Leases {
    /// Takes a lease until `now + ttl`, if nobody else has it. Who has it already gets it anew, with a larger token.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow.
    fn acquire_lease<'a>(
        &'a self,
        name: &'a str,
        holder: &'a str,
        ttl: Duration,
        now: Timestamp,
    ) -> Stored<'a, LeaseAnswer>;

    /// Extends a lease to `now + ttl`, with the same token.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) when it has ended, or is somebody else's.
    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration, now: Timestamp) -> Stored<'a, Lease>;

    /// Ends a lease. One that has ended, or is somebody else's, is left alone.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable): it ends by itself.
    fn release_lease<'a>(&'a self, lease: &'a Lease, now: Timestamp) -> Stored<'a, ()>;
}

/// A right that somebody has for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// Who has it.
    pub holder: String,
    /// Larger than that of every lease of this name before.
    pub token: i64,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What came of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseAnswer {
    /// It is yours.
    Acquired(Lease),
    /// Somebody else has it.
    Held {
        /// Who.
        holder: String,
        /// Until when, if it is not extended.
        until: Timestamp,
    },
}

impl LeaseAnswer {
    /// The lease, if it was acquired.
    pub fn acquired(self) -> Option<Lease> {
        match self {
            Self::Acquired(lease) => Some(lease),
            Self::Held { .. } => None,
        }
    }
}
