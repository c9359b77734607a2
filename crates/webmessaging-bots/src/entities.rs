//! What entities and percent signs hide.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use memchr::memchr;
use percent_encoding::percent_decode_str;

/// The signs that browsers read without a semicolon as well.
const BARE_SIGNS: [(&str, char); 6] =
    [("lt", '<'), ("LT", '<'), ("gt", '>'), ("GT", '>'), ("quot", '"'), ("QUOT", '"')];

/// The text with one layer of entities and percent signs taken off, if it has one.
pub(crate) fn decoded(text: &str) -> Option<String> {
    // The most usual one hides others, and needs no tokenizer.
    let whole = text.replace("&amp;", "&");
    let below = without_percents(&without_entities(&whole)).into_owned();
    (below != text).then_some(below)
}

/// The text without its entities alone, and without its percent signs alone, where that is something else.
pub(crate) fn steps(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let steps: [fn(&str) -> Cow<'_, str>; 2] = [without_entities, without_percents];
    steps.into_iter().map(move |step| step(text)).filter(move |below| below != text)
}

fn without_percents(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn without_entities(text: &str) -> Cow<'_, str> {
    match whole_entities(text) {
        Some(text) => {
            // A sign that is written out stays one: the tokenizer is here for the entities, also of those within what it takes for a tag.
            let text = text.replace('<', "&lt;");
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
        None => Cow::Borrowed(text),
    }
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

/// How signs without a semicolon are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bare {
    /// Also behind `&amp`.
    Hidden,
    Plain,
}

/// The text with `&lt`, `&gt`, `&quot` and `&amp` taken for what they stand for, semicolon or not; nothing where each of them has one.
pub(crate) fn bare_signs(text: &str, bare: Bare) -> Option<String> {
    memchr(b'&', text.as_bytes())?;
    let mut parts = text.split('&');
    let mut read = parts.next()?.to_owned();
    let mut has_bare = false;
    for mut part in parts {
        let mut has_end = true;
        // One hides others.
        while bare == Bare::Hidden
            && let Some(behind) = part.strip_prefix("amp").or_else(|| part.strip_prefix("AMP"))
        {
            (part, has_end) = ended(behind, has_end);
        }
        let sign = BARE_SIGNS.iter().find_map(|(name, sign)| Some((part.strip_prefix(name)?, *sign)));
        if let Some((behind, _)) = sign {
            (part, has_end) = ended(behind, has_end);
        }
        has_bare |= !has_end;
        read.push(sign.map_or('&', |(_, sign)| sign));
        read.push_str(part);
    }
    has_bare.then_some(read)
}

/// What is behind the semicolon, and whether this one and those before it have one.
fn ended(behind: &str, had_end: bool) -> (&str, bool) {
    behind.strip_prefix(';').map_or((behind, false), |behind| (behind, had_end))
}
