//! Cards: a title, and whatever a widget can show beside it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use webmessaging_model::{Code, Limit, Violation, limits};

use crate::message::{no_markup, visible};

/// A card. The document asks for a title and leaves the rest open, so other fields are kept as they are; every text in them is checked.
/// `Debug` shows the names of the fields and not what is in them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Card {
    /// What it is called: 1 to 256 characters without markup.
    pub title: String,
    /// Every other field.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Card {
    /// A card.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rest: Map::new() }
    }

    /// Sets the text below the title.
    pub fn description(self, text: impl Into<String>) -> Self {
        self.field("description", text.into())
    }

    /// Sets the picture, by its `https` URL.
    pub fn image(self, url: impl Into<String>) -> Self {
        self.field("image", url.into())
    }

    /// Sets a field that this version does not know. A title is none of them.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let name = name.into();
        // It would stand there twice.
        if name != "title" {
            self.rest.insert(name, value.into());
        }
        self
    }

    pub(crate) fn check(&self, path: &str, found: &mut Vec<Violation>) {
        found.extend(visible(format!("{path}.title"), &self.title, limits::BOT_CARD_TITLE_CHARACTERS_MAX));
        for (name, value) in &self.rest {
            check_value(&format!("{path}.{name}"), name, value, found);
        }
    }
}

/// Every text there is: a widget decides which of them a person sees.
fn check_value(path: &str, name: &str, value: &Value, found: &mut Vec<Violation>) {
    match value {
        Value::String(text) if is_url(name) => {
            let is_safe = Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host());
            if !is_safe {
                let violation = Violation::new(path.to_owned(), Code::NotAllowed, "bot_message.card.url");
                found.push(violation.allowed(Limit::OneOf(vec!["https".to_owned()])));
            }
        }
        Value::String(text) => found.extend(no_markup(path.to_owned(), text)),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                check_value(&format!("{path}[{index}]"), name, value, found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                check_value(&format!("{path}.{name}"), name, value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a field of this name is for a URL.
fn is_url(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["url", "uri", "href", "link", "image", "video", "src"].iter().any(|end| name.ends_with(end))
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card").field("fields", &self.rest.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
