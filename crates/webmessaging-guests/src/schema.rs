//! The JSON Schema of a guest, and what a payload has against it.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;
use webmessaging_model::plain_identity::is_plain_identity;
use webmessaging_model::{Code, Limit, Unit, Violation, Violations};

/// The JSON Schema (draft 2020-12) of a guest as it is created, for other languages and for documentation.
pub const GUEST_SCHEMA: &str = include_str!("../schemas/guest.json");

/// More violations than these are not listed.
const VIOLATIONS_MAX: usize = 100;

/// A name that the sender made up is repeated up to this length.
const NAME_BYTES_MAX: usize = 64;

static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let schema = serde_json::from_str(GUEST_SCHEMA).ok()?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        // Linear time, whatever is in the payload.
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .ok()
});

/// Checks a payload that some other program has made.
///
/// # Errors
/// [`Violations`] with one entry for every broken rule: the path is a JSON Pointer, the rule the schema's keyword, with the limit where it has
/// one; and one for every text that looks like a plain e-mail address or phone number. No value of the payload is repeated.
///
/// # Examples
/// ```
/// use webmessaging_guests::check_payload;
///
/// let payload = serde_json::json!({
///     "channel": "webmessaging",
///     "consent": {"marketing": false, "dataProcessing": true},
///     "identityAttributes": {"email": "jane@example.com"},
/// });
/// let violations = check_payload(&payload).unwrap_err();
/// assert_eq!(violations.as_slice()[0].path, "/identityAttributes/email");
/// assert_eq!(violations.as_slice()[0].rule, "guest.schema.additionalProperties");
/// assert_eq!(violations.as_slice()[1].rule, "guest.plain_identity");
/// assert!(!violations.to_string().contains("jane"));
/// ```
pub fn check_payload(payload: &Value) -> Result<(), Violations> {
    let mut found = Vec::new();
    match &*VALIDATOR {
        Some(validator) if validator.is_valid(payload) => {}
        Some(validator) => {
            found
                .extend(validator.iter_errors(payload).flat_map(|error| broken(&error)).take(VIOLATIONS_MAX));
        }
        // The tests would not pass.
        None => found.push(Violation::new("", Code::Malformed, "guest.schema")),
    }
    plain_identities(payload, &Place::Whole, &mut found);
    Violations::check(found)
}

/// Checks a payload by the schema alone.
pub(crate) fn check_json(json: &[u8]) -> Result<(), Violations> {
    let broken = |_| Violations::from(Violation::new("", Code::Malformed, "guest.json"));
    check_payload(&serde_json::from_slice(json).map_err(broken)?)
}

/// What is wrong with a payload that could not be read.
pub(crate) fn violations(json: &[u8]) -> Violations {
    let Ok(payload) = serde_json::from_slice(json) else {
        return Violation::new("", Code::Malformed, "guest.json").into();
    };
    match check_payload(&payload) {
        Err(violations) => violations,
        // A key twice is all that the schema cannot see.
        Ok(()) => Violation::new("", Code::Malformed, "guest.json").into(),
    }
}

/// A place in a payload, written down only where something is wrong with it.
enum Place<'a> {
    Whole,
    Field(&'a Place<'a>, &'a str),
    Entry(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Field(within, name) => below(&within.pointer(), name),
            Self::Entry(within, index) => format!("{}/{index}", within.pointer()),
        }
    }
}

/// Texts, and names of fields, that look like what must not be sent.
fn plain_identities(value: &Value, place: &Place<'_>, found: &mut Vec<Violation>) {
    let note = |found: &mut Vec<Violation>| {
        if found.len() < 2 * VIOLATIONS_MAX {
            found.push(Violation::new(place.pointer(), Code::PlainIdentity, "guest.plain_identity"));
        }
    };
    match value {
        Value::String(text) if is_plain_identity(text) => note(found),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                plain_identities(value, &Place::Entry(place, index), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_plain_identity(name) {
                    note(found);
                }
                plain_identities(value, &Place::Field(place, name), found);
            }
        }
        _ => {}
    }
}

/// The violations of one schema error.
fn broken(error: &ValidationError<'_>) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    let with = |path: String, code: Code, rule: &'static str| vec![Violation::new(path, code, rule)];
    let too_many = |code: Code, rule, limit: u64, unit: Unit| {
        vec![Violation::new(at.to_owned(), code, rule).limit(Limit::Max(limit), unit)]
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let path = below(at, property.as_str().unwrap_or_default());
            with(path, Code::Required, "guest.schema.required")
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                Violation::new(below(at, name), Code::NotAllowed, "guest.schema.additionalProperties")
            })
            .collect(),
        ValidationErrorKind::MaxLength { limit } => {
            too_many(Code::TooLong, "guest.schema.maxLength", *limit, Unit::Characters)
        }
        ValidationErrorKind::MaxProperties { limit } => {
            too_many(Code::TooLarge, "guest.schema.maxProperties", *limit, Unit::Attributes)
        }
        ValidationErrorKind::Pattern { .. } => with(at.to_owned(), Code::Malformed, "guest.schema.pattern"),
        ValidationErrorKind::PropertyNames { .. } => {
            with(at.to_owned(), Code::Malformed, "guest.schema.propertyNames")
        }
        ValidationErrorKind::Format { .. } => with(at.to_owned(), Code::Malformed, "guest.schema.format"),
        ValidationErrorKind::Constant { .. } => with(at.to_owned(), Code::NotAllowed, "guest.schema.const"),
        ValidationErrorKind::Type { .. } => with(at.to_owned(), Code::Malformed, "guest.schema.type"),
        _ => with(at.to_owned(), Code::Malformed, "guest.schema"),
    }
}

/// The pointer of a field. A name that is odd is not repeated: somebody can have made a name of what must not be seen.
fn below(path: &str, name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_shown =
        (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain) && !is_plain_identity(name);
    format!("{path}/{}", if is_shown { name } else { "[hidden]" })
}
