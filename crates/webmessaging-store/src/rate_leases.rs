//! Rate leases: permits of a quota that all processes share exactly.

use std::time::Duration;

use webmessaging_model::Timestamp;

use crate::store::Stored;

/// Quotas that processes share.
pub trait RateLeases {
    /// Takes up to `wanted` permits. In no window, wherever it begins, are more given out than the quota has.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow.
    fn take_permits<'a>(&'a self, quota: &'a RateQuota, wanted: u32, now: Timestamp) -> Stored<'a, Permits>;
}

/// How much is allowed in which time.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_store::RateQuota;
///
/// let quota = RateQuota::new("client-1", 300, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateQuota {
    /// Whose quota it is.
    pub name: String,
    /// How many permits a window has, at least 1.
    pub permits: u32,
    /// How long the window is, at least a millisecond.
    pub window: Duration,
}

impl RateQuota {
    /// So many permits in each window.
    #[must_use]
    pub fn new(name: impl Into<String>, permits: u32, window: Duration) -> Self {
        Self { name: name.into(), permits, window }
    }
}

/// What was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permits {
    /// How many, at most as many as were wanted.
    pub granted: u32,
    /// When there will be at least one more, if fewer than wanted were given out. By the store's clock.
    pub retry_at: Option<Timestamp>,
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
impl Permits {
    /// What can be given out when so many are used within the window that ends now, the first of them then.
    pub(crate) fn of(quota: &RateQuota, wanted: u32, used: i64, first: Option<i64>, at: Timestamp) -> Self {
        let free = i64::from(quota.permits).saturating_sub(used).max(0);
        let granted = wanted.min(u32::try_from(free).unwrap_or(u32::MAX));
        let first = first.map_or(at, Timestamp::from_unix_millis);
        Self { granted, retry_at: (granted < wanted).then(|| first + quota.window) }
    }
}
