//! What a log may have of an event, by allow-list: measures, names of our own, ids, and nothing that people wrote.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use webmessaging_model::Timestamp;

/// What stands in place of a text that is not of the form it should have.
pub(crate) const REDACTED: &str = "[redacted]";

/// So many entries of a list are written; the number of further ones is.
const ENTRIES_MAX: usize = 100;

/// So many characters of a text are written.
const CHARACTERS_MAX: usize = 256;

/// Named values in the order they were added. Values that are not known are left out.
#[derive(Debug, Default)]
pub(crate) struct Details<'a>(Vec<(&'static str, Detail<'a>)>);

#[derive(Debug)]
pub(crate) enum Detail<'a> {
    Null,
    Flag(bool),
    Number(u64),
    Text(Cow<'a, str>),
    List(Vec<Detail<'a>>),
    Object(Vec<(Cow<'a, str>, Detail<'a>)>),
}

impl<'a> Details<'a> {
    pub(crate) fn detail(mut self, name: &'static str, detail: Detail<'a>) -> Self {
        self.0.push((name, detail));
        self
    }

    fn some(self, name: &'static str, detail: Option<Detail<'a>>) -> Self {
        match detail {
            Some(detail) => self.detail(name, detail),
            None => self,
        }
    }

    pub(crate) fn number(self, name: &'static str, number: impl Into<Option<u64>>) -> Self {
        self.some(name, number.into().map(Detail::Number))
    }

    pub(crate) fn flag(self, name: &'static str, flag: Option<bool>) -> Self {
        self.some(name, flag.map(Detail::Flag))
    }

    pub(crate) fn time(self, name: &'static str, at: Option<Timestamp>) -> Self {
        self.some(name, at.map(|at| Detail::Text(at.to_string().into())))
    }

    /// An id that the platform or we gave.
    pub(crate) fn id(self, name: &'static str, id: Option<&'a (impl AsRef<str> + ?Sized)>) -> Self {
        self.some(name, id.map(|id| Detail::Text(safe_id(id.as_ref()))))
    }

    /// A name of ours or of an operator's.
    pub(crate) fn name(self, name: &'static str, text: Option<&'a str>) -> Self {
        self.some(name, text.map(|text| Detail::Text(safe_id(text))))
    }

    pub(crate) fn media_type(self, name: &'static str, text: Option<&'a str>) -> Self {
        self.some(name, text.map(|text| Detail::Text(safe(text, ".+/-"))))
    }

    /// An address of the internet protocol, of version 4 or 6.
    pub(crate) fn address(self, name: &'static str, text: Option<&'a str>) -> Self {
        let detail = text.map_or(Detail::Null, |text| {
            let is_address = text.parse::<std::net::IpAddr>().is_ok();
            Detail::Text(if is_address { text.into() } else { REDACTED.into() })
        });
        self.detail(name, detail)
    }

    /// What a browser says of itself; of the rest a part, so that there is an end to it.
    pub(crate) fn agent(self, name: &'static str, text: Option<&'a str>) -> Self {
        let detail = text.map_or(Detail::Null, |text| {
            let end = text.char_indices().nth(CHARACTERS_MAX).map_or(text.len(), |(end, _)| end);
            Detail::Text(safe(text.get(..end).unwrap_or_default(), " _.:;,/()+-"))
        });
        self.detail(name, detail)
    }

    pub(crate) fn names(self, name: &'static str, texts: &'a [String]) -> Self {
        let mut list: Vec<_> =
            texts.iter().take(ENTRIES_MAX).map(|text| Detail::Text(safe_id(text))).collect();
        if let Some(further) = texts.len().checked_sub(ENTRIES_MAX).filter(|further| *further > 0) {
            list.push(Detail::Text(format!("{further} more").into()));
        }
        self.detail(name, Detail::List(list))
    }

    pub(crate) fn flags(self, name: &'static str, flags: &'a BTreeMap<String, bool>) -> Self {
        let entries = flags.iter().take(ENTRIES_MAX);
        self.detail(
            name,
            Detail::Object(entries.map(|(name, flag)| (safe_id(name), Detail::Flag(*flag))).collect()),
        )
    }
}

/// The text if it is an id: 1 to 256 letters of ASCII, digits and `_ . : ~ = -`.
pub(crate) fn safe_id(text: &str) -> Cow<'_, str> {
    safe(text, "_.:~=-")
}

/// The text if it names an actor: as an id, and letters of all scripts, spaces and `@`.
pub(crate) fn safe_actor(text: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| c.is_alphanumeric() || "_.:~=-@ ".contains(c);
    let is_safe = !text.is_empty() && text.chars().count() <= CHARACTERS_MAX && text.chars().all(is_allowed);
    Cow::Borrowed(if is_safe { text } else { REDACTED })
}

fn safe<'a>(text: &'a str, others: &str) -> Cow<'a, str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || others.as_bytes().contains(&byte);
    let is_safe = (1..=CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(is_allowed);
    Cow::Borrowed(if is_safe { text } else { REDACTED })
}

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, detail)| (*name, detail)))
    }
}

impl Serialize for Detail<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(entries) => {
                serializer.collect_map(entries.iter().map(|(name, detail)| (name, detail)))
            }
        }
    }
}
