//! What is wrong with a value: every broken rule at once, with its limit and unit, and never the value itself.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::content_type::SniffedType;

/// What kind of rule was broken; stable, and the key of its entry in `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// A value that the request cannot do without is missing or empty.
    Required,
    /// A number or size below its minimum.
    TooSmall,
    /// A number or size above its maximum.
    TooLarge,
    /// A text longer than its maximum.
    TooLong,
    /// A character outside the allowed set.
    ForbiddenCharacter,
    /// A name that means something else to the systems it passes through, such as `..`.
    Reserved,
    /// A value outside the list of allowed ones.
    NotAllowed,
    /// A text that does not have the form it needs, such as that of a UUID.
    Malformed,
    /// An entry that is in its list before.
    Duplicate,
    /// A thing that does not work in every browser it has to work in.
    Unsupported,
    /// A text that looks like a plain e-mail address or phone number, where only hashes have a place.
    PlainIdentity,
    /// HTML or a script, where a person will see a plain text.
    Markup,
    /// Content that is not what its declaration says.
    ContentMismatch,
    /// A source that does not exist.
    NotFound,
    /// A source that is a directory, a device or another thing without a fixed content.
    NotAFile,
    /// A source that cannot be read.
    Unreadable,
    /// A source whose length changed while it was read.
    Changed,
}

impl Code {
    /// Every code, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::Required,
        Self::TooSmall,
        Self::TooLarge,
        Self::TooLong,
        Self::ForbiddenCharacter,
        Self::Reserved,
        Self::NotAllowed,
        Self::Malformed,
        Self::Duplicate,
        Self::Unsupported,
        Self::PlainIdentity,
        Self::Markup,
        Self::ContentMismatch,
        Self::NotFound,
        Self::NotAFile,
        Self::Unreadable,
        Self::Changed,
    ];

    /// The stable name, as it appears in JSON and in the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooSmall => "too_small",
            Self::TooLarge => "too_large",
            Self::TooLong => "too_long",
            Self::ForbiddenCharacter => "forbidden_character",
            Self::Reserved => "reserved",
            Self::NotAllowed => "not_allowed",
            Self::Malformed => "malformed",
            Self::Duplicate => "duplicate",
            Self::Unsupported => "unsupported",
            Self::PlainIdentity => "plain_identity",
            Self::Markup => "markup",
            Self::ContentMismatch => "content_mismatch",
            Self::NotFound => "not_found",
            Self::NotAFile => "not_a_file",
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

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
    const fn of(self, count: u64) -> &'static str {
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

/// One broken rule.
///
/// # Examples
/// ```
/// use webmessaging_model::{Code, Limit, Unit, Violation};
///
/// let violation = Violation::new("fileSize", Code::TooLarge, "upload.file_size.max")
///     .limit(Limit::Max(10_485_760), Unit::Bytes)
///     .count(10_485_761);
/// assert_eq!(violation.to_string(), "fileSize is too large: 10485761 bytes, at most 10485760 bytes");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Violation {
    /// Path of the field as the wire names it, for example `fileName`.
    pub path: Cow<'static, str>,
    /// The kind of rule.
    pub code: Code,
    /// The stable id of the rule itself, for example `upload.file_name.max`.
    pub rule: &'static str,
    /// The limit, where the rule has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The unit of `limit` and `actual`, where they count something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What was found instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Actual>,
}

impl Violation {
    /// A broken rule without a limit; the setters add what there is to say.
    #[must_use]
    pub fn new(path: impl Into<Cow<'static, str>>, code: Code, rule: &'static str) -> Self {
        Self { path: path.into(), code, rule, limit: None, unit: None, actual: None }
    }

    /// Adds the limit and the unit it counts in.
    #[must_use]
    pub fn limit(mut self, limit: Limit, unit: Unit) -> Self {
        self.limit = Some(limit);
        self.unit = Some(unit);
        self
    }

