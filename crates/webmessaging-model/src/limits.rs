//! The limits we enforce: value, unit, where each one comes from and when it was last checked.
//!
//! Servers move on. A limit that turns out to be outdated can be raised by configuration or skipped for one
//! call, and its date tells how far to trust it.

use crate::violation::Unit;

/// A limit with its provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatedLimit {
    /// Stable name, also the id of the rule that enforces it.
    pub name: &'static str,
    /// The limit in its unit.
    pub value: u64,
    /// What the value counts.
    pub unit: Unit,
    /// Where the value was found.
    pub source: &'static str,
    /// The day on which the source was last read, ISO 8601.
    pub checked: &'static str,
}

const FILE_UPLOADS: &str = "design document: web messaging file uploads, step 1";

/// Smallest upload: an empty file is refused.
pub const FILE_SIZE_BYTES_MIN: DatedLimit = DatedLimit {
    name: "upload.file_size.min",
    value: 1,
    unit: Unit::Bytes,
    source: FILE_UPLOADS,
    checked: "2026-11-20",
};

/// Largest upload: 10 MiB.
pub const FILE_SIZE_BYTES_MAX: DatedLimit = DatedLimit {
    name: "upload.file_size.max",
    value: 10 * 1024 * 1024,
    unit: Unit::Bytes,
    source: FILE_UPLOADS,
    checked: "2026-11-20",
};

/// Longest file name. The uploads document has no bound; its sibling for file transfers has this one, and no
/// common file system takes more.
pub const FILE_NAME_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "upload.file_name.max",
    value: 255,
    unit: Unit::Characters,
    source: "design document: web messaging file transfers, payload schema",
    checked: "2026-11-20",
};

/// Life of a presigned upload URL: 5 minutes.
pub const UPLOAD_URL_SECONDS: DatedLimit = DatedLimit {
    name: "upload.url.lifetime",
    value: 300,
    unit: Unit::Seconds,
    source: "design document: web messaging file uploads, step 2",
    checked: "2026-11-20",
};

const TRANSFER_PAYLOAD: &str = "design document: web messaging file transfers, step 1";

/// Smallest transfer: an empty file is refused.
pub const TRANSFER_SIZE_BYTES_MIN: DatedLimit = DatedLimit {
    name: "transfer.file_size.min",
    value: 1,
    unit: Unit::Bytes,
    source: TRANSFER_PAYLOAD,
    checked: "2026-11-26",
};

/// Largest transfer: 50 MiB.
pub const TRANSFER_SIZE_BYTES_MAX: DatedLimit = DatedLimit {
    name: "transfer.file_size.max",
    value: 50 * 1024 * 1024,
    unit: Unit::Bytes,
    source: TRANSFER_PAYLOAD,
    checked: "2026-11-26",
};

/// Longest name of a transferred file.
pub const TRANSFER_NAME_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "transfer.file_name.max",
    value: 255,
    unit: Unit::Characters,
    source: TRANSFER_PAYLOAD,
    checked: "2026-11-26",
};

/// Shortest retention of a transferred file.
pub const TRANSFER_RETENTION_DAYS_MIN: DatedLimit = DatedLimit {
    name: "transfer.retention_days.min",
    value: 1,
    unit: Unit::Days,
    source: TRANSFER_PAYLOAD,
    checked: "2026-11-26",
};

/// Usual life of the URLs of a transfer: 24 hours. It is taken where the platform does not say when they end.
pub const TRANSFER_URL_SECONDS: DatedLimit = DatedLimit {
    name: "transfer.url.lifetime",
    value: 86_400,
    unit: Unit::Seconds,
    source: "design document: web messaging file transfers, step 2",
    checked: "2026-11-26",
};

/// Time that the URL of a transfer must have left when its bytes start; with less it is renewed first.
pub const TRANSFER_RENEWAL_SECONDS: DatedLimit = DatedLimit {
    name: "transfer.url.renewal",
    value: 1_800,
    unit: Unit::Seconds,
    source: "design document: web messaging file transfers, step 2",
    checked: "2026-11-26",
};

/// Fewest sessions that a channel may have at once.
pub const CHANNEL_SESSIONS_MIN: DatedLimit = DatedLimit {
    name: "channel.sessions.min",
    value: 1,
    unit: Unit::Sessions,
    source: "own bound; a channel without sessions is none",
    checked: "2026-11-26",
};

/// Most sessions that a channel may have at once.
pub const CHANNEL_SESSIONS_MAX: DatedLimit = DatedLimit {
    name: "channel.sessions.max",
    value: 2_000,
    unit: Unit::Sessions,
    source: "design document: web messaging channel capabilities, step 2",
    checked: "2026-11-26",
};

const BOT_MESSAGES: &str = "design document: web messaging bot messages, step 1";

/// Longest text of a bot's message.
pub const BOT_TEXT_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "bot_message.text.max",
    value: 4_096,
    unit: Unit::Characters,
    source: BOT_MESSAGES,
    checked: "2026-11-27",
};

/// Most cards of a bot's message: as many as the platform shows in a carousel.
pub const BOT_CARDS_MAX: DatedLimit = DatedLimit {
    name: "bot_message.cards.max",
    value: 10,
    unit: Unit::Items,
    source: "Genesys Cloud Resource Center: work with carousels",
    checked: "2026-11-20",
};

/// Longest title of a card.
pub const BOT_CARD_TITLE_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "bot_message.card.title.max",
    value: 256,
    unit: Unit::Characters,
    source: "own bound; no source states one",
    checked: "2026-11-27",
};

/// Most quick replies of a bot's message.
pub const BOT_QUICK_REPLIES_MAX: DatedLimit = DatedLimit {
    name: "bot_message.quick_replies.max",
    value: 13,
    unit: Unit::Items,
    source: "own bound; no source states one for web messaging",
    checked: "2026-11-27",
};

