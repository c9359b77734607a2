//! TOML texts as documents: the tree that JSON has, and the line of each value.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use toml::de::{DeTable, DeValue};

use crate::document::{DocumentError, DocumentProblem, PROBLEMS_MAX, Problems};

/// The document of a text, and an empty list of problems that knows its lines.
pub(super) fn parse(text: &str) -> Result<(Value, Problems), DocumentError> {
    let mut reader = Reader::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let unlisted = errors.len().saturating_sub(PROBLEMS_MAX);
        let problem = |error: &toml::de::Error| DocumentProblem {
            line: error.span().map(|span| reader.line(span.start)),
            message: format!("the document is not TOML: {}", error.message()),
            ..DocumentProblem::default()
        };
        return Err(DocumentError::new(errors.iter().take(PROBLEMS_MAX).map(problem).collect(), unlisted));
    }
    let value = reader.table(table.get_ref(), "");
    match reader.problem {
        None => Ok((value, Problems::with_lines(reader.lines))),
        Some(problem) => Err(DocumentError::new(vec![problem], 0)),
    }
}

struct Reader {
    /// Offset of each line's first byte.
    starts: Vec<usize>,
    lines: HashMap<String, usize>,
    /// A number that no document can hold.
    problem: Option<DocumentProblem>,
}

impl Reader {
    fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { starts, lines: HashMap::new(), problem: None }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    fn table(&mut self, table: &DeTable<'_>, pointer: &str) -> Value {
        let mut object = Map::new();
        for (key, value) in table {
            let pointer = format!("{pointer}/{}", key.get_ref());
            let line = self.line(key.span().start);
            self.lines.insert(pointer.clone(), line);
            object.insert(key.get_ref().to_string(), self.value(value.get_ref(), &pointer, line));
        }
        Value::Object(object)
    }

    fn value(&mut self, value: &DeValue<'_>, pointer: &str, line: usize) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(datetime) => Value::String(datetime.to_string()),
            DeValue::Integer(integer) => {
                let signed = i64::from_str_radix(integer.as_str(), integer.radix()).map(Number::from);
                let unsigned = || u64::from_str_radix(integer.as_str(), integer.radix()).map(Number::from);
                self.number(signed.or_else(|_| unsigned()).ok(), line)
            }
            DeValue::Float(float) => {
                self.number(float.as_str().parse().ok().and_then(Number::from_f64), line)
            }
            DeValue::Array(array) => {
                let mut list = Vec::new();
                for (index, entry) in array.iter().enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    let line = self.line(entry.span().start);
                    self.lines.insert(pointer.clone(), line);
                    list.push(self.value(entry.get_ref(), &pointer, line));
                }
                Value::Array(list)
            }
            DeValue::Table(table) => self.table(table, pointer),
        }
    }

    fn number(&mut self, number: Option<Number>, line: usize) -> Value {
        if number.is_none() && self.problem.is_none() {
            self.problem = Some(DocumentProblem {
                line: Some(line),
                message: "a number must be finite and fit 64 bits".to_owned(),
                ..DocumentProblem::default()
            });
        }
        number.map_or(Value::Null, Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_becomes_what_json_has() {
        let text = "a = 0x10\nb = 1_000\nc = -1.5\nd = true\ne = 2026-01-02\nf = [1, { g = 'x' }]\nh = 18446744073709551615";
        let (value, _) = parse(text).unwrap();
        let expected = json!({
            "a": 16, "b": 1000, "c": -1.5, "d": true, "e": "2026-01-02", "f": [1, { "g": "x" }], "h": u64::MAX,
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn values_know_their_lines() {
        let text =
            "seed = 1\n\n[[rules]]\nroute = '*'\n\n[[rules]]\n# a comment\nfault = 'x'\nheaders.a = 'b'\n";
        let reader = {
            let mut reader = Reader::new(text);
            reader.table(DeTable::parse(text).unwrap().get_ref(), "");
            reader
        };
        for (pointer, line) in [
            ("/seed", 1),
            ("/rules/0", 3),
            ("/rules/0/route", 4),
            ("/rules/1", 6),
            ("/rules/1/fault", 8),
            ("/rules/1/headers/a", 9),
        ] {
            assert_eq!(reader.lines.get(pointer), Some(&line), "{pointer}");
        }
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        let error = parse("seed = 1\nrules = = []\n\nseed = 2\n").unwrap_err();
        let mut lines: Vec<_> = error.problems().iter().map(|problem| problem.line).collect();
        lines.dedup();
        assert_eq!(lines, [Some(2), Some(4)], "{error}");
        for text in ["a = inf", "a = nan", "a = 18446744073709551616"] {
            let error = parse(&format!("\n{text}")).unwrap_err();
            assert_eq!(error.to_string(), "line 2: a number must be finite and fit 64 bits", "{text}");
        }
    }
}
