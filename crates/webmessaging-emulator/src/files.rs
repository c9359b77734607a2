//! The announced files and how far each has come: pending, scanning, judged.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempPath;
use uuid::Uuid;

use crate::answer::Refusal;
use crate::scan::Verdict;
use crate::state::lock;
use crate::uploads::UploadRequest;

/// A file as it is at one moment.
#[derive(Clone, Debug)]
pub(crate) struct FileView {
    pub(crate) request: Arc<UploadRequest>,
    pub(crate) phase: Phase,
}

/// How far a file has come. Phases follow one another in this order only.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// Announced; no bytes yet.
    Pending,
    /// All bytes are there; the verdict is not.
    Scanning,
    /// Scanned.
    Judged { verdict: Verdict, path: Arc<TempPath> },
}

/// The bytes of a file, complete.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) path: TempPath,
    pub(crate) sha256: [u8; 32],
    /// Computed while the bytes came in, but told only when the scan's time is over.
    pub(crate) verdict: Verdict,
}

/// Bytes that several files can share.
#[derive(Clone, Debug)]
pub(crate) struct SharedContent {
    pub(crate) path: Arc<TempPath>,
    pub(crate) sha256: [u8; 32],
    pub(crate) verdict: Verdict,
}

/// What became of complete bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// They are the file's first content.
    Stored,
    /// They are the file's content in place of other bytes; the scan begins anew.
    Replaced,
    /// The verdict was already out, and these are the bytes it was about: a repeated transfer changes nothing.
    Unchanged,
    /// The verdict was already out on other bytes.
    TooLate,
}

/// All files of one emulator. Their number is bounded only by memory: about 1 KiB each.
#[derive(Debug)]
pub(crate) struct Files {
    scan_duration: Duration,
    files: Mutex<HashMap<Uuid, StoredFile>>,
}

/// A file with its bytes. Clones share them: once they are complete they never change, and they stay on disk as long
/// as any clone needs them.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    request: Arc<UploadRequest>,
    upload: Option<Upload>,
}

#[derive(Clone, Debug)]
struct Upload {
    path: Arc<TempPath>,
    sha256: [u8; 32],
    verdict: Verdict,
    /// When the verdict is out; `None` is never, for a scan longer than time can be written.
    judged_at: Option<SystemTime>,
    /// Whether the webhooks have been told of the verdict.
    is_told: bool,
}

impl StoredFile {
    /// The file as it is `now`.
    pub(crate) fn view(&self, now: SystemTime) -> FileView {
        FileView {
            request: Arc::clone(&self.request),
            phase: match &self.upload {
                None => Phase::Pending,
                Some(upload) if upload.is_judged(now) => {
                    Phase::Judged { verdict: upload.verdict, path: Arc::clone(&upload.path) }
                }
                Some(_) => Phase::Scanning,
            },
        }
    }

    fn untold(&self) -> Option<&Upload> {
        self.upload.as_ref().filter(|upload| !upload.is_told)
    }
}

impl Upload {
    fn is_judged(&self, now: SystemTime) -> bool {
        self.judged_at.is_some_and(|at| now >= at)
    }
}

impl Files {
    pub(crate) fn new(scan_duration: Duration) -> Self {
        Self { scan_duration, files: Mutex::default() }
    }

    /// Makes a file for an announcement.
    pub(crate) fn reserve(&self, request: UploadRequest) -> Result<Uuid, Refusal> {
        let id = Uuid::new_v4();
        lock(&self.files)?.insert(id, StoredFile { request: Arc::new(request), upload: None });
        Ok(id)
    }

    /// The file as it is `now`.
    pub(crate) fn view(&self, id: Uuid, now: SystemTime) -> Result<Option<FileView>, Refusal> {
        Ok(lock(&self.files)?.get(&id).map(|file| file.view(now)))
    }

