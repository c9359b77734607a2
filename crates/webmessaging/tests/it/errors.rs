//! Every error has a page: the codes of the code are the headings of `docs/errors.md`, no more and no less.

use std::collections::BTreeSet;

use webmessaging::model::Code;
use webmessaging::{ErrorKind, journal, store, sync, webhooks};

const PAGE: &str = include_str!("../../../../docs/errors.md");

/// The headings `## code` below a chapter.
fn headings(chapter: &str) -> BTreeSet<String> {
    let (_, rest) = PAGE.split_once(&format!("\n# {chapter}\n")).unwrap();
    let chapter = rest.split("\n# ").next().unwrap();
    chapter.lines().filter_map(|line| line.strip_prefix("## ").map(str::to_owned)).collect()
}

/// The codes as the command prints them: with the part in front, where there is one.
fn codes(part: &str, codes: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    codes.into_iter().map(|code| format!("{part}{code}")).collect()
}

#[test]
fn every_kind_is_explained() {
    let kinds = codes("", ErrorKind::ALL.iter().map(|kind| kind.code()));
    assert_eq!(headings("Errors"), kinds);
}

#[test]
fn every_violation_is_explained() {
    let violations = codes("", Code::ALL.iter().map(|code| code.as_str()));
    assert_eq!(headings("Violations"), violations);
}

#[test]
fn every_kind_of_the_store_is_explained() {
    let kinds = codes("store.", store::ErrorKind::ALL.iter().map(|kind| kind.code()));
    assert_eq!(headings("Errors of the store"), kinds);
}

#[test]
fn every_kind_of_the_journal_is_explained() {
    let kinds = codes("audit.", journal::ErrorKind::ALL.iter().map(|kind| kind.code()));
    assert_eq!(headings("Errors of the journal"), kinds);
}

#[test]
fn every_kind_of_sync_is_explained() {
    let kinds = codes("sync.", sync::ErrorKind::ALL.iter().map(|kind| kind.code()));
    assert_eq!(headings("Errors of sync"), kinds);
}

#[test]
fn every_kind_of_webhooks_is_explained() {
    let kinds = codes("webhook.", webhooks::ErrorKind::ALL.iter().map(|kind| kind.code()));
    assert_eq!(headings("Errors of webhooks"), kinds);
}
