//! The JSON Schemas of request bodies: compiled once, their violations turned into error details.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::state::Settings;
use crate::subscription::Collection;

const UPLOAD_REQUEST: &str = include_str!("../schemas/upload-request.json");
const TRANSFER_REQUEST: &str = include_str!("../schemas/transfer-request.json");

/// Schemas without settings are compiled once: an emulator for each test is to stay cheap.
type Constant = LazyLock<Result<Validator, String>>;

static WEBHOOK: Constant = Constant::new(|| compile(&parse(include_str!("../schemas/webhook.json"))?));
static PLATFORM_WEBHOOK: Constant =
    Constant::new(|| compile(&parse(include_str!("../schemas/platform-webhook.json"))?));
static CHANNEL_UPDATE: Constant =
    Constant::new(|| compile(&parse(include_str!("../schemas/channel-update.json"))?));
static CHANNEL_CONFIGURATION: Constant =
    Constant::new(|| compile(&parse(include_str!("../schemas/channel-configuration.json"))?));

static GUEST: Constant = Constant::new(|| compile(&parse(include_str!("../schemas/guest.json"))?));
static GUEST_UPDATE: Constant =
    Constant::new(|| compile(&parse(include_str!("../schemas/guest-update.json"))?));

static MESSAGE: Constant = Constant::new(|| compile(&parse(include_str!("../schemas/message.json"))?));

/// More violations than this are not listed: the sender can add as many unknown fields as fit the body.
const DETAILS_MAX: usize = 100;

/// A longer name of an unknown field is not repeated to the sender.
const FIELD_NAME_BYTES_MAX: usize = 64;

/// One entry of `details[]` in a platform error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detail {
    /// The JSON Schema keyword that was violated.
    pub(crate) error_code: String,
    /// The field's name, a JSON pointer for nested fields, empty for the body as a whole.
    pub(crate) field_name: String,
}

/// The schemas that depend on settings.
pub(crate) struct Schemas {
    upload_request: Validator,
    transfer_request: Validator,
}

impl Schemas {
    /// Compiles all schemas, with the configured size limits in place of the written ones.
    pub(crate) fn compile(settings: &Settings) -> Result<Self, String> {
        let constants = [
            &WEBHOOK,
            &PLATFORM_WEBHOOK,
            &CHANNEL_UPDATE,
            &CHANNEL_CONFIGURATION,
            &GUEST,
            &GUEST_UPDATE,
            &MESSAGE,
        ];
        for constant in constants {
            constant.as_ref().map_err(String::clone)?;
        }
        Ok(Self {
            upload_request: compile_sized(UPLOAD_REQUEST, settings.file_size_bytes_max)?,
            transfer_request: compile_sized(TRANSFER_REQUEST, settings.transfer_size_bytes_max)?,
        })
    }

    /// Every violation of the upload request's schema; empty when the body is right.
    pub(crate) fn check_upload_request(&self, body: &Value) -> Vec<Detail> {
        check(&self.upload_request, body)
    }

    /// Every violation of the transfer request's schema; empty when the body is right.
    pub(crate) fn check_transfer_request(&self, body: &Value) -> Vec<Detail> {
        check(&self.transfer_request, body)
    }
}

/// Refuses numbers that the schema takes for whole ones and that are not written as such, like 5.0, or that are too large
/// to be kept.
pub(crate) fn refuse_fractions(body: &Value, pointers: &[&str]) -> Result<(), Refusal> {
    let details: Vec<Detail> = fractions(body, pointers).collect();
    if details.is_empty() { Ok(()) } else { Err(Refusal::constraints(details)) }
}

fn fractions(body: &Value, pointers: &[&str]) -> impl Iterator<Item = Detail> {
    let is_whole = |pointer: &&&str| body.pointer(pointer).is_none_or(Value::is_u64);
    let fractions = pointers.iter().filter(move |pointer| !is_whole(pointer));
    fractions.map(|pointer| Detail { error_code: "type".to_owned(), field_name: field_name(pointer, "") })
}

