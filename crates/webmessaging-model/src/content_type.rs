//! Media types: the ones an upload may have, told from a name and checked against the first bytes.

use std::fmt;

use file_format::FileFormat;
use serde::{Serialize, Serializer};

use crate::open_enum::open_enum;
use crate::violation::{Actual, Code, Limit, Violation};

open_enum! {
    /// The media type of a file.
    pub enum ContentType {
        /// PNG image.
        Png = "image/png",
        /// JPEG image.
        Jpeg = "image/jpeg",
        /// GIF image.
        Gif = "image/gif",
        /// PDF document.
        Pdf = "application/pdf",
        /// Plain text, in any encoding.
        PlainText = "text/plain",
        /// Word document, the binary format up to 2003.
        Doc = "application/msword",
        /// Word document, Office Open XML.
        Docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }
}

/// How many bytes of the start of a file [`ContentType::check_head`] wants to see; a shorter file gives all it has.
pub const HEAD_BYTES: usize = 4096;

const RULE: &str = "upload.content_type.content";

/// What the first entry of an Office Open XML package is called, by the writers in use.
const DOCX_FIRST_ENTRIES: &[&[u8]] =
    &[b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"customXml/"];

impl ContentType {
    /// Tells the media type from a file name's extension, whatever its case.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_model::ContentType;
    ///
    /// assert_eq!(ContentType::from_file_name("Invoice.PDF"), Some(ContentType::Pdf));
    /// assert_eq!(ContentType::from_file_name("setup.exe"), None);
    /// ```
    pub fn from_file_name(name: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        Some(match extension.to_ascii_lowercase().as_str() {
            "png" => Self::Png,
            "jpg" | "jpeg" => Self::Jpeg,
            "gif" => Self::Gif,
            "pdf" => Self::Pdf,
            "txt" => Self::PlainText,
            "doc" => Self::Doc,
            "docx" => Self::Docx,
            _ => return None,
        })
    }

    /// Checks the declared type against the first [`HEAD_BYTES`] of the content.
    ///
    /// This finds the honest mistake and the program renamed to a document. It is no malware scan: what is two things
    /// at once passes, and so does what shares its container with a document (a Windows installer looks like `.doc`);
    /// both are left to the platform's scanner. A type this version does not know is not checked.
    ///
    /// # Errors
    /// A [`Code::ContentMismatch`] on `contentType` that names what the bytes look like.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_model::ContentType;
    ///
    /// assert!(ContentType::Pdf.check_head(b"%PDF-1.7\n").is_ok());
    /// let renamed = ContentType::Pdf.check_head(b"\x7fELF\x02\x01\x01").unwrap_err();
    /// assert_eq!(
    ///     renamed.to_string(),
    ///     "contentType does not match the content: found application/x-executable, allowed is application/pdf"
    /// );
    /// ```
    pub fn check_head(&self, head: &[u8]) -> Result<(), Violation> {
        let found = FileFormat::from_bytes(head);
        let matches = match self {
            Self::Png => {
                found == FileFormat::PortableNetworkGraphics
                    || found == FileFormat::AnimatedPortableNetworkGraphics
            }
            Self::Jpeg => found == FileFormat::JointPhotographicExpertsGroup,
            Self::Gif => found == FileFormat::GraphicsInterchangeFormat,
            Self::Pdf => found == FileFormat::PortableDocumentFormat,
            Self::Doc => found == FileFormat::CompoundFileBinary,
            Self::Docx => found == FileFormat::Zip && is_office_package(head),
            Self::PlainText => is_text(found, head),
            Self::Unknown(_) => true,
        };
        if matches {
            return Ok(());
        }
        Err(Violation::new("contentType", Code::ContentMismatch, RULE)
            .allowed(Limit::OneOf(vec![self.as_str().to_owned()]))
            .actual(Actual::Content(SniffedType(found))))
    }
}

/// A media type told by the first bytes of a file. It comes from a table, never from the file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SniffedType(FileFormat);

impl SniffedType {
    /// The media type, `application/octet-stream` where no known format fits.
    pub const fn as_str(&self) -> &str {
        self.0.media_type()
    }
}

impl fmt::Display for SniffedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SniffedType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Whether the first entry of a zip archive is one that Office Open XML writers start with. A Java archive or a
/// plain zip does not; the directory that would tell for sure stands at the end of the file.
fn is_office_package(head: &[u8]) -> bool {
    // Local file header: 30 bytes, the name's length at 26, the name right behind.
    head.get(30..).is_some_and(|name| DOCX_FIRST_ENTRIES.iter().any(|entry| name.starts_with(entry)))
}

