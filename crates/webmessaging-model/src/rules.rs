//! Between the `validator` derive and our violations: errors that carry limits, and the table that names them.
//!
//! The derive puts each rejected value into its error. Nothing of that leaves this module.

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::limits;
use crate::violation::{Actual, Code, Limit, Unit, Violation, Violations};

/// How the wire names a field, what its limits count and what its rules are called.
pub(crate) struct Field {
    /// The derive names fields as Rust does, whatever serde says.
    pub(crate) rust: &'static str,
    pub(crate) wire: &'static str,
    pub(crate) unit: Unit,
    pub(crate) charset: Option<&'static str>,
    pub(crate) rules: &'static [(Code, &'static str)],
}

impl Field {
    /// A field that holds an id, checked by [`id`].
    pub(crate) const fn id(rust: &'static str, wire: &'static str) -> Self {
        let rules = &[
            (Code::Required, "id.required"),
            (Code::Reserved, "id.reserved"),
            (Code::ForbiddenCharacter, "id.charset"),
            (Code::TooLong, "id.max"),
        ];
        Self { rust, wire, unit: Unit::Characters, charset: None, rules }
    }
}

/// A broken rule without a measure.
pub(crate) fn failed(code: Code) -> ValidationError {
    ValidationError::new(code.as_str())
}

/// A broken rule at a place, counted from 1.
pub(crate) fn at(code: Code, position: usize) -> ValidationError {
    with(failed(code), "position", &position)
}

/// A measure above its limit.
pub(crate) fn above(code: Code, max: u64, count: u64) -> ValidationError {
    with(with(failed(code), "max", &max), "count", &count)
}

/// A measure below its limit.
pub(crate) fn below(code: Code, min: u64, count: u64) -> ValidationError {
    with(with(failed(code), "min", &min), "count", &count)
}

/// A value outside a list.
pub(crate) fn not_allowed(allowed: &impl serde::Serialize) -> ValidationError {
    with(failed(Code::NotAllowed), "allowed", allowed)
}

fn with(mut error: ValidationError, name: &'static str, value: &impl serde::Serialize) -> ValidationError {
    error.add_param(Cow::Borrowed(name), value);
    error
}

/// Refuses what no id can be: nothing, too much, control characters, or a path segment with a meaning.
///
/// Ids are opaque, so nothing else is assumed about them; slashes and the like are encoded, not refused.
/// `.` and `..` cannot be: URL parsers resolve them even when they are percent-encoded.
pub(crate) fn id(id: &str) -> Result<(), ValidationError> {
    match id {
        "" => return Err(failed(Code::Required)),
        "." | ".." => return Err(failed(Code::Reserved)),
        _ => {}
    }
    let max = limits::ID_CHARACTERS_MAX.value;
    // Nearly every id is a UUID: short, and nothing but visible ASCII. Looking at all bytes without stopping at the
    // first other one lets the compiler look at many at once.
    if id.len() as u64 <= max && id.bytes().fold(true, |plain, byte| plain & byte.is_ascii_graphic()) {
        return Ok(());
    }
    if let Some(before) = id.chars().position(char::is_control) {
        return Err(at(Code::ForbiddenCharacter, before + 1));
    }
    let count = id.chars().count() as u64;
    if count > max { Err(above(Code::TooLong, max, count)) } else { Ok(()) }
}

/// What is wrong with an id that stands somewhere else than in a struct.
pub(crate) fn id_violation(text: &str, wire: &'static str) -> Option<Violation> {
    let error = id(text).err()?;
    Some(violation(&error, &Field::id("", wire)))
}

/// Refuses what is outside both bounds.
pub(crate) fn in_range(count: u64, min: u64, max: u64) -> Result<(), ValidationError> {
    if count < min {
        return Err(below(Code::TooSmall, min, count));
    }
    if count <= max { Ok(()) } else { Err(above(Code::TooLarge, max, count)) }
}

/// Refuses a text of more characters.
pub(crate) fn at_most(text: &str, max: u64) -> Result<(), ValidationError> {
    // No text has more characters than bytes, so the usual one is not walked through.
    if text.len() as u64 <= max {
        return Ok(());
    }
    let count = text.chars().count() as u64;
    if count <= max { Ok(()) } else { Err(above(Code::TooLong, max, count)) }
}

/// Refuses what is not a UUID in its usual form, of whichever version: 32 hexadecimal digits in five groups.
pub(crate) fn uuid(text: &str) -> Result<(), ValidationError> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let Ok(bytes) = <&[u8; 36]>::try_from(text.as_bytes()) else {
        return Err(failed(if text.is_empty() { Code::Required } else { Code::Malformed }));
    };
    // Digits are counted without stopping at the first other character, so that the compiler can look at many at once.
    let is_digit = |byte: u8| byte.is_ascii_digit() | matches!(byte | 0x20, b'a'..=b'f');
    let digits = bytes.iter().fold(0_u8, |count, &byte| count + u8::from(is_digit(byte)));
    let fits = digits == 32 && HYPHENS.iter().all(|&at| bytes.get(at) == Some(&b'-'));
    if fits { Ok(()) } else { Err(failed(Code::Malformed)) }
}

/// The violations of a value, in the order of `fields`, without the rejected values.
pub(crate) fn violations(mut errors: ValidationErrors, fields: &[Field]) -> Violations {
    let mut found = Vec::new();
    for field in fields {
        if let Some(ValidationErrorsKind::Field(errors)) = errors.0.remove(field.rust) {
            found.extend(errors.iter().map(|error| violation(error, field)));
        }
    }
    Violations::new(found)
}

fn violation(error: &ValidationError, field: &Field) -> Violation {
    let rule = field.rules.iter().find(|(code, _)| code.as_str() == error.code);
    debug_assert!(rule.is_some(), "no rule {} in the table of {}", error.code, field.wire);
    let &(code, rule) = rule.unwrap_or(&(Code::NotAllowed, "unnamed"));
    let number = |name: &str| error.params.get(name)?.as_u64();
    let allowed = || error.params.get("allowed")?.as_array();

    let mut violation = Violation::new(field.wire, code, rule);
    if let Some(min) = number("min") {
        violation = violation.limit(Limit::Min(min), field.unit);
    } else if let Some(max) = number("max") {
        violation = violation.limit(Limit::Max(max), field.unit);
    } else if let Some(allowed) = allowed() {
        let names = allowed.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect();
        violation = violation.allowed(Limit::OneOf(names));
    } else if let (Code::ForbiddenCharacter, Some(charset)) = (code, field.charset) {
        violation = violation.allowed(Limit::Charset(charset));
    }
    if let Some(count) = number("count") {
        violation = violation.count(count);
    } else if let Some(position) = number("position") {
        violation = violation.actual(Actual::Position(position));
    }
    violation
}
