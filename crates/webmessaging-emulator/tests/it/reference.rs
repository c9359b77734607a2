//! `docs/reference/emulator.md`: its tables are made from the capabilities document.
//!
//! `cargo xtask gen` writes them anew.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::Value;

use crate::client::{plain_get, send, start};

const PAGE: &str = include_str!("../../../../docs/reference/emulator.md");

/// Replaces what stands between the markers of block `name`.
fn fill(page: &str, name: &str, content: &str) -> String {
    let (start, end) = (format!("<!-- generated: {name} -->\n"), "<!-- /generated -->");
    let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no block {name}"));
    let (_, after) = rest.split_once(end).unwrap();
    format!("{before}{start}\n{content}\n{end}{after}")
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

fn codes(list: &Value) -> String {
    let codes: Vec<String> =
        list.as_array().unwrap().iter().map(|code| format!("`{}`", code.as_str().unwrap())).collect();
    if codes.is_empty() { "\u{2013}".to_owned() } else { codes.join(", ") }
}

fn table(head: &str, rows: &Value, show: impl Fn(&Value) -> String) -> String {
    let mut table = format!("| {head} |\n|{}\n", "---|".repeat(head.split(" | ").count()));
    for row in rows.as_array().unwrap() {
        writeln!(table, "| {} |", show(row)).unwrap();
    }
    table
}

fn list(entries: &Value) -> String {
    let mut list = String::new();
    for entry in entries.as_array().unwrap() {
        writeln!(list, "- {}", entry.as_str().unwrap()).unwrap();
    }
    list
}

#[tokio::test]
async fn the_tables_of_the_reference_are_those_of_the_capabilities() {
    let emulator = start().await;
    let capabilities = send(&emulator, plain_get("/__emulator/capabilities")).await.json();
    let endpoints =
        table("name | request | contract | scope | what it does", &capabilities["endpoints"], |row| {
            let request = format!("`{} {}`", text(row, "method"), text(row, "path"));
            let (name, contract, summary) = (text(row, "name"), text(row, "contract"), text(row, "summary"));
            format!("`{name}` | {request} | {contract} | {} | {summary}", codes(&row["scopes"]))
        });
    let faults = table("fault | keys | what happens", &capabilities["faults"], |row| {
        format!("`{}` | {} | {}", text(row, "name"), codes(&row["keys"]), text(row, "summary"))
    });
    let tampers = table("tamper | what happens", &capabilities["tampers"], |row| {
        format!("`{}` | {}", text(row, "name"), text(row, "summary"))
    });
    let control = table("request | what it does", &capabilities["control"], |row| {
        format!("`{} {}` | {}", text(row, "method"), text(row, "path"), text(row, "summary"))
    });
    let mut page = PAGE.to_owned();
    for (name, content) in [
        ("endpoints", endpoints),
        ("assumed", list(&capabilities["assumed"])),
        ("not-emulated", list(&capabilities["notEmulated"])),
        ("faults", faults),
        ("tampers", tampers),
        ("control", control),
    ] {
        page = fill(&page, name, &content);
    }
    expect_file!["../../../../docs/reference/emulator.md"].assert_eq(&page);
}
