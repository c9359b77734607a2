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
mod tests {
    use super::*;

    const MAX: u64 = 1_000;

    fn request() -> Value {
        json!({
            "fileName": "scan.pdf",
            "contentType": "application/pdf",
            "fileSize": 1,
            "channelId": "channel-1",
            "messageId": "message-1",
            "uploadType": "webmessaging"
        })
    }

    fn violations(body: &Value) -> Vec<(String, String)> {
        let schema = compile_sized(UPLOAD_REQUEST, MAX).unwrap();
        let details = check(&schema, body);
        details.into_iter().map(|detail| (detail.error_code, detail.field_name)).collect()
    }

    fn check_field(field: &str, value: &Value, expected: &[&str]) {
        let mut body = request();
        body[field] = value.clone();
        let expected: Vec<_> = expected.iter().map(|code| ((*code).to_owned(), field.to_owned())).collect();
        assert_eq!(violations(&body), expected, "{field}: {value}");
    }

    #[test]
    fn file_names_are_bounded_and_plain() {
        for good in ["a", "A-b_9.txt", "...", "-", &"a".repeat(255)] {
            check_field("fileName", &json!(good), &[]);
        }
        for bad in ["a b", "a/b", "a\n", "\na", "é.pdf", "a\\b", "a\u{0}", "a.txt\u{2028}"] {
            check_field("fileName", &json!(bad), &["pattern"]);
        }
        check_field("fileName", &json!("."), &["not"]);
        check_field("fileName", &json!(".."), &["not"]);
        check_field("fileName", &json!(""), &["pattern"]);
        check_field("fileName", &json!("a".repeat(256)), &["maxLength"]);
        check_field("fileName", &json!(7), &["type"]);
    }

    #[test]
    fn sizes_are_whole_and_within_the_configured_limit() {
        check_field("fileSize", &json!(1), &[]);
        check_field("fileSize", &json!(MAX), &[]);
        check_field("fileSize", &json!(0), &["minimum"]);
        check_field("fileSize", &json!(-1), &["minimum"]);
        check_field("fileSize", &json!(MAX + 1), &["maximum"]);
        check_field("fileSize", &json!(u64::MAX), &["maximum"]);
        check_field("fileSize", &json!(1.5), &["type"]);
        check_field("fileSize", &json!("1"), &["type"]);
    }

    #[test]
    fn ids_are_bounded_and_free_of_control_characters() {
        for field in ["channelId", "messageId"] {
            check_field(field, &json!("id / with ? odd € characters"), &[]);
            check_field(field, &json!("€".repeat(255)), &[]);
            check_field(field, &json!("€".repeat(256)), &["maxLength"]);
            check_field(field, &json!(""), &["minLength"]);
            for bad in ["a\n", "\u{7f}", "a\u{85}b", "\u{0}", "\u{9f}"] {
                check_field(field, &json!(bad), &["pattern"]);
            }
            check_field(field, &json!("."), &["not"]);
            check_field(field, &json!(".."), &["not"]);
            check_field(field, &json!(null), &["type"]);
        }
    }

    #[test]
    fn types_are_from_the_list() {
        for bad in ["text/html", "image/PNG", "text/plain; charset=utf-8", ""] {
            check_field("contentType", &json!(bad), &["enum"]);
        }
        check_field("uploadType", &json!("openmessaging"), &["const"]);
    }

    #[test]
    fn missing_and_unknown_fields_are_named_unless_the_name_is_odd() {
        let missing: Vec<String> = violations(&json!({})).into_iter().map(|(_, field)| field).collect();
        assert_eq!(missing, ["fileName", "contentType", "fileSize", "channelId", "messageId", "uploadType"]);
        check_field("extra", &json!("value"), &["additionalProperties"]);
        for odd in ["a@b.example", "9", "", "a/b", &"a".repeat(FIELD_NAME_BYTES_MAX + 1)] {
            let mut body = request();
            body[odd] = json!(1);
            assert_eq!(violations(&body), [("additionalProperties".to_owned(), String::new())], "{odd}");
        }
        assert_eq!(violations(&json!([])), [("type".to_owned(), String::new())]);
    }

