//! Guests in CSV or JSON Lines, one at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use csv::StringRecord;
use serde_json::{Map, Value, json};
use webmessaging::guests::GuestRecord;

use crate::args::guests::ImportFormat;
use crate::failure::{Failure, Local};

/// A longer line is no guest.
const LINE_BYTES_MAX: u64 = 256 * 1024;

/// One line: a guest, or why it is none.
pub(super) struct Read {
    /// Counted from 1, as editors do.
    pub(super) line: u64,
    pub(super) record: Result<GuestRecord, Value>,
}

pub(super) struct Lines {
    source: Source,
    shown: String,
}

enum Source {
    Csv { reader: Box<csv::Reader<Box<dyn io::Read>>>, header: StringRecord, row: StringRecord },
    Json { reader: Box<dyn BufRead>, line: u64 },
}

impl Lines {
    pub(super) fn open(path: &Path, format: Option<ImportFormat>) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let format = format.unwrap_or(if is_csv { ImportFormat::Csv } else { ImportFormat::Json });
        let input: Box<dyn io::Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            let opened = File::open(path);
            let unreadable = |error| Local::input("source", "cannot be read").about(&*shown).caused_by(error);
            Box::new(opened.map_err(unreadable)?)
        };
        let source = match format {
            ImportFormat::Json => Source::Json { reader: Box::new(BufReader::new(input)), line: 0 },
            ImportFormat::Csv => {
                let mut reader = Box::new(csv::ReaderBuilder::new().flexible(false).from_reader(input));
                let header = reader.headers().cloned().map_err(|error| broken(&error, &shown))?;
                check(&header, &shown)?;
                Source::Csv { reader, header, row: StringRecord::new() }
            }
        };
        Ok(Self { source, shown })
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Read>, Failure> {
        match &mut self.source {
            Source::Csv { reader, header, row } => match reader.read_record(row) {
                Ok(true) => {
                    let line = row.position().map_or(0, csv::Position::line);
                    Ok(Some(Read { line, record: from_row(header, row) }))
                }
                Ok(false) => Ok(None),
                // A row with too many fields, or not in UTF-8, says nothing about the next one.
                Err(error) if !error.is_io_error() => {
                    let line = error.position().map_or(0, csv::Position::line);
                    Ok(Some(Read { line, record: Err(json!({"reason": reason(&error)})) }))
                }
                Err(error) => Err(broken(&error, &self.shown)),
            },
            Source::Json { reader, line } => loop {
                let mut text = Vec::new();
                let read = io::Read::take(&mut *reader, LINE_BYTES_MAX).read_until(b'\n', &mut text);
                let unreadable =
                    |error| Local::input("source", "cannot be read").about(&*self.shown).caused_by(error);
                if read.map_err(unreadable)? == 0 {
                    return Ok(None);
                }
                *line += 1;
                if text.last() != Some(&b'\n') && text.len() as u64 == LINE_BYTES_MAX {
                    let skipped = skip_line(reader).map_err(unreadable);
                    skipped?;
                    let record = Err(json!({"reason": "the line is too long"}));
                    return Ok(Some(Read { line: *line, record }));
                }
                if text.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                // The parser's words can quote the line.
                let record =
                    serde_json::from_slice(&text).map_err(|_| json!({"reason": "not JSON of a guest"}));
                return Ok(Some(Read { line: *line, record }));
            },
        }
    }
}

/// Leaves out the rest of a line without keeping it.
fn skip_line(reader: &mut Box<dyn BufRead>) -> io::Result<()> {
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

/// A column that nobody knows would be left out without a word.
fn check(header: &StringRecord, shown: &str) -> Result<(), Failure> {
    let unknown = header.iter().find(|name| !COLUMNS.contains(name) && !name.starts_with(ATTRIBUTE));
    let missing =
        ["marketing", "dataProcessing"].into_iter().find(|name| !header.iter().any(|column| column == *name));
    let what = match (unknown, missing) {
        (Some(name), _) => format!(
            "has a column that there is not: {name}; there are {}, and attributes.NAME",
            COLUMNS.join(", ")
        ),
        (None, Some(name)) => format!("has no column {name}"),
        (None, None) => return Ok(()),
    };
    Err(Local::input("columns", what).about(shown).into())
}

fn from_row(header: &StringRecord, row: &StringRecord) -> Result<GuestRecord, Value> {
    let mut fields = Map::new();
    let mut attributes = BTreeMap::new();
    for (name, value) in header.iter().zip(row) {
        if value.is_empty() {
            continue;
        }
        if let Some(attribute) = name.strip_prefix(ATTRIBUTE) {
            attributes.insert(attribute, value);
        } else if matches!(name, "marketing" | "dataProcessing") {
            let flag =
                yes_or_no(value).ok_or_else(|| json!({"reason": format!("{name} is neither yes nor no")}))?;
            fields.insert(name.to_owned(), flag.into());
        } else {
            fields.insert(name.to_owned(), value.into());
        }
    }
    fields.insert("attributes".to_owned(), json!(attributes));
    serde_json::from_value(Value::Object(fields))
        .map_err(|_| json!({"reason": "marketing or dataProcessing is empty"}))
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn broken(error: &csv::Error, shown: &str) -> Failure {
    Local::input("source", format!("cannot be read: {}", reason(error))).about(shown).into()
}

/// Without what was in the line.
fn reason(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "not text in UTF-8",
        csv::ErrorKind::UnequalLengths { .. } => "another number of fields than the header",
        csv::ErrorKind::Io(_) => "the file cannot be read",
        _ => "not CSV",
    }
}
