//! What came of a batch, file by file.

use webmessaging_http::Error;
use webmessaging_model::{FileId, ScanVerdict};

use crate::upload::UploadedFile;

/// What came of a batch.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchReport {
    /// The files, in the order they were given.
    pub files: Vec<BatchFile>,
}

/// A file of a batch.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchFile {
    /// What it is called: its path, or its key.
    pub name: String,
    /// What came of it.
    pub outcome: Result<BatchUpload, Error>,
}

/// A file whose bytes are there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchUpload {
    /// The id the platform gave it.
    pub file_id: FileId,
    /// Its size in bytes; not known of one that a crash kept from being noted.
    pub size_bytes: Option<u64>,
    /// SHA-256 of the bytes that were sent, in hexadecimal, where it is known. Where a crash has kept it from being noted, it is
    /// that of the source as it is now.
    pub sha256: Option<String>,
    /// Whether an earlier run has uploaded it.
    pub was_there: bool,
    /// What the scan came to, where it was waited for.
    pub verdict: Option<ScanVerdict>,
    /// What went wrong when the bytes were there: why the verdict is not known, or what could not be recorded.
    pub trouble: Option<Error>,
    /// The upload itself, where this run has done it.
    pub uploaded: Option<UploadedFile>,
}

impl BatchUpload {
    /// Whether it is there, and nothing is known against it.
    pub fn is_good(&self) -> bool {
        self.trouble.is_none() && matches!(self.verdict, None | Some(ScanVerdict::Clean))
    }
}

impl BatchReport {
    /// The files that are there and not known to be bad.
    pub fn good(&self) -> impl Iterator<Item = &BatchFile> {
        self.files.iter().filter(|file| file.outcome.as_ref().is_ok_and(BatchUpload::is_good))
    }

    /// The files that are there and blocked by the scan.
    pub fn blocked(&self) -> impl Iterator<Item = &BatchFile> {
        let is_blocked = |upload: &BatchUpload| !matches!(upload.verdict, None | Some(ScanVerdict::Clean));
        self.files.iter().filter(move |file| file.outcome.as_ref().is_ok_and(is_blocked))
    }

    /// The files that are there and not known to be bad, and with which something went wrong after that: see
    /// [`BatchUpload::trouble`].
    pub fn troubled(&self) -> impl Iterator<Item = &BatchFile> {
        let is_open = |upload: &BatchUpload| {
            upload.trouble.is_some() && matches!(upload.verdict, None | Some(ScanVerdict::Clean))
        };
        self.files.iter().filter(move |file| file.outcome.as_ref().is_ok_and(is_open))
    }

    /// The files that did not arrive, as far as is known.
    pub fn failed(&self) -> impl Iterator<Item = &BatchFile> {
        self.files.iter().filter(|file| file.outcome.is_err())
    }
}
