//! What a delivery came to, and an error that does not lose the file.

use std::fmt;

use webmessaging_http::Error;
use webmessaging_model::ScanVerdict;

use crate::get_attachment::Attachment;
use crate::upload::UploadedFile;

/// A file whose bytes have arrived, and what is known of its scan.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "only the verdict says whether the file may be handed out"]
pub struct Delivered {
    /// The file; after a scan that failed, the one that was uploaded last.
    pub file: UploadedFile,
    /// What the scan came to. [`Pending`](ScanVerdict::Pending) when there was no verdict in time: the file is not clean yet,
    /// and can be waited for with [`FilesClient::wait_for_scan`](crate::FilesClient::wait_for_scan).
    pub verdict: ScanVerdict,
    /// The attachment as it was read last; nothing when there was no verdict in time.
    pub attachment: Option<Attachment>,
}

impl Delivered {
    /// Whether the file may be handed out.
    pub fn is_clean(&self) -> bool {
        self.verdict == ScanVerdict::Clean
    }
}

/// Why a delivery failed, and the file, if its bytes have arrived.
///
/// The platform has the file then, and somebody may have to look after it; a plain [`Error`] has no room for it. `?` turns
/// it into one where the file does not matter.
#[derive(Debug, Clone)]
pub struct DeliverError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    error: Error,
    file: Option<UploadedFile>,
}

impl DeliverError {
    /// The file did not arrive.
    pub(crate) fn before(error: Error) -> Self {
        Self(Box::new(Inner { error, file: None }))
    }

    /// The file had arrived.
    pub(crate) fn after(error: Error, file: UploadedFile) -> Self {
        Self(Box::new(Inner { error, file: Some(file) }))
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// The file, if its bytes have arrived. It is not known to be clean.
    pub fn file(&self) -> Option<&UploadedFile> {
        self.0.file.as_ref()
    }
}

impl From<DeliverError> for Error {
    fn from(error: DeliverError) -> Self {
        error.0.error
    }
}

impl fmt::Display for DeliverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)?;
        match &self.0.file {
            Some(file) => write!(f, ", file {}", file.file_id),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DeliverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.error)
    }
}
