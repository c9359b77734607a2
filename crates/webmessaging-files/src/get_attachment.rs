//! `GET /api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}`: what became of a file.

use serde::Deserialize;
use webmessaging_http::{Encoder, Endpoint, PresignedUrl};
use webmessaging_model::{
    AttachmentId, FormatValidation, MessageId, Operation, ScanProgress, ScanVerdict, UploadStatus,
    VirusScanResult,
};

use crate::operations::GET_ATTACHMENT;

/// Reads an attachment. Contract: design; scope `conversations:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct GetAttachment {
    pub(crate) message: MessageId,
    pub(crate) attachment: AttachmentId,
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
    /// SHA-256 of the bytes that the platform has, in hexadecimal, where it says so.
    #[serde(default)]
    pub sha256: Option<String>,
    #[serde(default)]
    download_url: Option<PresignedUrl>,
    /// What was known before it was read.
    #[serde(skip)]
    known: ScanProgress,
}

impl Attachment {
    /// What the scan came to: the worse of what the platform answered and what a [`ScanGate`](crate::ScanGate) knew.
    pub fn verdict(&self) -> ScanVerdict {
        let mut progress = self.known;
        progress.advance(self.answered());
        progress.verdict()
    }

    /// The URL to download it from: only for a file that was found clean, whatever the server sent along. Where a gate
    /// was asked, both have to say so.
    pub fn download_url(&self) -> Option<&PresignedUrl> {
        let is_clean = self.answered() == ScanVerdict::Clean && self.verdict() == ScanVerdict::Clean;
        self.download_url.as_ref().filter(|_| is_clean)
    }

    /// What the platform's answer comes to, by itself.
    pub(crate) fn answered(&self) -> ScanVerdict {
        ScanVerdict::of(
            self.status.as_ref(),
            self.virus_scan_result.as_ref(),
            self.format_validation.as_ref(),
        )
    }

    /// Adds what is known otherwise.
    pub(crate) fn with_known(mut self, verdict: ScanVerdict) -> Self {
        self.known.advance(verdict);
        self
    }

    /// What is left of an attachment that nobody has to read any more, because it is blocked.
    pub(crate) fn blocked(id: AttachmentId, verdict: ScanVerdict) -> Self {
        Self {
            id,
            file_name: None,
            status: None,
            virus_scan_result: None,
            format_validation: None,
            sha256: None,
            download_url: None,
            known: ScanProgress::new(verdict),
        }
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
