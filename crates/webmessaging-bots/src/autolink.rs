//! Links between two signs, as Markdown has them: `<https://example.com/?order=7>`.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use crate::code_span::blanked;

const SCHEMES: [&str; 6] = ["http:", "https:", "mailto:", "tel:", "sms:", "ftp:"];

/// Whether the name of a tag is the beginning of such a link.
pub(crate) fn is_link(name: &str) -> bool {
    SCHEMES.iter().any(|scheme| name.starts_with(scheme))
}

/// The text with the signs before whole links written as blanks, so that places stay what they are.
pub(crate) fn without_links(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr(b':', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let is_sign = |at: &usize| text.get(at + 1..).and_then(link).is_some_and(is_harmless);
    let signs: Vec<_> = memchr_iter(b'<', bytes).filter(is_sign).collect();
    blanked(text, &signs)
}

/// The link that a text begins with, up to the sign that ends it. Markdown takes it for none where there is a blank or another sign in it; a quote would
/// begin something for a browser.
fn link(text: &str) -> Option<&str> {
    let begins =
        |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().find(|scheme| begins(scheme))?;
    let is_end = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\'' | '`');
    let end = text.find(is_end)?;
    text.get(end..)?.starts_with('>').then(|| text.get(..end))?
}

/// Browsers, where they get to see it, take it for a tag, and each part of its path for an attribute.
fn is_harmless(link: &str) -> bool {
    let acts = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("on") || name == "style"
    };
    !link.split('/').any(|part| part.split_once('=').is_some_and(|(name, _)| acts(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_links_are_blanked() {
        for (text, expected) in [
            (
                "ä <https://a.example/?b=1> <MAILTO:a@b.example?subject=x>",
                "ä  https://a.example/?b=1>  MAILTO:a@b.example?subject=x>",
            ),
            ("<https://a.example/#/orders/id=7>", " https://a.example/#/orders/id=7>"),
            ("<https://a.example/?x='y'>", "<https://a.example/?x='y'>"),
            ("<https://a.example/?x=<b>", "<https://a.example/?x=<b>"),
            ("<https://a.example/ x>", "<https://a.example/ x>"),
            ("<https://a.example", "<https://a.example"),
            ("<https:/OnClick=alert(1)>", "<https:/OnClick=alert(1)>"),
            ("<http:/x/style=y>", "<http:/x/style=y>"),
            ("<javascript:x>", "<javascript:x>"),
        ] {
            assert_eq!(without_links(text), expected);
        }
    }
}
