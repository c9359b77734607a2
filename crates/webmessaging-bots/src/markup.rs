//! Markup and scripts in texts that are none: found with an HTML tokenizer, where a text has what one begins with.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Error, Span, Tokenizer};
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memchr3, memrchr, memrchr_iter};

use crate::autolink::without_links;
use crate::code_span::without_code;
use crate::elements::{can_begin, is_element};
use crate::entities::{Bare, bare_signs, decoded, steps};
use crate::script_link::script_link;

/// How often a text is decoded: entities within entities, and behind percent signs.
const LAYERS_MAX: usize = 3;

/// Words that begin like the names of event handlers.
const NO_HANDLERS: [&str; 13] = [
    "online",
    "ongoing",
    "onward",
    "onwards",
    "onboard",
    "onboarding",
    "onsite",
    "onscreen",
    "onset",
    "onion",
    "onions",
    "onsale",
    "onshore",
];

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
        // Whoever shows the text takes off this or that; with all of it gone a tag can have ended that has not for them.
        let found = in_layer(&text).or_else(|| steps(&text).find_map(|step| in_layer(&step)));
        if found.is_some() {
            return found;
        }
        match decoded(&text) {
            Some(below) => text = Cow::Owned(below),
            None => return None,
        }
    }
    in_layer(&text)
}

fn in_layer(text: &str) -> Option<(Markup, u64)> {
    let in_text = |text: &str, signs| {
        let in_lines =
            |text: &str| tag(text, signs).or_else(|| Some((Markup::ScriptLink, script_link(text)?)));
        let (markup, at) =
            in_lines(text).or_else(|| in_lines(&unquoted(text)?)).or_else(|| event_handler(text))?;
        let before = text.get(..at).unwrap_or(text);
        Some((markup, before.chars().count() as u64 + 1))
    };
    in_text(text, Signs::Written).or_else(|| {
        let hidden = bare_signs(text, Bare::Hidden)?;
        let in_plain = || {
            let plain = bare_signs(text, Bare::Plain).filter(|plain| *plain != hidden)?;
            in_text(&plain, Signs::Bare)
        };
        in_text(&hidden, Signs::Bare).or_else(in_plain)
    })
}

/// The text without what makes lines behind the first one those of a quotation, of which Markdown takes no notice; nothing where there is none. Places stay what they
/// are.
fn unquoted(text: &str) -> Option<String> {
    let is_prefix = |c: char| matches!(c, ' ' | '\t' | '>');
    let is_quoted = |line: &str| line.trim_start_matches([' ', '\t']).starts_with('>');
    text.split('\n').skip(1).any(is_quoted).then(|| {
        let mut lines = text.split('\n').map(|line| {
            let rest = line.trim_start_matches(is_prefix);
            format!("{}{rest}", " ".repeat(line.len() - rest.len()))
        });
        let first = lines.next().unwrap_or_default();
        lines.fold(first, |text, line| text + "\n" + &line)
    })
}

/// How the signs of a text were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs {
    Written,
    /// Without a semicolon, as the fields of `?a=1&lt=2&gt=3` are as well.
    Bare,
}

impl Signs {
    fn make(self, name: &str) -> bool {
        match self {
            Self::Written => is_element(name),
            Self::Bare => name.rsplit('<').next().is_some_and(|last| !last.contains('=') && is_element(last)),
        }
    }
}

/// A start tag that has not ended.
struct Open {
    /// Where its attributes begin.
    at: usize,
    /// Whether it is one if it ends, or has an attribute.
    waits: bool,
    has_handler: bool,
}

