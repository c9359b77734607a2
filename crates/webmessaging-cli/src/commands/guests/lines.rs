//! Guests in CSV or JSON Lines: one line is one guest.

use std::collections::BTreeSet;
use std::path::Path;

use csv::StringRecord;
use serde_json::{Map, Value, json};
use webmessaging::guests::GuestRecord;
use webmessaging::model::plain_identity::is_plain_identity;

use crate::args::guests::ImportFormat;
use crate::failure::{Failure, Local};
use crate::lines::Lines;

/// One line: a guest, or why it is none.
pub(super) struct Line {
    /// Counted from 1, as editors do.
    pub(super) number: u64,
    pub(super) record: Result<GuestRecord, Value>,
}

/// The lines of a list.
pub(super) struct GuestLines {
    lines: Lines,
    /// The columns of CSV.
    header: Option<StringRecord>,
}

impl GuestLines {
    pub(super) fn open(path: &Path, format: Option<ImportFormat>) -> Result<Self, Failure> {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let format = format.unwrap_or(if is_csv { ImportFormat::Csv } else { ImportFormat::Json });
        let mut lines = Self { lines: Lines::open(path)?, header: None };
        if format == ImportFormat::Csv {
            lines.header = Some(lines.columns()?);
        }
        Ok(lines)
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Box<Local>> {
        loop {
            let Some((number, read)) = self.lines.next()? else { return Ok(None) };
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

    fn columns(&mut self) -> Result<StringRecord, Box<Local>> {
        let header = match self.lines.next()? {
            Some((_, Ok(line))) => fields(&line).and_then(|header| check(&header).map(|()| header)),
            Some((_, Err(why))) => Err(why.to_owned()),
            None => Err("has no header".to_owned()),
        };
        header.map_err(|why| Box::new(Local::input("columns", why).about(self.lines.shown())))
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
