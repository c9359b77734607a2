//! The rules that texts, counts and ids of messages share.

use std::borrow::Cow;

use webmessaging_model::{Actual, Code, DatedLimit, Limit, Unit, Violation, limits};

use crate::markup::find_markup;

type Path = Cow<'static, str>;

/// What can be the id of a participant.
pub(crate) fn check_ids(ids: &[(&'static str, &str)], found: &mut Vec<Violation>) {
    found.extend(ids.iter().filter_map(|(path, id)| bounded(*path, id, limits::ID_CHARACTERS_MAX)));
}

/// Refuses an empty text and one of more characters.
pub(crate) fn bounded(path: impl Into<Path>, text: &str, limit: DatedLimit) -> Option<Violation> {
    if text.is_empty() {
        return Some(Violation::new(path, Code::Required, required(limit.name)));
    }
    // No text has more characters than bytes.
    if text.len() as u64 <= limit.value {
        return None;
    }
    let count = text.chars().count() as u64;
    let violation = || Violation::new(path, Code::TooLong, limit.name);
    (count > limit.value).then(|| violation().limit(Limit::Max(limit.value), Unit::Characters).count(count))
}

/// What a person will see: not empty, not too long, not made of blanks, and no markup.
pub(crate) fn visible(path: impl Into<Path>, text: &str, limit: DatedLimit) -> Option<Violation> {
    let path = path.into();
    // A text that is too long is not looked through.
    if let Some(violation) = bounded(path.clone(), text, limit) {
        return Some(violation);
    }
    if text.chars().all(is_blank) {
        return Some(Violation::new(path, Code::Required, required(limit.name)));
    }
    no_markup(path, text)
}

/// What nobody sees.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Refuses markup and scripts.
pub(crate) fn no_markup(path: impl Into<Path>, text: &str) -> Option<Violation> {
    let (_, at) = find_markup(text)?;
    let violation = Violation::new(path, Code::Markup, "bot_message.plain_text");
    Some(violation.actual(Actual::Position(at)))
}

pub(crate) fn counted(path: &'static str, count: usize, limit: DatedLimit) -> Option<Violation> {
    let count = count as u64;
    if count == 0 {
        return Some(Violation::new(path, Code::Required, required(limit.name)));
    }
    let violation = || Violation::new(path, Code::TooLarge, limit.name);
    (count > limit.value).then(|| violation().limit(Limit::Max(limit.value), limit.unit).count(count))
}

/// The rule that something has to be there, by the name of the limit that it has.
fn required(limit: &'static str) -> &'static str {
    match limit {
        "bot_message.text.max" => "bot_message.text.required",
        "bot_message.cards.max" => "bot_message.cards.required",
        "bot_message.card.title.max" => "bot_message.card.title.required",
        "bot_message.quick_replies.max" => "bot_message.quick_replies.required",
        "bot_message.quick_reply.label.max" => "bot_message.quick_reply.label.required",
        "bot_message.quick_reply.payload.max" => "bot_message.quick_reply.payload.required",
        _ => "id.required",
    }
}
