//! Links that run something.

use std::borrow::Cow;

use memchr::memchr_iter;

/// A blank to JavaScript alone.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Words of JavaScript that stand before others.
const PREFIXES: [&str; 6] = ["await", "delete", "new", "throw", "typeof", "void"];

/// What browsers make a page of, with its scripts; and of whatever ends with `+xml`.
const PAGES: [&str; 7] = [
    "text/html",
    "text/xml",
    "text/xsl",
    "image/svg",
    "application/xml",
    "application/xslt",
    "application/javascript",
];

/// What runs something when it is called.
const CALLS: [&str; 7] = ["alert", "eval", "fetch", "function", "import", "setinterval", "settimeout"];

/// Where a link begins that runs something: `javascript:alert(1)`, and not `JavaScript: the good parts`.
pub(crate) fn script_link(text: &str) -> Option<usize> {
    let joined: Cow<'_, str> = if text.contains(['\t', '\n', '\r', '\\']) {
        Cow::Owned(seen(text).map(|(_, c)| c).collect())
    } else {
        Cow::Borrowed(text)
    };
    // What is behind a later sign is behind the first one as well: it is looked through once.
    let mut is_sentence = false;
    let found = memchr_iter(b':', joined.as_bytes()).find_map(|colon| {
        let (before, behind) = (joined.get(..colon)?, joined.get(colon + 1..)?);
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let scheme = before.rsplit(|c: char| !is_part(c)).next()?;
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let runs = if is("data") {
            is_page(behind)
        } else if is("javascript") || is("vbscript") || is("livescript") {
            let place = before.strip_suffix(scheme).unwrap_or(before);
            is_target(place, behind) || is_expression(behind) || {
                is_sentence = is_sentence || !is_code(behind);
                !is_sentence
            }
        } else {
            false
        };
        runs.then_some(colon - scheme.len())
    })?;
    let place = joined.get(..found).map_or(0, |before| before.chars().count());
    Some(seen(text).nth(place).map_or(0, |(at, _)| at))
}

/// Whether a type follows of which browsers make a page.
fn is_page(behind: &str) -> bool {
    let kind = behind.trim_start();
    let end = kind.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).unwrap_or(kind.len());
    let (is_near, kind) = (kind.len() == behind.len(), kind.get(..end).unwrap_or(kind).to_ascii_lowercase());
    // Behind a blank others can be words about files.
    let is_known = PAGES.iter().any(|page| kind.starts_with(page));
    is_known || kind.ends_with("+xml") || (is_near && kind.starts_with("application/"))
}

/// What is left of a link: browsers do not see tabs and line ends in it, and Markdown takes away a backslash before a sign. Directly behind a colon
/// a line ends as one does in a list.
fn seen(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut characters = text.char_indices().peekable();
    let mut before = None;
    std::iter::from_fn(move || {
        loop {
            let (at, c) = characters.next()?;
            let escapes = c == '\\' && characters.peek().is_some_and(|(_, next)| next.is_ascii_punctuation());
            let next = if escapes { characters.next()? } else { (at, c) };
            if before.replace(next.1) == Some(':') || !matches!(next.1, '\t' | '\n' | '\r') {
                return Some(next);
            }
        }
    })
}

/// Whether the link is that of a Markdown link or reference, where anything is run.
fn is_target(before: &str, behind: &str) -> bool {
    let before = before.trim_end();
    let before = before.strip_suffix('<').map_or(before, str::trim_end);
    before.ends_with("](") || (before.ends_with("]:") && !starts_blank(behind))
}

/// Whether it begins as an expression does that makes a page of something: `javascript:location.hash`, and not `JavaScript:the good parts`.
fn is_expression(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_punctuation() && !matches!(c, '-' | '/' | '_');
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let is_blank = |c: char| c.is_whitespace() || c == BYTE_ORDER_MARK;
    let end = text.find(|c: char| is_blank(c) || is_sign(c)).unwrap_or(text.len());
    let (word, behind) = text.split_at_checked(end).unwrap_or_default();
    // What follows is a comment, or its beginning.
    let word = word.split_once("//").map_or(word, |(word, _)| word).trim_end_matches('/');
    // What only ends a sentence is no operator.
    let ends = behind.trim_start_matches(['.', ',', ';', ':', '!', '?', '(', ')', '"', '\'', '%', '+']);
    let is_called = !word.is_empty() && word.is_ascii() && behind.trim_start_matches(' ').starts_with('(');
    is_called || word == "name" || PREFIXES.contains(&word) || !starts_blank(ends)
}

fn starts_blank(text: &str) -> bool {
    text.chars().next().is_none_or(char::is_whitespace)
}

/// Whether something is called, assigned or looked up in it, as code does and a sentence does not.
fn is_code(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let calls = memchr_iter(b'(', text.as_bytes()).any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let name = before.trim_end();
        let word = name.rsplit(|c| !is_word(c)).next().unwrap_or_default();
        (name.len() == before.len() && !name.is_empty())
            || CALLS.iter().any(|call| word.eq_ignore_ascii_case(call))
    });
    calls || text.contains(['=', '`', '['])
}
