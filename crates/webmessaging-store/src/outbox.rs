//! The outbox: what has to reach another system, each item at least once and each lane in its order.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use webmessaging_model::Timestamp;

use crate::hidden::Hidden;
use crate::ids::ItemId;
use crate::outbox_stats::OutboxStats;
use crate::store::Stored;

/// Items that wait for their delivery.
///
/// Items of one target and one lane are delivered strictly in the order they were enqueued: one that waits for its retry, is being
/// delivered, or lies among the dead letters holds up the later ones of its lane, and nobody else. A lane is claimed by one worker at
/// a time. Items without a lane are independent.
pub trait Outbox {
    /// Keeps items, in this order; for each, whether it is new. Durable when it returns.
    ///
    /// An item whose target and idempotency key were seen before changes nothing, also after its delivery, for as long as
    /// [`Retention`](crate::Retention) says.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow; then none is kept.
    fn enqueue(&self, items: Vec<NewItem>, now: Timestamp) -> Stored<'_, Vec<Enqueued>>;

    /// Takes up to `limit` items of a target that are due, until `now + lease`, in the order they were enqueued; at most
    /// [`CLAIM_MAX`](crate::limits::CLAIM_MAX). Several of one lane can be among them, without a gap between them; then they have to
    /// be delivered in that order. Those whose lease ran out are due again.
    ///
    /// # Errors
    /// [`Busy`](crate::ErrorKind::Busy), [`Unavailable`](crate::ErrorKind::Unavailable) and what else can befall an engine.
    fn claim_items<'a>(
        &'a self,
        target: &'a str,
        worker: &'a str,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Stored<'a, Vec<ClaimedItem>>;

    /// Marks items as delivered, forgets their payload, and frees their lanes. Answers with the claims that were lost: for those
    /// nothing was written, and whoever has them now will deliver them again, under the same key.
    ///
    /// # Errors
    /// As [`claim_items`](Self::claim_items).
    fn mark_delivered<'a>(&'a self, claims: &'a [ItemClaim], now: Timestamp) -> Stored<'a, Vec<ItemClaim>>;

    /// Gives items back, due again at `at`, and answers with the claims that were lost. Later items of the same lanes that are claimed,
    /// too, are given back with them, since they may not go first: tell what was delivered before you call this.
    ///
    /// # Errors
    /// As [`claim_items`](Self::claim_items).
    fn retry_items<'a>(
        &'a self,
        claims: &'a [ItemClaim],
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, Vec<ItemClaim>>;

    /// Gives items back as if they had not been claimed, due again at `at`, and answers with the claims that were lost: for what was
    /// never tried. The claim does not count as an attempt, and what is known of earlier failures stays. Later items of the same lanes
    /// that are claimed, too, are given back with them, as by [`retry_items`](Self::retry_items).
    ///
    /// # Errors
    /// As [`claim_items`](Self::claim_items).
    fn release_items<'a>(
        &'a self,
        claims: &'a [ItemClaim],
        at: Timestamp,
        now: Timestamp,
    ) -> Stored<'a, Vec<ItemClaim>>;

    /// Puts an item to the dead letters, where it holds up its lane. Later items of the lane that are claimed, too, are given back.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) when somebody else has claimed it since, or it is finished: nothing is written.
    fn bury_item<'a>(&'a self, claim: &'a ItemClaim, reason: &'a str, now: Timestamp) -> Stored<'a, ()>;

    /// How many items are in which state, and which lanes are held up; of one target or of all.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn outbox_stats<'a>(&'a self, target: Option<&'a str>, now: Timestamp) -> Stored<'a, OutboxStats>;

    /// The names of the targets that have items in whatever state, those that are delivered and remembered included; sorted, at most
    /// [`LIST_MAX`](crate::limits::LIST_MAX).
    ///
    /// # Errors
    /// As [`outbox_stats`](Self::outbox_stats).
    fn targets(&self) -> Stored<'_, Vec<String>>;
}

/// Something to deliver.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_store::NewItem;
///
/// let item = NewItem::new("crm", "guest-7:3", "guest.updated", Timestamp::UNIX_EPOCH)
///     .lane("guest-7")
///     .payload(r#"{"name":"Ada"}"#);
/// assert!(!format!("{item:?}").contains("Ada"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewItem {
    /// The system it is for.
    pub target: String,
    /// What it must stay in order with; nothing if it does not matter.
    pub lane: Option<String>,
    /// What makes it the same item when it is enqueued again; the other side gets it with every attempt.
    pub idempotency_key: String,
    /// What it is, for those who read the list.
    pub kind: String,
    /// What is delivered.
    pub payload: Bytes,
    /// When it may be delivered.
    pub available_at: Timestamp,
}

impl NewItem {
    /// An item without a lane and with an empty payload.
    #[must_use]
    pub fn new(
        target: impl Into<String>,
        idempotency_key: impl Into<String>,
        kind: impl Into<String>,
        available_at: Timestamp,
    ) -> Self {
        Self {
            target: target.into(),
            lane: None,
            idempotency_key: idempotency_key.into(),
            kind: kind.into(),
            payload: Bytes::new(),
            available_at,
        }
    }

    /// Sets the lane; none by default.
    #[must_use]
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// Sets the payload; empty by default, at most [`BODY_BYTES_MAX`](crate::limits::BODY_BYTES_MAX).
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Bytes>) -> Self {
        self.payload = payload.into();
        self
    }
}

/// What became of an item that was enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It is kept, and will be delivered.
    New(ItemId),
    /// It was enqueued before, as this item.
    Known(ItemId),
}

/// The right to say what came of an item, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemClaim {
    pub(crate) id: ItemId,
    pub(crate) fence: i64,
}

impl ItemClaim {
    /// The item that is claimed.
    pub const fn id(&self) -> ItemId {
        self.id
    }

    /// The fencing token: larger with each claim of this item.
    pub const fn fence(&self) -> i64 {
        self.fence
    }
}

/// An item to deliver.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedItem {
    /// What says what came of it.
    pub claim: ItemClaim,
    /// The how manieth claim this is, from 1, without those that were released; an operator's retry of a dead letter begins anew.
    pub attempt: u32,
    /// When others may claim it.
    pub leased_until: Timestamp,
    /// The system it is for.
    pub target: String,
    /// What it must stay in order with.
    pub lane: Option<String>,
    /// What the other side recognizes it by.
    pub idempotency_key: String,
    /// What it is.
    pub kind: String,
    /// What is delivered.
    pub payload: Bytes,
    /// When it was enqueued.
    pub enqueued_at: Timestamp,
}

impl fmt::Debug for NewItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewItem")
            .field("target", &self.target)
            .field("lane", &self.lane)
            .field("idempotency_key", &self.idempotency_key)
            .field("kind", &self.kind)
            .field("payload", &Hidden(&self.payload))
            .field("available_at", &self.available_at)
            .finish()
    }
}

impl fmt::Debug for ClaimedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedItem")
            .field("claim", &self.claim)
            .field("attempt", &self.attempt)
            .field("leased_until", &self.leased_until)
            .field("target", &self.target)
            .field("lane", &self.lane)
            .field("idempotency_key", &self.idempotency_key)
            .field("kind", &self.kind)
            .field("payload", &Hidden(&self.payload))
            .field("enqueued_at", &self.enqueued_at)
            .finish()
    }
}
