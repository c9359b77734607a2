//! A table of a document as its reader takes it apart: key by key, with every problem noted and none fatal.

use std::fmt::Display;
use std::mem;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::document::{NAME_BYTES_MAX, Place, Problems};

/// How alike two names have to be, from 0 to 1, for one to be suggested for the other.
const SIMILARITY_MIN: f64 = 0.8;

/// A table whose keys are asked for one after the other; what nobody asked for is unknown.
#[derive(Debug)]
pub(crate) struct Fields<'a, 'p> {
    table: &'a Map<String, Value>,
    place: Place,
    asked: Vec<&'static str>,
    is_required: bool,
    problems: &'p mut Problems,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// The fields of a table; anything else is a problem.
    pub(crate) fn new(value: &'a Value, place: Place, problems: &'p mut Problems) -> Option<Self> {
        let Value::Object(table) = value else {
            problems.add(&place, "", "must be a table of keys and values");
            return None;
        };
        Some(Self { table, place, asked: Vec::new(), is_required: false, problems })
    }

    /// Makes it a problem if the key that is asked for next is missing.
    pub(crate) fn required(&mut self) -> &mut Self {
        self.is_required = true;
        self
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Knows these keys without looking at them.
    pub(crate) fn allow(&mut self, keys: impl IntoIterator<Item = &'static str>) {
        self.asked.extend(keys);
    }

    pub(crate) fn problem(&mut self, key: &str, message: impl Into<String>) {
        self.problems.add(&self.place, key, message);
    }

    /// A value that `read` accepts. `allowed` says which those are, to follow "must be".
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        allowed: impl Display,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        self.allow([key]);
        let is_required = mem::take(&mut self.is_required);
        let Some(value) = self.table.get(key) else {
            if is_required {
                self.problem(key, format!("is missing; must be {allowed}"));
            }
            return None;
        };
        let read = read(value);
        if read.is_none() {
            self.problem(key, format!("must be {allowed}"));
        }
        read
    }

