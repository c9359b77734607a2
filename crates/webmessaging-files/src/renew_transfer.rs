//! `POST /api/v2/webchat/messaging/file-transfers/{transferId}/renew`: fresh URLs for a transfer.

use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{Operation, OrganizationId, TransferId, Violations};

use crate::create_transfer::TransferTicket;
use crate::operations::{RENEW_TRANSFER, X_GENESYS_ORGANIZATION_ID};
use crate::organization;

/// Asks for fresh URLs; the transfer keeps its id. Contract: design; scope `webchat:filetransfer:write`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct RenewTransfer {
    organization: OrganizationId,
    transfer: TransferId,
}

impl RenewTransfer {
    /// The renewal of a transfer.
    pub fn new(organization: OrganizationId, transfer: TransferId) -> Self {
        Self { organization, transfer }
    }
}

impl Endpoint for RenewTransfer {
    type Answer = TransferTicket;

    fn operation(&self) -> &'static Operation {
        &RENEW_TRANSFER
    }

    fn validate(&self) -> Result<(), Violations> {
        organization::check(&self.organization, Ok(()))
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.header(X_GENESYS_ORGANIZATION_ID, &self.organization).path("transferId", &self.transfer)
    }
}
