//! The inbox: deliveries of a webhook, kept from the moment they are accepted until their work is done.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use webmessaging_model::Timestamp;

use crate::hidden::Hidden;
use crate::ids::DeliveryId;
use crate::outbox::NewItem;
use crate::quarantine::NewQuarantine;
use crate::scan_states::NewScan;
use crate::store::Stored;

/// Deliveries that wait for their work.
///
/// A delivery is claimed for a while, worked on, and finished together with what follows from it. A claim carries a fencing token:
/// who holds it too long finds that somebody else has taken over, and writes nothing.
pub trait Inbox {
    /// Keeps a delivery, unless it was seen before: by its sender's id, or by its content. Durable when it returns.
    ///
    /// What was seen is remembered after its work is done, for the horizon of the [`DedupPolicy`](crate::DedupPolicy).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow,
    /// [`Full`](crate::ErrorKind::Full), [`ReadOnly`](crate::ErrorKind::ReadOnly), [`Busy`](crate::ErrorKind::Busy),
    /// [`Unavailable`](crate::ErrorKind::Unavailable): nobody may tell the sender that it arrived.
    fn accept(&self, delivery: NewDelivery) -> Stored<'_, Accepted>;

    /// Takes up to `limit` deliveries that are due, oldest first, until `now + lease`; at most
    /// [`CLAIM_MAX`](crate::limits::CLAIM_MAX). Those whose lease ran out are due again.
    ///
    /// `worker` names the claimer for people who look at the store.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    fn claim_deliveries<'a>(
        &'a self,
        worker: &'a str,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Stored<'a, Vec<ClaimedDelivery>>;

    /// Marks a delivery as done and writes what follows from it, in one transaction. Its body is forgotten, its keys are not.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) when somebody else has claimed it since, or it is finished;
    /// [`Conflict`](crate::ErrorKind::Conflict) when [a scan that must move](Effects::scans_must_move) does not. Nothing is written.
    fn finish_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        effects: Effects,
        now: Timestamp,
    ) -> Stored<'a, ()>;

    /// Gives a delivery back, due again at `at`. The reason is kept, cut to
    /// [`REASON_BYTES_MAX`](crate::limits::REASON_BYTES_MAX).
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost).
    fn retry_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()>;

    /// Puts a delivery to the dead letters.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost).
    fn bury_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()>;

    /// How many deliveries are in which state.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn inbox_stats(&self, now: Timestamp) -> Stored<'_, InboxStats>;
}

/// A delivery as it came in.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_store::NewDelivery;
///
/// let delivery = NewDelivery::new("genesys", "sha256:9f86d081", "file.upload.completed", Timestamp::UNIX_EPOCH)
///     .delivery_id("d-1")
///     .body(r#"{"fileId":"f-1"}"#);
/// assert!(!format!("{delivery:?}").contains("fileId"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDelivery {
    /// Who sends; the two keys are unique for each source.
    pub source: String,
    /// The sender's id of the delivery, where it has one.
    pub delivery_id: Option<String>,
    /// What the content comes down to: the same for a delivery that is sent again, usually a digest.
    pub content_key: String,
    /// What happened, as the sender names it.
    pub event_type: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The exact bytes.
    pub body: Bytes,
}

impl NewDelivery {
    /// A delivery without an id and with an empty body.
    #[must_use]
    pub fn new(
        source: impl Into<String>,
        content_key: impl Into<String>,
        event_type: impl Into<String>,
        received_at: Timestamp,
    ) -> Self {
        Self {
            source: source.into(),
            delivery_id: None,
            content_key: content_key.into(),
            event_type: event_type.into(),
            received_at,
            body: Bytes::new(),
        }
    }

    /// Sets the sender's id of the delivery; none by default.
    #[must_use]
    pub fn delivery_id(mut self, id: impl Into<String>) -> Self {
        self.delivery_id = Some(id.into());
        self
    }

    /// Sets the exact bytes; empty by default, at most [`BODY_BYTES_MAX`](crate::limits::BODY_BYTES_MAX).
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// What became of a delivery that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// It is kept, and will be worked on.
    New(DeliveryId),
    /// It was kept before: there is nothing to do, and the sender may be told so.
    Duplicate {
        /// When the first one arrived.
        first_received_at: Timestamp,
    },
}

