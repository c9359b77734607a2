//! Seeds: state that an emulator has before any request.

mod file;
mod organization;
mod prepare;
mod read;
mod webhook;

use std::error::Error;
use std::fmt;
use std::fmt::Display;
use std::io;
#[cfg(feature = "toml")]
use std::path::Path;

use crate::document::{self, DocumentError};
use crate::organization::Organization;

pub use self::file::SeededFile;
pub use self::webhook::SeededWebhook;

pub(crate) use self::organization::SeededOrganization;
pub(crate) use self::prepare::{PreparedSeed, check_organization, prepare};
pub(crate) use self::read::from_body;

/// State to begin with, or to go on with: files, what the organisation holds, webhooks.
///
/// What a seed does not mention stays as it is. As a document it has the same shape in TOML and JSON;
/// `docs/reference/emulator.md` lists the keys.
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
    organization: SeededOrganization,
    webhooks: Option<Vec<SeededWebhook>>,
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

    /// This organisation, with its channels and conversations, in place of the other one.
    pub fn organization(mut self, organization: Organization) -> Self {
        self.organization = organization.into();
        self
    }

    /// These webhooks, in place of all others, whose deliveries end.
    pub fn webhooks(mut self, webhooks: impl IntoIterator<Item = SeededWebhook>) -> Self {
        self.webhooks = Some(webhooks.into_iter().collect());
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
