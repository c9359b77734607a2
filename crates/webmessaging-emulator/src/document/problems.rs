//! What is wrong with a document, and where: nothing is fatal until all of it has been read.

use std::collections::HashMap;

use crate::document::{DocumentError, DocumentProblem, NAME_BYTES_MAX, PROBLEMS_MAX};

/// A part of a document: where it is, for the lines, and what people call it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pointer: String,
    name: String,
}

impl Place {
    /// A table of the document that has a name.
    pub(crate) fn section(name: &str) -> Self {
        Self { pointer: format!("/{name}"), name: name.to_owned() }
    }

    /// The entry of a list of the document, counted from 0.
    pub(crate) fn entry(list: &str, index: usize, name: &str) -> Self {
        Self::default().inner(list, index, name)
    }

    /// The entry of a list of this part, counted from 0.
    pub(crate) fn inner(&self, list: &str, index: usize, name: &str) -> Self {
        let Self { pointer, name: outer } = self;
        let outer = if outer.is_empty() { String::new() } else { format!("{outer}: ") };
        Self { pointer: format!("{pointer}/{list}/{index}"), name: format!("{outer}{name} {}", index + 1) }
    }
}

/// The problems found so far, and the lines in which they may be.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// By JSON pointer, without the escapes.
    lines: HashMap<String, usize>,
    list: Vec<DocumentProblem>,
    unlisted: usize,
}

impl Problems {
    #[cfg(feature = "toml")]
    pub(super) fn with_lines(lines: HashMap<String, usize>) -> Self {
        Self { lines, ..Self::default() }
    }

    /// Notes a problem of a field, of one inside it (`outer/inner`), or of the place as a whole when `field` is empty.
    pub(crate) fn add(&mut self, place: &Place, field: &str, message: impl Into<String>) {
        if self.list.len() >= PROBLEMS_MAX {
            self.unlisted += 1;
            return;
        }
        let line = self.line(&format!("{}/{field}", place.pointer));
        let is_plain = field.split('/').all(is_plain);
        let field = if is_plain { field.to_owned() } else { String::new() };
        self.list.push(DocumentProblem { line, place: place.name.clone(), field, message: message.into() });
    }

    /// The line of what `pointer` leads to, or of the nearest part around it.
    fn line(&self, pointer: &str) -> Option<usize> {
        let outer = || pointer.rsplit_once('/').and_then(|(outer, _)| self.line(outer));
        self.lines.get(pointer).copied().or_else(outer)
    }

    /// `read`, unless there were problems.
    pub(crate) fn into_result<T>(self, read: T) -> Result<T, DocumentError> {
        if self.list.is_empty() { Ok(read) } else { Err(DocumentError::new(self.list, self.unlisted)) }
    }
}

/// A name that was made up by the author of a document, if it is harmless enough to be repeated.
pub(crate) fn quoted(name: &str) -> String {
    if is_plain(name) { format!(" `{name}`") } else { String::new() }
}

fn is_plain(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_line_of_the_nearest_part_that_has_one() {
        let lines = HashMap::from([("/a/0".to_owned(), 3), ("/a/0/b".to_owned(), 5)]);
        let mut problems = Problems { lines, ..Problems::default() };
        let place = Place::entry("a", 0, "thing");
        for field in ["", "b", "b/c/d", "e", "f g"] {
            problems.add(&place, field, "is wrong");
        }
        problems.add(&place.inner("b", 1, "part"), "", "is wrong");
        problems.add(&Place::section("other"), "", "is wrong");
        let told: Vec<_> = problems.list.iter().map(|problem| (problem.line, problem.to_string())).collect();
        let expected = [
            (Some(3), "thing 1: is wrong"),
            (Some(5), "thing 1: b: is wrong"),
            (Some(5), "thing 1: b/c/d: is wrong"),
            (Some(3), "thing 1: e: is wrong"),
            (Some(3), "thing 1: is wrong"),
            (Some(5), "thing 1: part 2: is wrong"),
            (None, "other: is wrong"),
        ];
        assert_eq!(told, expected.map(|(line, text)| (line, text.to_owned())));
    }
}
