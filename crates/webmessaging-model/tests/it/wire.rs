//! The JSON forms: what we send, and that nothing the server adds is lost.

use proptest::prelude::*;
use webmessaging_model::{
    FileId, Method, Operation, RetryClass, UploadLimits, UploadMetadata, VirusScanResult,
};

#[test]
fn metadata_serialises_to_the_body_of_the_request() {
    let metadata = UploadMetadata::new("sample-document.pdf", 4096, "channel-1", "message-1");
    assert_eq!(
        serde_json::to_value(&metadata).unwrap(),
        serde_json::json!({
            "fileName": "sample-document.pdf",
            "contentType": "application/pdf",
            "fileSize": 4096,
            "channelId": "channel-1",
            "messageId": "message-1",
            "uploadType": "webmessaging",
        })
    );
}

#[test]
fn violations_serialise_with_limit_unit_and_measure() {
    let violations =
        UploadMetadata::new("a.pdf", 0, "c", "m").validate(&UploadLimits::default()).unwrap_err();
    assert_eq!(
        serde_json::to_value(&violations).unwrap(),
        serde_json::json!([{
            "path": "fileSize",
            "code": "too_small",
            "rule": "upload.file_size.min",
            "limit": {"min": 1},
            "unit": "bytes",
            "actual": {"count": 0},
        }])
    );
}

#[test]
fn ids_are_plain_text_on_the_wire() {
    let id: FileId = serde_json::from_str("\"f-1\"").unwrap();
    assert_eq!(id.as_str(), "f-1");
    assert_eq!(serde_json::to_string(&id).unwrap(), "\"f-1\"");
}

#[test]
fn path_variables_are_read_off_the_template() {
    let operation = Operation::new("things.get", Method::Get, "/api/v2/a/{aId}/b/{bId}");
    assert_eq!(operation.variables().collect::<Vec<_>>(), ["aId", "bId"]);
}

#[test]
fn operations_may_be_repeated_by_default_as_http_has_it() {
    let retry = |method| Operation::new("x", method, "/x").retry;
    for method in [Method::Get, Method::Put, Method::Delete] {
        assert_eq!(retry(method), RetryClass::Idempotent, "{method}");
    }
    for method in [Method::Post, Method::Patch] {
        assert_eq!(retry(method), RetryClass::Once, "{method}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_open_enum_gives_back_what_it_was_given(text in "clean|malicious|\\PC{0,20}") {
        let json = serde_json::to_string(&text).unwrap();
        let value: VirusScanResult = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(value.as_str(), &text);
        prop_assert_eq!(serde_json::to_string(&value).unwrap(), json);
        let known = VirusScanResult::KNOWN.contains(&&*text);
        prop_assert_eq!(matches!(value, VirusScanResult::Unknown(_)), !known);
    }
}
