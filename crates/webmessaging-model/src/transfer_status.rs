//! What the platform says about a file transfer while and after it looks at the file.

use crate::open_enum::open_enum;
use crate::scan::{ScanVerdict, VirusScanResult};

open_enum! {
    /// How far a transfer is. Contract: design.
    pub enum TransferStatus {
        /// It was announced, its bytes have not arrived.
        Created = "created",
        /// The bytes have arrived and are being looked at.
        Uploaded = "uploaded",
        /// Looked at and accepted.
        Complete = "complete",
        /// It failed.
        Failed = "failed",
        /// Malware was found.
        VirusDetected = "virus_detected",
        /// The content is not what its type says.
        ValidationFailed = "validation_failed",
    }
}

open_enum! {
    /// How far the virus scan of a transfer is. Contract: design, which names the field and none of its values.
    pub enum VirusScanStatus {
        /// It has not begun.
        Pending = "pending",
        /// It is running.
        InProgress = "in_progress",
        /// It is over.
        Completed = "completed",
        /// It could not be done.
        Failed = "failed",
        /// It was not asked for.
        Skipped = "skipped",
    }
}

open_enum! {
    /// Whether the content of a transfer is what its type says. Contract: design, which names the field and none of its
    /// values.
    pub enum ContentTypeVerification {
        /// It was not looked at yet.
        Pending = "pending",
        /// It is.
        Passed = "passed",
        /// It is not.
        Failed = "failed",
    }
}

impl TransferStatus {
    /// Whether the platform does nothing more about the transfer.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::VirusDetected | Self::ValidationFailed)
    }
}

impl ScanVerdict {
    /// Draws the verdict on a transfer: the worst answer counts, and only a complete one without a finding is clean. The document
    /// lists the statuses in which a transfer is over; in any other one there is no verdict yet.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_model::{ScanVerdict, TransferStatus, VirusScanResult};
    ///
    /// let verdict = |status, found| ScanVerdict::of_transfer(Some(&status), Some(&found), None);
    /// assert_eq!(verdict(TransferStatus::Complete, VirusScanResult::Clean), ScanVerdict::Clean);
    /// assert_eq!(verdict(TransferStatus::Complete, VirusScanResult::from("detected")), ScanVerdict::Malicious);
    /// assert_eq!(verdict(TransferStatus::Uploaded, VirusScanResult::Clean), ScanVerdict::Pending);
    /// ```
    pub fn of_transfer(
        status: Option<&TransferStatus>,
        virus: Option<&VirusScanResult>,
        content: Option<&ContentTypeVerification>,
    ) -> Self {
        if virus.is_some_and(VirusScanResult::is_malicious) {
            return Self::Malicious;
        }
        let content_is_wrong = content == Some(&ContentTypeVerification::Failed);
        match (status, virus, content) {
            (Some(TransferStatus::VirusDetected), ..) => Self::Malicious,
            (Some(TransferStatus::ValidationFailed), ..) => Self::FormatRejected,
            _ if content_is_wrong => Self::FormatRejected,
            (Some(TransferStatus::Failed), ..) => Self::Failed,
            (
                Some(TransferStatus::Complete),
                Some(VirusScanResult::Clean),
                None | Some(ContentTypeVerification::Passed),
            ) => Self::Clean,
            (Some(TransferStatus::Complete) | None, ..) => Self::Unknown,
            (Some(TransferStatus::Created | TransferStatus::Uploaded | TransferStatus::Unknown(_)), ..) => {
                Self::Pending
            }
        }
    }
}
