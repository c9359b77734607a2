//! What a limit says, what was found instead, and the unit of both.

use std::fmt;

use serde::Serialize;

use crate::content_type::SniffedType;

/// The unit in which a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// Bytes, as stored or sent.
    Bytes,
    /// Unicode scalar values, as JSON Schema counts a string.
    Characters,
    /// Seconds.
    Seconds,
    /// Days of 24 hours.
    Days,
    /// Requests to a server.
    Requests,
    /// Conversations at one time.
    Sessions,
    /// Names with a value.
    Attributes,
    /// Entries of a list.
    Items,
}

impl Unit {
    /// The word for a number of them: `1 byte`, `2 bytes`.
    pub(super) const fn of(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Bytes, 1) => "byte",
            (Self::Bytes, _) => "bytes",
            (Self::Characters, 1) => "character",
            (Self::Characters, _) => "characters",
            (Self::Seconds, 1) => "second",
            (Self::Seconds, _) => "seconds",
            (Self::Days, 1) => "day",
            (Self::Days, _) => "days",
            (Self::Requests, 1) => "request",
            (Self::Requests, _) => "requests",
            (Self::Sessions, 1) => "session",
            (Self::Sessions, _) => "sessions",
            (Self::Attributes, 1) => "attribute",
            (Self::Attributes, _) => "attributes",
            (Self::Items, 1) => "item",
            (Self::Items, _) => "items",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.of(2))
    }
}

/// The limit that a value broke.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Limit {
    /// The smallest allowed number.
    Min(u64),
    /// The largest allowed number.
    Max(u64),
    /// The only allowed number.
    Exactly(u64),
    /// The characters that are allowed.
    Charset(&'static str),
    /// The values that are allowed.
    OneOf(Vec<String>),
}

/// What was found instead: a measure, or the name of a known format.
///
/// There is no variant for the caller's own text, so a violation can be logged wherever it turns up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Actual {
    /// A measure in the violation's unit.
    Count(u64),
    /// At least this much: reading stopped as soon as the limit was passed.
    AtLeast(u64),
    /// The place of the first offender, counted in characters from 1.
    Position(u64),
    /// The media type that the first bytes speak of.
    Content(SniffedType),
}
