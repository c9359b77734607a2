//! The requests as they go out, without a network.

use http::Method;
use webmessaging_files::operations::OPERATIONS;
use webmessaging_files::{CreateUpload, GetAttachment};
use webmessaging_http::{Endpoint, ErrorKind};
use webmessaging_model::{AttachmentId, MessageId};

use crate::setup::metadata;

#[test]
fn create_upload() {
    let request = CreateUpload::new(metadata()).to_request().unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/api/v2/conversations/messaging/webmessaging/upload");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(
        request.body(),
        r#"{"fileName":"report.pdf","contentType":"application/pdf","fileSize":4096,"channelId":"12345678-1234-1234-1234-123456789012","messageId":"87654321-4321-4321-4321-210987654321","uploadType":"webmessaging"}"#
    );
}

#[test]
fn get_attachment() {
    let endpoint = GetAttachment::new(MessageId::new("m-1"), AttachmentId::new("f-1"));
    let request = endpoint.to_request().unwrap();
    assert_eq!(request.method(), Method::GET);
    assert_eq!(request.uri(), "/api/v2/conversations/messaging/messages/m-1/attachments/f-1");
    assert!(request.body().is_empty());
}

#[test]
fn a_hostile_id_is_encoded_or_refused() {
    let uri = |id: &str| {
        let endpoint = GetAttachment::new(MessageId::new(id), AttachmentId::new("f"));
        endpoint.to_request().map(|request| request.uri().to_string())
    };
    let path = |id: &str| format!("/api/v2/conversations/messaging/messages/{id}/attachments/f");
    assert_eq!(uri("../../oauth?x=1#").unwrap(), path("..%2F..%2Foauth%3Fx%3D1%23"));
    assert_eq!(uri("%2e%2e").unwrap(), path("%252e%252e"));
    assert_eq!(uri("{attachmentId}").unwrap(), path("%7BattachmentId%7D"));
    for id in ["", ".", ".."] {
        let error = uri(id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.violations().unwrap().as_slice()[0].path, "messageId");
    }
}

#[test]
fn operations_have_distinct_names() {
    let names: std::collections::HashSet<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    assert_eq!(names.len(), OPERATIONS.len());
}
