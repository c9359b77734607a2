//! Copies records of a time range or of one subject out of a log, as they are.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use serde::Deserialize;
use webmessaging_model::Timestamp;

use super::folder::LogFile;
use super::lines::{Line, Lines};
use super::recover::{damaged, unreadable};
use super::removed;
use super::verify::live_files;
use crate::error::{Error, ErrorKind};

/// Which records; all of them unless something else is set.
///
/// # Examples
/// ```
/// use webmessaging_journal::audit::Selection;
///
/// let day = Selection::all()
///     .from("2026-11-25T00:00:00Z".parse()?)
///     .until("2026-11-26T00:00:00Z".parse()?)
///     .subject("guest", "guest-1");
/// # let _ = day;
/// # Ok::<(), webmessaging_model::InvalidTimestamp>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "nothing is exported before `export` is called"]
pub struct Selection {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    subject: Option<(String, String)>,
}

impl Selection {
    /// All records.
    pub fn all() -> Self {
        Self::default()
    }

    /// Sets the first moment that counts.
    pub fn from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Sets the first moment that does not count any more.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.until = Some(at);
        self
    }

    /// Sets the one thing that the records are about, by its kind and id as in [`Subject`](crate::Subject).
    pub fn subject(mut self, kind: impl Into<String>, id: impl Into<String>) -> Self {
        self.subject = Some((kind.into(), id.into()));
        self
    }

    fn has(&self, members: &Members<'_>) -> bool {
        self.from.is_none_or(|from| members.time >= from)
            && self.until.is_none_or(|until| members.time < until)
            && self
                .subject
                .as_ref()
                .is_none_or(|(kind, id)| *members.subject.kind == **kind && *members.subject.id == **id)
    }
}

#[derive(Deserialize)]
struct Members<'a> {
    time: Timestamp,
    #[serde(borrow)]
    subject: SubjectMembers<'a>,
}

#[derive(Deserialize)]
struct SubjectMembers<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// Copies the lines of the records that were selected, byte for byte, and returns how many there were.
///
/// Each copy can still be checked against its own hash; that none is missing between two of them, only the whole log can
/// show. It does not check: [`verify`](super::verify) does. A last line that is torn, or just being written, is left out.
///
/// # Errors
/// [`ErrorKind::Io`] when the log cannot be read or the copy cannot be written, and [`ErrorKind::Damaged`] at a line that is
/// not a record.
pub fn export(
    folder: impl AsRef<Path>,
    selection: &Selection,
    to: &mut (impl Write + ?Sized),
) -> Result<u64, Error> {
    let folder = folder.as_ref();
    let failed =
        |error: io::Error| Error::new(ErrorKind::Io, "the copy cannot be written").with_source(error);
    let files = live_files(folder, removed::read(folder)?.as_ref())?;
    let mut copied = 0;
    for (index, file) in files.iter().enumerate() {
        let mut lines = match Lines::open(&file.path) {
            Ok(lines) => lines,
            // Removed by the rule meanwhile, as if the copy had been made after that.
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_removed(folder, file)? => continue,
            Err(error) => return Err(unreadable(error)),
        };
        while let Some(line) = lines.next().map_err(unreadable)? {
            let no_record = || damaged(file, "has a line that is not a record");
            let line = match line {
                Line::Whole(line) => line,
                Line::Torn if index + 1 == files.len() => break,
                Line::Torn | Line::TooLong => return Err(no_record()),
            };
            let members: Members<'_> = serde_json::from_slice(line).map_err(|_| no_record())?;
            if selection.has(&members) {
                to.write_all(line).and_then(|()| to.write_all(b"\n")).map_err(failed)?;
                copied += 1;
            }
        }
    }
    to.flush().map_err(failed)?;
    Ok(copied)
}

fn is_removed(folder: &Path, file: &LogFile) -> Result<bool, Error> {
    Ok(removed::read(folder)?.is_some_and(|removed| removed.has(file.first_seq)))
}
