//! What a value looks like, in a file and as text, and how it is shown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use toml::Spanned;
use toml::de::{DeArray, DeValue};
use url::Url;
use webmessaging_model::Domain;

use crate::credentials::AuthStyle;

/// What the value of a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One line of text.
    Text,
    /// One line of text that is never shown.
    Secret,
    /// A path of the file system.
    Path,
    /// A region or domain, as [`Domain`] reads it.
    Domain,
    /// The URL of a server.
    Url,
    /// Several words: an array in a file, separated by spaces elsewhere.
    List,
    /// `basic` or `form`.
    AuthStyle,
    /// A time span with its unit.
    Duration,
    /// A small number.
    Count,
    /// A number of requests.
    Requests,
    /// A number of bytes.
    Bytes,
    /// The number of a port.
    Port,
    /// The template of a path.
    Template,
}

const DURATION_MIN: Duration = Duration::from_millis(1);
const DURATION_MAX: Duration = Duration::from_secs(86_400);
const COUNT_MAX: u64 = 100;
const REQUESTS_MAX: u64 = 100_000;
const BYTES_MAX: u64 = 1 << 30;

impl Kind {
    /// What is expected, for errors and the reference.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "one line of text",
            Self::Path => "a path",
            Self::Domain => "a region such as `eu-west-1` or a domain such as `mypurecloud.ie`",
            Self::Url => "a plain url such as `https://api.mypurecloud.ie`, without user, query or fragment",
            Self::List => "a list of one or more words",
            Self::AuthStyle => "`basic` or `form`",
            Self::Duration => "a duration from 1ms to 24h, such as `30s` or `500ms`",
            Self::Count => "a number from 0 to 100",
            Self::Requests => "a number from 1 to 100000",
            Self::Bytes => "a number of bytes from 1 to 1073741824",
            Self::Port => "a port from 1 to 65535",
            Self::Template => "a path that begins with a slash",
        }
    }

    /// Reads a value from text: an environment variable, or what code sets.
    pub(super) fn parse_text(self, text: &str) -> Option<Value> {
        match self {
            Self::List => list(text.split_whitespace()),
            Self::Count | Self::Requests | Self::Bytes | Self::Port => self.number(text.parse().ok()?),
            _ => self.parse_line(text),
        }
    }

    /// Reads a value from a file, or says of which type it is instead. A value of the right type that breaks a rule
    /// is of no other type.
    pub(super) fn parse_toml(
        self,
        value: &DeValue<'_>,
        folder: &Path,
    ) -> Result<Value, Option<&'static str>> {
        let found = match (self, value) {
            (Self::List, DeValue::Array(items)) => list_of(items),
            (Self::Count | Self::Requests | Self::Bytes | Self::Port, DeValue::Integer(number)) => {
                u64::from_str_radix(number.as_str(), number.radix())
                    .ok()
                    .and_then(|number| self.number(number))
            }
            (Self::Path, DeValue::String(path)) => {
                self.parse_line(path).map(|_| Value::Path(folder.join(&**path)))
            }
            (Self::List | Self::Count | Self::Requests | Self::Bytes | Self::Port, _) => {
                return Err(Some(value.type_str()));
            }
            (_, DeValue::String(text)) => self.parse_line(text),
            _ => return Err(Some(value.type_str())),
        };
        found.ok_or(None)
    }

    fn parse_line(self, text: &str) -> Option<Value> {
        if text.is_empty() || text.contains(char::is_control) {
            return None;
        }
        let owned = || text.to_owned();
        match self {
            Self::Text => Some(Value::Text(owned())),
            Self::Secret => Some(Value::Secret(SecretString::from(text))),
            Self::Path => Some(Value::Path(PathBuf::from(text))),
            Self::Domain => text.parse().ok().map(Value::Domain),
            Self::Url => is_plain_url(text).then(|| Value::Url(owned())),
            Self::AuthStyle => match text {
                "basic" => Some(Value::AuthStyle(AuthStyle::Basic)),
                "form" => Some(Value::AuthStyle(AuthStyle::Form)),
                _ => None,
            },
            Self::Duration => {
                let span = humantime::parse_duration(text).ok()?;
                (DURATION_MIN..=DURATION_MAX).contains(&span).then_some(Value::Duration(span))
            }
            Self::Template => text.starts_with('/').then(|| Value::Text(owned())),
            Self::List | Self::Count | Self::Requests | Self::Bytes | Self::Port => None,
        }
    }

    fn number(self, number: u64) -> Option<Value> {
        let allowed = match self {
            Self::Requests => 1..=REQUESTS_MAX,
            Self::Bytes => 1..=BYTES_MAX,
            Self::Port => 1..=u64::from(u16::MAX),
            _ => 0..=COUNT_MAX,
        };
        allowed.contains(&number).then_some(Value::Number(number))
    }
}

