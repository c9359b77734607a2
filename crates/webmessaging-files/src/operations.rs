//! Every operation of this crate: paths, scopes, headers and where they are described.

use http::HeaderName;
use webmessaging_model::{Contract, LimitClass, Method, Operation, RetryClass};

const UPLOADS: &str = "design document: web messaging file uploads";

/// Announces a file and asks for a presigned URL. A second request reserves a second URL that expires unused.
pub const CREATE_UPLOAD: Operation = Operation::new(
    "files.upload.create",
    Method::Post,
    "/api/v2/conversations/messaging/webmessaging/upload",
)
.success(&[200, 201])
.scopes(&["conversations:messaging:write"])
.retry(RetryClass::Repeatable)
.contract(Contract::Design)
.source(UPLOADS);

/// Puts the bytes where the presigned URL says. Putting them twice stores them once.
pub const PUT_UPLOAD: Operation = Operation::new("files.upload.put", Method::Put, "")
    .success(&[200, 201, 204])
    .limit(LimitClass::Storage)
    .contract(Contract::Design)
    .source(UPLOADS);

/// Reads what became of an attachment.
pub const GET_ATTACHMENT: Operation = Operation::new(
    "files.attachment.get",
    Method::Get,
    "/api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}",
)
.scopes(&["conversations:read"])
.contract(Contract::Design)
.source(UPLOADS);

/// Registers a webhook for the end of scans. A second request finds the name taken, so there is never a second webhook.
pub const CREATE_WEBHOOK: Operation =
    Operation::new("files.webhook.create", Method::Post, "/api/v2/platform/webhooks/webhooks")
        .success(&[200, 201])
        .scopes(&["webhooks:write"])
        .retry(RetryClass::Idempotent)
        .contract(Contract::Design)
        .source(UPLOADS);

const TRANSFERS: &str = "design document: web messaging file transfers";

/// Announces a transfer and asks for its URLs. A second announcement is a second transfer, which expires unused.
pub const CREATE_TRANSFER: Operation =
    Operation::new("files.transfer.create", Method::Post, "/api/v2/webchat/messaging/file-transfers")
        .success(&[200, 201])
        .scopes(&["webchat:filetransfer:write"])
        .retry(RetryClass::Repeatable)
        .contract(Contract::Design)
        .source(TRANSFERS);

/// Asks for fresh URLs of a transfer, whose id stays the same.
pub const RENEW_TRANSFER: Operation = Operation::new(
    "files.transfer.renew",
    Method::Post,
    "/api/v2/webchat/messaging/file-transfers/{transferId}/renew",
)
.success(&[200, 201])
.scopes(&["webchat:filetransfer:write"])
.retry(RetryClass::Repeatable)
.contract(Contract::Design)
.source(TRANSFERS);

/// Reads how far a transfer is.
pub const GET_TRANSFER: Operation = Operation::new(
    "files.transfer.get",
    Method::Get,
    "/api/v2/webchat/messaging/file-transfers/{transferId}",
)
.scopes(&["webchat:filetransfer:read"])
.contract(Contract::Design)
.source(TRANSFERS);

/// Puts the bytes of a transfer where its presigned URL says. Putting them twice stores them once.
pub const PUT_TRANSFER: Operation = Operation::new("files.transfer.put", Method::Put, "")
    .success(&[200, 201, 204])
    .limit(LimitClass::Storage)
    .contract(Contract::Design)
    .source(TRANSFERS);

/// All of them, for documentation, configuration and tests.
pub const OPERATIONS: &[&Operation] = &[
    &CREATE_UPLOAD,
    &PUT_UPLOAD,
    &GET_ATTACHMENT,
    &CREATE_WEBHOOK,
    &CREATE_TRANSFER,
    &RENEW_TRANSFER,
    &GET_TRANSFER,
    &PUT_TRANSFER,
];

/// Ties the bytes to the announced file, on [`PUT_UPLOAD`].
pub const X_GENESYS_FILE_ID: HeaderName = HeaderName::from_static("x-genesys-file-id");

/// The event that a scan is over.
pub const FILE_SCANNED_EVENT: &str = "genesys.cloud.messaging.file.upload.completed";

/// Names the organisation, on every call about a transfer.
pub const X_GENESYS_ORGANIZATION_ID: HeaderName = HeaderName::from_static("x-genesys-organization-id");