/// Text is what reads as text, or what no binary format claims and has no NUL, since legacy encodings have no marks.
/// A byte order mark says that characters are wider than a byte. What reads as text counts first: the marks of some
/// formats are ordinary words (`MZ`, `P1`, `solid`).
fn is_text(found: FileFormat, head: &[u8]) -> bool {
    let unclaimed = found == FileFormat::default() || found.media_type().starts_with("text/");
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return unclaimed;
    }
    reads_as_text(head) || (unclaimed && !head.contains(&0))
}

/// Whether it is UTF-8, but for a character cut off at the end, without control characters that no text has.
fn reads_as_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => head
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_whitespace() || c == '\u{1b}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(declared: &ContentType, head: &[u8], expected: Option<&str>) {
        let found = match declared.check_head(head).map_err(|violation| violation.actual) {
            Ok(()) => None,
            Err(Some(Actual::Content(found))) => Some(found.to_string()),
            Err(other) => panic!("unexpected {other:?}"),
        };
        assert_eq!(found.as_deref(), expected);
    }

    const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";

    fn zip(entry: &[u8]) -> Vec<u8> {
        let mut head = b"PK\x03\x04".to_vec();
        head.resize(26, 0);
        head.extend(u16::try_from(entry.len()).unwrap().to_le_bytes());
        head.extend([0, 0]);
        head.extend(entry);
        head
    }

    #[test]
    fn the_first_bytes_of_each_type_pass() {
        check(&ContentType::Png, PNG, None);
        check(&ContentType::Png, &[PNG, &[0; 21], b"acTL"].concat(), None);
        check(&ContentType::Jpeg, b"\xff\xd8\xff\xe0\0\x10JFIF\0", None);
        check(&ContentType::Gif, b"GIF89a\x01\0", None);
        check(&ContentType::Pdf, b"%PDF-1.4\n%\xe2\xe3", None);
        check(&ContentType::Doc, OLE, None);
        check(&ContentType::Docx, &zip(b"[Content_Types].xml"), None);
        check(&ContentType::Docx, &zip(b"word/document.xml"), None);
        check(&ContentType::PlainText, b"plain words", None);
    }

    #[test]
    fn plain_text_is_any_encoding_and_any_markup() {
        check(&ContentType::PlainText, "gr\u{fc}n \u{1f642}".as_bytes(), None);
        check(&ContentType::PlainText, b"caf\xe9 in latin-1", None);
        check(&ContentType::PlainText, b"\xff\xfeh\0i\0", None);
        check(&ContentType::PlainText, b"<html><body>hi</body></html>", None);
        // Words that some format begins with.
        for words in [
            "MZ is a city code",
            "P1 incident report",
            "solid advice",
            "AC10 unit",
            "-----BEGIN CERTIFICATE-----",
        ] {
            check(&ContentType::PlainText, words.as_bytes(), None);
        }
        check(&ContentType::PlainText, &"\u{20ac}".repeat(2000).as_bytes()[..HEAD_BYTES], None);
    }

    #[test]
    fn a_renamed_file_is_named_for_what_it_is() {
        check(&ContentType::Pdf, b"MZ\x90\0\x03\0\0\0", Some("application/x-dosexec"));
        check(&ContentType::Pdf, b"\x7fELF\x02\x01\x01\0", Some("application/x-executable"));
        check(&ContentType::Jpeg, PNG, Some("image/png"));
        check(&ContentType::Docx, &zip(b"META-INF/MANIFEST.MF"), Some("application/zip"));
        check(&ContentType::PlainText, b"%PDF-1.4\n%\xe2\xe3\xcf", Some("application/pdf"));
        check(&ContentType::PlainText, b"MZ\x90\0\x03\0\0\0", Some("application/x-dosexec"));
        check(&ContentType::PlainText, b"nul\0byte", Some("application/octet-stream"));
        check(&ContentType::Pdf, b"just text", Some("application/octet-stream"));
    }

    #[test]
    fn hidden_files_have_no_extension() {
        assert_eq!(ContentType::from_file_name(".pdf"), None);
        assert_eq!(ContentType::from_file_name("pdf"), None);
        assert_eq!(ContentType::from_file_name("a.b.jpeg"), Some(ContentType::Jpeg));
    }
}
