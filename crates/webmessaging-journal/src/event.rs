//! One thing that happened: when, by whom, what, and what the call came to.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use webmessaging_model::Timestamp;

use crate::clock::Entropy;
use crate::facts::Facts;
use crate::kind::{EventKind, Outcome, Subject};

/// The id of an event: a UUID of version 7, so that ids sort by time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(Uuid);

/// The text is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidEventId;

impl EventId {
    /// A fresh id for something that happened at a time.
    pub fn new(at: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 10];
        let (high, low) = random.split_at_mut(8);
        high.copy_from_slice(&entropy.bits().to_be_bytes());
        low.iter_mut().zip(entropy.bits().to_be_bytes()).for_each(|(to, from)| *to = from);
        let millis = u64::try_from(at.unix_millis()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| InvalidEventId)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl fmt::Display for InvalidEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a uuid")
    }
}

impl std::error::Error for InvalidEventId {}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Who made something happen: a service, a user of the platform, an operator. Not a customer.
///
/// It is written to the audit log when it consists of letters, digits, spaces and `_ . : ~ = @ -`, up to 256
/// characters; otherwise the log has `[redacted]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// Names an actor.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Actor {
    /// `system`.
    fn default() -> Self {
        Self("system".to_owned())
    }
}

impl From<&str> for Actor {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        Self(name)
    }
}

/// Id, time and usual actor of the next event; the journal hands it to whoever records.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stamp {
    /// The id of the event.
    pub id: EventId,
    /// The time of the event.
    pub at: Timestamp,
    /// Who it will have been, unless the event says otherwise.
    pub actor: Actor,
}

impl Stamp {
    /// A stamp, for events that no journal makes.
    pub fn new(id: EventId, at: Timestamp, actor: impl Into<Actor>) -> Self {
        Self { id, at, actor: actor.into() }
    }

    /// The event of this moment.
    #[must_use]
    pub fn event(self, kind: impl Into<EventKind>) -> Event {
        Event { id: self.id, at: self.at, actor: self.actor, kind: kind.into(), facts: Facts::default() }
    }
}

/// One thing that happened.
///
/// serde writes it whole, for the outbox and other durable places: with names of files, and with storage locations, which
/// can be credentials. Logs get a form of their own, see
/// [`sinks::JsonLines`](crate::sinks::JsonLines). Kinds that this version does not know are kept and written again with
/// the same content.
///
/// # Examples
/// ```
/// use webmessaging_journal::clock::SystemEntropy;
/// use webmessaging_journal::kind::FileUploaded;
/// use webmessaging_journal::{EventId, Outcome, Stamp};
/// use webmessaging_model::Timestamp;
///
/// let at: Timestamp = "2026-11-25T08:30:00Z".parse()?;
/// let stamp = Stamp::new(EventId::new(at, &SystemEntropy), at, "upload-service");
/// let event = stamp.event(FileUploaded::new("file-1", "invoice.pdf", 20_480).content_type("application/pdf"));
/// assert_eq!(event.action(), "file.uploaded");
/// assert_eq!((event.subject().kind, event.subject().id), ("file", "file-1"));
/// assert_eq!(event.outcome(), Outcome::Success);
/// # Ok::<(), webmessaging_model::InvalidTimestamp>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Who made it happen.
    pub actor: Actor,
    /// What happened.
    pub kind: EventKind,
    /// What the call came to.
    pub facts: Facts,
}

impl Event {
    /// Sets who made it happen.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<Actor>) -> Self {
        self.actor = actor.into();
        self
    }

    /// Sets what the call came to.
    #[must_use]
    pub fn facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// The stable name of what happened, such as `file.uploaded`.
    pub fn action(&self) -> &str {
        self.kind.action()
    }

    /// What it happened to.
    pub fn subject(&self) -> Subject<'_> {
        self.kind.subject()
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome<'_> {
        self.kind.outcome()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    id: EventId,
    at: Timestamp,
    actor: &'a Actor,
    action: &'a str,
    data: crate::kind::Data<'a>,
    #[serde(skip_serializing_if = "Facts::is_empty")]
    facts: &'a Facts,
}

#[derive(Deserialize)]
struct Read {
    id: EventId,
    at: Timestamp,
    #[serde(default)]
    actor: Actor,
    action: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default)]
    facts: Facts,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, at, actor, kind, facts } = self;
        Written { id: *id, at: *at, actor, action: kind.action(), data: kind.data(), facts }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Read { id, at, actor, action, data, facts } = Read::deserialize(deserializer)?;
        // What serde would say repeats the value, which is anybody's.
        let kind = EventKind::parse(action, data)
            .map_err(|known| D::Error::custom(format_args!("the data of {known} is not as it should be")))?;
        Ok(Self { id, at, actor, kind, facts })
    }
}
