//! Checks a whole log: streams it, and names the first record that is not as it should be.

use std::io;
use std::path::Path;

use super::checkpoint::Checkpoint;
use super::findings::{Fault, Problem, Verification};
use super::folder::{self, LogFile};
use super::line;
use super::lines::{Line, Lines};
use super::recover::unreadable;
use super::removed::{self, Removed};
use crate::error::Error;

/// How often a check begins anew because old files were removed meanwhile.
const TRIES: usize = 16;

/// Checks the log in a folder, and that it still has the record of `expected`, where one is given.
///
/// It reads the log as a stream, and may run while the log is written to: it can find a torn last line then. When old files are removed
/// meanwhile, it begins anew.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io) when the log cannot be read, and [`ErrorKind::Damaged`](crate::ErrorKind::Damaged)
/// when the stub of what was removed cannot be. What is wrong with the records themselves is in the result.
///
/// # Examples
/// ```
/// use webmessaging_journal::audit::verify;
///
/// # let folder = tempfile::tempdir()?;
/// let found = verify(folder.path(), None)?;
/// assert!(found.is_intact());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify(folder: impl AsRef<Path>, expected: Option<&Checkpoint>) -> Result<Verification, Error> {
    let folder = folder.as_ref();
    for _ in 1..TRIES {
        let before = removed::read(folder)?;
        let found = verify_once(folder, before.clone(), expected);
        if found.as_ref().is_ok_and(Verification::is_intact) || removed::read(folder)? == before {
            return found;
        }
        // Files were removed meanwhile by the rule: what was found of them says nothing.
    }
    verify_once(folder, removed::read(folder)?, expected)
}

fn verify_once(
    folder: &Path,
    removed: Option<Removed>,
    expected: Option<&Checkpoint>,
) -> Result<Verification, Error> {
    let files = live_files(folder, removed.as_ref())?;
    let before = removed.as_ref().map_or(Checkpoint::START, Removed::last);
    let found = Verification { removed, ..Verification::default() };
    let mut walk = Walk { expected, before, found };
    let problem = walk.all(&files).map_err(unreadable)?;
    Ok(Verification { problem, ..walk.found })
}

/// The files of a log but for those that were about to be removed.
pub(super) fn live_files(folder: &Path, removed: Option<&Removed>) -> Result<Vec<LogFile>, Error> {
    let mut files = folder::files(folder).map_err(unreadable)?;
    files.retain(|file| !removed.is_some_and(|removed| removed.has(file.first_seq)));
    Ok(files)
}

/// The way through a log.
struct Walk<'a> {
    expected: Option<&'a Checkpoint>,
    /// The record before the next one.
    before: Checkpoint,
    found: Verification,
}

impl Walk<'_> {
    fn all(&mut self, files: &[LogFile]) -> io::Result<Option<Problem>> {
        let problem =
            |file: &str, line, seq, fault| Some(Problem { file: file.to_owned(), line, seq, fault });
        if self.is_rewritten() {
            return Ok(problem("", 0, Some(self.before.seq), Fault::Rewritten));
        }
        let (mut last_file, mut last_line) = ("", 0);
        let mut rest = files;
        while let Some((file, further)) = rest.split_first() {
            self.found.files += 1;
            let mut lines = Lines::open(&file.path)?;
            loop {
                let named = (lines.number() == 0).then_some(file.first_seq);
                let Some(line) = lines.next()? else { break };
                if let Err((seq, mut fault)) = self.step(line, named) {
                    let number = lines.number();
                    if fault == Fault::Missing && self.comes_later(&mut lines, further)? {
                        fault = Fault::Order;
                    }
                    return Ok(problem(&file.name, number, seq, fault));
                }
            }
            (last_file, last_line) = (file.name.as_str(), lines.number());
            rest = further;
        }
        let cut = self.expected.filter(|expected| expected.seq > self.before.seq);
        Ok(cut.and_then(|expected| problem(last_file, last_line, Some(expected.seq), Fault::Truncated)))
    }

    /// Checks the next line, and its number against the one that a file is named after. The error has the number that the
    /// record says it has.
    fn step(&mut self, line: Line<'_>, named: Option<u64>) -> Result<(), (Option<u64>, Fault)> {
        let due = self.before.seq.saturating_add(1);
        let line = match line {
            Line::Whole(line) => line,
            Line::Torn => return Err((Some(due), Fault::Torn)),
            Line::TooLong => return Err((None, Fault::NotARecord)),
        };
        let record = line::check(line).map_err(|fault| (line::seq(line), fault))?;
        let seq = record.at.seq;
        let fault = if seq > due {
            Some(Fault::Missing)
        } else if seq < due {
            Some(Fault::Duplicate)
        } else if record.prev != self.before.hash {
            Some(Fault::Link)
        } else if named.is_some_and(|named| named != seq) {
            Some(Fault::Name)
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err((Some(seq), fault));
        }
        self.before = record.at;
        if self.is_rewritten() {
            return Err((Some(seq), Fault::Rewritten));
        }
        let found = &mut self.found;
        found.records += 1;
        found.first_seq.get_or_insert(seq);
        found.from.get_or_insert(record.time);
        (found.to, found.last) = (Some(record.time), Some(record.at));
        let removed = found.removed.as_ref().map(Removed::last);
        found.removal_on_record |= removed.is_some() && record.removal == removed;
        Ok(())
    }

    fn is_rewritten(&self) -> bool {
        self.expected.is_some_and(|expected| expected.seq == self.before.seq && *expected != self.before)
    }

    /// Whether the record that is due stands further back.
    fn comes_later(&self, lines: &mut Lines, further: &[LogFile]) -> io::Result<bool> {
        let due = Some(self.before.seq.saturating_add(1));
        if lines.has(due)? {
            return Ok(true);
        }
        for file in further {
            if Lines::open(&file.path)?.has(due)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
