//! The kinds of rules.

use std::fmt;

use serde::{Serialize, Serializer};

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