/// Longest label of a quick reply.
pub const BOT_LABEL_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "bot_message.quick_reply.label.max",
    value: 80,
    unit: Unit::Characters,
    source: "own bound; no source states one",
    checked: "2026-11-27",
};

/// Longest payload of a quick reply.
pub const BOT_PAYLOAD_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "bot_message.quick_reply.payload.max",
    value: 1_024,
    unit: Unit::Characters,
    source: "own bound; no source states one",
    checked: "2026-11-27",
};

const GUESTS: &str = "design document: web messaging guest sessions, step 1";

/// Longest fingerprint of a guest's device.
pub const GUEST_FINGERPRINT_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "guest.device_fingerprint.max",
    value: 128,
    unit: Unit::Characters,
    source: GUESTS,
    checked: "2026-11-26",
};

/// Longest origin page of a guest. The document has no bound; browsers and servers agree on about this one.
pub const GUEST_ORIGIN_PAGE_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "guest.origin_page.max",
    value: 2_048,
    unit: Unit::Characters,
    source: "ours: the document has none",
    checked: "2026-11-26",
};

/// Longest campaign id of a guest.
pub const GUEST_CAMPAIGN_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "guest.campaign_id.max",
    value: 128,
    unit: Unit::Characters,
    source: "ours: the document has none",
    checked: "2026-11-26",
};

/// Most attributes of a guest.
pub const GUEST_ATTRIBUTES_MAX: DatedLimit = DatedLimit {
    name: "guest.attributes.max",
    value: 50,
    unit: Unit::Attributes,
    source: "ours: the document has none",
    checked: "2026-11-26",
};

/// Longest name of a guest's attribute.
pub const GUEST_ATTRIBUTE_NAME_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "guest.attribute_name.max",
    value: 64,
    unit: Unit::Characters,
    source: "ours: the document has none",
    checked: "2026-11-26",
};

/// Longest value of a guest's attribute.
pub const GUEST_ATTRIBUTE_VALUE_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "guest.attribute_value.max",
    value: 1_024,
    unit: Unit::Characters,
    source: "ours: the document has none",
    checked: "2026-11-26",
};

/// Shortest salt or key for the hashes of identities: 128 bits.
pub const IDENTITY_SALT_BYTES_MIN: DatedLimit = DatedLimit {
    name: "guest.identity_salt.min",
    value: 16,
    unit: Unit::Bytes,
    source: "NIST SP 800-132, section 5.1",
    checked: "2026-11-26",
};

/// Longest e-mail address.
pub const EMAIL_BYTES_MAX: DatedLimit = DatedLimit {
    name: "guest.email.max",
    value: 254,
    unit: Unit::Bytes,
    source: "RFC 5321, section 4.5.3.1.3, without the angle brackets",
    checked: "2026-11-26",
};

/// Longest id we send. Ids are opaque; the platform's are UUIDs of 36 characters.
pub const ID_CHARACTERS_MAX: DatedLimit = DatedLimit {
    name: "id.max",
    value: 255,
    unit: Unit::Characters,
    source: "own bound; official SDK 262.0.0 documents UUIDs",
    checked: "2026-11-20",
};

const PLATFORM_LIMITS: &str =
    "Genesys Cloud developer blog 2021-02-03; `client.credentials.token.rate.per.minute`";

/// Requests of all tokens of one OAuth client in a window; support can raise it.
pub const REQUESTS_MAX: DatedLimit = DatedLimit {
    name: "platform.requests.max",
    value: 300,
    unit: Unit::Requests,
    source: PLATFORM_LIMITS,
    checked: "2026-11-20",
};

/// Length of the window of [`REQUESTS_MAX`].
pub const REQUESTS_WINDOW_SECONDS: DatedLimit = DatedLimit {
    name: "platform.requests.window",
    value: 60,
    unit: Unit::Seconds,
    source: PLATFORM_LIMITS,
    checked: "2026-11-20",
};

/// Every limit of this crate, for documentation and for finding the ones that nobody checked for long.
pub const ALL: &[DatedLimit] = &[
    FILE_SIZE_BYTES_MIN,
    FILE_SIZE_BYTES_MAX,
    FILE_NAME_CHARACTERS_MAX,
    UPLOAD_URL_SECONDS,
    TRANSFER_SIZE_BYTES_MIN,
    TRANSFER_SIZE_BYTES_MAX,
    TRANSFER_NAME_CHARACTERS_MAX,
    TRANSFER_RETENTION_DAYS_MIN,
    TRANSFER_URL_SECONDS,
    TRANSFER_RENEWAL_SECONDS,
    CHANNEL_SESSIONS_MIN,
    CHANNEL_SESSIONS_MAX,
    BOT_TEXT_CHARACTERS_MAX,
    BOT_CARDS_MAX,
    BOT_CARD_TITLE_CHARACTERS_MAX,
    BOT_QUICK_REPLIES_MAX,
    BOT_LABEL_CHARACTERS_MAX,
    BOT_PAYLOAD_CHARACTERS_MAX,
    GUEST_FINGERPRINT_CHARACTERS_MAX,
    GUEST_ORIGIN_PAGE_CHARACTERS_MAX,
    GUEST_CAMPAIGN_CHARACTERS_MAX,
    GUEST_ATTRIBUTES_MAX,
    GUEST_ATTRIBUTE_NAME_CHARACTERS_MAX,
    GUEST_ATTRIBUTE_VALUE_CHARACTERS_MAX,
    IDENTITY_SALT_BYTES_MIN,
    EMAIL_BYTES_MAX,
    ID_CHARACTERS_MAX,
    REQUESTS_MAX,
    REQUESTS_WINDOW_SECONDS,
];
