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

/// All of them, for documentation, configuration and tests.
pub const OPERATIONS: &[&Operation] = &[&CREATE_UPLOAD, &PUT_UPLOAD, &GET_ATTACHMENT, &CREATE_WEBHOOK];

/// Ties the bytes to the announced file, on [`PUT_UPLOAD`].
pub const X_GENESYS_FILE_ID: HeaderName = HeaderName::from_static("x-genesys-file-id");

/// The event that a scan is over.
pub const FILE_SCANNED_EVENT: &str = "genesys.cloud.messaging.file.upload.completed";
