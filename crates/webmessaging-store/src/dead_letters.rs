//! Dead letters: deliveries and items that were given up, for somebody to look at, mend, try again or drop.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use webmessaging_model::Timestamp;

use crate::hidden::Hidden;
use crate::store::Stored;

/// What was given up. Nothing leaves this list by itself.
pub trait DeadLetters {
    /// One page of the list, the one that was given up first before the others: up to `limit` letters (at most
    /// [`LIST_MAX`](crate::limits::LIST_MAX)) after a place in it.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        after: Option<DeadLetterCursor>,
        limit: u32,
    ) -> Stored<'a, DeadLetterPage>;

    /// A letter with its content, also one that was dropped and is kept for the record.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    fn dead_letter(&self, id: DeadLetterId) -> Stored<'_, DeadLetterContent>;

    /// Replaces the payload of a letter from the outbox, under a new idempotency key, since another content is another item for the other
    /// side. The old content and its key are kept: what was enqueued under the old key stays known.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not, or no longer, a dead letter of the outbox,
    /// [`Conflict`](crate::ErrorKind::Conflict) when the key was used before for this target, or the letter was edited
    /// [`EDITS_MAX`](crate::limits::EDITS_MAX) times.
    fn edit_dead_letter<'a>(
        &'a self,
        id: DeadLetterId,
        payload: Bytes,
        idempotency_key: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()>;

    /// Gives a letter one more chance, at once and in its old place: an item goes before the later ones of its lane. Its attempts are counted
    /// anew.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not, or no longer, a dead letter.
    fn retry_dead_letter(&self, id: DeadLetterId, now: Timestamp) -> Stored<'_, ()>;

    /// Gives a letter up for good, with a note that says why; its lane goes on. It is kept for the record, for as long as
    /// [`Retention`](crate::Retention) says.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not, or no longer, a dead letter.
    fn drop_dead_letter<'a>(&'a self, id: DeadLetterId, note: &'a str, now: Timestamp) -> Stored<'a, ()>;
}

/// Where a dead letter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A delivery whose work failed.
    Inbox,
    /// An item that could not be delivered.
    Outbox,
}

impl Origin {
    /// `inbox` or `outbox`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which dead letter; written `inbox-12` or `outbox-7`.
///
/// # Examples
/// ```
/// use webmessaging_store::{DeadLetterId, Origin};
///
/// let id: DeadLetterId = "outbox-7".parse().unwrap();
/// assert_eq!((id.origin, id.number), (Origin::Outbox, 7));
/// assert_eq!(id.to_string(), "outbox-7");
/// assert!("7".parse::<DeadLetterId>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterId {
    /// Where it comes from.
    pub origin: Origin,
    /// The number of the delivery or item.
    pub number: i64,
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.origin, self.number)
    }
}

/// The text does not name a dead letter, or a place in the list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidDeadLetterId;

impl fmt::Display for InvalidDeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a dead letter, such as `inbox-12` or `outbox-7`")
    }
}

impl std::error::Error for InvalidDeadLetterId {}

impl FromStr for DeadLetterId {
    type Err = InvalidDeadLetterId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (origin, number) = text.split_once('-').ok_or(InvalidDeadLetterId)?;
        let origin = match origin {
            "inbox" => Origin::Inbox,
            "outbox" => Origin::Outbox,
            _ => return Err(InvalidDeadLetterId),
        };
        Ok(Self { origin, number: number.parse().map_err(|_| InvalidDeadLetterId)? })
    }
}

/// A place in the list of dead letters, which stays where it is when letters come and go. Its text fits into a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterCursor {
    pub(crate) buried_at: Timestamp,
    pub(crate) id: DeadLetterId,
}

impl fmt::Display for DeadLetterCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.buried_at.unix_millis(), self.id)
    }
}

impl FromStr for DeadLetterCursor {
    type Err = InvalidDeadLetterId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, id) = text.split_once('.').ok_or(InvalidDeadLetterId)?;
        let at = at.parse().map_err(|_| InvalidDeadLetterId)?;
        Ok(Self { buried_at: Timestamp::from_unix_millis(at), id: id.parse()? })
    }
}

/// Which letters to list: all that are not dropped, unless it says otherwise.
///
/// # Examples
/// ```
/// use webmessaging_store::DeadLetterFilter;
///
/// let one_lane = DeadLetterFilter::default().target("crm").lane("guest-7");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterFilter {
    /// Only from there.
    pub origin: Option<Origin>,
    /// Only for this target, or from this source.
    pub target: Option<String>,
    /// Only of this lane.
    pub lane: Option<String>,
    /// Those that were dropped, instead of those that wait for somebody.
    pub dropped: bool,
}

impl DeadLetterFilter {
    /// Only letters from there.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Only items for this target, or deliveries from this source.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Only items of this lane.
    #[must_use]
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// Those that were dropped, instead of those that wait for somebody.
    #[must_use]
    pub fn dropped(mut self) -> Self {
        self.dropped = true;
        self
    }
}

/// A dead letter, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Which one.
    pub id: DeadLetterId,
    /// The target of an item, the source of a delivery.
    pub target: String,
    /// The lane of an item.
    pub lane: Option<String>,
    /// The kind of an item, the event type of a delivery.
    pub kind: String,
    /// The idempotency key of an item, the content key of a delivery.
    pub key: String,
    /// How many times it was tried.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: String,
    /// When the delivery arrived or the item was enqueued.
    pub created_at: Timestamp,
    /// When it was given up.
    pub buried_at: Timestamp,
    /// When it was dropped, and what was noted.
    pub dropped: Option<Dropped>,
}

impl DeadLetter {
    /// Its place in the list: a page can begin after it.
    pub const fn cursor(&self) -> DeadLetterCursor {
        DeadLetterCursor { buried_at: self.buried_at, id: self.id }
    }
}

/// That a letter was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// When.
    pub at: Timestamp,
    /// What was noted.
    pub note: String,
}

/// A part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterPage {
    /// The letters.
    pub letters: Vec<DeadLetter>,
    /// Where the next page begins, if there is one.
    pub next: Option<DeadLetterCursor>,
}

impl DeadLetterPage {
    /// A page of what was found, which is one more than the limit where there is more.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
    pub(crate) fn of(mut letters: Vec<DeadLetter>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = letters.len() > limit;
        letters.truncate(limit);
        let next = letters.last().filter(|_| has_more).map(DeadLetter::cursor);
        Self { letters, next }
    }
}

/// A dead letter with its content.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterContent {
    /// The letter.
    pub letter: DeadLetter,
    /// Its content now.
    pub payload: Bytes,
    /// What it was before it was edited, the oldest first.
    pub history: Vec<Edit>,
}

/// A content that was replaced.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// The key it had.
    pub idempotency_key: String,
    /// The content it had.
    pub payload: Bytes,
}

impl fmt::Debug for DeadLetterContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetterContent")
            .field("letter", &self.letter)
            .field("payload", &Hidden(&self.payload))
            .field("history", &self.history)
            .finish()
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("replaced_at", &self.replaced_at)
            .field("idempotency_key", &self.idempotency_key)
            .field("payload", &Hidden(&self.payload))
            .finish()
    }
}
