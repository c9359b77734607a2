//! File transfers: the status change that comes without an envelope, and the download URI as a secret.

use std::fmt;

use http::Uri;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use webmessaging_model::{ScanVerdict, TransferStatus, VirusScanResult};

use super::Payload;

/// A file transfer has another status: `webchat.fileTransfer.statusChange`. Contract: design.
///
/// `Debug` shows neither the file's name nor the query of its URI.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileTransferChanged {
    /// The transfer.
    pub transfer_id: String,
    /// How far it is.
    #[serde(default)]
    pub status: Option<TransferStatus>,
    /// What the virus scanner found. The document has `detected` where uploads have `malicious`; both are read as
    /// [`Malicious`](VirusScanResult::Malicious).
    #[serde(default, deserialize_with = "virus_scan_result")]
    pub virus_scan_result: Option<VirusScanResult>,
    /// The name of the file.
    #[serde(default)]
    pub file_name: Option<String>,
    /// What else is known of it.
    #[serde(default)]
    pub metadata: Option<TransferMetadata>,
    #[serde(default)]
    download_uri: Option<DownloadUri>,
}

/// What is known of a transferred file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransferMetadata {
    /// Who may do what with it for how long, to be handed on as it is.
    #[serde(default)]
    pub access_policy_directives: Option<Payload>,
}

impl FileTransferChanged {
    /// What it comes to: clean only when it is complete and the scanner found nothing. The document lists the statuses in which a
    /// transfer is over; in any other one there is no verdict yet.
    pub fn verdict(&self) -> ScanVerdict {
        ScanVerdict::of_transfer(self.status.as_ref(), self.virus_scan_result.as_ref(), None)
    }

    /// The URI to download it from: only for a file that was found clean, whatever the sender wrote.
    pub fn download_uri(&self) -> Option<&DownloadUri> {
        self.download_uri.as_ref().filter(|_| self.verdict() == ScanVerdict::Clean)
    }
}

impl fmt::Debug for FileTransferChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTransferChanged")
            .field("transfer_id", &self.transfer_id)
            .field("status", &self.status)
            .field("virus_scan_result", &self.virus_scan_result)
            .field("download_uri", &self.download_uri)
            .finish_non_exhaustive()
    }
}

/// A URI whose query is a credential. It is never printed; `Debug` and `Display` show its host.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DownloadUri(SecretString);

impl DownloadUri {
    /// The URI itself. Whoever has it can use it until it expires.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Display for DownloadUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri: Option<Uri> = self.expose().parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or("unknown host");
        write!(f, "download uri of {host}")
    }
}

impl fmt::Debug for DownloadUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DownloadUri({self})")
    }
}

fn virus_scan_result<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<VirusScanResult>, D::Error> {
    let result = Option::<VirusScanResult>::deserialize(deserializer)?;
    Ok(result.map(|result| if result.is_malicious() { VirusScanResult::Malicious } else { result }))
}