    /// A whole number.
    pub(crate) fn whole<T>(&mut self, key: &'static str, allowed: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let range = format!("a whole number from {} to {}", allowed.start(), allowed.end());
        self.read(key, range, |value| {
            let number = value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from))?;
            T::try_from(number).ok().filter(|number| allowed.contains(number))
        })
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &'static str, allowed: RangeInclusive<f64>) -> Option<f64> {
        let range = format!("a number from {} to {}", allowed.start(), allowed.end());
        self.read(key, range, |value| value.as_f64().filter(|number| allowed.contains(number)))
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.read(key, "a text", Value::as_str)
    }

    /// One of several texts.
    pub(crate) fn one_of<'n>(&mut self, key: &'static str, names: &[&'n str]) -> Option<&'n str> {
        let given = self.table.get(key).and_then(Value::as_str);
        let suggestion = given.and_then(|given| nearest(given, names)).map(did_you_mean).unwrap_or_default();
        let allowed = format!("one of {}{suggestion}", names.join(", "));
        self.read(key, allowed, |value| names.iter().copied().find(|name| value.as_str() == Some(name)))
    }

    /// A list of at most `entries_max` values.
    pub(crate) fn optional_list(&mut self, key: &'static str, entries_max: usize) -> Option<&'a [Value]> {
        let allowed = format!("a list of at most {entries_max} tables");
        let list = |value: &'a Value| value.as_array().filter(|list| list.len() <= entries_max);
        self.read(key, allowed, list).map(Vec::as_slice)
    }

    /// The same; empty when the key is missing.
    pub(crate) fn list(&mut self, key: &'static str, entries_max: usize) -> &'a [Value] {
        self.optional_list(key, entries_max).unwrap_or_default()
    }

    /// Notes the keys that nobody asked for.
    pub(crate) fn finish(self) {
        for key in self.table.keys().filter(|key| !self.asked.contains(&key.as_str())) {
            let suggestion = nearest(key, &self.asked).map(did_you_mean).unwrap_or_default();
            let allowed = self.asked.join(", ");
            self.problems.add(&self.place, key, format!("unknown key{suggestion}; allowed here: {allowed}"));
        }
    }
}

fn did_you_mean(name: &str) -> String {
    format!(" (did you mean `{name}`?)")
}

/// The known name that is most like `name`, if it is near enough.
fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    // The comparison takes time by the product of both lengths.
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let name = name.to_ascii_lowercase();
    known
        .iter()
        .map(|known| (strsim::jaro_winkler(&name, &known.to_ascii_lowercase()), *known))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::{DocumentError, PROBLEMS_MAX};

    fn told(value: &Value, read: impl FnOnce(&mut Fields<'_, '_>)) -> Vec<String> {
        let mut problems = Problems::default();
        if let Some(mut fields) = Fields::new(value, Place::entry("rules", 1, "rule"), &mut problems) {
            read(&mut fields);
            fields.finish();
        }
        problems
            .into_result(())
            .err()
            .iter()
            .flat_map(DocumentError::problems)
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn each_reader_takes_what_it_says_and_nothing_else() {
        let document = json!({ "a": 3, "b": 0.5, "c": "x", "d": ["y"], "e": -3 });
        let told = told(&document, |fields| {
            assert_eq!(fields.whole("a", 3..=3_u8), Some(3));
            assert_eq!(fields.number("b", 0.0..=1.0), Some(0.5));
            assert_eq!(fields.text("c"), Some("x"));
            assert_eq!(fields.list("d", 1).len(), 1);
            assert_eq!(fields.whole("e", -3..=0_i64), Some(-3));
            assert_eq!(fields.whole("f", 0..=9_u64), None);
        });
        assert_eq!(told, [""; 0]);
    }

    #[test]
    fn a_wrong_value_is_told_what_is_allowed_and_not_repeated() {
        let document = json!({ "a": 256, "b": 1.5, "c": 1, "d": [1, 2], "e": -4, "f": 2.0, "g": "toekn" });
        let told = told(&document, |fields| {
            assert_eq!(fields.whole("a", 0..=255_u8), None);
            assert_eq!(fields.number("b", 0.0..=1.0), None);
            assert_eq!(fields.text("c"), None);
            assert!(fields.list("d", 1).is_empty());
            assert_eq!(fields.whole("e", 0..=9_u64), None);
            assert_eq!(fields.whole("f", 0..=9_u64), None);
            assert_eq!(fields.one_of("g", &["token", "download"]), None);
            assert_eq!(fields.required().text("h"), None);
        });
        assert_eq!(
            told,
            [
                "rule 2: a: must be a whole number from 0 to 255",
                "rule 2: b: must be a number from 0 to 1",
                "rule 2: c: must be a text",
                "rule 2: d: must be a list of at most 1 tables",
                "rule 2: e: must be a whole number from 0 to 9",
                "rule 2: f: must be a whole number from 0 to 9",
                "rule 2: g: must be one of token, download (did you mean `token`?)",
                "rule 2: h: is missing; must be a text",
            ]
        );
    }

    #[test]
    fn unknown_keys_are_named_unless_the_name_is_odd() {
        let document = json!({ "stauts": 1, "zzz": 1, "a\u{1b}[0m": 1, "x".repeat(65): 1 });
        let told = told(&document, |fields| {
            fields.whole("status", 0..=9_u8);
            fields.text("route");
        });
        assert_eq!(
            told,
            [
                "rule 2: unknown key; allowed here: status, route",
                "rule 2: stauts: unknown key (did you mean `status`?); allowed here: status, route",
                "rule 2: unknown key; allowed here: status, route",
                "rule 2: zzz: unknown key; allowed here: status, route",
            ]
        );
    }

    #[test]
    fn what_is_no_table_has_no_fields() {
        assert_eq!(told(&json!([]), |_| {}), ["rule 2: must be a table of keys and values"]);
    }

    #[test]
    fn no_more_problems_are_listed_than_anybody_reads() {
        let mut problems = Problems::default();
        for _ in 0..PROBLEMS_MAX + 7 {
            problems.add(&Place::default(), "", "wrong");
        }
        let error = problems.into_result(()).unwrap_err();
        assert_eq!(error.problems().len(), PROBLEMS_MAX);
        assert!(error.to_string().ends_with("wrong\nand 7 more"), "{error}");
    }
}
