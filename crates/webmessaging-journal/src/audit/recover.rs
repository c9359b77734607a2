//! Where a log goes on: its last record, after what a crash has torn is out of the way.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use webmessaging_model::Timestamp;

use super::checkpoint::Checkpoint;
use super::folder::{self, Folder, LogFile, trouble};
use super::line::{self, Checked};
use super::removed;
use crate::error::{Error, ErrorKind};

/// More than is ever written at once, of which a crash can leave anything, and a whole record before it.
pub(super) const TAIL_BYTES: usize = 4 * 1024 * 1024;

/// So many torn pieces of one file are kept apart.
const TORN_MAX: u32 = 1_000;

/// The piece of a line that a crash has left at the end of a log; it was never acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Torn {
    /// Where it was put.
    pub moved_to: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

/// A log that can be written on.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) head: Checkpoint,
    /// When the first record of the file was made.
    pub(super) began: Option<Timestamp>,
    pub(super) torn: Option<Torn>,
}

/// Finds the end of the log, and makes its first file where there is none.
pub(super) fn recover(folder: &Folder) -> Result<Recovered, Error> {
    let removed = removed::read(folder.path())?;
    removed::finish(folder, removed.as_ref())?;
    let files = folder::files(folder.path()).map_err(unreadable)?;
    let start = removed.map_or(Checkpoint::START, |removed| removed.last());
    let Some((last, earlier)) = files.split_last() else {
        let file = folder.create(start.seq.saturating_add(1)).map_err(unwritable)?;
        return Ok(Recovered { file, length: 0, head: start, began: None, torn: None });
    };

    let mut file = folder::private().read(true).open(&last.path).map_err(unwritable)?;
    let mut tail = Tail::read(&mut file, last)?;
    let torn = tail.cut_torn(&mut file, folder, last)?;
    let head = match tail.last(last)? {
        Some(record) => record.at,
        // It was made, and nothing was written to it: the log goes on from the file before.
        None => match earlier.last() {
            Some(before) => end_of(before)?.at,
            None => start,
        },
    };
    let length = tail.length;
    if length == 0 && last.first_seq != head.seq.saturating_add(1) {
        return Err(damaged(last, "is empty and does not follow the file before it"));
    }
    let began = if length == 0 { None } else { Some(begin_of(last)?.time) };
    Ok(Recovered { file, length, head, began, torn })
}

/// The end of a file.
struct Tail {
    length: u64,
    bytes: Vec<u8>,
}

impl Tail {
    fn read(file: &mut File, named: &LogFile) -> Result<Self, Error> {
        let tail = u64::try_from(TAIL_BYTES).unwrap_or(u64::MAX);
        let read = |file: &mut File| {
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(tail)))?;
            let mut bytes = Vec::new();
            file.take(tail).read_to_end(&mut bytes)?;
            Ok(Self { length, bytes })
        };
        let read = read(file).map_err(unreadable)?;
        let is_whole = u64::try_from(read.bytes.len()).is_ok_and(|bytes| bytes == read.length.min(tail));
        if is_whole { Ok(read) } else { Err(damaged(named, "has changed while it was read")) }
    }

    /// Moves the piece behind the last line end, where there is one, to a file of its own.
    fn cut_torn(&mut self, file: &mut File, folder: &Folder, named: &LogFile) -> Result<Option<Torn>, Error> {
        let whole = match self.bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.bytes.len() < TAIL_BYTES => 0,
            None => return Err(damaged(named, "has no line end for longer than is ever written at once")),
        };
        let torn = self.bytes.split_off(whole);
        let bytes = u64::try_from(torn.len()).unwrap_or(u64::MAX);
        if bytes == 0 {
            return Ok(None);
        }
        let moved_to = keep_apart(&named.path, &torn)
            .and_then(|path| folder::sync_folder(folder.path()).map(|()| path))
            .map_err(|error| trouble("the torn end of the audit log cannot be put aside", error))?;
        self.length = self.length.saturating_sub(bytes);
        file.set_len(self.length).and_then(|()| file.sync_all()).map_err(unwritable)?;
        Ok(Some(Torn { moved_to, bytes }))
    }

    /// The last record; `None` of an empty file.
    fn last(&self, named: &LogFile) -> Result<Option<Checked>, Error> {
        let Some(lines) = self.bytes.strip_suffix(b"\n") else {
            return if self.length == 0 {
                Ok(None)
            } else {
                Err(damaged(named, "does not end with a line end"))
            };
        };
        let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let checked = line::check(last).map_err(|fault| {
            let what = format!("has a last record that is not what was written ({})", fault.code());
            damaged(named, &what)
        })?;
        Ok(Some(checked))
    }
}

/// The first record of a file that has one.
pub(super) fn begin_of(named: &LogFile) -> Result<Checked, Error> {
    let file = File::open(&named.path).map_err(unreadable)?;
    let mut first = Vec::new();
    let limit = u64::try_from(line::BYTES_MAX).unwrap_or(u64::MAX);
    BufReader::new(file.take(limit)).read_until(b'\n', &mut first).map_err(unreadable)?;
    line::check(first.strip_suffix(b"\n").unwrap_or(&first))
        .map_err(|_| damaged(named, "has a first record that is not what was written"))
}

/// The last record of a file that is not written to any more.
pub(super) fn end_of(named: &LogFile) -> Result<Checked, Error> {
    let mut file = File::open(&named.path).map_err(unreadable)?;
    let tail = Tail::read(&mut file, named)?;
    tail.last(named)?.ok_or_else(|| damaged(named, "is empty and not the last one"))
}

fn keep_apart(path: &Path, torn: &[u8]) -> io::Result<PathBuf> {
    for number in 1..=TORN_MAX {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".torn-{number}"));
        match folder::private().create_new(true).open(&name) {
            Ok(mut file) => {
                file.write_all(torn)?;
                file.sync_all()?;
                return Ok(name.into());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

pub(super) fn unreadable(error: io::Error) -> Error {
    trouble("the audit log cannot be read", error)
}

pub(super) fn unwritable(error: io::Error) -> Error {
    trouble("the audit log cannot be written", error)
}

pub(super) fn damaged(file: &LogFile, what: &str) -> Error {
    let message = format!(
        "the file {} of the audit log {what}: find out with `verify`, keep the folder as evidence, and begin a new one",
        file.name
    );
    Error::new(ErrorKind::Damaged, message)
}
