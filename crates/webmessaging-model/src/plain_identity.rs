//! What looks like a plain e-mail address or phone number. In doubt it does.
//!
//! It looks at texts and cannot know names: a text that passes can still be about somebody.

/// A phone number has at least so many digits, with its country.
const PHONE_DIGITS_MIN: usize = 7;

/// 64 hexadecimal digits, the form of a SHA-256.
pub fn is_hash(text: &str) -> bool {
    // Without stopping at the first other byte, so that the compiler can look at many at once.
    text.len() == 64 && text.bytes().fold(true, |hex, byte| hex & byte.is_ascii_hexdigit())
}

/// Whether a text holds something that looks like a plain e-mail address or phone number.
///
/// # Examples
/// ```
/// use webmessaging_model::plain_identity::is_plain_identity;
///
/// assert!(is_plain_identity("call me: +49 30 1234567"));
/// assert!(is_plain_identity("https://shop.example/?mail=jane%40example.com"));
/// assert!(!is_plain_identity("2026-11-25T08:30:00.000Z"));
/// ```
pub fn is_plain_identity(text: &str) -> bool {
    // Most texts have neither, and all bytes are looked at without stopping so that the compiler can look at many at once.
    let (mut digits, mut signs) = (0_usize, 0_usize);
    for byte in text.bytes() {
        digits += usize::from(byte.is_ascii_digit());
        signs += usize::from(byte == b'@') + usize::from(byte == b'%');
    }
    if signs == 0 && digits < PHONE_DIGITS_MIN {
        return false;
    }
    !is_hash(text) && (holds_email(text) || holds_phone(text))
}

/// An `@`, also one that was percent-encoded, between two things that could be parts of an address.
fn holds_email(text: &str) -> bool {
    let text = text.replace("%40", "@");
    let mut before = None;
    for part in text.split('@') {
        // Letters of any script can be in an address.
        let begins = part.starts_with(|c: char| c.is_alphanumeric() || c == '[');
        if before.is_some_and(|ends: bool| ends && begins) {
            return true;
        }
        before = Some(part.ends_with(|c: char| c.is_alphanumeric() || "._%+-\"'".contains(c)));
    }
    false
}

/// A run of digits with what people write between them: 10 to 15 digits, or 7 to 15 after a `+`, and no letter at either
/// end.
fn holds_phone(text: &str) -> bool {
    let text = text.replace("%2B", "+").replace("%2b", "+").replace("%20", " ");
    let is_part = |c: char| c.is_ascii_digit() || " +-./()\u{a0}".contains(c);
    let mut rest = text.as_str();
    let mut before = None;
    while let Some(start) = rest.find(is_part) {
        let (head, run) = rest.split_at(start);
        let end = run.find(|c: char| !is_part(c)).unwrap_or(run.len());
        let (run, tail) = run.split_at(end);
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let least = if run.contains('+') { PHONE_DIGITS_MIN } else { 10 };
        let touches = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let before_it =
            head.chars().next_back().or(before).filter(|_| run.starts_with(|c: char| c.is_ascii_digit()));
        let after_it = tail.chars().next().filter(|_| run.ends_with(|c: char| c.is_ascii_digit()));
        if (least..=15).contains(&digits) && !touches(before_it) && !touches(after_it) {
            return true;
        }
        before = run.chars().next_back();
        rest = tail;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_identities_are_seen() {
        for text in [
            "jane@example.com",
            "https://shop.example/?mail=jane%40example.com",
            "mailto:j.doe+x@sub.example",
            "josé@exämple.de",
            "root@localhost",
            "a@b@c",
            "+49 30 1234567",
            "call (030) 1234-5678!",
            "0171/2345678",
            "tel=%2B4917123456",
            "4915112345678",
            "+1-202-555-0143",
        ] {
            assert!(is_plain_identity(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        let hash = "0123456789".repeat(6) + "0123";
        for text in [
            "",
            "@",
            "@home",
            "2026-11-25T08:30:00.000Z",
            "2026-11-25",
            "SPRING-2026",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "https://shop.example/cart/17",
            "1234567",
            hash.as_str(),
        ] {
            assert!(!is_plain_identity(text), "{text}");
        }
    }
}
