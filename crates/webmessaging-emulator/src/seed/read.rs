//! Documents as seeds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::document::{DocumentError, Fields, Place, Problems, from_json};
use crate::seed::{SeededFile, StateSeed};

/// More files than this are not seeded at once.
const FILES_MAX: usize = 10_000;

/// The seed in a request's body.
pub(crate) fn from_body(body: &[u8]) -> Result<StateSeed, DocumentError> {
    from_json(body, seed)
}

/// The seed of a document, or an unfinished one and problems.
pub(super) fn seed(document: &Value, problems: &mut Problems) -> StateSeed {
    let seed = StateSeed::new();
    let Some(mut fields) = Fields::new(document, Place::default(), problems) else { return seed };
    let has_files = fields.has("files");
    let list = fields.list("files", FILES_MAX);
    fields.finish();
    let mut files = Vec::new();
    for (index, value) in list.iter().enumerate() {
        if let Some(fields) = Fields::new(value, place(index), problems) {
            files.extend(file(fields));
        }
    }
    if has_files { seed.files(files) } else { seed }
}

/// What a file of a seed is called, counted from 0.
pub(super) fn place(index: usize) -> Place {
    Place::entry("files", index, "file")
}

fn file(mut fields: Fields<'_, '_>) -> Option<SeededFile> {
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
