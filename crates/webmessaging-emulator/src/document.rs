//! Documents that people write by hand: what is wrong with one is told all at once.

mod fields;
mod problems;
#[cfg(feature = "toml")]
mod toml;

use std::error::Error;
use std::fmt;
use std::fmt::Display;
#[cfg(feature = "toml")]
use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

pub(crate) use self::fields::Fields;
pub(crate) use self::problems::{Place, Problems, quoted};

/// More problems than this are counted, but not listed.
const PROBLEMS_MAX: usize = 100;

/// A longer name is not repeated to its author.
const NAME_BYTES_MAX: usize = 64;

/// The longest document that is read from a file, in bytes.
#[cfg(feature = "toml")]
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// One mistake in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocumentProblem {
    /// Line of the text, counted from 1. `None` where lines say nothing: in a document made by code, and in JSON that
    /// is well formed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Part of the document, such as `rule 2`, counted from 1; empty for the document as a whole.
    pub place: String,
    /// Key of the field, behind those of the tables around it (`outer/inner`); empty when no single field is to blame.
    pub field: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl Display for DocumentProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.field] {
            if !part.is_empty() {
                write!(formatter, "{part}: ")?;
            }
        }
        formatter.write_str(&self.message)
    }
}

/// Why a fault script or a seed is refused.
///
/// `Display` has one line for each problem, with file and line where they are known, as compilers print them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    file: Option<PathBuf>,
    problems: Vec<DocumentProblem>,
    unlisted: usize,
}

impl DocumentError {
    pub(crate) fn new(problems: Vec<DocumentProblem>, unlisted: usize) -> Self {
        Self { file: None, problems, unlisted }
    }

    /// A mistake in one field of a document that is well formed otherwise.
    pub(crate) fn of_field(field: &str, message: String) -> Self {
        let field = field.to_owned();
        Self::new(vec![DocumentProblem { field, message, ..DocumentProblem::default() }], 0)
    }

    fn whole(line: Option<usize>, message: impl Into<String>) -> Self {
        Self::new(vec![DocumentProblem { line, message: message.into(), ..DocumentProblem::default() }], 0)
    }

    /// Every problem, up to 100; `Display` says how many more there are.
    pub fn problems(&self) -> &[DocumentProblem] {
        &self.problems
    }
}

impl Display for DocumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            match (&self.file, problem.line) {
                (Some(file), Some(line)) => write!(formatter, "{}:{line}: ", file.display())?,
                (Some(file), None) => write!(formatter, "{}: ", file.display())?,
                (None, Some(line)) => write!(formatter, "line {line}: ")?,
                (None, None) => {}
            }
            problem.fmt(formatter)?;
        }
        if self.unlisted > 0 {
            write!(formatter, "\nand {} more", self.unlisted)?;
        }
        Ok(())
    }
}

impl Error for DocumentError {}

/// Reads a JSON text with `read`.
pub(crate) fn from_json<T>(
    text: &[u8],
    read: impl FnOnce(&Value, &mut Problems) -> T,
) -> Result<T, DocumentError> {
    // The parser's message is left out: it can quote the text.
    let value = serde_json::from_slice(text)
        .map_err(|error| DocumentError::whole(Some(error.line()), "the document is not JSON"))?;
    let mut problems = Problems::default();
    let read = read(&value, &mut problems);
    problems.into_result(read)
}

/// Reads a TOML text with `read`.
#[cfg(feature = "toml")]
pub(crate) fn from_toml<T>(
    text: &str,
    read: impl FnOnce(&Value, &mut Problems) -> T,
) -> Result<T, DocumentError> {
    let (value, mut problems) = toml::parse(text)?;
    let read = read(&value, &mut problems);
    problems.into_result(read)
}

/// Reads a file with `read`: JSON when its name ends in `.json`, TOML otherwise.
#[cfg(feature = "toml")]
pub(crate) fn from_file<T>(
    path: &Path,
    read: impl FnOnce(&Value, &mut Problems) -> T,
) -> Result<T, DocumentError> {
    let text = file_text(path);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let result = match text {
        Err(message) => Err(DocumentError::whole(None, message)),
        Ok(text) if is_json => from_json(text.as_bytes(), read),
        Ok(text) => from_toml(&text, read),
    };
    result.map_err(|error| DocumentError { file: Some(path.to_owned()), ..error })
}

#[cfg(feature = "toml")]
fn file_text(path: &Path) -> Result<String, String> {
    use std::io::Read;

    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}
