//! The payload of a file transfer, and the rules it must keep before anything is sent.

use serde::{Deserialize, Serialize};
use validator::{ValidateArgs, ValidationError};

use crate::content_type::ContentType;
use crate::limits;
use crate::open_enum::open_enum;
use crate::rules::{self, Field};
use crate::violation::{Code, Unit, Violations};

open_enum! {
    /// How a transferred file is encrypted where it is stored.
    pub enum EncryptionStandard {
        /// AES with a key of 256 bits.
        Aes256 = "AES-256",
        /// RSA with a key of 2048 bits.
        Rsa2048 = "RSA-2048",
    }
}

/// The limits of transfers; the defaults are those of the design document.
///
/// # Examples
/// ```
/// use webmessaging_model::{ContentType, TransferLimits};
///
/// let limits = TransferLimits::default().file_size_bytes_max(1024).mime_types([ContentType::Gif]);
/// assert_eq!(limits.get_mime_types(), [ContentType::Gif]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferLimits {
    file_size_bytes_max: u64,
    mime_types: Vec<ContentType>,
    encryption_standards: Vec<EncryptionStandard>,
}

impl TransferLimits {
    /// Sets the largest file in bytes; 50 MiB by default ([`limits::TRANSFER_SIZE_BYTES_MAX`]).
    #[must_use]
    pub const fn file_size_bytes_max(mut self, bytes: u64) -> Self {
        self.file_size_bytes_max = bytes;
        self
    }

    /// Sets the allowed media types; PDF, PNG, JPEG and plain text by default.
    #[must_use]
    pub fn mime_types(mut self, types: impl IntoIterator<Item = ContentType>) -> Self {
        self.mime_types = types.into_iter().collect();
        self
    }

    /// Sets the allowed ways to encrypt; by default every one that [`EncryptionStandard`] knows.
    #[must_use]
    pub fn encryption_standards(mut self, standards: impl IntoIterator<Item = EncryptionStandard>) -> Self {
        self.encryption_standards = standards.into_iter().collect();
        self
    }

    /// The largest file in bytes.
    pub const fn get_file_size_bytes_max(&self) -> u64 {
        self.file_size_bytes_max
    }

    /// The allowed media types.
    pub fn get_mime_types(&self) -> &[ContentType] {
        &self.mime_types
    }

    /// The allowed ways to encrypt.
    pub fn get_encryption_standards(&self) -> &[EncryptionStandard] {
        &self.encryption_standards
    }
}

impl Default for TransferLimits {
    fn default() -> Self {
        let (pdf, png) = (ContentType::Pdf, ContentType::Png);
        Self {
            file_size_bytes_max: limits::TRANSFER_SIZE_BYTES_MAX.value,
            mime_types: vec![pdf, png, ContentType::Jpeg, ContentType::PlainText],
            encryption_standards: vec![EncryptionStandard::Aes256, EncryptionStandard::Rsa2048],
        }
    }
}

/// Who may do what with a transferred file, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccessPolicyDirectives {
    /// How many days it is kept.
    pub retention_days: u32,
    /// How it is encrypted.
    pub encryption_standard: EncryptionStandard,
    /// Whether it can be downloaded.
    pub download_allowed: bool,
}

impl AccessPolicyDirectives {
    /// The directives; none of them has a default, because each is a decision.
    pub fn new(retention_days: u32, encryption_standard: EncryptionStandard, download_allowed: bool) -> Self {
        Self { retention_days, encryption_standard, download_allowed }
    }
}

/// What the platform is told about a file that is to be transferred. Contract: design.
///
/// Built here or read from JSON: `fileName`, `mimeType`, `fileSize` (bytes), `storageBucketReference`,
/// `accessPolicyDirectives` and, where the scan is not wanted, `virusScanEnabled`.
///
/// # Examples
/// ```
/// use webmessaging_model::{
///     AccessPolicyDirectives, EncryptionStandard, TransferLimits, TransferPayload,
/// };
///
/// let policy = AccessPolicyDirectives::new(0, EncryptionStandard::Aes256, true);
/// let payload = TransferPayload::new("report.pdf", 4096, "not-a-uuid", policy);
/// let violations = payload.validate(&TransferLimits::default()).unwrap_err();
/// assert_eq!(
///     violations.to_string(),
///     "storageBucketReference is malformed; \
///      accessPolicyDirectives.retentionDays is too small: 0 days, at least 1 day"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransferPayload {
    /// File name without folders.
    pub file_name: String,
    /// Declared media type.
    pub mime_type: ContentType,
    /// Size in bytes.
    pub file_size: u64,
    /// Which bucket it is stored in; a UUID.
    pub storage_bucket_reference: String,
    /// Who may do what with it.
    pub access_policy_directives: AccessPolicyDirectives,
    /// Whether it is scanned. A file that is not can never come out clean.
    #[serde(default = "scanned")]
    pub virus_scan_enabled: bool,
}

fn scanned() -> bool {
    true
}

