//! The spellings of an HMAC-SHA-256 in a header: hexadecimal or base64, with or without `sha256=`.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::secret::MAC_BYTES;

/// In front of the signature, in one of its spellings.
pub(crate) const PREFIX: &str = "sha256=";

/// Base64 with padding or without; both are one text each.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The signature that a header spells, if it spells one.
pub(crate) fn read(text: &str) -> Option<[u8; MAC_BYTES]> {
    let text = text.strip_prefix(PREFIX).unwrap_or(text);
    if text.len() == 2 * MAC_BYTES { read_hex(text) } else { read_base64(text) }
}

/// Hexadecimal in either case, all of it.
pub(crate) fn read_hex(text: &str) -> Option<[u8; MAC_BYTES]> {
    let mut mac = [0; MAC_BYTES];
    hex::decode_to_slice(text, &mut mac).ok()?;
    Some(mac)
}

/// Standard base64, all of it.
pub(crate) fn read_base64(text: &str) -> Option<[u8; MAC_BYTES]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    use super::*;

    /// Ends in an odd place of base64's alphabet, so that `+` and `/` occur.
    const MAC: [u8; MAC_BYTES] = [0xfb; MAC_BYTES];

    #[test]
    fn every_spelling_is_read() {
        let hex = hex::encode(MAC);
        for spelled in [hex.clone(), hex.to_uppercase(), STANDARD.encode(MAC), STANDARD_NO_PAD.encode(MAC)] {
            assert_eq!(read(&spelled), Some(MAC), "{spelled}");
            assert_eq!(read(&format!("{PREFIX}{spelled}")), Some(MAC), "{spelled}");
        }
    }

    #[test]
    fn whatever_else_there_is_spells_nothing() {
        let hex = hex::encode(MAC);
        let base64 = STANDARD.encode(MAC);
        for bad in [
            String::new(),
            PREFIX.to_owned(),
            format!("{PREFIX}{PREFIX}{hex}"),
            format!("SHA256={hex}"),
            format!(" {hex}"),
            format!("{hex} "),
            format!("{hex}00"),
            hex[2..].to_owned(),
            hex.replace('b', "g"),
            format!("{base64}="),
            base64.replace('+', "-"),
            // The same bits, with others behind them that count for nothing.
            format!("{}t=", &base64[..42]),
            base64[..42].to_owned(),
            STANDARD.encode(&hex),
            STANDARD.encode([0; 31]),
            STANDARD.encode([0; 33]),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
