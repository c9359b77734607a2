//! Markup and scripts in texts that are none: found with an HTML tokenizer, where a text has what one begins with.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Error, Span, Tokenizer};
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memchr3, memrchr_iter};
use percent_encoding::percent_decode_str;

use crate::code_span::without_code;
use crate::elements::is_element;

/// How often a text is decoded: entities within entities, and behind percent signs.
const LAYERS_MAX: usize = 3;

/// Words that begin like the names of event handlers.
const NO_HANDLERS: [&str; 8] =
    ["online", "ongoing", "onward", "onwards", "onboarding", "onsite", "onscreen", "onset"];

/// What was found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Markup {
    /// A tag, closed or not.
    Tag,
    /// A comment, or what a browser takes for one.
    Comment,
    /// A document type.
    Doctype,
    /// An event handler, behind a quote that ends an attribute.
    EventHandler,
    /// A link that runs a script.
    ScriptLink,
}

impl Markup {
    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Comment => "comment",
            Self::Doctype => "doctype",
            Self::EventHandler => "event_handler",
            Self::ScriptLink => "script_link",
        }
    }
}

/// The first markup of a text and where it begins, counted in characters from 1; of what was hidden behind entities or percent signs the place is
/// that in the decoded text.
///
/// It is what an HTML tokenizer takes for markup and a browser makes something of, so that ordinary text passes: `a < b`, `I <3 you`, `Vec<String>`, `<jane@example.com>`, and `<b>` between two backticks.
/// Beside tags these are found: event handlers behind a quote, as they break out of an attribute, and links with a scheme that runs scripts.
///
/// # Examples
/// ```
/// use webmessaging_bots::{Markup, find_markup};
///
/// assert_eq!(find_markup("if a < b, I <3 you"), None);
/// assert_eq!(find_markup("hello <b>world</b>"), Some((Markup::Tag, 7)));
/// assert_eq!(find_markup("&lt;script&gt;"), Some((Markup::Tag, 1)));
/// ```
pub fn find_markup(text: &str) -> Option<(Markup, u64)> {
    // Nearly every text has none of these.
    let is_suspicious = memchr3(b'<', b'&', b'%', text.as_bytes()).is_some()
        || memchr2(b':', b'=', text.as_bytes()).is_some();
    if !is_suspicious {
        return None;
    }
    let mut text = Cow::Borrowed(text);
    for _ in 0..LAYERS_MAX {
        if let Some(found) = in_layer(&text) {
            return Some(found);
        }
        match decoded(&text) {
            Some(below) => text = Cow::Owned(below),
            None => return None,
        }
    }
    in_layer(&text)
}

fn in_layer(text: &str) -> Option<(Markup, u64)> {
    let (markup, at) = tag(text)
        .or_else(|| bare_sign(text))
        .or_else(|| script_link(text))
        .or_else(|| event_handler(text))?;
    let before = text.get(..at).unwrap_or(text);
    Some((markup, before.chars().count() as u64 + 1))
}