fn list_of(items: &DeArray<'_>) -> Option<Value> {
    let words: Option<Vec<_>> =
        items.iter().map(|item: &Spanned<DeValue<'_>>| item.get_ref().as_str()).collect();
    list(words?)
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Value> {
    let is_word =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
    (!words.is_empty() && words.iter().all(|word| is_word(word))).then_some(Value::List(words))
}

/// A value that was read.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    Secret(SecretString),
    Path(PathBuf),
    Domain(Domain),
    Url(String),
    List(Vec<String>),
    AuthStyle(AuthStyle),
    Duration(Duration),
    Number(u64),
}

impl Value {
    /// Whether two say the same, however they are written.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret(a), Self::Secret(b)) => a.expose_secret() == b.expose_secret(),
            (a, b) => a.shown() == b.shown(),
        }
    }

    /// How it may be shown to anybody.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Secret(_) => "set, not shown".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Path(path) => path.display().to_string(),
            Self::Domain(domain) => domain.to_string(),
            Self::Url(url) => url.clone(),
            Self::List(words) => words.join(" "),
            Self::AuthStyle(AuthStyle::Basic) => "basic".to_owned(),
            Self::AuthStyle(AuthStyle::Form) => "form".to_owned(),
            Self::Duration(span) => humantime::format_duration(*span).to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Whether a URL can hold no credential. A password with a slash in it makes another URL of the whole, so no `@` may
/// stand anywhere.
fn is_plain_url(text: &str) -> bool {
    let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    !text.contains(['@', '?', '#']) && Url::parse(text).is_ok_and(is_http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, text: &str, expected: Option<&str>) {
        assert_eq!(
            kind.parse_text(text).map(|value| value.shown()).as_deref(),
            expected,
            "{kind:?} {text:?}"
        );
    }

    #[test]
    fn text_is_read_or_refused_whole() {
        check(Kind::Text, "a b", Some("a b"));
        check(Kind::Text, "", None);
        check(Kind::Text, "a\n", None);
        check(Kind::Secret, "swordfish", Some("set, not shown"));
        check(Kind::Secret, "sword\u{7}fish", None);
        check(Kind::Domain, "EU_west_1", Some("mypurecloud.ie"));
        check(Kind::Domain, "mars", None);
        check(Kind::List, " a:b  c ", Some("a:b c"));
        check(Kind::List, " ", None);
        check(Kind::AuthStyle, "form", Some("form"));
        check(Kind::AuthStyle, "Form", None);
        check(Kind::Template, "/a/{b}", Some("/a/{b}"));
        check(Kind::Template, "a", None);
    }

    #[test]
    fn a_url_has_no_room_for_credentials() {
        check(Kind::Url, "http://127.0.0.1:8480/a", Some("http://127.0.0.1:8480/a"));
        for refused in [
            "https://me@api.example",
            "https://me:pass/word@api.example",
            "https://api.example?key=word",
            "https://api.example#word",
            "api.example",
            "ftp://api.example",
            "https://",
        ] {
            check(Kind::Url, refused, None);
        }
    }

    #[test]
    fn numbers_have_units_and_bounds() {
        check(Kind::Duration, "1500ms", Some("1s 500ms"));
        check(Kind::Duration, "2m", Some("2m"));
        check(Kind::Duration, "1ms", Some("1ms"));
        check(Kind::Duration, "24h", Some("1day"));
        for refused in ["30", "0s", "999us", "86401s", "s", "-1s", "1 000 000 years", ""] {
            check(Kind::Duration, refused, None);
        }
        check(Kind::Count, "0", Some("0"));
        check(Kind::Count, "100", Some("100"));
        check(Kind::Count, "101", None);
        check(Kind::Count, "-1", None);
        check(Kind::Requests, "100000", Some("100000"));
        check(Kind::Requests, "100001", None);
        check(Kind::Requests, "0", None);
        check(Kind::Bytes, "1073741824", Some("1073741824"));
        check(Kind::Bytes, "1073741825", None);
        check(Kind::Bytes, "0", None);
    }
}
