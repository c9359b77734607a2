//! What is to be sent: messages as files and arguments have them, checked before anything else is done.

use std::path::Path;

use webmessaging::Error;
use webmessaging::bots::{Message, QuickReply, Template, split_text};
use webmessaging::model::{Code, ConversationId, Violation, Violations, limits};

use super::about;
use crate::args::bots::SendArgs;
use crate::failure::{Failure, Local};
use crate::input;

/// More than the platform takes of a request.
const PAYLOAD_BYTES_MAX: usize = 512_000;

/// More than a text of the longest, whatever is cut out of it.
const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

/// The messages of `bots send`, none of which breaks a rule.
pub(super) fn messages(args: &SendArgs) -> Result<Vec<Message>, Failure> {
    if let Some(path) = &args.payload {
        return Ok(vec![of_file(path)?.map_err(|violations| about(violations, path.display().to_string()))?]);
    }
    // Both are there when no payload is.
    let (to, from) = (args.to.as_deref().unwrap_or_default(), args.from.as_deref().unwrap_or_default());
    let text = |text: &str| Message::text(to, from, text);
    let messages = match (&args.template, &args.text) {
        (Some(path), _) => vec![text(&filled(path, &args.set)?)],
        (None, Some(whole)) if args.split => parts(whole).into_iter().map(text).collect(),
        (None, Some(whole)) => vec![text(whole)],
        (None, None) => {
            let replies = args.quick_reply.iter().map(|(label, payload)| QuickReply::new(label, payload));
            vec![Message::quick_replies(to, from, replies)]
        }
    };
    for (message, number) in messages.iter().zip(1..) {
        if let Err(violations) = message.validate() {
            return Err(match messages.len() {
                1 => Error::from(violations).into(),
                all => about(violations, format!("part {number} of {all}")),
            });
        }
    }
    Ok(messages)
}

/// The message of a file; the outer error is that of the file.
pub(super) fn of_file(path: &Path) -> Result<Result<Message, Violations>, Failure> {
    Ok(Message::from_json(&input::bytes(path, PAYLOAD_BYTES_MAX)?))
}

/// An id that can stand in a path.
pub(super) fn conversation(id: impl Into<String>) -> Result<ConversationId, Violation> {
    let id = id.into();
    let refused = match &*id {
        "" => Some((Code::Required, "id.required")),
        "." | ".." => Some((Code::Reserved, "id.reserved")),
        _ => None,
    };
    match refused {
        Some((code, rule)) => Err(Violation::new("conversationId", code, rule)),
        None => Ok(id.into()),
    }
}

/// The parts of a text; one that is nothing but blanks stays as it is, and is refused as such.
fn parts(text: &str) -> Vec<&str> {
    let max = usize::try_from(limits::BOT_TEXT_CHARACTERS_MAX.value).ok().and_then(|max| max.try_into().ok());
    let parts = max.map(|max| split_text(text, max)).unwrap_or_default();
    if parts.is_empty() { vec![text] } else { parts }
}

fn filled(path: &Path, values: &[(String, String)]) -> Result<String, Failure> {
    let shown = || path.display().to_string();
    let text = input::text(path, TEMPLATE_BYTES_MAX)?;
    let text = text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
    let template = Template::new(text).map_err(|violations| about(violations, shown()))?;
    // Of two values only one would be sent, and nobody could say which was meant.
    let is_twice = |(at, (name, _)): (usize, &(String, String))| {
        values.iter().skip(at + 1).any(|(other, _)| other == name)
    };
    if values.iter().enumerate().any(is_twice) {
        return Err(Local::input("invalid_input", "a place of the template is set twice")
            .about(shown())
            .into());
    }
    let values = values.iter().map(|(name, value)| (name, value));
    template.fill(values).map_err(|violations| about(violations, shown()))
}