impl TransferPayload {
    /// The transfer of a file of `file_size` bytes, scanned. The media type follows from the name's extension; a name that
    /// tells none is given `application/octet-stream`, which the default limits refuse.
    pub fn new(
        file_name: impl Into<String>,
        file_size: u64,
        storage_bucket_reference: impl Into<String>,
        access_policy_directives: AccessPolicyDirectives,
    ) -> Self {
        let file_name = file_name.into();
        let mime_type = ContentType::from_file_name(&file_name)
            .unwrap_or_else(|| ContentType::from("application/octet-stream"));
        Self {
            file_name,
            mime_type,
            file_size,
            storage_bucket_reference: storage_bucket_reference.into(),
            access_policy_directives,
            virus_scan_enabled: true,
        }
    }

    /// Declares another media type than the one the name tells.
    #[must_use]
    pub fn mime_type(mut self, mime_type: ContentType) -> Self {
        self.mime_type = mime_type;
        self
    }

    /// Sets whether the file is scanned; it is by default.
    #[must_use]
    pub const fn virus_scan_enabled(mut self, enabled: bool) -> Self {
        self.virus_scan_enabled = enabled;
        self
    }

    /// Checks every rule and reports every broken one.
    ///
    /// # Errors
    /// [`Violations`] with paths as the wire names them and one entry per broken rule.
    pub fn validate(&self, limits: &TransferLimits) -> Result<(), Violations> {
        let rules = Rules {
            file_name: &self.file_name,
            mime_type: &self.mime_type,
            file_size: self.file_size,
            storage_bucket_reference: &self.storage_bucket_reference,
            retention_days: self.access_policy_directives.retention_days,
            encryption_standard: &self.access_policy_directives.encryption_standard,
        };
        rules.validate_with_args(limits).map_err(|errors| rules::violations(errors, FIELDS))
    }
}

/// The payload as the validator sees it: flat, and apart from the public type, whose API the validator is no part of.
#[derive(validator::Validate)]
#[validate(context = TransferLimits)]
struct Rules<'a> {
    #[validate(custom(function = "name"))]
    file_name: &'a str,
    #[validate(custom(function = "type_allowed", use_context))]
    mime_type: &'a ContentType,
    #[validate(custom(function = "size_in_range", use_context))]
    file_size: u64,
    #[validate(custom(function = "rules::uuid"))]
    storage_bucket_reference: &'a str,
    #[validate(custom(function = "retained"))]
    retention_days: u32,
    #[validate(custom(function = "standard_allowed", use_context))]
    encryption_standard: &'a EncryptionStandard,
}

fn name(name: &str) -> Result<(), ValidationError> {
    if name.is_empty() {
        return Err(rules::failed(Code::Required));
    }
    rules::at_most(name, limits::TRANSFER_NAME_CHARACTERS_MAX.value)
}

fn type_allowed(declared: &ContentType, limits: &TransferLimits) -> Result<(), ValidationError> {
    let is_allowed = limits.mime_types.contains(declared);
    if is_allowed { Ok(()) } else { Err(rules::not_allowed(&limits.mime_types)) }
}

fn size_in_range(size: u64, limits: &TransferLimits) -> Result<(), ValidationError> {
    rules::in_range(size, limits::TRANSFER_SIZE_BYTES_MIN.value, limits.file_size_bytes_max)
}

fn retained(days: u32) -> Result<(), ValidationError> {
    rules::in_range(days.into(), limits::TRANSFER_RETENTION_DAYS_MIN.value, u64::MAX)
}

fn standard_allowed(standard: &EncryptionStandard, limits: &TransferLimits) -> Result<(), ValidationError> {
    let is_allowed = limits.encryption_standards.contains(standard);
    if is_allowed { Ok(()) } else { Err(rules::not_allowed(&limits.encryption_standards)) }
}

const FIELDS: &[Field] = &[
    Field {
        rust: "file_name",
        wire: "fileName",
        unit: Unit::Characters,
        charset: None,
        rules: &[(Code::Required, "transfer.file_name.required"), (Code::TooLong, "transfer.file_name.max")],
    },
    Field {
        rust: "mime_type",
        wire: "mimeType",
        unit: Unit::Characters,
        charset: None,
        rules: &[(Code::NotAllowed, "transfer.mime_type.allowed")],
    },
    Field {
        rust: "file_size",
        wire: "fileSize",
        unit: Unit::Bytes,
        charset: None,
        rules: &[(Code::TooSmall, "transfer.file_size.min"), (Code::TooLarge, "transfer.file_size.max")],
    },
    Field {
        rust: "storage_bucket_reference",
        wire: "storageBucketReference",
        unit: Unit::Characters,
        charset: None,
        rules: &[(Code::Required, "transfer.bucket.required"), (Code::Malformed, "transfer.bucket.uuid")],
    },
    Field {
        rust: "retention_days",
        wire: "accessPolicyDirectives.retentionDays",
        unit: Unit::Days,
        charset: None,
        rules: &[(Code::TooSmall, "transfer.retention_days.min")],
    },
    Field {
        rust: "encryption_standard",
        wire: "accessPolicyDirectives.encryptionStandard",
        unit: Unit::Characters,
        charset: None,
        rules: &[(Code::NotAllowed, "transfer.encryption_standard.allowed")],
    },
];
