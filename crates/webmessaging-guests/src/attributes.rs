//! Anything else that is worth knowing of a guest, as text.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserializer, Serialize};
use webmessaging_model::{Code, Limit, Unit, Violation, limits};

use crate::identity_attributes::at_most;
use crate::payload::no_plain_identity;

/// Up to 50 attributes: names of 1 to 64 ASCII letters, digits, `_`, `.` and `-`, values of up to 1,024 characters. Neither looks like a plain
/// identity, unless the caller vouches for it. `Debug` shows the names alone.
///
/// # Examples
/// ```
/// use webmessaging_guests::Attributes;
///
/// let attributes = Attributes::new().with("source", "website")?.vouched("orderNumber", "4915112345")?;
/// assert_eq!(attributes.get("source"), Some("website"));
///
/// let violation = Attributes::new().with("note", "call 0171 2345678").unwrap_err();
/// assert_eq!(violation.to_string(), "attributes.note looks like a plain e-mail address or phone number");
/// # Ok::<(), webmessaging_model::Violation>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute, or replaces one.
    ///
    /// # Errors
    /// A violation when the name or the value cannot be, when there are too many, or when either looks like a plain e-mail address or phone
    /// number.
    pub fn with(self, name: impl Into<String>, value: impl Into<String>) -> Result<Self, Violation> {
        let (name, value) = (name.into(), value.into());
        check_name(&name)?;
        no_plain_identity(&value, || format!("attributes.{name}"))?;
        self.set(name, value)
    }

    /// Adds an attribute whose value the caller knows to be no plain e-mail address or phone number, though it looks like one: the number of an
    /// order, say.
    ///
    /// # Errors
    /// A violation when the name or the value cannot be, or when there are too many.
    pub fn vouched(self, name: impl Into<String>, value: impl Into<String>) -> Result<Self, Violation> {
        let (name, value) = (name.into(), value.into());
        check_name(&name)?;
        self.set(name, value)
    }

    fn set(mut self, name: String, value: String) -> Result<Self, Violation> {
        at_most(&value, "attributes", limits::GUEST_ATTRIBUTE_VALUE_CHARACTERS_MAX).map_err(
            |mut violation| {
                violation.path = format!("attributes.{name}").into();
                violation
            },
        )?;
        self.0.insert(name, value);
        let (count, max) = (self.0.len() as u64, limits::GUEST_ATTRIBUTES_MAX);
        if count > max.value {
            let violation = Violation::new("attributes", Code::TooLarge, max.name);
            return Err(violation.limit(Limit::Max(max.value), Unit::Attributes).count(count));
        }
        Ok(self)
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The attributes, by name.
    pub fn iter(&self) -> Iter<'_, String, String> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a String, &'a String);
    type IntoIter = Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads attributes; what the library says of a value of another kind can have the value in it, so this is not for everybody.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
    struct Each;
    impl<'de> Visitor<'de> for Each {
        type Value = Attributes;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
            let mut attributes = Attributes::new();
            while let Some((name, value)) = map.next_entry::<String, String>()? {
                if attributes.get(&name).is_some() {
                    return Err(de::Error::custom("an attribute is there twice"));
                }
                attributes = attributes.with(name, value).map_err(de::Error::custom)?;
            }
            Ok(attributes)
        }
    }
    deserializer.deserialize_map(Each)
}

/// Somebody can have made a name of what should not be sent, so it is not repeated.
fn check_name(name: &str) -> Result<(), Violation> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let max = limits::GUEST_ATTRIBUTE_NAME_CHARACTERS_MAX.value;
    if !(1..=max).contains(&(name.len() as u64)) || !name.bytes().all(is_plain) {
        let violation = Violation::new("attributes", Code::ForbiddenCharacter, "guest.attribute_name");
        return Err(violation.allowed(Limit::Charset("1 to 64 of A-Z a-z 0-9 _ . -")));
    }
    no_plain_identity(name, || "attributes")
}
