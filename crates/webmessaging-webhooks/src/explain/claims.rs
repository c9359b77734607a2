//! The signatures that a request claims, read as loosely as they can be.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName};

use super::finding::FindingCode;
use crate::secret::MAC_BYTES;
use crate::verify::{SIGNATURE, SIGNATURES_MAX, Verifier, read_base64, read_body_signature, read_hex, text};

/// More header lines are not looked at.
const LINES_MAX: usize = 256;

/// What stands in front of signatures here and there, besides `sha256=`.
const PREFIXES: &[&str] = &[
    "sha256=",
    "sha256:",
    "sha-256=",
    "sha256-",
    "hmac-sha256=",
    "hmac-sha256:",
    "hmacsha256=",
    "signature=",
    "v0=",
    "v1=",
    "v1:",
    "hmac=",
    "bearer=",
];

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where a signature was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A header that may carry the signature of the body.
    Body,
    /// The header of the timestamped form.
    Timestamped,
    /// Somewhere else.
    Elsewhere,
}

/// Something that a request presents as its signature.
pub(super) struct Claim {
    pub(super) header: HeaderName,
    pub(super) place: Place,
    /// What is wrong with where it stands or how it is spelled.
    pub(super) codes: Vec<FindingCode>,
    pub(super) mac: Result<[u8; MAC_BYTES], Option<&'static str>>,
}

/// All that the headers claim, and that could be a signature.
pub(super) fn claims(headers: &HeaderMap, verifier: &Verifier) -> Vec<Claim> {
    let decides = verifier.accepts_timestamped() && headers.contains_key(SIGNATURE);
    let mut claims = Vec::new();
    for (header, line) in headers.iter().take(LINES_MAX) {
        let place = match header {
            header if *header == SIGNATURE => Place::Timestamped,
            header if verifier.accepts(header) => Place::Body,
            _ => Place::Elsewhere,
        };
        let is_asked = if decides { place == Place::Timestamped } else { place == Place::Body };
        let Some(line) = text(line) else {
            if is_asked {
                let codes = vec![FindingCode::UnreadableSignature];
                claims.push(Claim { header: header.clone(), place, codes, mac: Err(None) });
            }
            continue;
        };
        let mut found = in_line(line, place);
        if !is_asked {
            found.retain(|(_, mac)| mac.is_ok());
            for (codes, _) in &mut found {
                codes.push(FindingCode::OtherHeader);
            }
        }
        let claim = |(codes, mac)| Claim { header: header.clone(), place, codes, mac };
        claims.extend(found.into_iter().map(claim));
    }
    claims.truncate(4 * SIGNATURES_MAX);
    claims
}

