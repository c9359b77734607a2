//! What the platform says about an uploaded file while and after it scans it.

use crate::open_enum::open_enum;

open_enum! {
    /// How far the platform is with a file. Contract: design.
    pub enum UploadStatus {
        /// The upload was announced, its bytes have not arrived.
        Pending = "pending",
        /// The bytes are being scanned.
        Scanning = "scanning",
        /// Scanned and accepted.
        Completed = "completed",
        /// Scanned and refused, or the scan itself failed.
        Failed = "failed",
    }
}

open_enum! {
    /// What the virus scanner found. Contract: design.
    pub enum VirusScanResult {
        /// Nothing found.
        Clean = "clean",
        /// Malware found.
        Malicious = "malicious",
    }
}

open_enum! {
    /// Whether the content is what its declared type says. Contract: design.
    pub enum FormatValidation {
        /// It is.
        Passed = "passed",
        /// It is not.
        Failed = "failed",
    }
}
