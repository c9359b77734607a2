//! The files of a batch: what they are called in the ledger, and by what it is seen that they have changed.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;
use webmessaging_http::{Error, ErrorKind, Sent, Source};
use webmessaging_model::{Code, ContentType, MessageId, Violation, Violations};

use super::report::BatchFile;
use crate::ledger::file_stamp;

/// A file of a batch.
///
/// # Examples
/// ```
/// use webmessaging_files::BatchItem;
///
/// let item = BatchItem::path("reports/may.pdf").file_name("report.pdf").message("message-2");
/// # let _ = item;
/// ```
#[derive(Debug, Clone)]
#[must_use = "an item does nothing until a batch has it"]
pub struct BatchItem {
    pub(super) source: Source,
    pub(super) key: String,
    pub(super) stamp: String,
    pub(super) message: Option<MessageId>,
    pub(super) content_type: Option<ContentType>,
    /// How long the file is in bytes; 0 of a source that is no file.
    pub(super) length: u64,
    path: Option<PathBuf>,
    is_named: bool,
}

impl BatchItem {
    /// A file on disk. In the ledger it goes by its path, and it has changed when its length or its time has.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let key = path.to_string_lossy().into_owned();
        Self { path: Some(path.clone()), ..Self::source(key, Source::path(path)) }
    }

    /// Any source, by a key of its own. Without a [`stamp`](Self::stamp) it counts as unchanged for as long as a ledger knows the key.
    pub fn source(key: impl Into<String>, source: Source) -> Self {
        Self {
            source,
            key: key.into(),
            stamp: String::new(),
            message: None,
            content_type: None,
            length: 0,
            path: None,
            is_named: false,
        }
    }

    /// Sets by what it is seen that the source has changed since, such as a version; a file has its length and time.
    pub fn stamp(mut self, stamp: impl Into<String>) -> Self {
        self.stamp = stamp.into();
        self
    }

    /// Sets the message that it belongs to; the batch's by default.
    pub fn message(mut self, message: impl Into<MessageId>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Announces another name than its own.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.source = self.source.named(name);
        self.is_named = true;
        self
    }

    /// Announces another media type than the one the name tells.
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Looks at the file, where it is one. One that cannot be looked at is told of when it is to be uploaded.
    fn look(mut self) -> Self {
        if let Some(path) = &self.path {
            self.length = fs::metadata(path).map_or(0, |metadata| metadata.len());
            if self.stamp.is_empty() {
                self.stamp = file_stamp(path).unwrap_or_default();
            }
        }
        self
    }
}

/// Where files come from.
#[derive(Debug)]
pub(super) enum Origin {
    Item(BatchItem),
    Directory { path: PathBuf, recursive: bool },
}

/// All files; what cannot be looked into has an outcome already.
pub(super) async fn list(origins: Vec<Origin>) -> Vec<Result<BatchItem, BatchFile>> {
    let listing = tokio::task::spawn_blocking(move || {
        let mut items = Vec::new();
        for origin in origins {
            match origin {
                Origin::Item(item) => items.push(Ok(item.look())),
                Origin::Directory { path, recursive } => walk(&path, recursive, &mut items),
            }
        }
        items
    });
    // It does not panic; a runtime that shuts down wants nothing any more.
    once_each(listing.await.unwrap_or_default())
}

/// A file that was named twice is one file. Two different things under one key would take each other's place in the ledger.
fn once_each(items: Vec<Result<BatchItem, BatchFile>>) -> Vec<Result<BatchItem, BatchFile>> {
    let mut seen: HashMap<(String, Option<MessageId>), bool> = HashMap::new();
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let Ok(item) = item else {
            kept.push(item);
            continue;
        };
        let is_plain = item.path.is_some() && !item.is_named && item.content_type.is_none();
        match seen.insert((item.key.clone(), item.message.clone()), is_plain) {
            None => kept.push(Ok(item)),
            Some(true) if is_plain => {}
            Some(_) => {
                let violation = Violation::new("key", Code::NotAllowed, "batch.key.unique");
                let error = Error::from(Violations::from(violation));
                kept.push(Err(BatchFile { name: item.key, outcome: Err(error) }));
            }
        }
    }
    kept
}

fn walk(folder: &Path, recursive: bool, items: &mut Vec<Result<BatchItem, BatchFile>>) {
    let depth = if recursive { usize::MAX } else { 1 };
    for entry in WalkDir::new(folder).min_depth(1).max_depth(depth).sort_by_file_name() {
        match entry {
            // Of a link, what it leads to; one that leads nowhere is a file that is missing.
            Ok(entry) => match fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => {
                    items.push(Ok(BatchItem::path(entry.path()).look()));
                }
                Ok(_) => {}
                Err(error) => {
                    let name = entry.path().to_string_lossy().into_owned();
                    items.push(Err(BatchFile { name, outcome: Err(unreadable(Some(&error))) }));
                }
            },
            Err(error) => {
                let place = error.path().unwrap_or(folder).to_string_lossy().into_owned();
                items.push(Err(BatchFile { name: place, outcome: Err(unreadable(error.io_error())) }));
            }
        }
    }
}

fn unreadable(error: Option<&io::Error>) -> Error {
    let is_missing = error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
    let violation = if is_missing {
        Violation::new("source", Code::NotFound, "source.exists")
    } else {
        Violation::new("source", Code::Unreadable, "source.readable")
    };
    Error::new(ErrorKind::Source, Sent::No).with_violations(violation)
}
