//! Retention: whole old files go, and a stub says so.

use std::fs;
use std::time::Duration;

use webmessaging_model::Timestamp;

use super::checkpoint::Checkpoint;
use super::folder::{self, Folder, LogFile};
use super::recover::{begin_of, damaged, end_of, unreadable};
use super::removed::{self, Removed};
use crate::error::Error;
use crate::kind::Cause;

/// What of a log is kept. Files are removed as a whole, the oldest first; the one that is written to always stays.
///
/// Without any limit nothing is removed.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_journal::audit::Retention;
///
/// let year = Retention::new("gdpr_retention").keep_for(Duration::from_secs(365 * 86_400));
/// # let _ = year;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is removed before the log is told"]
pub struct Retention {
    cause: Cause,
    keep_for: Option<Duration>,
    keep_bytes: Option<u64>,
}

impl Retention {
    /// A rule, and the stable name of the reason for it.
    pub fn new(cause: impl Into<Cause>) -> Self {
        Self { cause: cause.into(), keep_for: None, keep_bytes: None }
    }

    /// Sets how long records are kept; for ever by default. A file goes when its last record is older.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.keep_for = Some(time);
        self
    }

    /// Sets how many bytes of files are kept; any number by default.
    pub fn keep_bytes(mut self, bytes: u64) -> Self {
        self.keep_bytes = Some(bytes);
        self
    }
}

/// Removes what is not to be kept. Returns the part of it that was removed now.
pub(super) fn apply(folder: &Folder, rule: &Retention, now: Timestamp) -> Result<Option<Removed>, Error> {
    let before = removed::read(folder.path())?;
    removed::finish(folder, before.as_ref())?;
    let files = folder::files(folder.path()).map_err(unreadable)?;
    let Some((_, old)) = files.split_last() else { return Ok(None) };

    let mut bytes = 0_u64;
    for file in &files {
        bytes = bytes.saturating_add(fs::metadata(&file.path).map_err(unreadable)?.len());
    }
    let mut end = before.as_ref().map_or(Checkpoint::START, Removed::last);
    let mut now_removed = None;
    for file in old {
        let part = part(file, end, rule, now)?;
        let is_too_old = rule.keep_for.is_some_and(|keep| now.since(part.to) > keep);
        if !is_too_old && rule.keep_bytes.is_none_or(|keep| bytes <= keep) {
            break;
        }
        bytes = bytes.saturating_sub(fs::metadata(&file.path).map_err(unreadable)?.len());
        end = part.last;
        now_removed = Some(Removed::and(now_removed, part));
    }
    let Some(now_removed) = now_removed else { return Ok(None) };
    // First the stub, then the files: what is not there is never unexplained.
    let all = Removed::and(before, now_removed.clone());
    removed::write(folder.path(), &all)?;
    removed::finish(folder, Some(&all))?;
    Ok(Some(now_removed))
}

/// A file as something that can be removed, if it follows what was before it.
fn part(file: &LogFile, before: Checkpoint, rule: &Retention, now: Timestamp) -> Result<Removed, Error> {
    let (first, last) = (begin_of(file)?, end_of(file)?);
    let follows = first.prev == before.hash && first.at.seq == before.seq.saturating_add(1);
    if !follows || last.at.seq < first.at.seq {
        return Err(damaged(file, "does not follow the file before it"));
    }
    Ok(Removed {
        records: (last.at.seq - first.at.seq).saturating_add(1),
        first_seq: first.at.seq,
        last: last.at,
        from: first.time,
        to: last.time,
        cause: rule.cause.clone(),
        removed_at: now,
        unrecorded_from: Some(first.at.seq),
    })
}
