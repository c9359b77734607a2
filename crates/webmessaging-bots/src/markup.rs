//! Markup and scripts in texts that are none: found with an HTML tokenizer, where a text has what one begins with.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Error, Span, Tokenizer};
use memchr::{memchr_iter, memchr2, memchr3};
use percent_encoding::percent_decode_str;

/// How often a text is decoded: entities within entities, and behind percent signs.
const LAYERS_MAX: usize = 3;

/// What the names of event handlers go on with after `on`. Prefixes, so that later ones of a family are found as well.
const HANDLERS: &[&str] = &[
    "abort",
    "activate",
    "after",
    "animation",
    "auxclick",
    "before",
    "begin",
    "blur",
    "bounce",
    "canplay",
    "cellchange",
    "change",
    "click",
    "close",
    "contextmenu",
    "copy",
    "cuechange",
    "cut",
    "dataavailable",
    "datasetc",
    "dblclick",
    "deactivate",
    "drag",
    "drop",
    "durationchange",
    "emptied",
    "end",
    "error",
    "filterchange",
    "finish",
    "focus",
    "formdata",
    "fullscreen",
    "gesture",
    "gotpointer",
    "hashchange",
    "help",
    "input",
    "invalid",
    "key",
    "layoutcomplete",
    "load",
    "losecapture",
    "lostpointer",
    "media",
    "message",
    "mouse",
    "move",
    "offline",
    "orientation",
    "outofsync",
    "page",
    "paste",
    "pause",
    "play",
    "pointer",
    "popstate",
    "progress",
    "propertychange",
    "ratechange",
    "readystate",
    "repeat",
    "reset",
    "resize",
    "reverse",
    "rows",
    "scroll",
    "search",
    "seek",
    "select",
    "show",
    "slotchange",
    "stalled",
    "start",
    "stop",
    "storage",
    "submit",
    "suspend",
    "syncrestored",
    "timeerror",
    "timeupdate",
    "toggle",
    "touch",
    "trackchange",
    "transition",
    "unhandled",
    "unload",
    "urlflip",
    "volume",
    "waiting",
    "webkit",
    "wheel",
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
/// It is what an HTML tokenizer takes for markup, so that ordinary text passes: `a < b`, `I <3 you`, `x => y`. Beside tags these are found: event
/// handlers behind a quote, as they break out of an attribute, and links with a scheme that runs scripts.
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
    let (markup, at) = tag(text).or_else(|| script_link(text)).or_else(|| event_handler(text))?;
    let before = text.get(..at).unwrap_or(text);
    Some((markup, before.chars().count() as u64 + 1))
}

/// The first thing that is no text, and the byte it begins at.
fn tag(text: &str) -> Option<(Markup, usize)> {
    // Text before the first sign is text; what follows is the tokenizer's to say.
    let first = memchr::memchr(b'<', text.as_bytes())?;
    let rest = text.get(first..)?;
    let mut tokens = Tokenizer::new_with_emitter(
        rest,
        CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
            let markup = match event {
                CallbackEvent::OpenStartTag { .. }
                | CallbackEvent::EndTag { .. }
                | CallbackEvent::Error(Error::EofInTag | Error::MissingEndTagName) => Markup::Tag,
                CallbackEvent::Comment { .. } | CallbackEvent::Error(Error::EofInComment) => Markup::Comment,
                CallbackEvent::Doctype { .. } | CallbackEvent::Error(Error::EofInDoctype) => Markup::Doctype,
                _ => return None,
            };
            Some((markup, span.start))
        }),
    );
    let Ok((markup, near)) = tokens.next()?;
    // The tokenizer tells where the thing ends or its name begins; it begins at the last sign before that which can begin one.
    let near = near.min(rest.len());
    let begins = memchr_iter(b'<', rest.as_bytes())
        .take_while(|&at| at <= near)
        .filter(|&at| {
            rest.as_bytes()
                .get(at + 1)
                .is_some_and(|next| next.is_ascii_alphabetic() || b"/!?".contains(next))
        })
        .last();
    Some((markup, first + begins.unwrap_or_default()))
}

/// A link that runs something: `javascript:alert(1)`, and not `JavaScript: the good parts`.
fn script_link(text: &str) -> Option<(Markup, usize)> {
    let bytes = text.as_bytes();
    memchr_iter(b':', bytes).find_map(|colon| {
        let behind = text.get(colon + 1..)?;
        behind.chars().next().filter(|next| !next.is_whitespace())?;
        let scheme = text.get(..colon)?.rsplit(|c: char| !c.is_ascii_alphabetic()).next()?;
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let has_type =
            |name: &str| behind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let runs = is("javascript")
            || is("vbscript")
            || is("livescript")
            || (is("data")
                && ["text/html", "image/svg", "application/xhtml", "text/xml"]
                    .iter()
                    .any(|name| has_type(name)));
        runs.then_some((Markup::ScriptLink, colon - scheme.len()))
    })
}

/// A handler that becomes an attribute when a page puts the text between quotes.
fn event_handler(text: &str) -> Option<(Markup, usize)> {
    memchr::memchr(b'=', text.as_bytes())?;
    [('"', b'"'), ('\'', b'\'')].into_iter().find_map(|(quote, byte)| {
        let at = memchr::memchr(byte, text.as_bytes())?;
        let page = format!("<a title={quote}{text}{quote}>");
        let mut tokens = Tokenizer::new_with_emitter(
            &*page,
            CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| match event {
                CallbackEvent::AttributeName { name } => is_handler(name).then_some(true),
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
    HANDLERS.iter().any(|handler| event.starts_with(handler.as_bytes()))
}

/// The text with one layer of entities and percent signs taken off, if it has one.
fn decoded(text: &str) -> Option<String> {
    let without_entities = if memchr::memchr(b'&', text.as_bytes()).is_some() {
        // Signs that would be markup have been looked at before; what is left is text.
        let mut whole = Vec::with_capacity(text.len());
        let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
            if let CallbackEvent::String { value } = event {
                whole.extend_from_slice(value);
            }
            None::<()>
        });
        let _ = Tokenizer::new_with_emitter(text, emitter).count();
        Cow::Owned(String::from_utf8_lossy(&whole).into_owned())
    } else {
        Cow::Borrowed(text)
    };
    let below = percent_decode_str(&without_entities).decode_utf8_lossy();
    (below != text).then(|| below.into_owned())
}