    /// All files as they are.
    pub(crate) fn capture(&self) -> HashMap<Uuid, StoredFile> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts these files in place of all others.
    pub(crate) fn restore(&self, files: HashMap<Uuid, StoredFile>) {
        // Dropped after the lock is free again: a file that nobody needs any more is removed from disk.
        let mut current = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let old = mem::replace(&mut *current, files);
        self.files.clear_poison();
        drop(current);
        drop(old);
    }

    /// A file that has been there before any request. With `is_scanning` its scan begins `now`; otherwise it is over.
    pub(crate) fn seeded(
        &self,
        request: Arc<UploadRequest>,
        content: Option<&SharedContent>,
        is_scanning: bool,
        now: SystemTime,
    ) -> StoredFile {
        let upload = content.map(|content| Upload {
            path: Arc::clone(&content.path),
            sha256: content.sha256,
            verdict: content.verdict,
            judged_at: if is_scanning { now.checked_add(self.scan_duration) } else { Some(now) },
            is_told: !is_scanning,
        });
        StoredFile { request, upload }
    }

    /// Makes complete bytes the content of the file, unless its verdict is already out.
    pub(crate) fn commit(&self, id: Uuid, content: Content, now: SystemTime) -> Result<Commit, Refusal> {
        let mut files = lock(&self.files)?;
        let file = files.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if let Some(upload) = &file.upload
            && upload.is_judged(now)
        {
            return Ok(if upload.sha256 == content.sha256 { Commit::Unchanged } else { Commit::TooLate });
        }
        let former = file.upload.replace(Upload {
            path: Arc::new(content.path),
            sha256: content.sha256,
            verdict: content.verdict,
            judged_at: now.checked_add(self.scan_duration),
            is_told: false,
        });
        Ok(if former.is_some() { Commit::Replaced } else { Commit::Stored })
    }

    /// When the verdict on the present content is out; `None` if there is none to come or it has been told.
    pub(crate) fn untold_until(&self, id: Uuid) -> Option<SystemTime> {
        lock(&self.files).ok()?.get(&id)?.untold()?.judged_at
    }

    /// The files whose verdict has not been told.
    pub(crate) fn all_untold(&self) -> Vec<Uuid> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().filter(|(_, file)| file.untold().is_some()).map(|(id, _)| *id).collect()
    }

    /// The verdict, if it is out `now` and nobody has been given it here before.
    pub(crate) fn tell(&self, id: Uuid, now: SystemTime) -> Option<Verdict> {
        let mut files = lock(&self.files).ok()?;
        let upload = files.get_mut(&id)?.upload.as_mut()?;
        let is_due = upload.is_judged(now) && !upload.is_told;
        is_due.then(|| {
            upload.is_told = true;
            upload.verdict
        })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;

    use super::*;

    #[test]
    fn a_verdict_is_told_once_in_each_life_and_not_before_it_is_out() {
        let start = SystemTime::UNIX_EPOCH;
        let scan = Duration::from_secs(10);
        let files = Files::new(scan);
        let request = UploadRequest {
            file_name: "a.txt".to_owned(),
            content_type: "text/plain".to_owned(),
            file_size: 1,
            message_id: "message-1".to_owned(),
        };
        let id = files.reserve(request).unwrap();
        assert_eq!((files.untold_until(id), files.all_untold()), (None, vec![]));
        let verdict = Verdict { is_malicious: false, is_format_valid: true };
        let path = NamedTempFile::new().unwrap().into_temp_path();
        files.commit(id, Content { path, sha256: [0; 32], verdict }, start).unwrap();
        let scanning = files.capture();
        for _ in 0..2 {
            assert_eq!((files.untold_until(id), files.all_untold()), (Some(start + scan), vec![id]));
            assert_eq!(files.tell(id, start), None);
            assert_eq!(files.tell(id, start + scan), Some(verdict));
            assert_eq!(files.tell(id, start + scan), None);
            assert_eq!((files.untold_until(id), files.all_untold()), (None, vec![]));
            files.restore(scanning.clone());
        }
    }
}
