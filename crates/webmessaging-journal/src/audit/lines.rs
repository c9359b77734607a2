//! The lines of a file, one at a time and none longer than a record can be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::line;

#[derive(Debug)]
pub(super) struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Without its line end.
    Whole(&'a [u8]),
    /// The file ends before the line does.
    Torn,
    /// Longer than a record can be; what follows is the rest of it.
    TooLong,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let reader = BufReader::with_capacity(line::BYTES_MAX, File::open(path)?);
        Ok(Self { reader, line: Vec::new(), number: 0 })
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let limit = line::BYTES_MAX + 1;
        let mut limited = self.reader.by_ref().take(u64::try_from(limit).unwrap_or(u64::MAX));
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(match self.line.strip_suffix(b"\n") {
            Some(line) => Line::Whole(line),
            None if self.line.len() < limit => Line::Torn,
            None => Line::TooLong,
        }))
    }

    /// The number of the line that was read last, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether one of the lines that are left has this number.
    pub(super) fn has(&mut self, seq: Option<u64>) -> io::Result<bool> {
        while let Some(line) = self.next()? {
            if let Line::Whole(line) = line
                && line::seq(line) == seq
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
