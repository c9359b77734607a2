//! Messages as JSON, read strictly, with every violation at once.

use serde_json::{Map, Value};
use webmessaging_model::{Code, DatedLimit, Limit, Violation, Violations, limits};

use crate::card::Card;
use crate::message::{Content, Message, MessageType};
use crate::quick_reply::QuickReply;
use crate::rules::{check_ids, counted};

const FIELDS: [&str; 6] = ["to", "from", "type", "text", "cards", "quickReplies"];

type Fields = Map<String, Value>;

/// Reads a message.
pub(crate) fn read(value: &Value) -> Result<Message, Violations> {
    let mut found = Vec::new();
    let message =
        fields(value, "", "bot_message.object", &mut found).and_then(|fields| message(fields, &mut found));
    Violations::check(found)?;
    // Nothing was found only where there is one.
    message.ok_or_else(|| malformed("", "bot_message.object").into())
}

fn message(fields: &Fields, found: &mut Vec<Violation>) -> Option<Message> {
    found.extend(unknown(fields, &FIELDS, ""));
    let to = participant(fields, "to", "to.id", found);
    let from = participant(fields, "from", "from.id", found);
    let kind = message_type(fields, found);
    let content = kind.and_then(|kind| content(fields, kind, found));
    Some(Message::new(to?, from?, content?))
}

fn participant(
    message: &Fields,
    name: &'static str,
    path: &'static str,
    found: &mut Vec<Violation>,
) -> Option<String> {
    const RULE: &str = "bot_message.participant";
    let Some(participant) = message.get(name) else {
        found.push(Violation::new(path, Code::Required, "id.required"));
        return None;
    };
    let participant = fields(participant, name, RULE, found)?;
    found.extend(unknown(participant, &["id"], name));
    let id = text(participant, "id", name, RULE, found)?;
    check_ids(&[(path, &id)], found);
    Some(id)
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
    match kind {
        MessageType::Text => {
            let text = Content::Text(text(fields, own, "", "bot_message.text", found)?);
            text.check(found);
            Some(text)
        }
        MessageType::Card => {
            let cards = list(fields, own, limits::BOT_CARDS_MAX, found, |value, path, found| {
                let card = Card::read(value, path, found)?;
                card.check(path, found);
                Some(card)
            });
            cards.map(Content::Cards)
        }
        MessageType::QuickReply => {
            let replies = list(fields, own, limits::BOT_QUICK_REPLIES_MAX, found, |value, path, found| {
                let reply = QuickReply::read(value, path, found)?;
                reply.check(path, found);
                Some(reply)
            });
            replies.map(Content::QuickReplies)
        }
    }
}

/// The entries of a list, each looked at by itself, so that what is wrong with one hides nothing of another.
fn list<T>(
    fields: &Fields,
    path: &'static str,
    limit: DatedLimit,
    found: &mut Vec<Violation>,
    read: impl Fn(&Value, &str, &mut Vec<Violation>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(value) = fields.get(path) else {
        found.push(Violation::new(path, Code::Required, "bot_message.content.required"));
        return None;
    };
    let Some(values) = value.as_array() else {
        found.push(malformed(path, "bot_message.list"));
        return None;
    };
    found.extend(counted(path, values.len(), limit));
    let entries: Vec<_> = (0..)
        .zip(values)
        .map(|(index, value): (u64, _)| read(value, &format!("{path}[{index}]"), found))
        .collect();
    entries.into_iter().collect()
}

/// The fields of an object.
pub(crate) fn fields<'a>(
    value: &'a Value,
    path: &str,
    rule: &'static str,
    found: &mut Vec<Violation>,
) -> Option<&'a Fields> {
    let fields = value.as_object();
    if fields.is_none() {
        found.push(malformed(path.to_owned(), rule));
    }
    fields
}

/// The text of a field that has to be there.
pub(crate) fn text(
    fields: &Fields,
    name: &str,
    path: &str,
    rule: &'static str,
    found: &mut Vec<Violation>,
) -> Option<String> {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match fields.get(name) {
        Some(Value::String(text)) => return Some(text.clone()),
        Some(_) => found.push(malformed(path, rule)),
        None => found.push(Violation::new(path, Code::Required, rule)),
    }
    None
}

/// The fields that nobody knows.
pub(crate) fn unknown(fields: &Fields, known: &[&str], path: &str) -> Vec<Violation> {
    let names = fields.keys().filter(|name| !known.contains(&name.as_str())).map(|name| shown(name));
    let paths = names.map(|name| if path.is_empty() { name } else { format!("{path}.{name}") });
    paths.map(|path| not_allowed(path, "bot_message.unknown_field")).collect()
}

/// A name that somebody made up is not repeated where it is odd.
pub(crate) fn shown(name: &str) -> String {
    let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { name.to_owned() } else { "*".to_owned() }
}

fn malformed(path: impl Into<std::borrow::Cow<'static, str>>, rule: &'static str) -> Violation {
    Violation::new(path, Code::Malformed, rule)
}

fn not_allowed(path: impl Into<std::borrow::Cow<'static, str>>, rule: &'static str) -> Violation {
    Violation::new(path, Code::NotAllowed, rule)
}
