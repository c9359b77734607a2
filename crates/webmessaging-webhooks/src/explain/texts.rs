//! What could have been signed instead of the bytes that arrived: everything that programs on the way do to a body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::finding::FindingCode;
use super::json::{Node, STYLES};

/// Longer bodies are not written again in other styles; the memory for it would be a multiple.
pub(super) const REWRITTEN_BYTES_MAX: usize = 1_024 * 1_024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body that may have been signed, and what has then happened to it.
pub(super) struct Text {
    /// `None` for the body as it arrived.
    pub(super) code: Option<FindingCode>,
    pub(super) detail: Option<&'static str>,
    pub(super) bytes: Vec<u8>,
}

type Change = fn(&[u8]) -> Option<Vec<u8>>;

/// The likely ones first.
const CHANGES: &[(FindingCode, &str, Change)] = &[
    (FindingCode::EmptyBodySigned, "", |_| Some(Vec::new())),
    (FindingCode::TrailingNewline, "without white space at the end", |body| {
        Some(body.trim_ascii_end().to_vec())
    }),
    (FindingCode::TrailingNewline, "without white space at both ends", |body| {
        Some(body.trim_ascii().to_vec())
    }),
    (FindingCode::TrailingNewline, "with a line feed at the end", |body| Some([body, b"\n"].concat())),
    (FindingCode::TrailingNewline, "with CR LF at the end", |body| Some([body, b"\r\n"].concat())),
    (FindingCode::LineEnds, "with LF where CR LF arrived", |body| Some(without_carriage_returns(body))),
    (FindingCode::LineEnds, "with CR LF where LF arrived", |body| Some(with_carriage_returns(body))),
    (FindingCode::ByteOrderMark, "without a byte order mark", |body| {
        Some(body.strip_prefix(BYTE_ORDER_MARK)?.to_vec())
    }),
    (FindingCode::ByteOrderMark, "with a byte order mark", |body| Some([BYTE_ORDER_MARK, body].concat())),
    (FindingCode::Latin1, "read as Latin-1 and written as UTF-8", latin1_undone),
    (FindingCode::Latin1, "written as Latin-1", latin1_done),
    (FindingCode::Base64Body, "", |body| STANDARD.decode(body.trim_ascii()).ok()),
    (FindingCode::JsonReserialized, "as the content of a JSON string", |body| {
        serde_json::from_slice::<String>(body).ok().map(String::into_bytes)
    }),
];

/// What may have been signed, one after the other; the body as it arrived comes first.
pub(super) fn texts(body: &[u8]) -> impl Iterator<Item = Text> {
    let node: Option<Node> = if body.len() <= REWRITTEN_BYTES_MAX {
        serde_json::from_slice(without_mark(body)).ok()
    } else {
        None
    };
    let same = std::iter::once_with(|| Text { code: None, detail: None, bytes: body.to_vec() });
    let rewritten = STYLES.iter().filter_map(move |style| {
        let bytes = style.write(node.as_ref()?);
        Some(Text { code: Some(FindingCode::JsonReserialized), detail: Some(style.name), bytes })
    });
    let changed = CHANGES.iter().filter_map(move |(code, detail, change)| {
        Some(Text {
            code: Some(*code),
            detail: Some(*detail).filter(|text| !text.is_empty()),
            bytes: change(body)?,
        })
    });
    // What changes nothing explains nothing.
    same.chain(changed.chain(rewritten).filter(move |text| text.bytes != body))
}

/// A JSON parser that gets a byte order mark complains.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

fn without_carriage_returns(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}

fn with_carriage_returns(body: &[u8]) -> Vec<u8> {
    without_carriage_returns(body)
        .into_iter()
        .flat_map(|byte| [(byte == b'\n').then_some(b'\r'), Some(byte)])
        .flatten()
        .collect()
}

/// Each character was once a byte.
fn latin1_undone(body: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(body).ok()?.chars().map(|character| u8::try_from(character).ok()).collect()
}

/// Each byte was once a character.
fn latin1_done(body: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(body)
        .is_err()
        .then(|| body.iter().copied().map(char::from).collect::<String>().into_bytes())
}