    /// Adds a limit that does not count anything: a set of characters or values.
    #[must_use]
    pub fn allowed(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Adds the measure that was found, in the unit of the limit.
    #[must_use]
    pub fn count(self, count: u64) -> Self {
        self.actual(Actual::Count(count))
    }

    /// Adds what was found instead.
    #[must_use]
    pub fn actual(mut self, actual: Actual) -> Self {
        self.actual = Some(actual);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = match self.code {
            Code::Required => "is required",
            Code::TooSmall => "is too small",
            Code::TooLarge => "is too large",
            Code::TooLong => "is too long",
            Code::ForbiddenCharacter => "has a forbidden character",
            Code::Reserved => "is a reserved name",
            Code::NotAllowed => "is not allowed",
            Code::Malformed => "is malformed",
            Code::Duplicate => "is in the list before",
            Code::Unsupported => "does not work in every browser",
            Code::PlainIdentity => "looks like a plain e-mail address or phone number",
            Code::Markup => "has markup or a script in it",
            Code::ContentMismatch => "does not match the content",
            Code::NotFound => "does not exist",
            Code::NotAFile => "is not a regular file",
            Code::Unreadable => "cannot be read",
            Code::Changed => "changed while it was read",
        };
        write!(f, "{} {says}", self.path)?;
        let mut separator = ": ";
        let counted = |f: &mut fmt::Formatter<'_>, count: u64| {
            write!(f, "{count}")?;
            self.unit.map_or(Ok(()), |unit| write!(f, " {}", unit.of(count)))
        };
        if let Some(actual) = self.actual {
            f.write_str(separator)?;
            separator = ", ";
            match actual {
                Actual::Count(count) => counted(f, count)?,
                Actual::AtLeast(count) => f.write_str("at least ").and_then(|()| counted(f, count))?,
                Actual::Position(at) => write!(f, "at character {at}")?,
                Actual::Content(found) => write!(f, "found {found}")?,
            }
        }
        if let Some(limit) = &self.limit {
            f.write_str(separator)?;
            match limit {
                Limit::Min(min) => f.write_str("at least ").and_then(|()| counted(f, *min))?,
                Limit::Max(max) => f.write_str("at most ").and_then(|()| counted(f, *max))?,
                Limit::Exactly(only) => f.write_str("exactly ").and_then(|()| counted(f, *only))?,
                Limit::Charset(set) => write!(f, "allowed are {set}")?,
                Limit::OneOf(values) if self.code == Code::Unsupported => {
                    write!(f, "only in {}", values.join(", "))?;
                }
                Limit::OneOf(values) => {
                    let verb = if values.len() == 1 { "is" } else { "are" };
                    write!(f, "allowed {verb} {}", values.join(", "))?;
                }
            }
        }
        Ok(())
    }
}

/// All rules that a value broke, in the order of its fields; at least one.
///
/// # Examples
/// ```
/// use webmessaging_model::{Code, UploadLimits, UploadMetadata};
///
/// let violations = UploadMetadata::new("../evil.pdf", 0, "channel", "message")
///     .validate(&UploadLimits::default())
///     .unwrap_err();
/// let broken: Vec<_> = violations.iter().map(|v| (&*v.path, v.code)).collect();
/// assert_eq!(broken, [("fileName", Code::ForbiddenCharacter), ("fileSize", Code::TooSmall)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The violations of a value, or `Ok` when there is none.
    ///
    /// # Errors
    /// `Violations` when `found` is not empty.
    pub fn check(found: Vec<Violation>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// For callers that know that `found` is not empty.
    pub(crate) fn new(found: Vec<Violation>) -> Self {
        debug_assert!(!found.is_empty(), "violations without a violation");
        Self(found)
    }

    /// Walks through the violations.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// The violations as a slice; never empty.
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }

    /// The violations themselves; never empty.
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self(vec![violation])
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for Violation {}

impl Error for Violations {}
