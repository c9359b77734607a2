//! Why something failed or was stopped, as a stable name and never as a sentence.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A stable name such as `rate_limited` or `malicious`: 1 to 64 of `a-z 0-9 _ . -`.
///
/// Everything else becomes `other`, so that no sentence, which can hold anything, gets into a log or a label.
///
/// # Examples
/// ```
/// use webmessaging_journal::Cause;
///
/// assert_eq!(Cause::new("rate_limited").as_str(), "rate_limited");
/// assert_eq!(Cause::new("no mailbox: jane@example.com").as_str(), "other");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Cause(Cow<'static, str>);

impl Cause {
    /// Takes a stable name, or `other` for what is none.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self(if is_stable_name(&name) { name } else { Cow::Borrowed("other") })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_stable_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

impl From<&'static str> for Cause {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Cause {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stable_names_are_causes() {
        let longest = "a".repeat(64);
        for name in ["a", "scan.failed-2", longest.as_str()] {
            assert_eq!(Cause::new(name.to_owned()).as_str(), name);
        }
        let longer = "a".repeat(65);
        for text in ["", "Rate limited", "jane@example.com", "a\nb", "é", longer.as_str()] {
            assert_eq!(Cause::new(text.to_owned()).as_str(), "other", "{text:?}");
        }
    }
}
