//! `POST /api/v2/conversations/messaging/webmessaging/upload`: announces a file.

use serde::Deserialize;
use webmessaging_http::{Encoder, Endpoint, PresignedUrl};
use webmessaging_model::{FileId, Operation, UploadLimits, UploadMetadata, Violations};

use crate::operations::CREATE_UPLOAD;

/// Announces a file and asks for a presigned URL. Contract: design; scope `conversations:messaging:write`.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateUpload {
    metadata: UploadMetadata,
    limits: Option<UploadLimits>,
}

impl CreateUpload {
    /// The announcement of a file, checked against the documented limits.
    pub fn new(metadata: UploadMetadata) -> Self {
        Self { metadata, limits: Some(UploadLimits::default()) }
    }

    /// Checks against other limits.
    pub fn limits(mut self, limits: UploadLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Leaves every check to the server, for a server that has moved on.
    pub fn unchecked(mut self) -> Self {
        self.limits = None;
        self
    }
}

/// Where to put the bytes, and the id they will have.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UploadTicket {
    /// The presigned URL; it lives 5 minutes.
    pub upload_url: PresignedUrl,
    /// The id of the file.
    pub file_id: FileId,
}

impl Endpoint for CreateUpload {
    type Answer = UploadTicket;

    fn operation(&self) -> &'static Operation {
        &CREATE_UPLOAD
    }

    fn validate(&self) -> Result<(), Violations> {
        self.limits.as_ref().map_or(Ok(()), |limits| self.metadata.validate(limits))
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.json(&self.metadata)
    }
}
