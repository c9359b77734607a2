//! E-mail addresses: one form for all spellings of one.

use unicode_normalization::UnicodeNormalization;
use webmessaging_model::{Code, Limit, Unit, Violation, limits};

use crate::identity_attributes::malformed;

/// So many bytes have nearly all addresses with a salt behind them.
pub(crate) const PLAIN_BYTES: usize = 128;

/// What most addresses are, in one go: short, ASCII, no quotes, no international domain. Its length; nothing where it is something else, or wrong.
pub(crate) fn plain_email(address: &str, normal: &mut [u8; PLAIN_BYTES]) -> Option<usize> {
    let address = address.as_bytes().trim_ascii();
    let address = address.strip_suffix(b".").unwrap_or(address);
    let at = memchr::memrchr(b'@', address)?;
    let (local, domain) = (address.get(..at)?, address.get(at + 1..)?);
    let is_encoded = domain.windows(2).any(|two| two == b"--");
    if local.is_empty() || !local.iter().all(|byte| is_atom(*byte)) || is_encoded || !is_domain(domain) {
        return None;
    }
    let normal = normal.get_mut(..address.len())?;
    normal.copy_from_slice(address);
    normal.make_ascii_lowercase();
    Some(address.len())
}

/// One form for all spellings of an address.
pub(crate) fn normal_email(address: &str) -> Result<String, Violation> {
    const PATH: &str = "email";
    let refused = || malformed(PATH, "guest.email.address");
    let address = address.trim();
    let (local, domain) = address.rsplit_once('@').ok_or_else(refused)?;
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let mut normal = String::with_capacity(address.len());
    let is_odd = if local.is_ascii() {
        normal.push_str(local);
        normal.make_ascii_lowercase();
        !local.bytes().all(is_atom)
    } else {
        normal.extend(local.to_lowercase().nfc());
        !local
            .chars()
            .all(|c| u8::try_from(c).map_or_else(|_| is_visible(c), |byte| !byte.is_ascii() || is_atom(byte)))
    };
    if local.is_empty() || is_odd {
        return Err(refused());
    }
    normal.push('@');
    let at = normal.len();
    push_ascii(&mut normal, domain).ok_or_else(refused)?;
    if !is_domain(normal.as_bytes().get(at..).unwrap_or_default()) {
        return Err(refused());
    }
    let max = limits::EMAIL_BYTES_MAX;
    if normal.len() as u64 > max.value {
        let violation = Violation::new(PATH, Code::TooLong, max.name);
        return Err(violation.limit(Limit::Max(max.value), Unit::Bytes).count(normal.len() as u64));
    }
    Ok(normal)
}

/// Adds a domain in small ASCII letters.
fn push_ascii(normal: &mut String, domain: &str) -> Option<()> {
    // Most are plain, and the tables for the others are large. What is encoded has two hyphens.
    let has_hyphens = domain.as_bytes().windows(2).any(|two| two == b"--");
    if domain.is_ascii() && !has_hyphens {
        let at = normal.len();
        normal.push_str(domain);
        normal.get_mut(at..)?.make_ascii_lowercase();
    } else {
        normal.push_str(&idna::domain_to_ascii(domain).ok()?);
    }
    Some(())
}

/// What stands in front of the `@` without quotes (RFC 5322, section 3.2.3), and dots.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-'..=b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// Whether a character is there for everybody: two addresses that look the same are the same.
fn is_visible(c: char) -> bool {
    let is_format = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    !c.is_control() && !c.is_whitespace() && !is_format
}

/// Letters, digits, hyphens and underscores, with dots between them.
fn is_domain(domain: &[u8]) -> bool {
    let mut before = b'.';
    for &byte in domain {
        let is_part = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !is_part && (byte != b'.' || before == b'.') {
            return false;
        }
        before = byte;
    }
    before != b'.'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short way and the long one come to the same, where there is a short one.
    #[test]
    fn both_ways_of_an_address_agree() {
        let plain = |address: &str| {
            let mut normal = [0; PLAIN_BYTES];
            let length = plain_email(address, &mut normal)?;
            Some(String::from_utf8(normal[..length].to_vec()).unwrap())
        };
        for address in
            ["a@b", " Jane.Doe+x@Example.COM. ", "!#$%&'*+-/=?^_`{|}~@a-b_c.example", "a@b.c\u{a0}"]
        {
            if let Some(short) = plain(address) {
                assert_eq!(short, normal_email(address).unwrap(), "{address}");
            }
        }
        assert!(plain("Jane.Doe@Example.com").is_some());
        let long = format!("{}@example.com", "a".repeat(117));
        for other in [
            "", "@", "a@", "@a", "a@@b", "a b@c", "\"a\"@b", "a@b..c", "a@.b", "a@xn--b", "ä@b", "a@ä",
            &long, "a(b)@c",
        ] {
            assert_eq!(plain(other), None, "{other}");
        }
        assert_eq!(plain(&long[1..]).map(|short| short.len()), Some(PLAIN_BYTES));
    }
}
