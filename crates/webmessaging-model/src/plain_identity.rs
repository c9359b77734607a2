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
    let text = decoded(text);
    let mut before = None;
    for part in text.split('@') {
        // Letters of any script can be in an address.
        let begins = part.starts_with(|c: char| c.is_alphanumeric() || c == '[');
        if before.is_some_and(|ends: bool| ends && begins) {
            return true;
        }
        before = Some(part.ends_with(|c: char| c.is_alphanumeric() || "._%+-\"'!$*^`{|}~".contains(c)));
    }
    false
}

/// The signs that matter, whether they were percent-encoded once or several times.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("%25") {
        text = text.replace("%25", "%");
    }
    for (encoded, sign) in [("%40", "@"), ("%2B", "+"), ("%2b", "+"), ("%20", " ")] {
        text = text.replace(encoded, sign);
    }
    text
}

/// A number of 10 to 15 digits, or 7 to 15 after a `+`, with what people write between them, and no letter at either end but `tel`.
fn holds_phone(text: &str) -> bool {
    let text = decoded(text);
    let mut rest = text.as_str();
    let mut before = None;
    while let Some(start) = rest.find(is_part) {
        let (head, run) = rest.split_at(start);
        let end = run.find(|c: char| !is_part(c)).unwrap_or(run.len());
        let (run, tail) = run.split_at(end);
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let touches = |c: Option<char>| c.is_some_and(is_letter);
        let before_it =
            head.chars().next_back().or(before).filter(|_| run.starts_with(|c: char| c.is_ascii_digit()));
        let after_it = tail.chars().next().filter(|_| run.ends_with(|c: char| c.is_ascii_digit()));
        let is_named =
            head.len() >= 3 && head.get(head.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("tel"));
        let is_apart = !touches(after_it) && (!touches(before_it) || is_named);
        if is_apart && !is_in_uuid(&text, text.len() - rest.len() + start, run) && holds_number(run) {
            return true;
        }
        before = run.chars().next_back();
        rest = tail;
    }
    false
}

/// What stands in a number: digits, spaces, and dashes and brackets of all kinds.
fn is_part(c: char) -> bool {
    let is_dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}');
    c.is_ascii_digit() || c.is_whitespace() || is_dash || "+./()".contains(c)
}

/// Whether some neighbouring groups of a run are a number. A date is none, and neither is a group of too many digits.
fn holds_number(run: &str) -> bool {
    let mut groups = Vec::new();
    for part in run.split_inclusive(char::is_whitespace) {
        // A `+` begins a number, whatever stands before it.
        let mut from = 0;
        for (at, _) in part.match_indices('+').filter(|(at, _)| *at > 0) {
            groups.push(part.get(from..at).unwrap_or_default());
            from = at;
        }
        groups.push(part.get(from..).unwrap_or_default());
    }
    let digits = |group: &str| group.bytes().filter(u8::is_ascii_digit).count();
    groups.iter().enumerate().any(|(first, group)| {
        let least = if group.contains('+') { PHONE_DIGITS_MIN } else { 10 };
        let mut count = 0;
        let neighbours = groups.iter().skip(first).enumerate();
        let mut windows = neighbours.take_while(|(index, group)| *index == 0 || !group.contains('+'));
        !is_date(group)
            && windows.any(|(_, group)| {
                count += digits(group);
                (least..=15).contains(&count)
            })
    })
}

/// `2026-11-25`, and nothing else but spaces.
fn is_date(group: &str) -> bool {
    let group = group.trim();
    group.len() == 10
        && group
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Whether a run that begins there lies within a UUID, some of which have long ones.
fn is_in_uuid(text: &str, from: usize, run: &str) -> bool {
    const LENGTH: usize = 36;
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_sign = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let begin = run.len() - run.trim_start_matches(|c: char| c != '-' && !c.is_ascii_digit()).len();
    let run = run.trim_matches(|c: char| c != '-' && !c.is_ascii_digit());
    let (head, tail) = text.as_bytes().split_at(from + begin);
    let before = head.iter().rev().take_while(|byte| is_sign(byte)).count();
    let after = tail.iter().take_while(|byte| is_sign(byte)).count();
    let token = head.iter().skip(head.len() - before).chain(tail.iter().take(after));
    before + after == LENGTH
        && run.len() <= after
        && token.enumerate().all(|(at, byte)| (*byte == b'-') == HYPHENS.contains(&at))
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
            "2026-11-25 +49 171 12345678",
            "+49 171 12345678 +49 171 12345679",
            "order 12345 0171 2345678",
            "+49\u{2013}171\u{2013}12345678",
            "tel4917112345678",
            "jane!@example.com",
            "https://shop.example/?m=jane%2540example.com",
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
            "2026-11-25 08:30",
            "52aafe1b-397b-4e49-94ac-478940547745",
            "visit 52aafe1b-397b-4e49-94ac-478940547745.",
            "12345678901234567890",
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
