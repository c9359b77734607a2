//! How long a store remembers what is done, and the upkeep that makes it forget the rest.

use std::fmt;
use std::time::Duration;

use webmessaging_model::Timestamp;

use crate::error::{Error, ErrorKind};
use crate::store::Stored;

const DAY: Duration = Duration::from_secs(86_400);

/// What has to be done to a store now and then.
pub trait Upkeep {
    /// Forgets what is past its time, at most [`Retention::batch`] entries of each kind. Work that is not done, dead letters and
    /// files in quarantine are never forgotten. Call it again when [`Purged::has_more`] says so, and every few minutes otherwise.
    ///
    /// # Errors
    /// Those of the engine; what was not forgotten is forgotten the next time.
    fn purge<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> Stored<'a, Purged>;

    /// Writes a mark, durably: what it says is whether the next delivery could be accepted.
    ///
    /// # Errors
    /// Those of the engine.
    fn probe(&self, now: Timestamp) -> Stored<'_, ()>;
}

/// When a sender gives up: it waits so long for an answer, and tries again after these pauses.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_store::SenderSchedule;
///
/// assert_eq!(SenderSchedule::genesys().longest(), Duration::from_secs(85));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderSchedule {
    timeout: Duration,
    pauses: Vec<Duration>,
}

impl SenderSchedule {
    /// A sender that waits `timeout` for an answer and tries again after each of these pauses.
    pub fn new(timeout: Duration, pauses: impl Into<Vec<Duration>>) -> Self {
        Self { timeout, pauses: pauses.into() }
    }

    /// Genesys Cloud: 10 seconds for an answer, five retries 5 seconds apart. 2026-11-20, from
    /// <https://developer.genesys.cloud/commdigital/digital/openmessaging/validate>.
    pub fn genesys() -> Self {
        Self::new(Duration::from_secs(10), [Duration::from_secs(5); 5])
    }

    /// The time from the beginning of the first attempt to the end of the last.
    pub fn longest(&self) -> Duration {
        let attempts = u32::try_from(self.pauses.len()).unwrap_or(u32::MAX).saturating_add(1);
        let answers = self.timeout.saturating_mul(attempts);
        self.pauses.iter().fold(answers, |sum, pause| sum.saturating_add(*pause))
    }
}

/// How long a delivery is remembered, so that one that is sent again is not worked on again.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_store::{DedupPolicy, ErrorKind, SenderSchedule};
///
/// let genesys = DedupPolicy::for_sender(&SenderSchedule::genesys());
/// assert_eq!(genesys.horizon(), Duration::from_secs(86_400));
///
/// let error = DedupPolicy::with_horizon(&SenderSchedule::genesys(), Duration::from_secs(60)).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// assert_eq!(error.to_string(), "the horizon of 60 s is shorter than the sender's schedule of 85 s: make it longer");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DedupPolicy {
    horizon: Duration,
}

impl DedupPolicy {
    /// A day, or twice the sender's schedule where that is longer.
    pub fn for_sender(schedule: &SenderSchedule) -> Self {
        Self { horizon: DAY.max(schedule.longest().saturating_mul(2)) }
    }

    /// A horizon of one's own.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when it is shorter than the sender's schedule: the last attempts would be taken
    /// for new deliveries.
    pub fn with_horizon(schedule: &SenderSchedule, horizon: Duration) -> Result<Self, Error> {
        let longest = schedule.longest();
        if horizon < longest {
            return Err(Error::new(ErrorKind::InvalidInput).with_message(format!(
                "the horizon of {} s is shorter than the sender's schedule of {} s: make it longer",
                horizon.as_secs_f64(),
                longest.as_secs_f64(),
            )));
        }
        Ok(Self { horizon })
    }

    /// How long a delivery is remembered after it arrived.
    pub fn horizon(&self) -> Duration {
        self.horizon
    }
}

/// How long what is done is remembered.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_store::{DedupPolicy, Retention, SenderSchedule};
///
/// let retention = Retention::new(DedupPolicy::for_sender(&SenderSchedule::genesys()))
///     .delivered(Duration::from_secs(3 * 86_400));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Deliveries that are done, from their arrival.
    pub deliveries: DedupPolicy,
    /// Keys of items that are delivered, from their delivery; 7 days by default.
    pub delivered: Duration,
    /// What was decided: dropped letters, finished intents, released and deleted files; 30 days by default.
    pub decided: Duration,
    /// Scan states that did not move; 30 days by default.
    pub scans: Duration,
    /// Most entries of each kind in one call; 1,000 by default.
    pub batch: u32,
}

impl Retention {
    /// The defaults, with this policy for deliveries. With several senders it is that of the one that goes on the longest.
    #[must_use]
    pub fn new(deliveries: DedupPolicy) -> Self {
        Self {
            deliveries,
            delivered: DAY.saturating_mul(7),
            decided: DAY.saturating_mul(30),
            scans: DAY.saturating_mul(30),
            batch: 1_000,
        }
    }

    /// Sets how long the keys of delivered items are remembered.
    #[must_use]
    pub fn delivered(mut self, time: Duration) -> Self {
        self.delivered = time;
        self
    }

    /// Sets how long dropped letters, finished intents, and released and deleted files are kept.
    #[must_use]
    pub fn decided(mut self, time: Duration) -> Self {
        self.decided = time;
        self
    }

    /// Sets how long scan states are kept that do not move.
    #[must_use]
    pub fn scans(mut self, time: Duration) -> Self {
        self.scans = time;
        self
    }

    /// Sets how many entries of each kind one call forgets; at least 1.
    #[must_use]
    pub fn batch(mut self, entries: u32) -> Self {
        self.batch = entries.max(1);
        self
    }
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// Deliveries.
    pub deliveries: u64,
    /// Items of the outbox.
    pub items: u64,
    /// Intents.
    pub intents: u64,
    /// Files that were in quarantine.
    pub files: u64,
    /// Scan states.
    pub scans: u64,
    /// Shared values that had expired.
    pub values: u64,
    /// There is more that is past its time.
    pub has_more: bool,
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
impl Purged {
    /// Whether any kind used up its batch, so that there can be more.
    pub(crate) fn is_full(&self, batch: u64) -> bool {
        let Self { deliveries, items, intents, files, scans, values, .. } = *self;
        [deliveries, items, intents, files, scans, values].into_iter().any(|count| count >= batch)
    }
}

impl fmt::Display for Purged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deliveries, items, intents, files, scans, values, .. } = self;
        write!(
            f,
            "{deliveries} deliveries, {items} items, {intents} intents, {files} files, {scans} scans, {values} values"
        )
    }
}
