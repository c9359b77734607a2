//! Cards: a title, and whatever a widget can show beside it.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;
use webmessaging_model::{Code, Limit, Violation, limits};

use crate::rules::{bounded, no_markup, visible};
use crate::wire::{fields, shown, text};

/// A card. The document asks for a title and leaves the rest open, so other fields are kept as they are; every text in them is checked.
/// `Debug` shows how many there are.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Card {
    /// What it is called: 1 to 256 characters without markup.
    title: String,
    /// Every other field; a title is none of them.
    #[serde(flatten)]
    rest: Map<String, Value>,
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

    /// What it is called.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Another field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.rest.get(name)
    }

    /// The card of an object; a violation where its title is missing, or no text.
    pub(crate) fn read(value: &Value, path: &str, found: &mut Vec<Violation>) -> Option<Self> {
        let rest = fields(value, path, "bot_message.card", found)?;
        let title = text(rest, "title", path, "bot_message.card.title", found)?;
        let mut rest = rest.clone();
        rest.remove("title");
        Some(Self { title, rest })
    }

    pub(crate) fn check(&self, path: &str, found: &mut Vec<Violation>) {
        found.extend(visible(format!("{path}.title"), &self.title, limits::BOT_CARD_TITLE_CHARACTERS_MAX));
        for (name, value) in &self.rest {
            check_value(&format!("{path}.{}", shown(name)), value, is_url(name), found);
        }
    }
}

/// Every text there is: a widget decides which of them a person sees.
fn check_value(path: &str, value: &Value, is_url: bool, found: &mut Vec<Violation>) {
    match value {
        Value::String(text) => {
            let url = Url::parse(text.trim()).ok();
            let scheme = url.as_ref().map(Url::scheme);
            // A link that is none of these opens something else than a page.
            let is_safe = match scheme {
                Some("https" | "mailto" | "tel") => true,
                Some(_)
                    if url
                        .as_ref()
                        .is_some_and(|url| url.has_host() || !text.contains(char::is_whitespace)) =>
                {
                    false
                }
                _ => !is_url,
            };
            if !is_safe {
                let violation = Violation::new(path.to_owned(), Code::NotAllowed, "bot_message.card.url");
                found.push(violation.allowed(Limit::OneOf(vec!["https".to_owned()])));
                return;
            }
            found.extend(at_most(path, text));
            found.extend(no_markup(path.to_owned(), text));
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                check_value(&format!("{path}[{index}]"), value, is_url, found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                check_value(&format!("{path}.{}", shown(name)), value, is_url || self::is_url(name), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text of a card is no longer than one of a message.
fn at_most(path: &str, text: &str) -> Option<Violation> {
    if text.is_empty() { None } else { bounded(path.to_owned(), text, limits::BOT_TEXT_CHARACTERS_MAX) }
}

/// Whether a field of this name is for a URL, or for several.
fn is_url(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 's');
    ["url", "uri", "href", "link", "image", "video", "src", "thumbnail", "icon"]
        .iter()
        .any(|end| name.ends_with(end))
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card").field("fields", &self.rest.len()).finish_non_exhaustive()
    }
}
