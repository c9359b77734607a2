//! A form of one's own: a JSON value in which placeholders stand for parts of an event.

use std::fmt;

use serde_json::Value;
use webmessaging_journal::Event;

use super::fields;

/// Deepest nesting of a template.
const DEPTH_MAX: usize = 16;

/// A template whose placeholders are known.
///
/// A string that is nothing but `{{name}}` is replaced by a JSON value, so that nothing has to be escaped.
#[derive(Clone)]
pub(crate) struct Template(Value);

impl Template {
    /// Reads a template for events with these actions.
    pub(crate) fn new(value: Value, actions: &[String]) -> Result<Self, String> {
        if !value.is_object() {
            return Err("`template` must be a table, or an object in JSON".to_owned());
        }
        examine(&value, actions, DEPTH_MAX)?;
        Ok(Self(value))
    }

    /// What is sent of an event. What it does not have is `null`.
    pub(crate) fn fill(&self, event: &Event) -> Value {
        filled(&self.0, &fields::of(event))
    }

    /// Whether a record can have come from this template: the same everywhere but in place of the placeholders.
    pub(crate) fn check(&self, record: &Value) -> Result<(), String> {
        if agrees(&self.0, record) {
            Ok(())
        } else {
            Err("it is not what the target's template makes: only what stands for a placeholder can change"
                .to_owned())
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key for the other side can be among its constants.
        f.write_str("Template")
    }
}

/// The name in `{{name}}`.
fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix("{{")?.strip_suffix("}}").map(str::trim)
}

fn examine(value: &Value, actions: &[String], depth: usize) -> Result<(), String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("`template` is nested deeper than {DEPTH_MAX} levels"));
    };
    match value {
        Value::String(text) => match placeholder(text) {
            Some(name) if fields::is_known(name, actions) => Ok(()),
            Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c)) => {
                Err(format!("`template` names `{name}`, which none of the target's events has"))
            }
            Some(_) => Err("`template` has a placeholder that is no name such as `subject.id`".to_owned()),
            None if text.contains("{{") => {
                Err("`template` has a placeholder within a text: a placeholder is a string of its own"
                    .to_owned())
            }
            None => Ok(()),
        },
        Value::Array(items) => items.iter().try_for_each(|item| examine(item, actions, depth)),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains("{{")) {
                return Err("`template` has a placeholder in a key: placeholders are values".to_owned());
            }
            // What TOML makes of a date that is not a text.
            if fields.keys().any(|key| key.starts_with("$__toml")) {
                return Err("`template` has a date, which JSON has not: write it as a text".to_owned());
            }
            fields.values().try_for_each(|field| examine(field, actions, depth))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn filled(template: &Value, event: &Value) -> Value {
    match template {
        Value::String(text) => {
            placeholder(text).map_or_else(|| template.clone(), |name| fields::at(event, name))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, event)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), filled(value, event)));
            Value::Object(fields.collect())
        }
        constant => constant.clone(),
    }
}

fn agrees(template: &Value, record: &Value) -> bool {
    match (template, record) {
        (Value::String(text), _) if placeholder(text).is_some() => true,
        (Value::Array(template), Value::Array(record)) => {
            template.len() == record.len() && template.iter().zip(record).all(|(a, b)| agrees(a, b))
        }
        (Value::Object(template), Value::Object(record)) => {
            let has =
                |(key, value): (&String, &Value)| record.get(key).is_some_and(|found| agrees(value, found));
            template.len() == record.len() && template.iter().all(has)
        }
        (constant, record) => constant == record,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use webmessaging_journal::clock::SystemEntropy;
    use webmessaging_journal::kind::BotMessageSent;
    use webmessaging_journal::{EventId, Facts, Stamp};
    use webmessaging_model::Timestamp;

    use super::*;

    fn sent(conversation: &str) -> Event {
        let at = Timestamp::UNIX_EPOCH;
        let stamp = Stamp::new(EventId::new(at, &SystemEntropy), at, "bot");
        stamp.event(BotMessageSent::new(conversation)).facts(Facts::new().status(200))
    }

    fn template(value: Value) -> Result<Template, String> {
        Template::new(value, &["bot_message.sent".to_owned()])
    }

    #[test]
    fn placeholders_become_values_of_their_own_type() {
        let template = template(json!({
            "about": "{{subject.id}}", "at": "{{ at }}", "status": "{{facts.status}}", "fixed": [1, "a"],
            "deep": { "message": "{{data.messageId}}", "took": "{{facts.latencyMs}}" },
        }));
        let expected = json!({
            "about": "c-1", "at": "1970-01-01T00:00:00.000Z", "status": 200, "fixed": [1, "a"],
            "deep": { "message": null, "took": null },
        });
        assert_eq!(template.unwrap().fill(&sent("c-1")), expected);
    }

    #[test]
    fn what_cannot_be_filled_is_refused_before_anything_is_sent() {
        let mut deep = json!({});
        for _ in 0..DEPTH_MAX {
            deep = json!({ "a": deep });
        }
        for (value, why) in [
            (
                json!({ "a": "{{subject.ID}}" }),
                "`template` names `subject.ID`, which none of the target's events has",
            ),
            (
                json!({ "a": "{{data.fileId}}" }),
                "`template` names `data.fileId`, which none of the target's events has",
            ),
            (json!({ "a": ["{{}}"] }), "`template` names ``, which none of the target's events has"),
            (
                json!({ "a": "{{s3 cret}}" }),
                "`template` has a placeholder that is no name such as `subject.id`",
            ),
            (
                json!({ "a": "id {{id}}" }),
                "`template` has a placeholder within a text: a placeholder is a string of its own",
            ),
            (json!({ "{{id}}": 1 }), "`template` has a placeholder in a key: placeholders are values"),
            (json!("{{id}}"), "`template` must be a table, or an object in JSON"),
            (deep, "`template` is nested deeper than 16 levels"),
        ] {
            assert_eq!(template(value).unwrap_err(), why);
        }
    }

    #[test]
    fn a_record_may_differ_in_place_of_placeholders_only() {
        let template = template(json!({ "about": "{{subject.id}}", "kind": "sent" })).unwrap();
        assert_eq!(template.check(&json!({ "about": [1], "kind": "sent" })), Ok(()));
        for wrong in [
            json!({ "about": 1, "kind": "other" }),
            json!({ "about": 1 }),
            json!({ "about": 1, "kind": "sent", "more": 1 }),
            json!(["about"]),
        ] {
            assert!(
                template.check(&wrong).unwrap_err().starts_with("it is not what the target's template makes")
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_an_event_holds_stays_within_its_string(id in "\\PC{0,40}") {
            let template = template(json!({ "about": "{{subject.id}}", "kind": "sent" })).unwrap();
            let filled = template.fill(&sent(&id));
            prop_assert_eq!(&filled, &json!({ "about": id, "kind": "sent" }));
            prop_assert_eq!(template.check(&filled), Ok(()));
            let read: Value = serde_json::from_str(&filled.to_string()).unwrap();
            prop_assert_eq!(read, filled);
        }
    }
}
