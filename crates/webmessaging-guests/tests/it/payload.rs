//! What may be sent of a guest.

use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_guests::{
    Attributes, DeviceFingerprint, GUEST_SCHEMA, GuestPayload, OriginPage, check_payload,
};
use webmessaging_model::{Actual, Code, Limit};

use crate::samples::{full, mutated, mutations, payload};

proptest! {
    #[test]
    fn what_the_types_let_through_is_what_the_schema_allows(payload in payload()) {
        let json = serde_json::to_value(&payload).unwrap();
        prop_assert_eq!(check_payload(&json), Ok(()), "{}", json);
        prop_assert_eq!(GuestPayload::from_json(json.to_string().as_bytes()), Ok(payload));
    }

    /// Debug output and errors hold nothing that was in the payload.
    #[test]
    fn nothing_of_a_guest_is_shown(name in "[a-z]{8}", domain in "[a-z]{8}", digits in "[1-9][0-9]{9}") {
        let (email, phone) = (format!("{name}@{domain}.example"), format!("+49{digits}"));
        for text in [&email, &phone, &format!("https://shop.example/?q={email}")] {
            let shown = [
                format!("{:?}", Attributes::new().with("note", text).unwrap_err()),
                format!("{:?}", Attributes::new().vouched("note", text).unwrap()),
                format!("{:?}", OriginPage::new(text).unwrap_err()),
                format!("{:?}", DeviceFingerprint::new(text).unwrap_err()),
            ];
            let mut payload = full();
            payload["attributes"][text] = json!(text);
            payload["identityAttributes"]["emailHash"] = json!(text);
            let error = GuestPayload::from_json(payload.to_string().as_bytes()).unwrap_err();
            for shown in shown.iter().chain([&format!("{error:?}"), &error.to_string()]) {
                prop_assert!(!shown.contains(&name) && !shown.contains(&digits), "{}", shown);
            }
        }
    }
}

#[test]
fn each_mistake_is_told_with_its_place() {
    assert_eq!(check_payload(&full()), Ok(()));
    for (pointer, value) in mutations() {
        let payload = mutated(pointer, &value);
        let violations = check_payload(&payload).unwrap_err();
        let place = violations.as_slice()[0].path.replace("[hidden]", "so urce");
        assert!(pointer.starts_with(&*place) || place.starts_with(pointer), "{pointer}: {violations:?}");
        assert_eq!(violations.as_slice().len(), 1, "{pointer}: {violations:?}");
        let error = GuestPayload::from_json(payload.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, violations, "{pointer}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_limit() {
    let mut payload = full();
    payload["consent"] = json!({"marketing": 1});
    payload["identityAttributes"]["deviceFingerprint"] = json!("a".repeat(200));
    payload["attributes"]["note"] = json!("call 0171 2345678");
    let violations = check_payload(&payload).unwrap_err();
    let found: Vec<_> = violations
        .iter()
        .map(|violation| (&*violation.path, violation.code, violation.limit.clone()))
        .collect();
    let expected = [
        ("/consent/dataProcessing", Code::Required, None),
        ("/consent/marketing", Code::Malformed, None),
        ("/identityAttributes/deviceFingerprint", Code::TooLong, Some(Limit::Max(128))),
        ("/attributes/note", Code::PlainIdentity, None),
    ];
    for one in &expected {
        assert!(found.contains(one), "{one:?}: {found:?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for broken in [
        "",
        "{",
        "[]",
        "7",
        "<html>",
        r#"{"channel": "webmessaging", "channel": "webmessaging"}"#,
        r#"["webmessaging", [false, true]]"#,
        r#"{"channel": "webmessaging", "consent": {"marketing": true, "dataProcessing": true}, "attributes": {"a": "1", "a": "2"}}"#,
    ] {
        assert!(GuestPayload::from_json(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn limits_are_counted_in_characters() {
    assert!(DeviceFingerprint::new("ä".repeat(128)).is_ok());
    let violation = DeviceFingerprint::new("ä".repeat(129)).unwrap_err();
    assert_eq!((violation.limit, violation.actual), (Some(Limit::Max(128)), Some(Actual::Count(129))));
    let attributes = (0..50).fold(Attributes::new(), |all, n| all.with(format!("a{n}"), "x").unwrap());
    assert!(attributes.clone().with("a0", "y").is_ok());
    assert_eq!(attributes.with("b", "x").unwrap_err().code, Code::TooLarge);
}

/// Every field of the schema says what it is for: the file is the documentation.
#[test]
fn the_schema_describes_every_field() {
    fn check(schema: &Value, path: &str) {
        assert!(
            schema["description"].as_str().is_some_and(|text| text.ends_with('.') || path.is_empty()),
            "{path}"
        );
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            check(field, &format!("{path}/{name}"));
        }
    }
    check(&serde_json::from_str(GUEST_SCHEMA).unwrap(), "");
}

#[test]
fn what_is_written_in_another_way_is_the_same() {
    let odd = r#"{"channel": "web\u006dessaging", "consent": {"marketing": true, "dataProcessing": true}, "attributes": {"a": "[null]"}}"#;
    let payload = GuestPayload::from_json(odd.as_bytes()).unwrap();
    assert_eq!(payload.attributes.get("a"), Some("[null]"));
}

#[test]
fn a_name_can_be_somebodys_number_too() {
    for violation in [
        Attributes::new().with("4915112345678", "jane@example.com").unwrap_err(),
        Attributes::new().vouched("4915112345678", "x").unwrap_err(),
    ] {
        assert!(!format!("{violation:?} {violation}").contains("4915112345678"), "{violation:?}");
    }
}
