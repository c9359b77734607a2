//! What is wrong with a value: every broken rule at once, with its limit and unit, and never the value itself.

mod code;
mod measure;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::Serialize;

pub use self::code::Code;
pub use self::measure::{Actual, Limit, Unit};

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
