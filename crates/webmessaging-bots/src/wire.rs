//! Messages as JSON, read strictly, with every violation at once.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use webmessaging_model::{Code, Limit, Violation, Violations};

use crate::message::{Content, Message, MessageType};

const FIELDS: [&str; 6] = ["to", "from", "type", "text", "cards", "quickReplies"];

type Fields = Map<String, Value>;

/// Reads a message.
pub(crate) fn read(value: &Value) -> Result<Message, Violations> {
    let mut found = Vec::new();
    let message = value.as_object().and_then(|fields| message(fields, &mut found));
    if !value.is_object() {
        found.push(malformed("", "bot_message.object"));
    }
    if let Some(Err(violations)) = message.as_ref().map(Message::validate) {
        found.extend(violations.into_vec());
    }
    Violations::check(found)?;
    // Nothing was found only where there is one.
    message.ok_or_else(|| malformed("", "bot_message.object").into())
}

fn message(fields: &Fields, found: &mut Vec<Violation>) -> Option<Message> {
    found.extend(
        fields
            .keys()
            .filter(|name| !FIELDS.contains(&name.as_str()))
            .map(|name| not_allowed(shown(name), "bot_message.unknown_field")),
    );
    let to = participant(fields, "to", found);
    let from = participant(fields, "from", found);
    let kind = message_type(fields, found);
    let content = kind.and_then(|kind| content(fields, kind, found));
    Some(Message::new(to?, from?, content?))
}

fn participant(fields: &Fields, name: &'static str, found: &mut Vec<Violation>) -> Option<String> {
    let path = format!("{name}.id");
    let Some(participant) = fields.get(name) else {
        found.push(Violation::new(path, Code::Required, "bot_message.participant.required"));
        return None;
    };
    let Some(participant) = participant.as_object() else {
        found.push(malformed(name, "bot_message.participant"));
        return None;
    };
    found.extend(
        participant
            .keys()
            .filter(|field| *field != "id")
            .map(|field| not_allowed(format!("{name}.{}", shown(field)), "bot_message.unknown_field")),
    );
    match participant.get("id") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => {
            found.push(malformed(path, "bot_message.participant"));
            None
        }
        None => {
            found.push(Violation::new(path, Code::Required, "bot_message.participant.required"));
            None
        }
    }
}

fn message_type(fields: &Fields, found: &mut Vec<Violation>) -> Option<MessageType> {
    let Some(kind) = fields.get("type") else {
        found.push(Violation::new("type", Code::Required, "bot_message.type.required"));
        return None;
    };
    let known = MessageType::ALL.iter().find(|known| kind.as_str() == Some(known.as_str())).copied();
    if known.is_none() {
        let names = MessageType::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
        found.push(not_allowed("type", "bot_message.type").allowed(Limit::OneOf(names)));
    }
    known
}

/// What the type has a place for; what it has none for is refused.
fn content(fields: &Fields, kind: MessageType, found: &mut Vec<Violation>) -> Option<Content> {
    let own = match kind {
        MessageType::Text => "text",
        MessageType::Card => "cards",
        MessageType::QuickReply => "quickReplies",
    };
    let others = ["text", "cards", "quickReplies"].into_iter().filter(|name| *name != own);
    found.extend(
        others
            .filter(|name| fields.contains_key(*name))
            .map(|name| not_allowed(name, "bot_message.content_of_another_type")),
    );
    let Some(value) = fields.get(own) else {
        found.push(Violation::new(own, Code::Required, "bot_message.content.required"));
        return None;
    };
    match kind {
        MessageType::Text => {
            let text = value.as_str().map(|text| Content::Text(text.to_owned()));
            if text.is_none() {
                found.push(malformed(own, "bot_message.text"));
            }
            text
        }
        MessageType::Card => list(own, value, "bot_message.card", found).map(Content::Cards),
        MessageType::QuickReply => {
            list(own, value, "bot_message.quick_reply", found).map(Content::QuickReplies)
        }
    }
}

/// The entries of a list; all of them, so that every one of another shape is named.
fn list<T: DeserializeOwned>(
    path: &'static str,
    value: &Value,
    rule: &'static str,
    found: &mut Vec<Violation>,
) -> Option<Vec<T>> {
    let Some(values) = value.as_array() else {
        found.push(malformed(path, rule));
        return None;
    };
    let mut entries = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        match T::deserialize(value) {
            Ok(entry) => entries.push(entry),
            Err(_) => found.push(malformed(format!("{path}[{index}]"), rule)),
        }
    }
    (entries.len() == values.len()).then_some(entries)
}

/// A name that somebody made up is not repeated where it is odd.
fn shown(name: &str) -> String {
    let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { name.to_owned() } else { "*".to_owned() }
}

fn malformed(path: impl Into<std::borrow::Cow<'static, str>>, rule: &'static str) -> Violation {
    Violation::new(path, Code::Malformed, rule)
}

fn not_allowed(path: impl Into<std::borrow::Cow<'static, str>>, rule: &'static str) -> Violation {
    Violation::new(path, Code::NotAllowed, rule)
}
