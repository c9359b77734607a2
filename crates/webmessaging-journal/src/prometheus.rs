//! The text format of Prometheus, version 0.0.4, for everybody here who has figures to show.

use std::fmt::{self, Write};

/// The `Content-Type` of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of figures, family after family.
///
/// # Examples
/// ```
/// use webmessaging_journal::prometheus::Page;
///
/// let mut page = Page::new();
/// page.family("queue_length", "gauge", "Items that wait, by queue.");
/// page.sample(&[("queue", "crm")], 3_u64);
/// assert_eq!(
///     page.into_text(),
///     "# HELP queue_length Items that wait, by queue.\n# TYPE queue_length gauge\nqueue_length{queue=\"crm\"} 3\n"
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a family of samples: its name, its type such as `counter` or `gauge`, and what it is.
    pub fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a sample to the family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.sample_of("", labels, value);
    }

    /// Adds a sample whose name is that of the family and more, such as `_sum`.
    pub fn sample_of(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Into<Value>) {
        let value = value.into();
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let begin = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{begin}{label}=\"{}\"", escaped(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }

    /// The page as text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Labels can be names that an operator chose.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

/// The value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value(Number);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Whole(u64),
    Float(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self(Number::Whole(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self(Number::Float(value))
    }
}

/// 1 for yes, 0 for no.
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self(Number::Whole(value.into()))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Number::Whole(value) => value.fmt(f),
            Number::Float(value) if value.is_nan() => f.write_str("NaN"),
            Number::Float(value) if value.is_infinite() => {
                f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
            }
            Number::Float(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped() {
        let mut page = Page::new();
        page.family("a_total", "counter", "one\\two\nthree");
        page.sample(&[("b", "\"\\\n"), ("c", "d")], 1_u64);
        page.sample_of("_sum", &[], 0.5);
        assert_eq!(
            page.into_text(),
            "# HELP a_total one\\\\two\\nthree\n# TYPE a_total counter\na_total{b=\"\\\"\\\\\\n\",c=\"d\"} 1\na_total_sum 0.5\n"
        );
    }

    #[test]
    fn numbers_that_are_none_have_their_names() {
        let shown = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.25, 3.0]
            .map(|value| Value::from(value).to_string());
        assert_eq!(shown, ["NaN", "+Inf", "-Inf", "0.25", "3"]);
        assert_eq!(Value::from(true).to_string(), "1");
    }
}
