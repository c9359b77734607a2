//! Code in backticks, in which people write about elements.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr2};

use crate::elements::can_begin;

/// Elements that change how a text looks and do nothing else. Sorted.
const HARMLESS: &[&str] = &["b", "br", "code", "em", "hr", "i", "p", "s", "strong", "sub", "sup", "u"];

/// The same of blocks, as far as they begin: where they end, the page's own would. Sorted.
const HARMLESS_TO_BEGIN: &[&str] =
    &["blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "pre", "span", "ul"];

/// No harmless tag is longer.
const TAG_BYTES_MAX: usize = 16;

/// The text with the signs of harmless tags in backticks of a line written as blanks, so that places stay what they are: `<b>` and `</p>` there are what
/// the text is about. Wherever a page takes them for markup all the same, nothing happens but that the text looks different.
pub(crate) fn without_code(text: &str) -> Cow<'_, str> {
    if memchr(b'`', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut masked = Vec::new();
    let mut line_begins = 0;
    for line in text.split_inclusive('\n') {
        for span in code_spans(line) {
            let (begin, end) = (line_begins + span.start, line_begins + span.end);
            let code = text.get(begin..end).unwrap_or_default();
            let signs = memchr_iter(b'<', code.as_bytes()).filter(|at| is_harmless(code, at + 1));
            let signs: Vec<_> = signs.map(|at| begin + at).collect();
            // In the middle of a tag it would be a part of that.
            if !signs.is_empty() && !is_in_tag(text, begin) {
                masked.extend(signs);
            }
        }
        line_begins += line.len();
    }
    blanked(text, &masked)
}

/// The text with blanks for the signs at these places.
pub(crate) fn blanked<'a>(text: &'a str, signs: &[usize]) -> Cow<'a, str> {
    if signs.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut kept = text.as_bytes().to_vec();
    for &at in signs {
        if let Some(sign) = kept.get_mut(at) {
            *sign = b' ';
        }
    }
    // One character of a byte stands for another.
    String::from_utf8(kept).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// What is between backticks, as Markdown pairs them: as many as there are before it are behind it.
fn code_spans(line: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in memchr_iter(b'`', line.as_bytes()) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    let mut spans = Vec::new();
    // For each length the places where such a run can still end a span, the next one last.
    let mut ends: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for run in runs.iter().rev() {
        ends.entry(run.len()).or_default().push(run.start);
    }
    let mut behind = 0;
    for run in &runs {
        let Some(ends) = ends.get_mut(&run.len()) else { continue };
        while ends.last().is_some_and(|end| *end <= run.start) {
            ends.pop();
        }
        if run.start >= behind
            && let Some(end) = ends.last()
        {
            spans.push(run.end..*end);
            behind = end + run.len();
        }
    }
    spans
}

/// Whether the last sign before a place begins a tag.
fn is_in_tag(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let last = bytes.get(..at).and_then(|before| memrchr2(b'<', b'>', before));
    matches!(last.and_then(|last| bytes.get(last..last + 2)), Some([b'<', next]) if can_begin(*next))
}

/// Whether behind a sign there is the rest of a whole tag of a harmless element, without an attribute.
fn is_harmless(code: &str, at: usize) -> bool {
    let tag = code.as_bytes().get(at..).unwrap_or_default();
    let tag = tag.get(..TAG_BYTES_MAX).unwrap_or(tag);
    let Some(tag) = memchr(b'>', tag).and_then(|end| tag.get(..end)) else { return false };
    let (tag, is_end) = tag.strip_prefix(b"/").map_or((tag, false), |name| (name, true));
    let name = tag.strip_suffix(b"/").unwrap_or(tag).trim_ascii_end().to_ascii_lowercase();
    let is_in = |names: &[&str]| names.binary_search_by(|known| known.as_bytes().cmp(&name)).is_ok();
    is_in(HARMLESS) || (!is_end && is_in(HARMLESS_TO_BEGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_searched() {
        assert!(HARMLESS.is_sorted() && HARMLESS_TO_BEGIN.is_sorted());
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
