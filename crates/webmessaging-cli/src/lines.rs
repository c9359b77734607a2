//! Files of lines, read one by one: no line is kept for longer than it takes.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::failure::{Failure, Local};

/// A longer line is nothing that anybody would send.
const LINE_BYTES_MAX: u64 = 256 * 1024;

/// What some editors put in front of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line with its number, counted from 1 as editors do; or why it is none.
pub(crate) type Numbered = (u64, Result<Vec<u8>, &'static str>);

/// The lines of a file, or of standard input for `-`.
pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    number: u64,
    shown: String,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let reader: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            Box::new(BufReader::new(File::open(path).map_err(|error| unreadable(&shown, error))?))
        };
        Ok(Self { reader, number: 0, shown })
    }

    /// What the file is called.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The next line without its end, an empty one as well; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Numbered>, Box<Local>> {
        self.read().map_err(|error| unreadable(&self.shown, error).into())
    }

    /// The same, with the error as it is.
    pub(crate) fn read(&mut self) -> io::Result<Option<Numbered>> {
        let mut text = Vec::new();
        let mut bounded = io::Read::take(&mut self.reader, LINE_BYTES_MAX);
        if bounded.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if text.last() != Some(&b'\n') && text.len() as u64 == LINE_BYTES_MAX {
            skip_line(&mut self.reader)?;
            return Ok(Some((self.number, Err("the line is too long"))));
        }
        if self.number == 1 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Some((self.number, Ok(text))))
    }
}

/// That a file cannot be read.
fn unreadable(shown: &str, error: io::Error) -> Local {
    Local::input("source", "cannot be read").about(shown).caused_by(error)
}

/// Leaves out the rest of a line without keeping it.
fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            reader.consume(end + 1);
            return Ok(());
        }
        let length = buffer.len();
        reader.consume(length);
    }
}
