//! A transfer that was announced: its URL, how long that lives, and what came of its bytes.

use std::fmt;
use std::time::Duration;

use webmessaging_http::{Clock, Facts, PresignedUrl};
use webmessaging_model::{Timestamp, TransferId, TransferPayload, limits};

use crate::create_transfer::TransferTicket;

/// A transfer that was announced and waits for its bytes. `Debug` shows neither the file's name nor the query of its URL.
#[derive(Clone)]
#[non_exhaustive]
pub struct Transfer {
    /// The transfer.
    pub transfer_id: TransferId,
    /// What it was announced with.
    pub payload: TransferPayload,
    /// When its URL ends, by the platform's clock.
    pub expires_at: Timestamp,
    /// The presigned URL for the bytes.
    pub upload_uri: PresignedUrl,
    issued_at: Timestamp,
}

/// A transfer whose bytes have arrived. It is not scanned yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UploadedTransfer {
    /// The transfer.
    pub transfer_id: TransferId,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes sent, in hexadecimal; unless it was switched off, or only the platform knows that they arrived.
    pub sha256: Option<String>,
    /// How many presigned URLs it took; 0 where only the platform knows that they arrived.
    pub urls: u32,
    /// How the bytes went.
    pub facts: Facts,
}

impl Transfer {
    pub(crate) fn new(ticket: TransferTicket, payload: TransferPayload, issued_at: Timestamp) -> Self {
        let TransferTicket { transfer_id, upload_uri, expires_at, .. } = ticket;
        let usual = Duration::from_secs(limits::TRANSFER_URL_SECONDS.value);
        let expires_at = expires_at.unwrap_or(issued_at + usual);
        Self { transfer_id, payload, expires_at, upload_uri, issued_at }
    }

    /// How long its URL still lives.
    pub(crate) fn left(&self, clock: &dyn Clock) -> Duration {
        self.expires_at.since(clock.wall().into())
    }

    /// How much of its life the URL must have left when the bytes start: 30 minutes, or half of a life that is shorter than an
    /// hour, because a fresh URL must be good for something.
    pub(crate) fn margin(&self) -> Duration {
        let usual = Duration::from_secs(limits::TRANSFER_RENEWAL_SECONDS.value);
        usual.min(self.expires_at.since(self.issued_at) / 2)
    }

    /// Whether its URL ends too soon for the bytes to start.
    pub(crate) fn is_expiring(&self, clock: &dyn Clock) -> bool {
        self.left(clock) <= self.margin()
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer")
            .field("transfer_id", &self.transfer_id)
            .field("expires_at", &self.expires_at)
            .field("upload_uri", &self.upload_uri)
            .finish_non_exhaustive()
    }
}
