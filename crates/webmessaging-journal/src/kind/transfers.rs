//! File transfers: announced, renewed, stored, finished, blocked.

use serde::{Deserialize, Serialize};
use webmessaging_model::Timestamp;

use super::define::kind;
use super::{Cause, Described, Outcome, Subject};
use crate::details::Details;
use crate::text::{PrivateText, StorageLocation};

/// What may be done with a transferred file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccessPolicy {
    /// How long it is kept, in days.
    pub retention_days: u32,
    /// How it is encrypted, as the wire names it: `AES-256` or `RSA-2048`.
    pub encryption_standard: String,
    /// Whether it can be downloaded.
    pub download_allowed: bool,
}

impl AccessPolicy {
    /// A policy.
    pub fn new(retention_days: u32, encryption_standard: impl Into<String>, download_allowed: bool) -> Self {
        Self { retention_days, encryption_standard: encryption_standard.into(), download_allowed }
    }
}

kind! {
    /// A transfer was announced.
    pub struct TransferCreated {
        /// The transfer.
        transfer_id => String,
        /// The name of the file, as a person gave it.
        file_name => PrivateText,
        /// The length of the file in bytes.
        size: u64,
    }
    optional {
        /// The media type of the file.
        content_type => String,
        /// When its URLs end.
        expires_at: Timestamp,
        /// What may be done with the file.
        access_policy: AccessPolicy,
    }
}

impl Described for TransferCreated {
    fn subject(&self) -> Subject<'_> {
        Subject::new("transfer", &self.transfer_id)
    }

    fn details(&self) -> Details<'_> {
        with_policy(Details::default(), self.access_policy.as_ref())
            .number("size", self.size)
            .media_type("contentType", self.content_type.as_deref())
            .time("expiresAt", self.expires_at)
    }
}

kind! {
    /// A transfer got fresh URLs.
    pub struct TransferRenewed {
        /// The transfer.
        transfer_id => String,
        /// Why: `expiring`, or the code of the refusal.
        cause => Cause,
    }
    optional {
        /// When the new URLs end.
        expires_at: Timestamp,
    }
}

impl Described for TransferRenewed {
    fn subject(&self) -> Subject<'_> {
        Subject::new("transfer", &self.transfer_id)
    }

    fn details(&self) -> Details<'_> {
        Details::default().name("cause", Some(self.cause.as_str())).time("expiresAt", self.expires_at)
    }
}

kind! {
    /// The bytes of a transfer were stored; they are not scanned yet.
    pub struct TransferUploaded {
        /// The transfer.
        transfer_id => String,
        /// How many bytes there are.
        size: u64,
    }
    optional {
        /// The media type they were sent with.
        content_type => String,
    }
}

impl Described for TransferUploaded {
    fn subject(&self) -> Subject<'_> {
        Subject::new("transfer", &self.transfer_id)
    }

    fn details(&self) -> Details<'_> {
        Details::default().number("size", self.size).media_type("contentType", self.content_type.as_deref())
    }
}

kind! {
    /// A transfer is complete and clean. A document system is told `documentId` (the transfer), `fileName`,
    /// `storageLocation` and `accessPolicy`; `archivedAt` is the event's own time.
    pub struct TransferFinished {
        /// The transfer.
        transfer_id => String,
        /// The name of the file, as a person gave it.
        file_name => PrivateText,
    }
    optional {
        /// Where the file is stored; can be a credential.
        storage_location => StorageLocation,
        /// What may be done with the file.
        access_policy: AccessPolicy,
        /// The length of the file in bytes.
        size: u64,
        /// The media type of the file.
        content_type => String,
    }
}

impl Described for TransferFinished {
    fn subject(&self) -> Subject<'_> {
        Subject::new("transfer", &self.transfer_id)
    }

    fn details(&self) -> Details<'_> {
        let host = self.storage_location.as_ref().and_then(StorageLocation::host);
        with_policy(Details::default(), self.access_policy.as_ref())
            .number("size", self.size)
            .media_type("contentType", self.content_type.as_deref())
            .name("storageHost", host)
    }
}

kind! {
    /// A transfer was stopped because of what it holds.
    pub struct TransferBlocked {
        /// The transfer.
        transfer_id => String,
        /// The stable name of the reason: `virus_detected`, `validation_failed`, `failed`.
        cause => Cause,
    }
    optional {
        /// The name of the file, as a person gave it.
        file_name => PrivateText,
        /// The media type of the file.
        content_type => String,
    }
}

impl Described for TransferBlocked {
    fn subject(&self) -> Subject<'_> {
        Subject::new("transfer", &self.transfer_id)
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Blocked { reason: self.cause.as_str() }
    }

    fn details(&self) -> Details<'_> {
        Details::default().media_type("contentType", self.content_type.as_deref())
    }
}

fn with_policy<'a>(details: Details<'a>, policy: Option<&'a AccessPolicy>) -> Details<'a> {
    details
        .number("retentionDays", policy.map(|policy| u64::from(policy.retention_days)))
        .name("encryptionStandard", policy.map(|policy| policy.encryption_standard.as_str()))
        .flag("downloadAllowed", policy.map(|policy| policy.download_allowed))
}