    #[test]
    fn all_violations_are_listed_at_once_up_to_a_limit() {
        let mut body = request();
        body["fileName"] = json!("a b");
        body["fileSize"] = json!(0);
        body["extra"] = json!(0);
        assert_eq!(violations(&body).len(), 3);
        for number in 0..2 * DETAILS_MAX {
            body[format!("extra{number}")] = json!(0);
        }
        assert_eq!(violations(&body).len(), DETAILS_MAX);
    }
    fn check_configuration(configuration: &Value, expected: &[(&str, &str)]) {
        let details = check_channel_configuration(configuration.as_object().unwrap());
        let details: Vec<_> = details
            .iter()
            .map(|detail| {
                (&*detail.error_code, detail.field_name.strip_prefix("/configuration/").unwrap_or_default())
            })
            .collect();
        assert_eq!(details, expected, "{configuration}");
    }

    #[test]
    fn sessions_of_a_channel_are_a_whole_number_within_limits() {
        for (sessions, code) in [
            (json!(0), "minimum"),
            (json!(-1), "minimum"),
            (json!(2001), "maximum"),
            (json!(u64::MAX), "maximum"),
            (json!(1e30), "maximum"),
            (json!(1.5), "type"),
            (json!(5.0), "type"),
            (json!("5"), "type"),
            (json!(null), "type"),
        ] {
            let configuration = json!({ "webchat": { "maxConcurrentSessions": sessions } });
            check_configuration(&configuration, &[(code, "webchat/maxConcurrentSessions")]);
        }
        for good in [1, 2000] {
            check_configuration(&json!({ "webchat": { "maxConcurrentSessions": good } }), &[]);
        }
    }

    #[test]
    fn features_of_a_channel_are_known_and_named_once() {
        let all = ["rich-media", "typing-indicators", "file-sharing", "co-browsing", "video-calling"];
        for good in [json!(all), json!([])] {
            check_configuration(&json!({ "webchat": { "features": good } }), &[]);
        }
        for (features, code, field) in [
            (json!(["rich-media", "telepathy"]), "enum", "webchat/features/1"),
            (json!(["Rich-Media"]), "enum", "webchat/features/0"),
            (json!([1]), "enum", "webchat/features/0"),
            (json!(["rich-media", "rich-media"]), "uniqueItems", "webchat/features"),
            (json!("rich-media"), "type", "webchat/features"),
        ] {
            check_configuration(&json!({ "webchat": { "features": features } }), &[(code, field)]);
        }
    }

    #[test]
    fn queues_of_a_channel_are_ids_that_can_be_seen() {
        for good in ["q", "\u{20ac} / ?", &"\u{20ac}".repeat(255)] {
            check_configuration(&json!({ "routing": { "queueId": good } }), &[]);
        }
        for (queue, codes) in [
            (json!(""), &["minLength", "pattern"][..]),
            (json!(" q"), &["pattern"]),
            (json!("q\u{3000}"), &["pattern"]),
            (json!("."), &["not"]),
            (json!(".."), &["not"]),
            (json!("\u{20ac}".repeat(256)), &["maxLength"]),
            (json!("a\nb"), &["pattern"]),
            (json!("q\n"), &["pattern"]),
            (json!("\u{7f}"), &["pattern"]),
            (json!("q\u{85}"), &["pattern"]),
            (json!("  "), &["pattern"]),
            (json!("\u{a0}\u{3000}"), &["pattern"]),
            (json!("\t"), &["pattern"]),
            (json!(7), &["type"]),
        ] {
            let expected: Vec<_> = codes.iter().map(|code| (*code, "routing/queueId")).collect();
            check_configuration(&json!({ "routing": { "queueId": queue } }), &expected);
        }
    }

    #[test]
    fn a_configuration_may_hold_what_nobody_knows() {
        check_configuration(&json!({}), &[]);
        let unknown = json!({ "theme": null, "webchat": { "theme": [1] }, "routing": { "a b/c": {} } });
        check_configuration(&unknown, &[]);
        check_configuration(
            &json!({ "webchat": 1, "routing": [] }),
            &[("type", "routing"), ("type", "webchat")],
        );
    }
}
