//! The metadata of a file upload, and the rules it must keep before anything is sent.

use serde::Serialize;
use validator::{ValidateArgs, ValidationError};

use crate::content_type::ContentType;
use crate::id::{ChannelId, MessageId};
use crate::limits;
use crate::open_enum::open_enum;
use crate::rules::{self, Field};
use crate::violation::{Code, Unit, Violations};

open_enum! {
    /// The kind of upload.
    pub enum UploadType {
        /// A file of a web messaging conversation.
        WebMessaging = "webmessaging",
    }
}

/// The limits of uploads; the defaults are those of the design document.
///
/// # Examples
/// ```
/// use webmessaging_model::UploadLimits;
///
/// let raised = UploadLimits::default().file_size_bytes_max(64 * 1024 * 1024);
/// assert_eq!(raised.get_file_size_bytes_max(), 67_108_864);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLimits {
    file_size_bytes_max: u64,
    content_types: Vec<ContentType>,
}

impl UploadLimits {
    /// Sets the largest file in bytes; 10 MiB by default ([`limits::FILE_SIZE_BYTES_MAX`]).
    #[must_use]
    pub const fn file_size_bytes_max(mut self, bytes: u64) -> Self {
        self.file_size_bytes_max = bytes;
        self
    }

    /// Sets the allowed media types; by default every type that [`ContentType`] knows.
    #[must_use]
    pub fn content_types(mut self, types: impl IntoIterator<Item = ContentType>) -> Self {
        self.content_types = types.into_iter().collect();
        self
    }

    /// The largest file in bytes.
    pub const fn get_file_size_bytes_max(&self) -> u64 {
        self.file_size_bytes_max
    }

    /// The allowed media types.
    pub fn get_content_types(&self) -> &[ContentType] {
        &self.content_types
    }
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            file_size_bytes_max: limits::FILE_SIZE_BYTES_MAX.value,
            content_types: ContentType::KNOWN.iter().map(|&name| ContentType::from(name)).collect(),
        }
    }
}

/// What the platform is told about a file before its bytes are sent. Contract: design.
///
/// Serialises to the body of the upload request: `fileName`, `contentType`, `fileSize` (bytes), `channelId`,
/// `messageId`, `uploadType`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UploadMetadata {
    /// File name without folders.
    pub file_name: String,
    /// Declared media type.
    pub content_type: ContentType,
    /// Size in bytes.
    pub file_size: u64,
    /// Channel of the conversation.
    pub channel_id: ChannelId,
    /// Message that the file belongs to.
    pub message_id: MessageId,
    /// Kind of upload.
    pub upload_type: UploadType,
}

impl UploadMetadata {
    /// Metadata of a file of `file_size` bytes. The media type follows from the name's extension; a name that
    /// tells none is given `application/octet-stream`, which the default limits refuse.
    pub fn new(
        file_name: impl Into<String>,
        file_size: u64,
        channel_id: impl Into<ChannelId>,
        message_id: impl Into<MessageId>,
    ) -> Self {
        let file_name = file_name.into();
        let content_type = ContentType::from_file_name(&file_name)
            .unwrap_or_else(|| ContentType::from("application/octet-stream"));
        Self {
            file_name,
            content_type,
            file_size,
            channel_id: channel_id.into(),
            message_id: message_id.into(),
            upload_type: UploadType::WebMessaging,
        }
    }

    /// Declares another media type than the one the name tells.
    #[must_use]
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.content_type = content_type;
        self
    }

    /// Checks every rule and reports every broken one.
    ///
    /// # Errors
    /// [`Violations`] with paths as the wire names them and one entry per broken rule.
    pub fn validate(&self, limits: &UploadLimits) -> Result<(), Violations> {
        let rules = Rules {
            file_name: &self.file_name,
            content_type: &self.content_type,
            file_size: self.file_size,
            channel_id: self.channel_id.as_str(),
            message_id: self.message_id.as_str(),
        };
        rules.validate_with_args(limits).map_err(|errors| rules::violations(errors, FIELDS))
    }
}

/// The metadata as the validator sees it. Apart from the public type, so that the validator's traits and errors, which
/// carry rejected values, are no part of the API.
#[derive(validator::Validate)]
#[validate(context = UploadLimits)]
struct Rules<'a> {
    #[validate(custom(function = "name_present"), custom(function = "name_charset"))]
    #[validate(custom(function = "name_length"))]
    file_name: &'a str,
    #[validate(custom(function = "type_allowed", use_context))]
    content_type: &'a ContentType,
    #[validate(custom(function = "size_in_range", use_context))]
    file_size: u64,
    #[validate(custom(function = "rules::id"))]
    channel_id: &'a str,
    #[validate(custom(function = "rules::id"))]
    message_id: &'a str,
}

fn name_present(name: &str) -> Result<(), ValidationError> {
    match name {
        "" => Err(rules::failed(Code::Required)),
        "." | ".." => Err(rules::failed(Code::Reserved)),
        _ => Ok(()),
    }
}

fn name_charset(name: &str) -> Result<(), ValidationError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.bytes().all(allowed) {
        return Ok(());
    }
    let position = name.chars().position(|c| !u8::try_from(c).is_ok_and(allowed)).map_or(0, |at| at + 1);
    Err(rules::at(Code::ForbiddenCharacter, position))
}

fn name_length(name: &str) -> Result<(), ValidationError> {
    rules::at_most(name, limits::FILE_NAME_CHARACTERS_MAX.value)
}

fn type_allowed(declared: &ContentType, limits: &UploadLimits) -> Result<(), ValidationError> {
    if limits.content_types.contains(declared) {
        Ok(())
    } else {
        Err(rules::not_allowed(&limits.content_types))
    }
}

fn size_in_range(size: u64, limits: &UploadLimits) -> Result<(), ValidationError> {
    rules::in_range(size, limits::FILE_SIZE_BYTES_MIN.value, limits.file_size_bytes_max)
}

const FIELDS: &[Field] = &[
    Field {
        rust: "file_name",
        wire: "fileName",
        unit: Unit::Characters,
        charset: Some("A-Z a-z 0-9 _ - ."),
        rules: &[
            (Code::Required, "upload.file_name.required"),
            (Code::Reserved, "upload.file_name.reserved"),
            (Code::ForbiddenCharacter, "upload.file_name.charset"),
            (Code::TooLong, "upload.file_name.max"),
        ],
    },
    Field {
        rust: "content_type",
        wire: "contentType",
        unit: Unit::Characters,
        charset: None,
        rules: &[(Code::NotAllowed, "upload.content_type.allowed")],
    },
    Field {
        rust: "file_size",
        wire: "fileSize",
        unit: Unit::Bytes,
        charset: None,
        rules: &[(Code::TooSmall, "upload.file_size.min"), (Code::TooLarge, "upload.file_size.max")],
    },
    Field::id("channel_id", "channelId"),
    Field::id("message_id", "messageId"),
];