type Reading = (Vec<FindingCode>, Result<[u8; MAC_BYTES], Option<&'static str>>);

fn in_line(line: &str, place: Place) -> Vec<Reading> {
    if place != Place::Timestamped
        && let Some(mac) = read_body_signature(line)
    {
        return vec![(Vec::new(), Ok(mac))];
    }
    let mut readings = Vec::new();
    for word in line.split([' ', ';']).filter(|word| !word.is_empty()) {
        let versioned = word.split_once(',').filter(|(version, _)| version.len() <= 3);
        match (place, versioned) {
            (Place::Timestamped, Some(("v1", spelled))) => readings.push(match read_base64(spelled) {
                Some(mac) => (Vec::new(), Ok(mac)),
                None => loosely(spelled, place),
            }),
            // Of another version, made with another key.
            (Place::Timestamped, Some((version, _))) if version.starts_with('v') => {}
            _ => {
                let parts = word.split(',').filter(|part| !part.is_empty() && !part.starts_with("t="));
                readings.extend(parts.map(|part| {
                    let (mut codes, mac) = loosely(part, place);
                    if place == Place::Timestamped {
                        codes.push(FindingCode::PrefixMissing);
                    }
                    (codes, mac)
                }));
            }
        }
    }
    // One line is one signature of the body.
    if place != Place::Timestamped && readings.len() > 1 {
        readings.retain(|(_, mac)| mac.is_ok());
        for (codes, _) in &mut readings {
            codes.push(FindingCode::SeveralSignatures);
        }
        if readings.is_empty() {
            readings.push((vec![FindingCode::UnreadableSignature], Err(None)));
        }
    }
    readings
}

fn loosely(spelled: &str, place: Place) -> Reading {
    let mut codes = Vec::new();
    let mut rest = spelled;
    let unquoted = rest.trim_matches(['"', '\'']);
    if unquoted != rest {
        codes.push(FindingCode::QuotedSignature);
        rest = unquoted;
    }
    let mut prefixes = 0;
    while let Some((prefix, behind)) = PREFIXES.iter().find_map(|prefix| {
        let (front, behind) = rest.split_at_checked(prefix.len())?;
        front.eq_ignore_ascii_case(prefix).then_some((front, behind))
    }) {
        prefixes += 1;
        if prefix != "sha256=" || place == Place::Timestamped {
            codes.push(FindingCode::PrefixUnknown);
        }
        rest = behind;
    }
    if prefixes > 1 {
        codes.push(FindingCode::PrefixDoubled);
    }
    let decoded = rest.replace("%3D", "=").replace("%3d", "=").replace("%2B", "+").replace("%2b", "+");
    let decoded = decoded.replace("%2F", "/").replace("%2f", "/");
    if decoded != rest {
        codes.push(FindingCode::PercentEncoded);
    }
    let (code, mac) = decode(&decoded, place);
    codes.extend(code);
    codes.dedup();
    (codes, mac)
}

fn decode(text: &str, place: Place) -> (Option<FindingCode>, Result<[u8; MAC_BYTES], Option<&'static str>>) {
    let array = |bytes: Vec<u8>| <[u8; MAC_BYTES]>::try_from(bytes).ok();
    if let Some(mac) = read_hex(text) {
        return ((place == Place::Timestamped).then_some(FindingCode::HexForBase64), Ok(mac));
    }
    if let Some(mac) = read_base64(text) {
        return (None, Ok(mac));
    }
    if let Some(mac) = URL_SAFE.decode(text).ok().and_then(array) {
        return (Some(FindingCode::Base64Url), Ok(mac));
    }
    let from_base64 = URL_SAFE.decode(text.replace('+', "-").replace('/', "_")).ok();
    let from_hex = hex::decode(text).ok();
    let inner = |bytes: &Option<Vec<u8>>| bytes.clone().and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(mac) = inner(&from_base64).and_then(|inner| read_hex(inner.trim())) {
        return (Some(FindingCode::Base64OfHex), Ok(mac));
    }
    if let Some(mac) = inner(&from_base64).and_then(|inner| read_base64(inner.trim())) {
        return (Some(FindingCode::Base64Twice), Ok(mac));
    }
    if let Some(mac) = inner(&from_hex).and_then(|inner| read_base64(inner.trim())) {
        return (Some(FindingCode::HexOfBase64), Ok(mac));
    }
    // Hexadecimal reads as base64, too; the other way round is rare.
    let bytes = from_hex.or(from_base64).map(|bytes| bytes.len());
    let hash = match bytes {
        Some(16) => Some("16 bytes, as MD5 has"),
        Some(20) => Some("20 bytes, as SHA-1 has"),
        Some(28) => Some("28 bytes, as SHA-224 has"),
        Some(48) => Some("48 bytes, as SHA-384 has"),
        Some(64) => Some("64 bytes, as SHA-512 has"),
        _ => None,
    };
    let is_cut = text.len() >= 16 && text.len() < 2 * MAC_BYTES && text.bytes().all(is_of_base64);
    let code = match (hash, is_cut) {
        (Some(_), _) => FindingCode::WrongHash,
        (None, true) => FindingCode::CutSignature,
        (None, false) => FindingCode::UnreadableSignature,
    };
    (Some(code), Err(hash))
}

fn is_of_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
