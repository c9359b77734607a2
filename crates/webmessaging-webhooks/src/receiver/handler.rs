//! What is done with a delivery: the trait for it, what it is given, and what it gives back.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use webmessaging_journal::clock::Entropy;
use webmessaging_journal::{
    Actor, ErrorKind as JournalErrorKind, Event as JournalEvent, EventId, EventKind, Stamp,
};
use webmessaging_model::Timestamp;
use webmessaging_store::{ClaimedDelivery, Effects, ErrorKind as StoreErrorKind};

use crate::event::Event;

/// The work on a delivery under way.
pub type Handling<'a> = Pin<Box<dyn Future<Output = Result<Handled, HandlerError>> + Send + 'a>>;

/// Works on deliveries, one at a time for each delivery and many at once.
///
/// It can be asked again for the same delivery: when it failed, and when the process ended before what it gave back was kept. What it
/// gives back is kept once. What it does elsewhere has to bear being done again.
pub trait Handler: Send + Sync + 'static {
    /// Works on a delivery.
    fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a>;
}

/// A delivery to work on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// What the delivery says.
    pub event: Event,
    /// The delivery as it is kept.
    pub delivery: ClaimedDelivery,
}

impl Received {
    pub(super) fn new(event: Event, delivery: ClaimedDelivery) -> Self {
        Self { event, delivery }
    }

    /// Something for the journal that follows from this delivery. Its id comes from the delivery's content, what it is, and its place
    /// among what follows: recorded again after a crash, it is the same record to whoever compares ids.
    pub fn journal_event(&self, place: u64, kind: impl Into<EventKind>) -> JournalEvent {
        let (at, kind) = (self.delivery.received_at, kind.into());
        // With its action: another attempt can come to something else, when another delivery was faster.
        let content = OfContent { key: format!("{} {}", kind.action(), self.delivery.content_key), place };
        Stamp::new(EventId::new(at, &content), at, Actor::new("webhook")).event(kind)
    }
}

/// Numbers that are the same for the same content.
#[derive(Debug)]
struct OfContent {
    key: String,
    place: u64,
}

impl Entropy for OfContent {
    fn bits(&self) -> u64 {
        use sha2::Digest;

        let digest =
            sha2::Sha256::new().chain_update(self.place.to_be_bytes()).chain_update(&self.key).finalize();
        digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }
}

/// What follows from a delivery.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Handled {
    /// For the journal, and for the outbox by way of [`ReceiverBuilder::items_for`](super::ReceiverBuilder::items_for).
    pub events: Vec<JournalEvent>,
    /// Written with the mark that the delivery is done.
    pub effects: Effects,
}

impl Handled {
    /// Nothing follows.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Adds something for the journal.
    #[must_use]
    pub fn event(mut self, event: JournalEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Sets what is written with the mark.
    #[must_use]
    pub fn effects(mut self, effects: Effects) -> Self {
        self.effects = effects;
        self
    }
}

/// Why the work on a delivery failed.
#[derive(Debug, Clone)]
pub struct HandlerError {
    reason: Cow<'static, str>,
    pub(super) fate: Fate,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Retry {
        after: Option<Duration>,
    },
    /// As a retry, however often: what is in the way has nothing to do with the delivery.
    Hold,
    Bury,
}

impl HandlerError {
    /// It may work later. The reason is kept with the delivery: nothing secret, and nothing of its body.
    pub fn retry(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), fate: Fate::Retry { after: None } }
    }

    /// It may work after a while.
    pub fn retry_after(wait: Duration, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), fate: Fate::Retry { after: Some(wait) } }
    }

    /// It will never work: the delivery goes to the dead letters.
    pub fn bury(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), fate: Fate::Bury }
    }

    /// What everything is kept in is in trouble: that is no reason to give a delivery up.
    pub(super) fn hold(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), fate: Fate::Hold }
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for HandlerError {}

impl From<webmessaging_store::Error> for HandlerError {
    fn from(error: webmessaging_store::Error) -> Self {
        match error.kind() {
            // It would say the same of every attempt.
            StoreErrorKind::InvalidInput | StoreErrorKind::NotFound | StoreErrorKind::Conflict => {
                Self::retry(error.to_string())
            }
            _ => Self::hold(error.to_string()),
        }
    }
}

impl From<webmessaging_journal::Error> for HandlerError {
    fn from(error: webmessaging_journal::Error) -> Self {
        match error.kind() {
            JournalErrorKind::TooLarge => Self::bury(error.to_string()),
            _ => Self::hold(error.to_string()),
        }
    }
}

/// When the work on a delivery that has failed so often is tried again.
pub(super) fn pause(attempt: u32) -> Duration {
    const PAUSE_MAX: Duration = Duration::from_secs(300);
    Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(PAUSE_MAX)
}

/// The moment of that.
pub(super) fn again_at(now: Timestamp, attempt: u32, after: Option<Duration>) -> Timestamp {
    now + pause(attempt).max(after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let seconds: Vec<_> = [1, 2, 3, 9, 10, 40].map(|attempt| pause(attempt).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }
}
