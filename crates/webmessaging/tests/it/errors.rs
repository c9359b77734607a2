//! Every error has a page: the codes of the code are the headings of `docs/errors.md`, no more and no less.

use std::collections::BTreeSet;

use webmessaging::ErrorKind;
use webmessaging::model::Code;

const PAGE: &str = include_str!("../../../../docs/errors.md");

/// The headings `## code` below a chapter.
fn headings(chapter: &str) -> BTreeSet<&str> {
    let (_, rest) = PAGE.split_once(&format!("\n# {chapter}\n")).unwrap();
    let chapter = rest.split("\n# ").next().unwrap();
    chapter.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

#[test]
fn every_kind_is_explained() {
    let kinds: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(headings("Errors"), kinds);
}

#[test]
fn every_violation_is_explained() {
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(headings("Violations"), codes);
}
