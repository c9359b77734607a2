//! `GET /api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}`: what became of a file.

use serde::Deserialize;
use webmessaging_http::{Encoder, Endpoint, PresignedUrl};
use webmessaging_model::{
    AttachmentId, FormatValidation, MessageId, Operation, ScanVerdict, UploadStatus, VirusScanResult,
};

use crate::operations::GET_ATTACHMENT;

/// Reads an attachment. Contract: design; scope `conversations:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct GetAttachment {
    message: MessageId,
    attachment: AttachmentId,
}

impl GetAttachment {
    /// The attachment of a message.
    pub fn new(message: MessageId, attachment: AttachmentId) -> Self {
        Self { message, attachment }
    }
}

/// An attachment as the platform sees it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// Its file name.
    #[serde(default)]
    pub file_name: Option<String>,
    /// How far the platform is with it.
    #[serde(default)]
    pub status: Option<UploadStatus>,
    /// What the virus scanner found.
    #[serde(default)]
    pub virus_scan_result: Option<VirusScanResult>,
    /// Whether the content is what its type says.
    #[serde(default)]
    pub format_validation: Option<FormatValidation>,
    #[serde(default)]
    download_url: Option<PresignedUrl>,
}

impl Attachment {
    /// What the scan came to.
    pub fn verdict(&self) -> ScanVerdict {
        ScanVerdict::of(
            self.status.as_ref(),
            self.virus_scan_result.as_ref(),
            self.format_validation.as_ref(),
        )
    }

    /// The URL to download it from: only for a file that was found clean, whatever the server sent along.
    pub fn download_url(&self) -> Option<&PresignedUrl> {
        self.download_url.as_ref().filter(|_| self.verdict() == ScanVerdict::Clean)
    }
}

impl Endpoint for GetAttachment {
    type Answer = Attachment;

    fn operation(&self) -> &'static Operation {
        &GET_ATTACHMENT
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("messageId", &self.message).path("attachmentId", &self.attachment)
    }
}
