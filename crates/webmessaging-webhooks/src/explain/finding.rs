//! The mistakes that can be told apart: a stable code, one line of explanation, and what to do.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $line:literal, $advice:literal;)+) => {
        /// Which mistake it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[$doc])* $name,)+
        }

        impl FindingCode {
            /// Every code, for documentation and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn texts(self) -> (&'static str, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($code, $line, $advice),)+
                }
            }
        }
    };
}

codes! {
    /// No header carries a signature.
    MissingSignature = "missing_signature", "no header carries a signature",
        "set a secret at the sender, and check that a proxy passes the header on";
    /// The right signature stands under another name.
    OtherHeader = "other_header", "the right signature stands in a header that is not accepted",
        "accept this header (`Verifier::headers`, `Verifier::timestamped`), or let the sender use an accepted one";
    /// Several signatures in a line that has room for one.
    SeveralSignatures = "several_signatures", "the header has several signatures in one line",
        "send one signature to a header line; a proxy may have joined two lines";
    /// More signatures than are compared.
    TooManySignatures = "too_many_signatures", "the request has more signatures than are compared",
        "send one signature, or, while a secret is replaced, one for each secret";
    /// Hexadecimal in the timestamped form.
    HexForBase64 = "hex_for_base64", "the signature is hexadecimal, and this form has base64",
        "encode the bytes of the signature in base64";
    /// Base64 over hexadecimal text.
    Base64OfHex = "base64_of_hex", "the signature is the base64 of hexadecimal text",
        "encode the bytes of the signature, not their hexadecimal text";
    /// Base64 over base64.
    Base64Twice = "base64_twice", "the signature is encoded in base64 twice", "encode the bytes of the signature once";
    /// Hexadecimal over base64 text.
    HexOfBase64 = "hex_of_base64", "the signature is the hexadecimal of base64 text",
        "encode the bytes of the signature, not their base64 text";
    /// The alphabet of base64 for URLs.
    Base64Url = "base64_url", "the signature is in base64 for URLs", "use standard base64, with `+` and `/`";
    /// Quotes around the signature.
    QuotedSignature = "quoted_signature", "the signature stands in quotes", "send it without quotes";
    /// Percent-encoding in the signature.
    PercentEncoded = "percent_encoded", "the signature is percent-encoded", "send it as it is; a header is not a URL";
    /// The timestamped form without `v1,`.
    PrefixMissing = "prefix_missing", "the signature lacks the `v1,` of the timestamped form", "put `v1,` in front";
    /// A prefix that is there twice.
    PrefixDoubled = "prefix_doubled", "the signature has two prefixes",
        "put `sha256=` in front once; a library may have done it already";
    /// Another prefix.
    PrefixUnknown = "prefix_unknown", "the signature has a prefix that is not in use here",
        "use `sha256=` in lower case or none, and `v1,` in the timestamped form";
    /// A signature as long as that of another hash.
    WrongHash = "wrong_hash", "the signature has the length of another hash", "use HMAC with SHA-256";
    /// A signature that is too short.
    CutSignature = "cut_signature", "the signature is shorter than an HMAC-SHA-256",
        "check the length of the column or variable that it went through";
    /// Nothing that could be a signature.
    UnreadableSignature = "unreadable_signature", "the header has nothing that can be read as an HMAC-SHA-256",
        "send 32 bytes in hexadecimal or base64";
    /// The body was parsed and written again.
    JsonReserialized = "json_reserialized", "the body was parsed and written again before it got here",
        "verify the raw bytes of the request, before any JSON parser sees them";
    /// White space at the ends.
    TrailingNewline = "trailing_newline", "white space at the end of the body was added or removed",
        "verify the raw bytes; reading line by line or a text editor changes them";
    /// Line ends.
    LineEnds = "line_ends", "the line ends of the body were changed", "verify the raw bytes; text mode changes them";
    /// Byte order mark.
    ByteOrderMark = "byte_order_mark", "a byte order mark was added or removed",
        "verify the raw bytes; a text decoder changes them";
    /// Character sets.
    Latin1 = "latin1", "the body went through Latin-1", "verify the raw bytes and do not decode them to text first";
    /// Replacement characters.
    ReplacedCharacters = "replaced_characters", "the body has replacement characters, so bytes were lost while it was decoded",
        "verify the raw bytes and do not decode them to text first";
    /// Base64 around the body.
    Base64Body = "base64_body", "the body is in base64, and what it encodes was signed",
        "decode it before the verification; some gateways hand binary bodies over like this";
    /// The empty body was signed.
    EmptyBodySigned = "empty_body_signed", "the signature is that of an empty body",
        "let the sender sign what it sends, when the body is complete";
    /// Nothing arrived.
    EmptyBody = "empty_body", "the body is empty", "read the body once and keep it; a framework may have consumed it";
    /// A compressed body.
    CompressedBody = "compressed_body", "the body is compressed",
        "verify what the sender signed: mostly the body before compression, so decompress it first";
    /// A body that somebody has decompressed.
    DecompressedBody = "decompressed_body", "the headers tell of a compressed body, and it is not compressed",
        "verify the bytes as they came over the wire; a proxy or framework has decompressed them";
    /// The URL was signed, too.
    UrlSigned = "url_signed", "the URL was signed in front of the body", "let the sender sign the body alone";
    /// Id or time were signed, too.
    TimestampSigned = "timestamp_signed", "a time or id was signed in front of the body",
        "use the headers of the timestamped form (`Verifier::timestamped`), or sign the body alone";
    /// Id and time were not signed.
    TimestampNotSigned = "timestamp_not_signed", "the body was signed without the id and time in front",
        "sign `id.timestamp.body`";
    /// A hash without a key.
    PlainHash = "plain_hash", "the signature is a hash without a secret", "use HMAC; a hash can be made by anybody";
    /// A secret that is not the current one.
    OldSecret = "old_secret", "the signature was made with a secret that is not the current one",
        "give the sender the current secret before the old one is removed";
    /// White space around the secret.
    SecretWhitespace = "secret_whitespace", "the secret was used with other white space around it",
        "compare the secret on both sides; files and environment variables often end in a newline";
    /// Quotes around the secret.
    SecretQuotes = "secret_quotes", "the secret was used with or without its quotes",
        "compare the secret on both sides; the quotes of a configuration file are not part of it";
    /// The sender decodes the secret.
    SecretDecoded = "secret_decoded", "the sender uses what the secret decodes to",
        "set it up with `Secret::standard`, or let the sender use the text";
    /// The sender does not decode the secret.
    SecretNotDecoded = "secret_not_decoded", "the sender uses the text of the secret and does not decode it",
        "set it up with `Secret::new`, or let the sender decode it";
    /// The sender encodes the secret.
    SecretEncoded = "secret_encoded", "the sender uses an encoding of the secret", "let the sender use the text";
    /// No secret at the sender.
    EmptySecret = "empty_secret", "the signature was made with an empty secret",
        "set the secret at the sender; a variable there is probably not set";
    /// A time that is too far away.
    TimestampOutsideWindow = "timestamp_outside_window", "the signature is right, and its time too far from now",
        "check the clocks of both sides; otherwise it is a delivery of the past";
    /// Milliseconds.
    TimestampInMilliseconds = "timestamp_in_milliseconds", "the signature is right, and its time is in milliseconds",
        "send `webhook-timestamp` in seconds";
    /// A time that is none.
    TimestampUnreadable = "timestamp_unreadable", "the id or time of the timestamped form cannot be read",
        "send one `webhook-id`, and one `webhook-timestamp` in whole seconds since 1970";
    /// Headers of the timestamped form are missing.
    TimestampedIncomplete = "timestamped_incomplete", "the timestamped form lacks `webhook-id` or `webhook-timestamp`",
        "send all three headers, and check that a proxy passes them on";
    /// A body that is too large.
    BodyTooLarge = "body_too_large", "the body is larger than is accepted", "raise `Verifier::body_bytes_max`, or send less";
    /// A body that is not JSON.
    BodyNotJson = "body_not_json", "the signature is right, and the body is not JSON", "let the sender send JSON";
    /// A body of an unknown shape.
    UnknownShape = "unknown_shape", "the signature is right, and the body is not an event of a known shape",
        "use `Verifier::verify_signature` for bodies that are not events";
}

