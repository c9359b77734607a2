//! `GET /api/v2/webchat/messaging/file-transfers/{transferId}`: how far a transfer is.

use std::fmt;

use serde::Deserialize;
use webmessaging_http::{Encoder, Endpoint, PresignedUrl};
use webmessaging_model::{
    AccessPolicyDirectives, ContentType, ContentTypeVerification, Operation, OrganizationId, ScanProgress,
    ScanVerdict, Timestamp, TransferId, TransferStatus, Violations, VirusScanResult, VirusScanStatus,
};

use crate::operations::{GET_TRANSFER, X_GENESYS_ORGANIZATION_ID};
use crate::organization;

/// Reads a transfer. Contract: design; scope `webchat:filetransfer:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct GetTransfer {
    organization: OrganizationId,
    transfer: TransferId,
}

impl GetTransfer {
    /// The state of a transfer.
    pub fn new(organization: OrganizationId, transfer: TransferId) -> Self {
        Self { organization, transfer }
    }
}

/// A transfer as the platform sees it. `Debug` shows neither the file's name nor the query of its URI.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransferState {
    /// How far it is.
    #[serde(default)]
    pub status: Option<TransferStatus>,
    /// How far the virus scan is.
    #[serde(default)]
    pub virus_scan_status: Option<VirusScanStatus>,
    /// What the virus scanner found.
    #[serde(default)]
    pub virus_scan_result: Option<VirusScanResult>,
    /// Whether the content is what its type says.
    #[serde(default)]
    pub content_type_verification: Option<ContentTypeVerification>,
    /// The name of the file.
    #[serde(default)]
    pub file_name: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub file_size: Option<u64>,
    /// Its media type.
    #[serde(default)]
    pub mime_type: Option<ContentType>,
    /// SHA-256 of the bytes that the platform has, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// When its URLs end.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// What else is known of it.
    #[serde(default)]
    pub metadata: Option<TransferMetadata>,
    #[serde(default)]
    download_uri: Option<PresignedUrl>,
    /// What a webhook or an earlier answer has said.
    #[serde(skip)]
    known: ScanProgress,
    /// There is no answer, only what a webhook has said.
    #[serde(skip)]
    is_told: bool,
}

/// What is known of a transferred file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransferMetadata {
    /// Who may do what with it for how long.
    #[serde(default)]
    pub access_policy_directives: Option<AccessPolicyDirectives>,
}

impl TransferState {
    /// What is known of a transfer from elsewhere, and nothing else.
    pub(crate) fn told(known: ScanProgress) -> Self {
        Self { known, is_told: true, ..Self::default() }
    }

    /// Adds what was said before; a verdict only moves forward.
    pub(crate) fn knowing(mut self, known: ScanProgress) -> Self {
        self.known = known;
        self
    }

    /// What it comes to, by this answer and everything that was known before.
    pub fn verdict(&self) -> ScanVerdict {
        let mut progress = self.known;
        // An answer that says nothing is not the same as no answer: it makes no sense, and blocks.
        if !self.is_told {
            progress.advance(self.own_verdict());
        }
        progress.verdict()
    }

    /// What this answer alone says.
    fn own_verdict(&self) -> ScanVerdict {
        ScanVerdict::of_transfer(
            self.status.as_ref(),
            self.virus_scan_result.as_ref(),
            self.content_type_verification.as_ref(),
        )
    }

    /// Whether waiting longer cannot change it: a verdict against the file is known, or the platform's own answer is final. A
    /// webhook in favor of it is not enough, because only the answer has the digest and the URI.
    pub fn is_final(&self) -> bool {
        blocks(self.known) || (!self.is_told && self.own_verdict().is_final())
    }

    /// The URI to download it from: only for a file that was found clean, whatever the server sent along.
    pub fn download_uri(&self) -> Option<&PresignedUrl> {
        self.download_uri.as_ref().filter(|_| self.verdict() == ScanVerdict::Clean)
    }
}

/// Whether nothing better can follow.
pub(crate) fn blocks(known: ScanProgress) -> bool {
    known > ScanProgress::new(ScanVerdict::Clean)
}

impl fmt::Debug for TransferState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferState")
            .field("verdict", &self.verdict())
            .field("status", &self.status)
            .field("virus_scan_status", &self.virus_scan_status)
            .field("virus_scan_result", &self.virus_scan_result)
            .field("content_type_verification", &self.content_type_verification)
            .field("file_size", &self.file_size)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Endpoint for GetTransfer {
    type Answer = TransferState;

    fn operation(&self) -> &'static Operation {
        &GET_TRANSFER
    }

    fn validate(&self) -> Result<(), Violations> {
        organization::check(&self.organization, Ok(()))
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.header(X_GENESYS_ORGANIZATION_ID, &self.organization).path("transferId", &self.transfer)
    }
}
