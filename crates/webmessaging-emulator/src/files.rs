//! The announced files and how far each has come: pending, scanning, judged.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempPath;
use uuid::Uuid;

use crate::announced::Announced;
use crate::answer::Refusal;
use crate::scan::{Verdict, VirusScan};
use crate::state::lock;
use crate::verdicts::{RejudgeError, ScanFailures};

/// A file as it is at one moment.
#[derive(Debug)]
pub(crate) struct FileView<A> {
    pub(crate) request: Arc<A>,
    pub(crate) phase: Phase,
    /// Of its bytes, once they are complete.
    pub(crate) sha256: Option<[u8; 32]>,
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

/// All files of one emulator that are announced in the same way. Their number is bounded only by memory: about 1 KiB each.
#[derive(Debug)]
pub(crate) struct Files<A> {
    scan_duration: Duration,
    failures: Arc<ScanFailures>,
    by_id: Mutex<HashMap<Uuid, StoredFile<A>>>,
}

/// A file with its bytes. Clones share them: once they are complete they never change, and they stay on disk as long
/// as any clone needs them.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile<A> {
    request: Arc<A>,
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

impl<A> StoredFile<A> {
    /// The file as it is `now`.
    pub(crate) fn view(&self, now: SystemTime) -> FileView<A> {
        FileView {
            request: Arc::clone(&self.request),
            sha256: self.upload.as_ref().map(|upload| upload.sha256),
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

impl<A: Announced> Files<A> {
    pub(crate) fn new(scan_duration: Duration, failures: Arc<ScanFailures>) -> Self {
        Self { scan_duration, failures, by_id: Mutex::default() }
    }

    /// Makes a file for an announcement.
    pub(crate) fn reserve(&self, request: A) -> Result<Uuid, Refusal> {
        let id = Uuid::new_v4();
        lock(&self.by_id)?.insert(id, StoredFile { request: Arc::new(request), upload: None });
        Ok(id)
    }

    /// Changes the announcement of a file whose bytes are not there yet, and gives it as it is then; `None` when they are.
    pub(crate) fn announce_again(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut A),
    ) -> Result<Option<Arc<A>>, Refusal> {
        let mut files = lock(&self.by_id)?;
        let file = files.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if file.upload.is_some() {
            return Ok(None);
        }
        change(Arc::make_mut(&mut file.request));
        Ok(Some(Arc::clone(&file.request)))
    }

    /// The file as it is `now`.
    pub(crate) fn view(&self, id: Uuid, now: SystemTime) -> Result<Option<FileView<A>>, Refusal> {
        Ok(lock(&self.by_id)?.get(&id).map(|file| file.view(now)))
    }

    /// All files as they are.
    pub(crate) fn capture(&self) -> HashMap<Uuid, StoredFile<A>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts these files in place of all others.
    pub(crate) fn restore(&self, files: HashMap<Uuid, StoredFile<A>>) {
        // Dropped after the lock is free again: a file that nobody needs any more is removed from disk.
        let mut current = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        let old = mem::replace(&mut *current, files);
        self.by_id.clear_poison();
        drop(current);
        drop(old);
    }

    /// A file that has been there before any request. With `is_scanning` its scan begins `now`; otherwise it is over.
    pub(crate) fn seeded(
        &self,
        request: Arc<A>,
        content: Option<&SharedContent>,
        is_scanning: bool,
        now: SystemTime,
    ) -> StoredFile<A> {
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
        let mut files = lock(&self.by_id)?;
        let file = files.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if let Some(upload) = &file.upload
            && upload.is_judged(now)
        {
            return Ok(if upload.sha256 == content.sha256 { Commit::Unchanged } else { Commit::TooLate });
        }
        // Bytes that are sent again are met by the scan that those before them were to meet.
        let fails = file.upload.as_ref().map(|former| former.verdict.virus_scan == VirusScan::Failed);
        let virus_scan = if !file.request.is_scanned() {
            VirusScan::Skipped
        } else if fails.unwrap_or_else(|| self.failures.take()) {
            VirusScan::Failed
        } else {
            content.verdict.virus_scan
        };
        let former = file.upload.replace(Upload {
            path: Arc::new(content.path),
            sha256: content.sha256,
            verdict: Verdict { virus_scan, ..content.verdict },
            judged_at: now.checked_add(self.scan_duration),
            is_told: false,
        });
        Ok(if former.is_some() { Commit::Replaced } else { Commit::Stored })
    }

    /// When the verdict on the present content is out; `None` if there is none to come or it has been told.
    pub(crate) fn untold_until(&self, id: Uuid) -> Option<SystemTime> {
        lock(&self.by_id).ok()?.get(&id)?.untold()?.judged_at
    }

    /// The files whose verdict has not been told.
    pub(crate) fn all_untold(&self) -> Vec<Uuid> {
        let files = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().filter(|(_, file)| file.untold().is_some()).map(|(id, _)| *id).collect()
    }

    /// The file and its verdict, if that is out `now` and nobody has been given it here before.
    pub(crate) fn tell(&self, id: Uuid, now: SystemTime) -> Option<(Arc<A>, Verdict)> {
        let mut files = lock(&self.by_id).ok()?;
        let file = files.get_mut(&id)?;
        let upload = file.upload.as_mut()?;
        let is_due = upload.is_judged(now) && !upload.is_told;
        is_due.then(|| {
            upload.is_told = true;
            (Arc::clone(&file.request), upload.verdict)
        })
    }

    /// Changes what the virus scan of a judged file came to, and gives the file with its new verdict, to be told.
    pub(crate) fn rejudge(
        &self,
        id: Uuid,
        virus_scan: VirusScan,
        now: SystemTime,
    ) -> Result<(Arc<A>, Verdict), RejudgeError> {
        let mut files = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        let file = files.get_mut(&id).ok_or(RejudgeError::NotFound)?;
        let judged = file.upload.as_mut().filter(|upload| upload.is_judged(now));
        let upload = judged.ok_or(RejudgeError::NotJudged)?;
        upload.verdict.virus_scan = virus_scan;
        upload.is_told = true;
        Ok((Arc::clone(&file.request), upload.verdict))
    }
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;

    use super::*;
    use crate::uploads::UploadRequest;

    #[test]
    fn a_verdict_is_told_once_in_each_life_and_not_before_it_is_out() {
        let start = SystemTime::UNIX_EPOCH;
        let scan = Duration::from_secs(10);
        let files = Files::new(scan, Arc::default());
        let request = UploadRequest {
            file_name: "a.txt".to_owned(),
            content_type: "text/plain".to_owned(),
            file_size: 1,
            message_id: "message-1".to_owned(),
        };
        let id = files.reserve(request).unwrap();
        assert_eq!((files.untold_until(id), files.all_untold()), (None, vec![]));
        let verdict = Verdict { virus_scan: VirusScan::Clean, is_format_valid: true };
        let path = NamedTempFile::new().unwrap().into_temp_path();
        files.commit(id, Content { path, sha256: [0; 32], verdict }, start).unwrap();
        let scanning = files.capture();
        for _ in 0..2 {
            assert_eq!((files.untold_until(id), files.all_untold()), (Some(start + scan), vec![id]));
            assert!(files.tell(id, start).is_none());
            assert_eq!(files.tell(id, start + scan).unwrap().1, verdict);
            assert!(files.tell(id, start + scan).is_none());
            assert_eq!((files.untold_until(id), files.all_untold()), (None, vec![]));
            files.restore(scanning.clone());
        }
    }
}
