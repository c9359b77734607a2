//! The folder of a log: whose it is, what its files are called, and how they are made.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

const PREFIX: &str = "audit-";
const SUFFIX: &str = ".jsonl";
const DIGITS: usize = 20;
const LOCK: &str = "audit.lock";

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

/// A file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    /// The number of its first record, which its name says.
    pub(super) first_seq: u64,
}

impl Folder {
    /// Makes the folder where there is none, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        make_folder(path).map_err(|error| trouble("the folder of the audit log cannot be made", error))?;
        let lock = private()
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(|error| trouble("the lock of the audit log cannot be made", error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Locked,
                "another process or log writes to this audit log: give each its own folder, or stop the other one",
            )),
            Err(TryLockError::Error(error)) => Err(trouble("the audit log cannot be locked", error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file whose first record will have this number. One that is there and empty was made by a writer that
    /// ended before it wrote.
    pub(super) fn create(&self, first_seq: u64) -> io::Result<File> {
        let path = self.path.join(file_name(first_seq));
        let file = private().read(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() > 0 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        sync_folder(&self.path)?;
        Ok(file)
    }
}

impl Drop for Folder {
    /// Closing the file is not enough: a process that this one is just about to start has it open, too, for a moment.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// The files of a log by their order.
pub(super) fn files(folder: &Path) -> io::Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if let Some(first_seq) = first_seq(&name) {
            files.push(LogFile { path: entry.path(), name, first_seq });
        }
    }
    files.sort_by_key(|file| file.first_seq);
    Ok(files)
}

pub(super) fn file_name(first_seq: u64) -> String {
    format!("{PREFIX}{first_seq:0DIGITS$}{SUFFIX}")
}

fn first_seq(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (digits.len() == DIGITS).then_some(digits)?.parse().ok()
}

/// Makes what was created, renamed or removed in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// There is no such thing elsewhere; renames are journaled there.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens for writing; what is made is for its owner only.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// What went wrong with the disk, and what helps.
pub(super) fn trouble(what: &'static str, error: io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ", free some space",
        io::ErrorKind::PermissionDenied => ", check who owns the folder",
        io::ErrorKind::ReadOnlyFilesystem => ", it needs a folder that can be written to",
        _ => "",
    };
    Error::new(ErrorKind::Io, format!("{what}{help}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_numbers_do() {
        let names = [1, 9, 10, u64::MAX].map(file_name);
        assert!(names.is_sorted());
        assert_eq!(
            names.each_ref().map(|name| first_seq(name)),
            [Some(1), Some(9), Some(10), Some(u64::MAX)]
        );
        for other in
            ["audit-1.jsonl", "audit-00000000000000000001.jsonl.torn-1", "audit-removed.json", "audit.lock"]
        {
            assert_eq!(first_seq(other), None, "{other}");
        }
    }
}
