//! Uploaded files: stored, scanned, quarantined, handed out.

use webmessaging_model::{AttachmentId, ChannelId, FileId, MessageId, ScanVerdict, Timestamp};

use super::define::kind;
use super::{Cause, Described, Outcome, Subject};
use crate::details::Details;
use crate::text::PrivateText;

kind! {
    /// A file was uploaded; it is not scanned yet.
    pub struct FileUploaded {
        /// The file.
        file_id => FileId,
        /// Its name, as a person gave it.
        name => PrivateText,
        /// Its length in bytes.
        size: u64,
    }
    optional {
        /// Its media type.
        content_type => String,
        /// The channel it belongs to.
        channel_id => ChannelId,
        /// The message it belongs to.
        message_id => MessageId,
    }
}

impl Described for FileUploaded {
    fn subject(&self) -> Subject<'_> {
        Subject::new("file", self.file_id.as_str())
    }

    fn activity(&self) -> Option<&'static str> {
        Some("file.upload")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .number("size", self.size)
            .media_type("contentType", self.content_type.as_deref())
            .id("channelId", self.channel_id.as_ref())
            .id("messageId", self.message_id.as_ref())
    }
}

kind! {
    /// A file could not be uploaded.
    pub struct FileUploadFailed {
        /// The message it was meant for.
        message_id => MessageId,
        /// The stable code of what was in the way.
        cause => Cause,
    }
    optional {
        /// The file, where it was announced before.
        file_id => FileId,
        /// Its name, as a person gave it.
        name => PrivateText,
        /// Its length in bytes.
        size: u64,
        /// Its media type.
        content_type => String,
        /// The channel it was meant for.
        channel_id => ChannelId,
    }
}

impl Described for FileUploadFailed {
    fn subject(&self) -> Subject<'_> {
        match &self.file_id {
            Some(file) => Subject::new("file", file.as_str()),
            None => Subject::new("message", self.message_id.as_str()),
        }
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Failure { code: self.cause.as_str() }
    }

    fn activity(&self) -> Option<&'static str> {
        Some("file.upload")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .number("size", self.size)
            .media_type("contentType", self.content_type.as_deref())
            .id("channelId", self.channel_id.as_ref())
            .id("messageId", Some(&self.message_id))
    }
}

kind! {
    /// The platform has said what its scan found. A document system that gets a clean file is told `id`, `name`, `size`
    /// and `content_type`; `processedAt` is the event's own time.
    pub struct FileScanned {
        /// The file.
        file_id => FileId,
        /// What the scan came to.
        #[serde(with = "verdict")]
        verdict: ScanVerdict,
    }
    optional {
        /// Its name, as a person gave it.
        name => PrivateText,
        /// Its length in bytes.
        size: u64,
        /// Its media type.
        content_type => String,
        /// The message it belongs to.
        message_id => MessageId,
    }
}

impl FileScanned {
    /// Whether it may be handed out.
    pub fn is_clean(&self) -> bool {
        self.verdict == ScanVerdict::Clean
    }
}

impl Described for FileScanned {
    fn subject(&self) -> Subject<'_> {
        Subject::new("file", self.file_id.as_str())
    }

    fn outcome(&self) -> Outcome<'_> {
        match self.verdict {
            ScanVerdict::Clean => Outcome::Success,
            ScanVerdict::Failed => Outcome::Failure { code: "scan_failed" },
            ScanVerdict::Pending => Outcome::Unknown,
            verdict => Outcome::Blocked { reason: verdict.as_str() },
        }
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .name("verdict", Some(self.verdict.as_str()))
            .flag("clean", Some(self.is_clean()))
            .number("size", self.size)
            .media_type("contentType", self.content_type.as_deref())
            .id("messageId", self.message_id.as_ref())
    }
}

kind! {
    /// A file is kept from everybody.
    pub struct FileQuarantined {
        /// The file.
        file_id => FileId,
        /// The stable name of the reason, such as the verdict of the scan.
        cause => Cause,
    }
    optional {
        /// Its name, as a person gave it.
        name => PrivateText,
        /// The message it belongs to.
        message_id => MessageId,
        /// Whether it was deleted on the platform.
        deleted: bool,
    }
}

impl Described for FileQuarantined {
    fn subject(&self) -> Subject<'_> {
        Subject::new("file", self.file_id.as_str())
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Blocked { reason: self.cause.as_str() }
    }

    fn details(&self) -> Details<'_> {
        Details::default().id("messageId", self.message_id.as_ref()).flag("deleted", self.deleted)
    }
}

kind! {
    /// Somebody got a URL to download a file. The URL itself is not part of it.
    pub struct DownloadUrlIssued {
        /// The attachment; the id of an uploaded file is one.
        attachment_id => AttachmentId,
        /// The message it belongs to.
        message_id => MessageId,
    }
    optional {
        /// When the URL ends.
        expires_at: Timestamp,
    }
}

impl Described for DownloadUrlIssued {
    fn subject(&self) -> Subject<'_> {
        Subject::new("file", self.attachment_id.as_str())
    }

    fn details(&self) -> Details<'_> {
        Details::default().id("messageId", Some(&self.message_id)).time("expiresAt", self.expires_at)
    }
}

/// A verdict by its stable name; one that this version does not know is not clean.
mod verdict {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer};
    use webmessaging_model::ScanVerdict;

    const KNOWN: [ScanVerdict; 5] = [
        ScanVerdict::Pending,
        ScanVerdict::Clean,
        ScanVerdict::Malicious,
        ScanVerdict::FormatRejected,
        ScanVerdict::Failed,
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference to the field")]
    pub(super) fn serialize<S: Serializer>(verdict: &ScanVerdict, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(verdict.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScanVerdict, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let known = KNOWN.into_iter().find(|verdict| verdict.as_str() == text);
        Ok(known.unwrap_or(ScanVerdict::Unknown))
    }
}
