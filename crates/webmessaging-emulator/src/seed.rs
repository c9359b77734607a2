//! Seeds: state that an emulator has before any request.

mod prepare;
mod read;

use std::error::Error;
use std::fmt;
use std::fmt::{Debug, Display};
use std::io;
#[cfg(feature = "toml")]
use std::path::Path;

use bytes::Bytes;

use crate::document::{self, DocumentError};

pub(crate) use self::prepare::{PreparedSeed, prepare};
pub(crate) use self::read::from_body;

/// State to begin with, or to go on with: today, files.
///
/// What a seed does not mention stays as it is. As a document it has the same shape in TOML and JSON; this crate's README
/// lists the keys.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::{Emulator, SeededFile, StateSeed};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = SeededFile::new("hello.txt", "text/plain", "message-1").content("hello");
/// let emulator = Emulator::builder().seed(StateSeed::new().files([file])).start().await?;
/// assert_eq!(emulator.state().files[0].status, "completed");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a seed does nothing until it is handed to an emulator"]
pub struct StateSeed {
    files: Option<Vec<SeededFile>>,
}

impl StateSeed {
    /// A seed that mentions nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// These files, in place of all others.
    pub fn files(mut self, files: impl IntoIterator<Item = SeededFile>) -> Self {
        self.files = Some(files.into_iter().collect());
        self
    }

    /// Reads a seed from a JSON text.
    ///
    /// # Errors
    ///
    /// Every mistake in the text's shape, with what is allowed. Names, types and sizes of files are held to the schema of
    /// an announcement when the emulator takes the seed.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        document::from_json(text.as_bytes(), read::seed)
    }

    /// Reads a seed from a TOML text.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json), and with lines.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, DocumentError> {
        document::from_toml(text, read::seed)
    }

    /// Reads a seed from a file: JSON when its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    ///
    /// As for [`from_toml`](Self::from_toml), with the name of the file; also when it cannot be read, is not UTF-8, or
    /// is longer than 32 MiB.
    #[cfg(feature = "toml")]
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, DocumentError> {
        document::from_file(path.as_ref(), read::seed)
    }
}

/// A file that is there without having been uploaded.
///
/// `Debug` shows the length of its content instead of the content.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a file exists only as part of a seed"]
pub struct SeededFile {
    id: Option<String>,
    file_name: String,
    content_type: String,
    message_id: String,
    content: SeededContent,
    is_scanning: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum SeededContent {
    Announced { size_bytes: u64 },
    Complete(Bytes),
}

impl SeededFile {
    /// An announced file of one byte, which has not been sent; [`content`](Self::content) and
    /// [`size_bytes`](Self::size_bytes) change that.
    pub fn new(
        file_name: impl Into<String>,
        content_type: impl Into<String>,
        message_id: impl Into<String>,
    ) -> Self {
        Self {
            id: None,
            file_name: file_name.into(),
            content_type: content_type.into(),
            message_id: message_id.into(),
            content: SeededContent::Announced { size_bytes: 1 },
            is_scanning: false,
        }
    }

    /// The file's id, a UUID. Default: a fresh one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The file's bytes. They have been scanned; the verdict is that of an upload with these bytes.
    pub fn content(mut self, bytes: impl Into<Bytes>) -> Self {
        self.content = SeededContent::Complete(bytes.into());
        self
    }

    /// The announced size of a file whose bytes have not been sent, in place of any content.
    pub fn size_bytes(mut self, bytes: u64) -> Self {
        self.content = SeededContent::Announced { size_bytes: bytes };
        self
    }

    /// Lets the scan of the content begin when the emulator takes the seed, instead of being over. Without a content there
    /// is no scan.
    pub fn scanning(mut self) -> Self {
        self.is_scanning = true;
        self
    }

    fn length(&self) -> u64 {
        match &self.content {
            SeededContent::Announced { size_bytes } => *size_bytes,
            SeededContent::Complete(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }
}

impl Debug for SeededFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SeededFile")
            .field("id", &self.id)
            .field("file_name", &self.file_name)
            .field("content_type", &self.content_type)
            .field("message_id", &self.message_id)
            .field("length", &self.length())
            .field("is_sent", &matches!(self.content, SeededContent::Complete(_)))
            .field("is_scanning", &self.is_scanning)
            .finish()
    }
}

/// Why an emulator did not take a seed; its state is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeedError {
    /// The seed breaks a rule.
    Invalid(DocumentError),
    /// The content of a file could not be stored.
    Storage(io::Error),
}

impl Display for SeedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => Display::fmt(error, formatter),
            Self::Storage(_) => formatter.write_str("cannot store the content of a file"),
        }
    }
}

impl Error for SeedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its message is this one's message already.
            Self::Invalid(_) => None,
            Self::Storage(error) => Some(error),
        }
    }
}
