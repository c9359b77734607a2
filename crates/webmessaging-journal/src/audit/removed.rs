//! The stub of what was removed: how much, until where, and why, so that the rest of the chain still has a beginning.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use webmessaging_model::Timestamp;

use super::checkpoint::Checkpoint;
use super::folder::{self, Folder};
use super::recover::{unreadable, unwritable};
use crate::error::{Error, ErrorKind};
use crate::kind::Cause;

const NAME: &str = "audit-removed.json";

/// A larger one is none of ours.
const BYTES_MAX: u64 = 16 * 1024;

/// All records that were ever removed from the beginning of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Removed {
    /// How many there were.
    pub records: u64,
    /// The number of the first one.
    pub first_seq: u64,
    /// The number and the hash of the last one, which the first record that is left refers to.
    pub last: Checkpoint,
    /// The time of the first one.
    pub from: Timestamp,
    /// The time of the last one.
    pub to: Timestamp,
    /// Why the last of them were removed, as a stable name.
    pub cause: Cause,
    /// When the last of them were removed.
    pub removed_at: Timestamp,
    /// The first of those whose removal the log has no record of yet: when the record could not be written, it follows as soon as
    /// one can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrecorded_from: Option<u64>,
}

impl Removed {
    pub(super) fn last(&self) -> Checkpoint {
        self.last
    }

    /// The same and more behind it.
    pub(super) fn and(before: Option<Self>, more: Self) -> Self {
        match before {
            None => more,
            Some(before) => Self {
                records: before.records.saturating_add(more.records),
                first_seq: before.first_seq,
                from: before.from,
                unrecorded_from: before.unrecorded_from.or(more.unrecorded_from),
                ..more
            },
        }
    }

    /// Whether a file has been removed, or was about to be.
    pub(super) fn has(&self, first_seq: u64) -> bool {
        first_seq <= self.last.seq
    }
}

/// The stub of a log; `None` where nothing was removed.
pub(super) fn read(folder: &Path) -> Result<Option<Removed>, Error> {
    let path = folder.join(NAME);
    let text = match fs::metadata(&path).and_then(|metadata| {
        if metadata.len() > BYTES_MAX { Err(io::ErrorKind::InvalidData.into()) } else { fs::read(&path) }
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let removed = serde_json::from_slice(&text).map_err(|_| {
        Error::new(ErrorKind::Damaged, format!("{NAME} is not what was written: restore it from a backup"))
    })?;
    Ok(Some(removed))
}

/// Replaces the stub as a whole, durably.
pub(super) fn write(folder: &Path, removed: &Removed) -> Result<(), Error> {
    let beside = folder.join(format!("{NAME}.tmp"));
    let text = serde_json::to_vec(removed).map_err(|error| unwritable(error.into()))?;
    let written = folder::private().create(true).truncate(true).open(&beside).and_then(|mut file| {
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, folder.join(NAME)))
        .and_then(|()| folder::sync_folder(folder))
        .map_err(unwritable)
}

/// Removes the files that the stub speaks of; a crash can have come between the stub and that.
pub(super) fn finish(folder: &Folder, removed: Option<&Removed>) -> Result<(), Error> {
    let Some(removed) = removed else { return Ok(()) };
    let files = folder::files(folder.path()).map_err(unreadable)?;
    // The newest file is never removed, whatever a stub says.
    let Some((_, old)) = files.split_last() else { return Ok(()) };
    let mut leftover = old.iter().filter(|file| removed.has(file.first_seq)).peekable();
    if leftover.peek().is_none() {
        return Ok(());
    }
    leftover.try_for_each(|file| fs::remove_file(&file.path)).map_err(unwritable)?;
    folder::sync_folder(folder.path()).map_err(unwritable)
}