/// The first thing that is no text, and the byte it begins at. A tag is one when a browser makes something of its name, or when it has an attribute with a
/// value: `Vec<String>` and `<jane@example.com>` are text.
fn tag(text: &str) -> Option<(Markup, usize)> {
    memchr(b'<', text.as_bytes())?;
    let text = &*without_code(text);
    // What is before the first sign that can begin something is text; what follows is the tokenizer's to say.
    let first = memchr_iter(b'<', text.as_bytes())
        .find(|&at| text.as_bytes().get(at + 1).copied().is_some_and(can_begin))?;
    let rest = text.get(first..)?;
    // Where the attributes of a tag begin that has no end yet.
    let mut open = None;
    let mut tokens = Tokenizer::new_with_emitter(
        rest,
        CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
            let markup = match event {
                CallbackEvent::OpenStartTag { name } => {
                    open = Some(span.start);
                    is_element(&String::from_utf8_lossy(name)).then_some(Markup::Tag)
                }
                CallbackEvent::EndTag { name } => {
                    is_element(&String::from_utf8_lossy(name)).then_some(Markup::Tag)
                }
                CallbackEvent::CloseStartTag { .. } => {
                    open = None;
                    None
                }
                CallbackEvent::AttributeValue { value } => (!value.is_empty()).then_some(Markup::Tag),
                CallbackEvent::Error(Error::EofInTag) => {
                    let has_value = open
                        .is_some_and(|at| rest.get(at..).is_none_or(|attributes| attributes.contains('=')));
                    (has_value || is_cut_off(rest)).then_some(Markup::Tag)
                }
                CallbackEvent::Error(Error::MissingEndTagName) => Some(Markup::Tag),
                CallbackEvent::Comment { .. } | CallbackEvent::Error(Error::EofInComment) => {
                    Some(Markup::Comment)
                }
                CallbackEvent::Doctype { .. } | CallbackEvent::Error(Error::EofInDoctype) => {
                    Some(Markup::Doctype)
                }
                _ => None,
            };
            markup.map(|markup| (markup, span.start))
        }),
    );
    let Ok((markup, near)) = tokens.next()?;
    // The tokenizer tells where the thing ends or its name begins; it begins at the last sign before that which can begin one.
    let begins = begin(rest, near.min(rest.len()));
    Some((markup, first + begins.unwrap_or_default()))
}

/// Where the last thing begins that is no text, as far as a sign tells.
fn begin(text: &str, until: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memrchr_iter(b'<', bytes.get(..(until + 1).min(bytes.len()))?)
        .find(|&at| bytes.get(at + 1).copied().is_some_and(can_begin))
}

/// Whether a sign with this behind it is more than a sign.
fn can_begin(next: u8) -> bool {
    next.is_ascii_alphabetic() || b"/!?".contains(&next)
}

/// Whether a tag that has no end would be one if the page went on behind it: `a<b` and `i<n; i++` would not.
fn is_cut_off(text: &str) -> bool {
    let Some(tag) = begin(text, text.len()).and_then(|at| text.get(at + 1..)) else { return true };
    let tag = tag.trim_start_matches('/');
    let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or(tag).to_ascii_lowercase();
    // A letter alone is a variable.
    tag.contains('=') || (name.len() > 1 && is_element(&name))
}

/// A tag whose sign is written `&lt` without its semicolon, as browsers read it too; the fields of `?a=1&lt=2&table=3&ltd=4` are none.
fn bare_sign(text: &str) -> Option<(Markup, usize)> {
    memchr_iter(b'&', text.as_bytes()).find_map(|at| {
        let part = text.get(at + 1..)?;
        let tag = part.strip_prefix("lt").or_else(|| part.strip_prefix("LT"))?;
        let tag = tag.strip_prefix('/').unwrap_or(tag);
        let end = tag.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (name, behind) = tag.split_at_checked(end)?;
        let is_tag = match name.len() {
            0 => false,
            // A letter alone is a variable, but where the tag ends or has an attribute.
            1 => {
                let has_end = behind.starts_with('>') || behind.starts_with("&gt");
                let attributes = behind.split('&').next().filter(|rest| rest.starts_with(' '));
                has_end || attributes.is_some_and(|rest| rest.contains('='))
            }
            _ => !behind.starts_with('='),
        };
        (is_tag && is_element(&name.to_ascii_lowercase())).then_some((Markup::Tag, at))
    })
}

/// A link that runs something: `javascript:alert(1)`, and not `JavaScript: the good parts`.
fn script_link(text: &str) -> Option<(Markup, usize)> {
    // Browsers do not see these within a link.
    let joined: Cow<'_, str> = if text.contains(['\t', '\n', '\r']) {
        Cow::Owned(text.replace(['\t', '\n', '\r'], ""))
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
            let kind = behind.trim_start().as_bytes();
            let has = |name: &str| {
                kind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            };
            ["text/html", "image/svg", "application/", "text/xml"].into_iter().any(has)
        } else if !is_sentence && (is("javascript") || is("vbscript") || is("livescript")) {
            is_sentence = !is_code(behind);
            !is_sentence
        } else {
            false
        };
        runs.then_some(colon - scheme.len())
    })?;
    // The place in the text itself, in front of which nothing was taken away but such characters.
    let mut kept = text.char_indices().filter(|(_, c)| !matches!(c, '\t' | '\n' | '\r'));
    let place = joined.get(..found).map_or(0, |before| before.chars().count());
    Some((Markup::ScriptLink, kept.nth(place).map_or(0, |(at, _)| at)))
}