/// The first thing that is no text, and the byte it begins at. A tag is one when a browser makes something of its name, or when it has an attribute with a
/// value: `Vec<String>` and `<jane@example.com>` are text. What can be a variable has to end as a tag does: `if a<b then` is text.
fn tag(text: &str, signs: Signs) -> Option<(Markup, usize)> {
    memchr(b'<', text.as_bytes())?;
    let text = without_code(text);
    let text = &*without_links(&text);
    // What is before the first sign that can begin something is text; what follows is the tokenizer's to say.
    let first = memchr_iter(b'<', text.as_bytes())
        .find(|&at| text.as_bytes().get(at + 1).copied().is_some_and(can_begin))?;
    let rest = text.get(first..)?;
    let mut open: Option<Open> = None;
    let mut tokens = Tokenizer::new_with_emitter(
        rest,
        CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
            let tag_if = |is_tag: bool| is_tag.then_some((Markup::Tag, span.start));
            match event {
                CallbackEvent::OpenStartTag { name } => {
                    let name = String::from_utf8_lossy(name);
                    let waits = signs.make(&name);
                    open = Some(Open { at: span.start, waits, has_handler: false });
                    tag_if(waits && !can_be_variable(&name))
                }
                CallbackEvent::EndTag { name } => tag_if(signs.make(&String::from_utf8_lossy(name))),
                CallbackEvent::CloseStartTag { .. } => {
                    open.take().filter(|tag| tag.waits).map(|tag| (Markup::Tag, tag.at))
                }
                CallbackEvent::AttributeName { name } => {
                    let has_tag = begins_tag(name, signs);
                    // Markdown knows no end tag with an attribute.
                    let Some(tag) = &mut open else { return tag_if(has_tag) };
                    tag.has_handler |= is_handler(name);
                    tag.waits |= has_tag;
                    None
                }
                CallbackEvent::AttributeValue { value } => {
                    let counts = |tag: &Open| signs == Signs::Written || tag.waits || tag.has_handler;
                    tag_if(!value.is_empty() && open.as_ref().is_none_or(counts))
                }
                CallbackEvent::Error(Error::EofInTag) => {
                    let has_value = open.as_ref().is_some_and(|tag| {
                        let is_one = signs == Signs::Written || tag.has_handler;
                        is_one && rest.get(tag.at..).is_none_or(|attributes| attributes.contains('='))
                    });
                    tag_if(has_value || is_cut_off(rest, signs))
                }
                CallbackEvent::Error(Error::MissingEndTagName) => tag_if(true),
                CallbackEvent::Comment { .. } | CallbackEvent::Error(Error::EofInComment) => {
                    Some((Markup::Comment, span.start))
                }
                CallbackEvent::Doctype { .. } | CallbackEvent::Error(Error::EofInDoctype) => {
                    Some((Markup::Doctype, span.start))
                }
                _ => None,
            }
        }),
    );
    let Ok((markup, near)) = tokens.next()?;
    // The tokenizer tells where the thing ends or its name begins; it begins at the last sign before that which can begin one.
    let begins = begin(rest, near.min(rest.len()));
    Some((markup, first + begins.unwrap_or_default()))
}

/// Whether the name of an attribute has a tag in it, as in `<x <b>`: whoever does not take the first one for a tag sees the second one.
fn begins_tag(name: &[u8], signs: Signs) -> bool {
    let Some(sign) = memrchr(b'<', name) else { return false };
    let tag = String::from_utf8_lossy(name.get(sign + 1..).unwrap_or_default());
    signs.make(&tag) && (sign == 0 || !can_be_variable(&tag))
}

/// Whether a name can be a variable, or one less another: `a<b`, `i<n-1`.
fn can_be_variable(name: &str) -> bool {
    name.len() == 1 || name.contains('-')
}

/// Where the last thing begins that is no text, as far as a sign tells.
fn begin(text: &str, until: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memrchr_iter(b'<', bytes.get(..(until + 1).min(bytes.len()))?)
        .find(|&at| bytes.get(at + 1).copied().is_some_and(can_begin))
}

/// Whether a tag that has no end would be one if the page went on behind it: `a<b` and `i<n; i++` would not.
fn is_cut_off(text: &str, signs: Signs) -> bool {
    let Some(tag) = begin(text, text.len()).and_then(|at| text.get(at + 1..)) else { return true };
    let tag = tag.trim_start_matches('/');
    let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or(tag).to_ascii_lowercase();
    (signs == Signs::Written && tag.contains('=')) || (!can_be_variable(&name) && signs.make(&name))
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
