//! Files of a seed: there without having been uploaded.

use std::fmt;
use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::document::{Fields, Place};

/// A file that is there without having been uploaded.
///
/// `Debug` shows the length of its content instead of the content.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a file exists only as part of a seed"]
pub struct SeededFile {
    pub(super) id: Option<String>,
    pub(super) file_name: String,
    pub(super) content_type: String,
    pub(super) message_id: String,
    pub(super) content: SeededContent,
    pub(super) is_scanning: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum SeededContent {
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

    pub(super) fn length(&self) -> u64 {
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

/// What a file of a seed is called, counted from 0.
pub(super) fn place(index: usize) -> Place {
    Place::entry("files", index, "file")
}

/// The file of a table, unless something necessary is missing.
pub(super) fn read(mut fields: Fields<'_, '_>) -> Option<SeededFile> {
    let id = fields.text("id");
    let name = fields.required().text("fileName");
    let content_type = fields.required().text("contentType");
    let message = fields.required().text("messageId");
    let text = fields.text("text").map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let base64 = fields.read("base64", "a text in base64", |value| STANDARD.decode(value.as_str()?).ok());
    let size = fields.whole("fileSize", 0..=u64::MAX);
    let scan = fields.one_of("scan", &["over", "running"]);
    match ["text", "base64", "fileSize"].map(|key| fields.has(key)) {
        [false, false, false] => {
            fields.problem("fileSize", "is missing; a file needs its content (text or base64) or its size");
        }
        [true, true, _] => fields.problem("base64", "cannot stand beside text: a file has one content"),
        [_, _, true] if fields.has("text") || fields.has("base64") => {
            fields.problem("fileSize", "cannot stand beside a content, which has its own size");
        }
        [false, false, true] if fields.has("scan") => {
            fields.problem("scan", "needs a content that can be scanned");
        }
        _ => {}
    }
    fields.finish();

    let mut file = SeededFile::new(name?, content_type?, message?);
    if let Some(id) = id {
        file = file.id(id);
    }
    if let Some(size) = size {
        file = file.size_bytes(size);
    }
    if let Some(content) = text.or(base64.map(Bytes::from)) {
        file = file.content(content);
    }
    Some(if scan == Some("running") { file.scanning() } else { file })
}