/// Whether something is called, assigned or looked up in it, as code does and a sentence does not.
fn is_code(text: &str) -> bool {
    let calls = memchr_iter(b'(', text.as_bytes()).any(|at| {
        text.get(..at).and_then(|before| before.chars().next_back()).is_some_and(|c| !c.is_whitespace())
    });
    calls || text.contains(['=', '`', '['])
}

/// A handler that becomes an attribute when a page puts the text between quotes.
fn event_handler(text: &str) -> Option<(Markup, usize)> {
    let bytes = text.as_bytes();
    memchr(b'=', bytes)?;
    // Without these two letters there is no name of one.
    memchr2_iter(b'o', b'O', bytes).find(|&at| matches!(bytes.get(at + 1), Some(b'n' | b'N')))?;
    [('"', b'"'), ('\'', b'\'')].into_iter().find_map(|(quote, byte)| {
        let at = memchr(byte, bytes)?;
        let page = format!("<a title={quote}{text}{quote}>");
        let mut is_next = false;
        let mut tokens = Tokenizer::new_with_emitter(
            &*page,
            CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| match event {
                CallbackEvent::AttributeName { name } => {
                    is_next = is_handler(name);
                    None
                }
                CallbackEvent::AttributeValue { value } => (is_next && !value.is_empty()).then_some(true),
                CallbackEvent::CloseStartTag { .. } => Some(false),
                _ => None,
            }),
        );
        let Ok(is_handler) = tokens.next()?;
        is_handler.then_some((Markup::EventHandler, at))
    })
}

fn is_handler(name: &[u8]) -> bool {
    let Some(event) = name.strip_prefix(b"on") else { return false };
    let is_word = NO_HANDLERS.iter().any(|word| word.as_bytes() == name);
    event.len() >= 3 && event.iter().all(u8::is_ascii_lowercase) && !is_word
}

/// The text with one layer of entities and percent signs taken off, if it has one.
pub(crate) fn decoded(text: &str) -> Option<String> {
    // The most usual one hides others, and needs no tokenizer.
    let whole = text.replace("&amp;", "&");
    let without_entities = match whole_entities(&whole) {
        // Signs that would be markup have been looked at before; what is left is text.
        Some(text) => {
            let mut whole = Vec::with_capacity(text.len());
            let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
                if let CallbackEvent::String { value } = event {
                    whole.extend_from_slice(value);
                }
                None::<()>
            });
            let _ = Tokenizer::new_with_emitter(&*text, emitter).count();
            Cow::Owned(String::from_utf8_lossy(&whole).into_owned())
        }
        None => Cow::Borrowed(&*whole),
    };
    let below = percent_decode_str(&without_entities).decode_utf8_lossy();
    (below != text).then(|| below.into_owned())
}

/// The text with every `&` that begins no whole entity written as one, so that `?a=1&lt=2` stays a query; nothing where there is no entity.
fn whole_entities(text: &str) -> Option<String> {
    memchr(b'&', text.as_bytes())?;
    let mut parts = text.split('&');
    let mut whole = parts.next()?.to_owned();
    let mut has_some = false;
    for part in parts {
        let name = part.get(..part.len().min(33)).unwrap_or(part);
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is_named = !name.is_empty() && part.get(name.len()..).is_some_and(|rest| rest.starts_with(';'));
        let is_entity = part.starts_with('#') || is_named;
        has_some |= is_entity;
        whole.push_str(if is_entity { "&" } else { "&amp;" });
        whole.push_str(part);
    }
    has_some.then_some(whole)
}