/// The right to finish a delivery, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryClaim {
    pub(crate) id: DeliveryId,
    pub(crate) fence: i64,
}

impl DeliveryClaim {
    /// The delivery that is claimed.
    pub const fn id(&self) -> DeliveryId {
        self.id
    }

    /// The fencing token: larger with each claim of this delivery.
    pub const fn fence(&self) -> i64 {
        self.fence
    }
}

/// A delivery to work on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedDelivery {
    /// What finishes it.
    pub claim: DeliveryClaim,
    /// The how manieth claim this is, from 1; an operator's retry of a dead letter begins anew.
    pub attempt: u32,
    /// When others may claim it.
    pub leased_until: Timestamp,
    /// Who sent it.
    pub source: String,
    /// The sender's id of it.
    pub delivery_id: Option<String>,
    /// What its content comes down to.
    pub content_key: String,
    /// What happened.
    pub event_type: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The exact bytes.
    pub body: Bytes,
}

/// What follows from a delivery; all of it is written with the mark that the delivery is done, or nothing is.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_store::{Effects, NewItem, NewScan};
///
/// let at = Timestamp::UNIX_EPOCH;
/// let effects = Effects::none()
///     .enqueue(NewItem::new("documents", "batch-1", "files.synced", at).payload("{}"))
///     .advance_scan(NewScan::new("file-1", 2, "clean", at));
/// assert_eq!(effects.items.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effects {
    /// To be delivered; one that was enqueued before is left as it is.
    pub items: Vec<NewItem>,
    /// To be kept away from people.
    pub quarantine: Vec<NewQuarantine>,
    /// Scans that went on; one that is behind what is known changes nothing.
    pub scans: Vec<NewScan>,
    /// Whether nothing at all is written when one of the scans is not ahead of what is known.
    pub scans_must_move: bool,
}

impl Effects {
    /// Nothing follows.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an item for the outbox.
    #[must_use]
    pub fn enqueue(mut self, item: NewItem) -> Self {
        self.items.push(item);
        self
    }

    /// Adds a file for the quarantine.
    #[must_use]
    pub fn quarantine(mut self, entry: NewQuarantine) -> Self {
        self.quarantine.push(entry);
        self
    }

    /// Adds a scan that went on.
    #[must_use]
    pub fn advance_scan(mut self, scan: NewScan) -> Self {
        self.scans.push(scan);
        self
    }

    /// Sets that the effects hold only together with the moves of the scans: when somebody else was faster with one, nothing is
    /// written, and finishing fails with [`Conflict`](crate::ErrorKind::Conflict). By default only the late scan is left out.
    #[must_use]
    pub fn scans_must_move(mut self) -> Self {
        self.scans_must_move = true;
        self
    }
}

/// How it stands with the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxStats {
    /// Due now, those with a lease that ran out included.
    pub due: u64,
    /// Due later.
    pub waiting: u64,
    /// Being worked on.
    pub leased: u64,
    /// Among the dead letters.
    pub dead: u64,
    /// Done or dropped, and remembered for de-duplication.
    pub remembered: u64,
    /// When the oldest one that is neither done nor dead arrived.
    pub oldest_open_at: Option<Timestamp>,
}

impl fmt::Debug for NewDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDelivery")
            .field("source", &self.source)
            .field("delivery_id", &self.delivery_id)
            .field("content_key", &self.content_key)
            .field("event_type", &self.event_type)
            .field("received_at", &self.received_at)
            .field("body", &Hidden(&self.body))
            .finish()
    }
}

impl fmt::Debug for ClaimedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedDelivery")
            .field("claim", &self.claim)
            .field("attempt", &self.attempt)
            .field("leased_until", &self.leased_until)
            .field("source", &self.source)
            .field("delivery_id", &self.delivery_id)
            .field("content_key", &self.content_key)
            .field("event_type", &self.event_type)
            .field("received_at", &self.received_at)
            .field("body", &Hidden(&self.body))
            .finish()
    }
}
