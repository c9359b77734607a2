//! Every operation of this crate: paths, scopes, headers and where they are described.

use http::HeaderName;
use webmessaging_model::{Contract, LimitClass, Method, Operation, RetryClass};

/// Announces a file and asks for a presigned URL. A second request reserves a second URL that expires unused.
pub const CREATE_UPLOAD: Operation = Operation {
    name: "files.upload.create",
    method: Method::Post,
    path: "/api/v2/conversations/messaging/webmessaging/upload",
    success: &[200, 201],
    scopes: &["conversations:messaging:write"],
    retry: RetryClass::Repeatable,
    limit: LimitClass::Platform,
    contract: Contract::Design,
    source: "design document: web messaging file uploads, step 1",
};

/// Puts the bytes where the presigned URL says. Putting them twice stores them once.
pub const PUT_UPLOAD: Operation = Operation {
    name: "files.upload.put",
    method: Method::Put,
    path: "",
    success: &[200, 201, 204],
    scopes: &[],
    retry: RetryClass::Idempotent,
    limit: LimitClass::Storage,
    contract: Contract::Design,
    source: "design document: web messaging file uploads, step 2",
};

/// Reads what became of an attachment.
pub const GET_ATTACHMENT: Operation = Operation {
    name: "files.attachment.get",
    method: Method::Get,
    path: "/api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}",
    success: &[200],
    scopes: &["conversations:read"],
    retry: RetryClass::Idempotent,
    limit: LimitClass::Platform,
    contract: Contract::Design,
    source: "design document: web messaging file uploads, step 4",
};

/// All of them, for documentation, configuration and tests.
pub const OPERATIONS: &[&Operation] = &[&CREATE_UPLOAD, &PUT_UPLOAD, &GET_ATTACHMENT];

/// Ties the bytes to the announced file, on [`PUT_UPLOAD`].
pub const X_GENESYS_FILE_ID: HeaderName = HeaderName::from_static("x-genesys-file-id");