impl FindingCode {
    /// The stable name, as it appears in JSON and in the documentation.
    pub const fn code(self) -> &'static str {
        self.texts().0
    }

    /// What was found, in one line.
    pub const fn line(self) -> &'static str {
        self.texts().1
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        self.texts().2
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// Something that was found out about a delivery. It is made of words of this crate, labels and names of headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// Which mistake it is.
    pub code: FindingCode,
    /// Whether the signature proves it: with this mistake undone it is right. Otherwise it is what the request looks like.
    pub is_proven: bool,
    /// What it is in one line.
    pub line: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// How exactly, where there are several ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'static, str>>,
    /// The label of the secret that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The name of the header that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

impl Finding {
    pub(super) fn new(code: FindingCode, is_proven: bool) -> Self {
        let (line, advice) = (code.line(), code.advice());
        Self { code, is_proven, line, advice, detail: None, secret: None, header: None }
    }

    pub(super) fn detail(mut self, detail: Option<impl Into<Cow<'static, str>>>) -> Self {
        self.detail = detail.map(Into::into);
        self
    }

    pub(super) fn secret(mut self, label: Option<&str>) -> Self {
        self.secret = label.map(str::to_owned);
        self
    }

    pub(super) fn header(mut self, name: &http::HeaderName) -> Self {
        self.header = Some(name.as_str().to_owned());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(label) = &self.secret {
            write!(f, ", secret `{label}`")?;
        }
        if let Some(header) = &self.header {
            write!(f, ", header {header}")?;
        }
        Ok(())
    }
}
