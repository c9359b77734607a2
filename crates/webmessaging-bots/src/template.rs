//! Texts with places to fill in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use webmessaging_model::{Code, Violation, Violations, limits};

use crate::entities::{Bare, bare_signs, decoded};
use crate::markup::find_markup;
use crate::rules::{bounded, visible};
use crate::wire::shown;

/// A text with named places: `Hello {name}`. `{{` and `}}` are braces.
///
/// It is checked when it is made and when it is filled in, before anything is sent. What is filled in is text and nothing else: it cannot bring
/// places of its own, control characters become blanks, what turns the direction of writing goes, and the signs of what has brackets or would be
/// markup become others that look like them: `‹` and `›`.
///
/// # Examples
/// ```
/// use webmessaging_bots::Template;
///
/// let template = Template::new("Hello {name}, your order {order} is on its way.")?;
/// assert_eq!(template.fill([("name", "Jane"), ("order", "{name}")])?, "Hello Jane, your order {name} is on its way.");
/// assert_eq!(template.fill([("name", "<b>Jane</b>"), ("order", "7")])?, "Hello ‹b›Jane‹/b›, your order 7 is on its way.");
/// let violations = template.fill([("name", "Jane"), ("colour", "red")]).unwrap_err();
/// assert_eq!(violations.to_string(), "order is required; colour is not allowed");
/// # Ok::<(), webmessaging_model::Violations>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A violation for a brace that stands alone, for a name that is not made of letters, digits and underscores, and for markup.
    pub fn new(text: &str) -> Result<Self, Violations> {
        let malformed =
            || Violations::from(Violation::new("template", Code::Malformed, "bot_message.template"));
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at_checked(at).ok_or_else(malformed)?;
            literal.push_str(before);
            if let Some(behind) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
                literal.push_str(brace.get(..1).unwrap_or_default());
                rest = behind;
                continue;
            }
            let place = brace.strip_prefix('{').and_then(|behind| behind.split_once('}'));
            let (name, behind) = place.filter(|(name, _)| is_name(name)).ok_or_else(malformed)?;
            parts.push(Part::Text(std::mem::take(&mut literal)));
            parts.push(Part::Place(name.to_owned()));
            rest = behind;
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal));
        let template = Self { parts };
        // With something harmless in every place, so that markup around one is found as well.
        let sample: String = template
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text,
                Part::Place(_) => "x",
            })
            .collect();
        let found = visible("template", &sample, limits::BOT_TEXT_CHARACTERS_MAX);
        Violations::check(found.into_iter().collect())?;
        Ok(template)
    }

    /// The names of its places, each once, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in &self.parts {
            if let Part::Place(name) = part
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The text with something in every place.
    ///
    /// # Errors
    /// Every violation: a place without a value, a value without a place or longer than a text may be, and what comes out when it breaks the rules of a text.
    pub fn fill<N: AsRef<str>, V: AsRef<str>>(
        &self,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Result<String, Violations> {
        let mut twice = Vec::new();
        let mut known = BTreeMap::new();
        for (name, value) in values {
            let name = name.as_ref();
            if known.insert(name.to_owned(), value).is_some() {
                twice.push(Violation::new(shown(name), Code::Duplicate, "bot_message.template.value_twice"));
            }
        }
        let values = known;
        let names = self.names();
        let missing = names.iter().filter(|name| !values.contains_key(**name));
        let missing = missing
            .map(|name| Violation::new((*name).to_owned(), Code::Required, "bot_message.template.value"));
        let extra = values.keys().filter(|name| !names.contains(&name.as_str()));
        let extra =
            extra.map(|name| Violation::new(shown(name), Code::NotAllowed, "bot_message.template.place"));
        // A value that is too long is not looked through.
        let too_long =
            values.iter().filter(|(_, value)| !value.as_ref().is_empty()).filter_map(|(name, value)| {
                bounded(shown(name), value.as_ref(), limits::BOT_TEXT_CHARACTERS_MAX)
            });
        Violations::check(missing.chain(extra).chain(twice).chain(too_long).collect())?;
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Place(name) => {
                    text.push_str(&inert(values.get(name).map(AsRef::as_ref).unwrap_or_default()));
                }
            }
        }
        let found = visible("text", &text, limits::BOT_TEXT_CHARACTERS_MAX);
        Violations::check(found.into_iter().collect())?;
        Ok(text)
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(is_part)
}

/// A value as text and nothing else: it looks the same, and no program takes it for markup.
fn inert(value: &str) -> Cow<'_, str> {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_plain = !value.chars().any(|c| c.is_control() || turns(c));
    let value = if is_plain {
        Cow::Borrowed(value)
    } else {
        let kept = value.chars().filter(|c| !turns(*c));
        Cow::Owned(kept.map(|c| if c.is_control() { ' ' } else { c }).collect())
    };
    // Behind the text before it, and in front of what follows, a sign can begin something, hidden or not.
    let hides = decoded(&value).is_some() || bare_signs(&value, Bare::Hidden).is_some();
    let is_markup = hides || value.contains(['<', '>']) || find_markup(&value).is_some();
    if !is_markup {
        return value;
    }
    let looks_like = |c| match c {
        '<' => '‹',
        '>' => '›',
        '&' => '＆',
        '%' => '％',
        ':' => '：',
        '=' => '＝',
        c => c,
    };
    Cow::Owned(value.chars().map(looks_like).collect())
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("names", &self.names()).finish_non_exhaustive()
    }
}
