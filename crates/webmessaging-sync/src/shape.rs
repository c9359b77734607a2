//! What a target is told, and in which form: one record for each event, one body for each request.

mod explain;
mod fields;
mod files;
mod guests;
mod messages;
mod monitoring;
mod template;

use std::fmt;

use bytes::Bytes;
use http::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};
use webmessaging_journal::{Event, EventKind};

use crate::key::Key;

#[cfg(feature = "toml")]
pub(crate) use self::explain::plain_reason;
pub(crate) use self::guests::Told;
pub(crate) use self::template::Template;

/// The form of what a target is told. `docs/guides/synchronize.md` shows each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShapeName {
    /// Clean files, many in a request: `{batchId, timestamp, files}`, with `X-Request-ID`.
    Documents,
    /// A finished transfer in a request: `{documentId, fileName, storageLocation, accessPolicy, archivedAt}`.
    Archive,
    /// Guests, up to 50 in a request: `{idempotencyKey, records}`.
    CrmGuests,
    /// A message in a request: `{conversationId, messageId, deliveryLatencyMs, status, timestamp}`.
    CrmMessages,
    /// A change of a channel in a request.
    Monitoring,
    /// An event in a request, in the form of a template.
    Template,
}

impl ShapeName {
    /// Every shape, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::Documents,
        Self::Archive,
        Self::CrmGuests,
        Self::CrmMessages,
        Self::Monitoring,
        Self::Template,
    ];

    /// The name in a target file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Archive => "archive",
            Self::CrmGuests => "crm_guests",
            Self::CrmMessages => "crm_messages",
            Self::Monitoring => "monitoring",
            Self::Template => "template",
        }
    }

    /// The actions it can tell of; a target without a list of its own gets all of them.
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Documents => &["file.scanned"],
            Self::Archive => &["transfer.finished"],
            Self::CrmGuests => &["guest.created", "guest.updated"],
            Self::CrmMessages => &["bot_message.sent", "bot_message.failed"],
            Self::Monitoring => &["channel.updated"],
            Self::Template => EventKind::ACTIONS,
        }
    }

    /// Whether a request can hold several items.
    pub const fn is_batch(self) -> bool {
        matches!(self, Self::Documents | Self::CrmGuests)
    }

    /// Items in a request, unless the target says otherwise.
    pub(crate) const fn batch_default(self) -> usize {
        if self.is_batch() { 50 } else { 1 }
    }

    /// Whether a 409 says that the other side has it already.
    pub(crate) const fn is_conflict_done(self) -> bool {
        !matches!(self, Self::Template)
    }
}

impl fmt::Display for ShapeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A shape that is ready for use.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Fixed(ShapeName),
    Template(Template),
}

/// What goes out.
pub(crate) struct Content {
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ITEM_KEYS: HeaderName = HeaderName::from_static("x-item-keys");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Shape {
    pub(crate) const fn name(&self) -> ShapeName {
        match self {
            Self::Fixed(name) => *name,
            Self::Template(_) => ShapeName::Template,
        }
    }

    /// What a target is told of an event; nothing where it is none of its business.
    pub(crate) fn record(&self, event: &Event, target: &str) -> Option<Value> {
        match self {
            Self::Fixed(ShapeName::Documents) => files::document(event),
            Self::Fixed(ShapeName::Archive) => files::archived(event),
            Self::Fixed(ShapeName::CrmGuests) => guests::record(event),
            Self::Fixed(ShapeName::CrmMessages) => messages::record(event, target),
            Self::Fixed(ShapeName::Monitoring) => monitoring::record(event),
            Self::Fixed(ShapeName::Template) => None,
            Self::Template(template) => Some(template.fill(event)),
        }
    }

    /// Whether a record is one of this shape; what is wrong with it, without any of its values.
    pub(crate) fn check(&self, record: &Value) -> Result<(), String> {
        match self {
            Self::Fixed(ShapeName::Documents) => explain::check::<files::Document>(record),
            Self::Fixed(ShapeName::Archive) => explain::check::<files::Archived>(record),
            Self::Fixed(ShapeName::CrmGuests) => guests::check(record),
            Self::Fixed(ShapeName::CrmMessages) => explain::check::<messages::Record>(record),
            Self::Fixed(ShapeName::Monitoring) => explain::check::<monitoring::Record>(record),
            Self::Fixed(ShapeName::Template) => Ok(()),
            Self::Template(template) => template.check(record),
        }
    }

    /// The request for these items: the same items in the same order make the same bytes.
    ///
    /// `items` is not empty, and has one entry unless this is a shape for batches.
    pub(crate) fn content(&self, items: &[(&str, &Value)]) -> (Key, Content) {
        let mut keys: Vec<_> = items.iter().map(|(key, _)| Key::of_item(key)).collect();
        let list = keys.iter().map(Key::as_str).collect::<Vec<_>>().join(",");
        let of_one = if self.name().is_batch() { None } else { keys.pop() };
        let key = of_one.unwrap_or_else(|| Key::of_batch(&keys));
        let records = || items.iter().map(|(_, record)| (*record).clone()).collect::<Vec<_>>();
        let mut headers = vec![(IDEMPOTENCY_KEY, key.to_string())];
        if self.name().is_batch() {
            headers.push((ITEM_KEYS, list));
        }
        let body = match self.name() {
            ShapeName::Documents => {
                headers.push((REQUEST_ID, key.to_string()));
                let files = records();
                json!({ "batchId": key.as_str(), "timestamp": files::newest(&files), "files": files })
            }
            ShapeName::CrmGuests => json!({ "idempotencyKey": key.as_str(), "records": records() }),
            _ => records().pop().unwrap_or_default(),
        };
        (key, Content { headers, body: body.to_string().into() })
    }

    /// Whether the answer of a success can tell of each record.
    pub(crate) fn answers_each(&self) -> bool {
        self.name() == ShapeName::CrmGuests
    }

    /// What an answer says of each record; `None` where it says nothing, so that its status counts for all.
    pub(crate) fn told(&self, answer: &[u8], records: &[&Value]) -> Option<Vec<Told>> {
        self.answers_each().then(|| guests::told(answer, records)).flatten()
    }
}
