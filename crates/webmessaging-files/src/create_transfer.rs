//! `POST /api/v2/webchat/messaging/file-transfers`: announces a transfer.

use serde::{Deserialize, Serialize};
use webmessaging_http::{Encoder, Endpoint, PresignedUrl};
use webmessaging_model::{
    AccessPolicyDirectives, ContentType, Operation, OrganizationId, Timestamp, TransferId, TransferLimits,
    TransferPayload, TransferStatus, Violations,
};

use crate::operations::{CREATE_TRANSFER, X_GENESYS_ORGANIZATION_ID};
use crate::organization;

/// Announces a transfer and asks for its URLs. Contract: design; scope `webchat:filetransfer:write`.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateTransfer {
    organization: OrganizationId,
    payload: TransferPayload,
    correlation_id: String,
    limits: TransferLimits,
    checked: bool,
}

impl CreateTransfer {
    /// The announcement of a transfer, checked against the documented limits. The correlation id is the caller's own and goes
    /// into the transfer's metadata.
    pub fn new(
        organization: OrganizationId,
        payload: TransferPayload,
        correlation_id: impl Into<String>,
    ) -> Self {
        let (correlation_id, limits) = (correlation_id.into(), TransferLimits::default());
        Self { organization, payload, correlation_id, limits, checked: true }
    }

    /// Checks against other limits, which are also those that the platform is told.
    pub fn limits(mut self, limits: TransferLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Leaves every check of the payload to the server, for a server that has moved on.
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }
}

/// Where to put the bytes of a transfer, and until when.
///
/// The answer has a URI to download from as well. It is not kept: a file that nobody has scanned has no download.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransferTicket {
    /// The transfer; it stays the same when its URLs are renewed.
    pub transfer_id: TransferId,
    /// The presigned URL for the bytes.
    pub upload_uri: PresignedUrl,
    /// When the URL ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// How far the transfer is.
    #[serde(default)]
    pub status: Option<TransferStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    file_name: &'a str,
    file_size: u64,
    mime_type: &'a ContentType,
    max_file_size: u64,
    allowed_mime_types: &'a [ContentType],
    virus_scan_enabled: bool,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    storage_bucket_reference: &'a str,
    access_policy_directives: &'a AccessPolicyDirectives,
    request_correlation_id: &'a str,
}

impl Endpoint for CreateTransfer {
    type Answer = TransferTicket;

    fn operation(&self) -> &'static Operation {
        &CREATE_TRANSFER
    }

    fn validate(&self) -> Result<(), Violations> {
        let payload = if self.checked { self.payload.validate(&self.limits) } else { Ok(()) };
        organization::check(&self.organization, payload)
    }

    fn encode(&self, request: Encoder) -> Encoder {
        let payload = &self.payload;
        let body = Body {
            file_name: &payload.file_name,
            file_size: payload.file_size,
            mime_type: &payload.mime_type,
            max_file_size: self.limits.get_file_size_bytes_max(),
            allowed_mime_types: self.limits.get_mime_types(),
            virus_scan_enabled: payload.virus_scan_enabled,
            metadata: Metadata {
                storage_bucket_reference: &payload.storage_bucket_reference,
                access_policy_directives: &payload.access_policy_directives,
                request_correlation_id: &self.correlation_id,
            },
        };
        request.header(X_GENESYS_ORGANIZATION_ID, &self.organization).json(&body)
    }
}