/// Every violation of the schema of a webhook's registration.
pub(crate) fn check_webhook(collection: Collection, body: &Value) -> Vec<Detail> {
    let schema = match collection {
        Collection::Webhooks => &WEBHOOK,
        Collection::PlatformWebhooks => &PLATFORM_WEBHOOK,
    };
    check_constant(schema, body)
}

/// Every violation of the schema of a channel's change, but for what the change would make of the channel.
pub(crate) fn check_channel_update(body: &Value) -> Vec<Detail> {
    check_constant(&CHANNEL_UPDATE, body)
}

/// Every violation of the schema of what a change makes of a channel's configuration, named as in the change.
pub(crate) fn check_channel_configuration(configuration: &Map<String, Value>) -> Vec<Detail> {
    let body = json!({ "configuration": configuration });
    let mut details = check_constant(&CHANNEL_CONFIGURATION, &body);
    for fraction in fractions(&body, &["/configuration/webchat/maxConcurrentSessions"]) {
        // What the schema has against a number says more.
        if details.iter().all(|detail| detail.field_name != fraction.field_name) {
            details.push(fraction);
        }
    }
    details
}

/// Every violation of the schema of a new guest.
pub(crate) fn check_guest(body: &Value) -> Vec<Detail> {
    check_constant(&GUEST, body)
}

/// Every violation of the schema of a guest's change, but for what the change would make of the guest.
pub(crate) fn check_guest_update(body: &Value) -> Vec<Detail> {
    check_constant(&GUEST_UPDATE, body)
}

/// Every violation of the schema of a bot message, but for whether its ends take part in the conversation.
pub(crate) fn check_message(body: &Value) -> Vec<Detail> {
    check_constant(&MESSAGE, body)
}

fn check_constant(schema: &Constant, body: &Value) -> Vec<Detail> {
    match schema.as_ref() {
        Ok(validator) => check(validator, body),
        // No emulator starts without its schemas.
        Err(_) => vec![Detail { error_code: "schema".to_owned(), field_name: String::new() }],
    }
}

fn parse(schema: &str) -> Result<Value, String> {
    serde_json::from_str(schema).map_err(|error| error.to_string())
}

/// A schema of a body with a `fileSize`, with this limit for it.
fn compile_sized(schema: &str, file_size_bytes_max: u64) -> Result<Validator, String> {
    let mut schema = parse(schema)?;
    match schema.pointer_mut("/properties/fileSize/maximum") {
        Some(maximum) => *maximum = file_size_bytes_max.into(),
        None => return Err("a schema has no maximum for fileSize".to_owned()),
    }
    compile(&schema)
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        // Linear time, whatever the sender writes.
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| error.to_string())
}

fn check(validator: &Validator, body: &Value) -> Vec<Detail> {
    validator.iter_errors(body).flat_map(|error| details(&error)).take(DETAILS_MAX).collect()
}

/// The details of one schema error; names and keywords only, never a value that was sent.
fn details(error: &ValidationError<'_>) -> Vec<Detail> {
    let at = error.instance_path().as_str();
    let keyword = error.kind().keyword();
    let detail = |field: &str| Detail { error_code: keyword.to_owned(), field_name: field_name(at, field) };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![detail(property.as_str().unwrap_or_default())]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| detail(if is_plain(name) { name } else { "" })).collect()
        }
        _ => vec![detail("")],
    }
}

/// A bare name for a field of the body itself, a pointer for a deeper one.
fn field_name(at: &str, field: &str) -> String {
    let pointer = if field.is_empty() { at.to_owned() } else { format!("{at}/{field}") };
    match pointer.strip_prefix('/') {
        Some(name) if !name.contains('/') => name.to_owned(),
        _ => pointer,
    }
}

/// Whether a name that the sender made up is harmless enough to be sent back.
fn is_plain(name: &str) -> bool {
    name.len() <= FIELD_NAME_BYTES_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests;
