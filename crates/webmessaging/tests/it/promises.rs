//! Every promise has its proof: the tests that `docs/concepts/durability.md` names are there.

use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../../docs/concepts/durability.md");

/// Where the links of the page begin.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/concepts")
}

/// The promises: their titles and what is written below.
fn promises() -> impl Iterator<Item = (&'static str, &'static str)> {
    let (_, rest) = PAGE.split_once("\n# Promises\n").unwrap();
    let chapter = rest.split("\n# ").next().unwrap();
    chapter.split("\n## ").skip(1).map(|promise| promise.split_once('\n').unwrap())
}

/// The names of tests in a line, with the file that they are in: `` - `one`, `two` in [file](path) ``.
fn named(line: &'static str) -> Option<(Vec<&'static str>, &'static str)> {
    let (names, found_in) = line.strip_prefix("- ")?.split_once(" in [")?;
    let (_, path) = found_in.strip_suffix(')')?.split_once("](")?;
    let names =
        names.split(", ").map(|name| name.strip_prefix('`')?.strip_suffix('`')).collect::<Option<_>>()?;
    Some((names, path))
}

#[test]
fn every_promise_says_what_is_not_promised_and_names_its_tests() {
    let mut missing = Vec::new();
    for (title, text) in promises() {
        assert!(text.contains("\n**Not promised.** "), "{title} does not say what is not promised");
        let (_, proofs) =
            text.split_once("\n**Proved by**\n").unwrap_or_else(|| panic!("{title} has no proof"));
        let lines: Vec<_> = proofs.lines().filter(|line| !line.is_empty()).collect();
        assert!(!lines.is_empty(), "{title} has no proof");
        for line in lines {
            let (names, path) = named(line).unwrap_or_else(|| panic!("{title}: {line}"));
            let code =
                fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            let absent = names.into_iter().filter(|name| !code.contains(&format!("fn {name}(")));
            missing.extend(absent.map(|name| format!("{title}: {name} in {path}")));
        }
    }
    assert!(missing.is_empty(), "no such test:\n{}", missing.join("\n"));
    assert!(promises().count() > 0, "the page has no promise");
}
