//! The requests as they go out, without a network.

use http::Method;
use webmessaging_files::operations::OPERATIONS;
use webmessaging_files::{CreateTransfer, CreateUpload, GetAttachment, GetTransfer, RenewTransfer};
use webmessaging_http::{Endpoint, ErrorKind};
use webmessaging_model::{AttachmentId, Code, MessageId, OrganizationId, TransferId, TransferLimits};

use crate::setup::metadata;
use crate::transfer_setup::payload;

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
fn create_transfer() {
    let limits = TransferLimits::default().file_size_bytes_max(5000);
    let endpoint = CreateTransfer::new("o-1".into(), payload("report.pdf", 4096), "c-1").limits(limits);
    let request = endpoint.to_request().unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/api/v2/webchat/messaging/file-transfers");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["x-genesys-organization-id"], "o-1");
    assert_eq!(
        request.body(),
        r#"{"fileName":"report.pdf","fileSize":4096,"mimeType":"application/pdf","maxFileSize":5000,"allowedMimeTypes":["application/pdf","image/png","image/jpeg","text/plain"],"virusScanEnabled":true,"metadata":{"storageBucketReference":"7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10","accessPolicyDirectives":{"retentionDays":30,"encryptionStandard":"AES-256","downloadAllowed":true},"requestCorrelationId":"c-1"}}"#
    );
}

#[test]
fn renew_and_get_transfer() {
    let (organization, id) = (OrganizationId::new("o-1"), TransferId::new("t/1"));
    let renew = RenewTransfer::new(organization.clone(), id.clone()).to_request().unwrap();
    assert_eq!(renew.method(), Method::POST);
    assert_eq!(renew.uri(), "/api/v2/webchat/messaging/file-transfers/t%2F1/renew");
    let get = GetTransfer::new(organization, id).to_request().unwrap();
    assert_eq!(get.method(), Method::GET);
    assert_eq!(get.uri(), "/api/v2/webchat/messaging/file-transfers/t%2F1");
    for request in [renew, get] {
        assert!(request.body().is_empty());
        assert_eq!(request.headers()["x-genesys-organization-id"], "o-1");
    }
}

#[test]
fn every_call_about_a_transfer_names_an_organization() {
    for (id, code) in [("", Code::Required), ("a\nb", Code::ForbiddenCharacter)] {
        let (organization, transfer) = (OrganizationId::new(id), TransferId::new("t"));
        let create = CreateTransfer::new(organization.clone(), payload("a.pdf", 0), "c");
        let found = create.validate().unwrap_err();
        assert_eq!((found.as_slice().len(), &*found.as_slice()[0].path), (2, "fileSize"));
        let renew = RenewTransfer::new(organization.clone(), transfer.clone()).validate();
        let get = GetTransfer::new(organization, transfer).validate();
        for found in [create.unchecked().validate(), renew, get] {
            let found = found.unwrap_err().into_vec();
            assert_eq!((found.len(), &*found[0].path, found[0].code), (1, "X-Genesys-Organization-Id", code));
        }
    }
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
