//! Scans: what an event says about a file.

use serde::Deserialize;
use webmessaging_model::{FileId, FormatValidation, ScanVerdict, UploadStatus, VirusScanResult};

/// The scan of an uploaded file has ended: `genesys.cloud.messaging.file.upload.completed`. Contract: design.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileScanned {
    /// The file.
    pub file_id: FileId,
    /// How far the platform is with it.
    #[serde(default)]
    pub status: Option<UploadStatus>,
    /// What the virus scanner found.
    #[serde(default)]
    pub virus_scan_result: Option<VirusScanResult>,
    /// Whether the content is what its type says.
    #[serde(default)]
    pub format_validation: Option<FormatValidation>,
}

impl FileScanned {
    /// What it comes to.
    pub fn verdict(&self) -> ScanVerdict {
        ScanVerdict::of(
            self.status.as_ref(),
            self.virus_scan_result.as_ref(),
            self.format_validation.as_ref(),
        )
    }
}
