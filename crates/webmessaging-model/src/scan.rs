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

impl VirusScanResult {
    /// Whether malware was found. The document on transfers has `detected` where that on uploads has `malicious`.
    pub fn is_malicious(&self) -> bool {
        matches!(self.as_str(), "malicious" | "detected")
    }
}

/// What the platform's answers about a file come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanVerdict {
    /// No verdict yet.
    Pending,
    /// Scanned, nothing found, and the content is what it should be. The only verdict that opens a download.
    Clean,
    /// Malware was found.
    Malicious,
    /// The content is not what its type says.
    FormatRejected,
    /// The scan failed.
    Failed,
    /// The answers make no sense to this version; treated as not clean.
    Unknown,
}

impl ScanVerdict {
    /// Draws the verdict: the worst answer counts, and what is not known is not clean.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_model::{FormatValidation, ScanVerdict, UploadStatus, VirusScanResult};
    ///
    /// let clean = ScanVerdict::of(
    ///     Some(&UploadStatus::Completed),
    ///     Some(&VirusScanResult::Clean),
    ///     Some(&FormatValidation::Passed),
    /// );
    /// assert_eq!(clean, ScanVerdict::Clean);
    /// assert_eq!(ScanVerdict::of(Some(&UploadStatus::Completed), None, None), ScanVerdict::Unknown);
    /// ```
    pub fn of(
        status: Option<&UploadStatus>,
        virus: Option<&VirusScanResult>,
        format: Option<&FormatValidation>,
    ) -> Self {
        match (status, virus, format) {
            (_, Some(VirusScanResult::Malicious), _) => Self::Malicious,
            (_, _, Some(FormatValidation::Failed)) => Self::FormatRejected,
            (Some(UploadStatus::Failed), _, _) => Self::Failed,
            (Some(UploadStatus::Pending | UploadStatus::Scanning), _, _) => Self::Pending,
            (
                Some(UploadStatus::Completed),
                Some(VirusScanResult::Clean),
                None | Some(FormatValidation::Passed),
            ) => Self::Clean,
            _ => Self::Unknown,
        }
    }

    /// Whether waiting longer cannot change it. [`Unknown`](Self::Unknown) counts: nobody can say what to wait for.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending)
    }

    /// The stable name, as it appears in JSON and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Clean => "clean",
            Self::Malicious => "malicious",
            Self::FormatRejected => "format_rejected",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_combination_of_known_answers_is_clean() {
        let statuses =
            [None, Some("pending"), Some("scanning"), Some("completed"), Some("failed"), Some("new")];
        let viruses = [None, Some("clean"), Some("malicious"), Some("suspicious")];
        let formats = [None, Some("passed"), Some("failed"), Some("new")];
        let mut clean = Vec::new();
        for status in statuses {
            for virus in viruses {
                for format in formats {
                    let verdict = ScanVerdict::of(
                        status.map(UploadStatus::from).as_ref(),
                        virus.map(VirusScanResult::from).as_ref(),
                        format.map(FormatValidation::from).as_ref(),
                    );
                    if verdict == ScanVerdict::Clean {
                        clean.push((status, virus, format));
                    }
                    assert!(virus != Some("malicious") || verdict == ScanVerdict::Malicious);
                }
            }
        }
        let completed = (Some("completed"), Some("clean"));
        assert_eq!(clean, [(completed.0, completed.1, None), (completed.0, completed.1, Some("passed"))]);
    }
}
