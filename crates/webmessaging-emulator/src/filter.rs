//! Which events a webhook wants: the one filter of the file upload document, the list of the channel document.

use serde::Deserialize;
use serde_json::Value;

/// The filter of a webhook, in the form of its registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Events of exactly this type, out of `eventType = "..."`.
    EventType(String),
    /// Events that one of these lets through.
    Actions(Vec<ActionFilter>),
}

/// One of `eventFilters`: an event type in two halves, and what must be true of the data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ActionFilter {
    resource: String,
    action: String,
    /// `path == "text"`, where dots lead into objects.
    #[serde(default)]
    condition: Option<String>,
}

impl Filter {
    /// Reads `eventType = "..."`, the only form of the query syntax that the documents show.
    pub(crate) fn event_type(expression: &str) -> Option<Self> {
        let name = expression.strip_prefix("eventType = \"")?.strip_suffix('"')?;
        Some(Self::EventType(name.to_owned()))
    }

    /// The filter for people.
    pub(crate) fn described(&self) -> Vec<String> {
        match self {
            Self::EventType(wanted) => vec![wanted.clone()],
            Self::Actions(filters) => filters.iter().map(ActionFilter::described).collect(),
        }
    }

    /// Whether an event of this type and with this data is wanted.
    pub(crate) fn lets_through(&self, event_type: &str, data: &Value) -> bool {
        match self {
            Self::EventType(wanted) => wanted == event_type,
            Self::Actions(filters) => filters.iter().any(|filter| filter.lets_through(event_type, data)),
        }
    }
}

impl ActionFilter {
    fn described(&self) -> String {
        let Self { resource, action, condition } = self;
        let condition = condition.as_ref().map(|condition| format!(" if {condition}")).unwrap_or_default();
        format!("{resource}.{action}{condition}")
    }

    fn lets_through(&self, event_type: &str, data: &Value) -> bool {
        // The platform's names have dots, those of the bot document colons.
        let action = event_type.strip_prefix(&self.resource).and_then(|rest| rest.strip_prefix(['.', ':']));
        action == Some(&self.action) && self.condition.as_deref().is_none_or(|text| is_true(text, data))
    }
}

/// A condition that cannot be read is not true; the schema keeps it out.
fn is_true(condition: &str, data: &Value) -> bool {
    let Some((path, rest)) = condition.split_once(" == \"") else { return false };
    let value = path.split('.').try_fold(data, |value, name| value.get(name));
    value.and_then(Value::as_str) == rest.strip_suffix('"') && value.is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_type_is_taken_whole() {
        let filter = Filter::event_type("eventType = \"a.b\"").unwrap();
        assert_eq!(filter, Filter::EventType("a.b".to_owned()));
        assert!(filter.lets_through("a.b", &json!({})));
        assert!(!filter.lets_through("a.b.c", &json!({})));
        assert!(!filter.lets_through("a", &json!({})));
        for other in ["eventType=\"a\"", "a.b", "eventType = \"a"] {
            assert_eq!(Filter::event_type(other), None, "{other}");
        }
    }

    fn actions(filters: &Value) -> Filter {
        Filter::Actions(serde_json::from_value(filters.clone()).unwrap())
    }

    #[test]
    fn resource_and_action_make_up_the_event_type() {
        let filter = actions(&json!([
            { "resource": "channel", "action": "updated" },
            { "resource": "conversation:participated", "action": "read" },
            { "resource": "webchat.fileTransfer", "action": "statusChange" },
        ]));
        for wanted in
            ["channel.updated", "conversation:participated:read", "webchat.fileTransfer.statusChange"]
        {
            assert!(filter.lets_through(wanted, &json!({})), "{wanted}");
        }
        for other in
            ["channel.deleted", "channelXupdated", "channel", "my.channel.updated", "channel.updated.x"]
        {
            assert!(!filter.lets_through(other, &json!({})), "{other}");
        }
    }

    #[test]
    fn a_condition_looks_into_the_data() {
        let filter = |condition: &str| {
            actions(&json!([{ "resource": "channel", "action": "updated", "condition": condition }]))
        };
        let data = json!({ "channelType": "webchat", "routing": { "queueId": "q" }, "count": 1 });
        for (condition, expected) in [
            ("channelType == \"webchat\"", true),
            ("channelType == \"email\"", false),
            ("routing.queueId == \"q\"", true),
            ("routing.queueId.more == \"q\"", false),
            ("missing == \"\"", false),
            ("count == \"1\"", false),
            ("channelType = \"webchat\"", false),
            ("channelType == \"webchat", false),
            ("missing == \"webchat", false),
        ] {
            assert_eq!(filter(condition).lets_through("channel.updated", &data), expected, "{condition}");
        }
    }
}
