//! Code in backticks, in which people write about elements.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

/// Elements that change how a text looks and do nothing else, without their attributes. Sorted.
const HARMLESS: &[&str] = &[
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// The text with the signs of harmless tags between two backticks of a line written as blanks, so that places stay what they are: `<b>` and `</p>`
/// there are what the text is about. Wherever a page takes them for markup all the same, nothing happens but that a word is bold.
pub(crate) fn without_code(text: &str) -> Cow<'_, str> {
    let signs: Vec<_> = memchr_iter(b'`', text.as_bytes()).collect();
    let mut masked = Vec::new();
    for span in signs.chunks_exact(2) {
        let [begin, end] = *span else { continue };
        let code = text.get(begin..end).unwrap_or_default();
        if !code.contains('\n') {
            let tags =
                memchr_iter(b'<', code.as_bytes()).filter(|&at| code.get(at + 1..).is_some_and(is_harmless));
            masked.extend(tags.map(|at| begin + at));
        }
    }
    if masked.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut kept = text.as_bytes().to_vec();
    for at in masked {
        if let Some(sign) = kept.get_mut(at) {
            *sign = b' ';
        }
    }
    // One character of a byte stands for another.
    String::from_utf8(kept).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether this, behind a sign, is a whole tag of a harmless element and has no attribute.
fn is_harmless(tag: &str) -> bool {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let Some(name) = memchr(b'>', tag.as_bytes()).and_then(|end| tag.get(..end)) else { return false };
    let name = name.strip_suffix('/').unwrap_or(name).trim_ascii_end();
    name.len() <= 10 && HARMLESS.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_searched() {
        assert!(HARMLESS.is_sorted());
    }

    #[test]
    fn only_whole_harmless_tags_between_backticks_are_blanked() {
        for (text, expected) in [
            ("ä `<b>` and `</p><br />`", "ä ` b>` and ` /p> br />`"),
            ("`<b` > `<b onclick=x>`", "`<b` > `<b onclick=x>`"),
            ("`<script>` `<b<b>`", "`<script>` `<b b>`"),
            ("`<b>\n`", "`<b>\n`"),
            ("<b>`x`<b>", "<b>`x`<b>"),
            ("`<b>", "`<b>"),
        ] {
            assert_eq!(without_code(text), expected);
        }
    }
}
