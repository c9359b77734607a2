//! What bodies of requests may hold.

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
    check_configuration(&json!({ "webchat": 1, "routing": [] }), &[("type", "routing"), ("type", "webchat")]);
}
