//! Guests in CSV or JSON Lines: one line is one guest, and no line is kept for longer than it takes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use csv::StringRecord;
use serde_json::{Map, Value, json};
use webmessaging::guests::GuestRecord;
use webmessaging::model::plain_identity::is_plain_identity;

use crate::args::guests::ImportFormat;
use crate::failure::{Failure, Local};

/// A longer line is no guest.
const LINE_BYTES_MAX: u64 = 256 * 1024;

/// What some editors put in front of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line: a guest, or why it is none.
pub(super) struct Line {
    /// Counted from 1, as editors do.
    pub(super) number: u64,
    pub(super) record: Result<GuestRecord, Value>,
}

/// The lines of a list.
pub(super) struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// The columns of CSV.
    header: Option<StringRecord>,
    number: u64,
    shown: String,
}

impl Lines {
    pub(super) fn open(path: &Path, format: Option<ImportFormat>) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let format = format.unwrap_or(if is_csv { ImportFormat::Csv } else { ImportFormat::Json });
        let reader: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let opened = File::open(path);
            let unreadable = |error| Local::input("source", "cannot be read").about(&*shown).caused_by(error);
            Box::new(BufReader::new(opened.map_err(unreadable)?))
        };
        let mut lines = Self { reader, header: None, number: 0, shown };
        if format == ImportFormat::Csv {
            lines.header = Some(lines.columns()?);
        }
        Ok(lines)
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Box<Local>> {
        loop {
            let Some(read) = self.read()? else { return Ok(None) };
            let number = self.number;
            let text = match read {
                Ok(text) if text.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(text) => text,
                Err(why) => return Ok(Some(Line { number, record: Err(json!({"reason": why})) })),
            };
            let record = match &self.header {
                None => GuestRecord::from_json(&text).map_err(|_| json!({"reason": "not JSON of a guest"})),
                Some(header) => {
                    fields(&text).and_then(|row| from_row(header, &row)).map_err(|why| json!({"reason": why}))
                }
            };
            return Ok(Some(Line { number, record }));
        }
    }

    /// One line without its end, or why it is none; nothing at the end.
    fn read(&mut self) -> Result<Option<Result<Vec<u8>, &'static str>>, Box<Local>> {
        let mut text = Vec::new();
        let unreadable =
            |error| Local::input("source", "cannot be read").about(&*self.shown).caused_by(error);
        let mut bounded = io::Read::take(&mut self.reader, LINE_BYTES_MAX);
        if bounded.read_until(b'\n', &mut text).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if text.last() != Some(&b'\n') && text.len() as u64 == LINE_BYTES_MAX {
            skip_line(&mut self.reader).map_err(unreadable)?;
            return Ok(Some(Err("the line is too long")));
        }
        if self.number == 1 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Some(Ok(text)))
    }

    fn columns(&mut self) -> Result<StringRecord, Box<Local>> {
        let read = self.read()?;
        let header = match read {
            Some(Ok(line)) => fields(&line).and_then(|header| check(&header).map(|()| header)),
            Some(Err(why)) => Err(why.to_owned()),
            None => Err("has no header".to_owned()),
        };
        header.map_err(|why| Box::new(Local::input("columns", why).about(&*self.shown)))
    }
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

/// The fields of a line of CSV. A guest is one line: what is in quotes has no line end.
fn fields(line: &[u8]) -> Result<StringRecord, String> {
    let is_open = line.iter().fold(false, |is_open, byte| is_open ^ (*byte == b'"'));
    if is_open {
        return Err("a quote is not closed in its line".to_owned());
    }
    let mut row = StringRecord::new();
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).buffer_capacity(line.len().max(1)).from_reader(line);
    match reader.read_record(&mut row) {
        Ok(_) => Ok(row),
        // What the library says can have the line in it.
        Err(_) => Err("not CSV in UTF-8".to_owned()),
    }
}

const COLUMNS: [&str; 8] = [
    "email",
    "phone",
    "region",
    "marketing",
    "dataProcessing",
    "deviceFingerprint",
    "originPage",
    "campaignId",
];

const ATTRIBUTE: &str = "attributes.";

/// A column that nobody knows would be left out without a word, and of one that is there twice only one would count.
fn check(header: &StringRecord) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (number, name) in (1..).zip(header) {
        if !COLUMNS.contains(&name) && !name.starts_with(ATTRIBUTE) {
            // Without a header, this is somebody's address.
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
                && !is_plain_identity(name);
            let shown = if is_name { format!(" ({name})") } else { String::new() };
            return Err(format!(
                "column {number}{shown} is none; there are {}, and attributes.NAME",
                COLUMNS.join(", ")
            ));
        }
        if !seen.insert(name) {
            return Err(format!("column {number} is there twice"));
        }
    }
    match ["marketing", "dataProcessing"].into_iter().find(|name| !seen.contains(name)) {
        Some(name) => Err(format!("has no column {name}")),
        None => Ok(()),
    }
}

fn from_row(header: &StringRecord, row: &StringRecord) -> Result<GuestRecord, String> {
    if header.len() != row.len() {
        return Err(format!("has {} fields, and the header {}", row.len(), header.len()));
    }
    let (mut fields, mut attributes) = (Map::new(), Map::new());
    for (name, value) in header.iter().zip(row).filter(|(_, value)| !value.is_empty()) {
        if let Some(attribute) = name.strip_prefix(ATTRIBUTE) {
            attributes.insert(attribute.to_owned(), value.into());
        } else if matches!(name, "marketing" | "dataProcessing") {
            let flag = yes_or_no(value).ok_or_else(|| format!("{name} is neither yes nor no"))?;
            fields.insert(name.to_owned(), flag.into());
        } else {
            fields.insert(name.to_owned(), value.into());
        }
    }
    fields.insert("attributes".to_owned(), Value::Object(attributes));
    let json = Value::Object(fields).to_string();
    GuestRecord::from_json(json.as_bytes()).map_err(|_| "marketing or dataProcessing is empty".to_owned())
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}
