//! Rules for Rust files.

use super::mask::code_only;
use super::{File, Finding};

const WARN_LINES: usize = 500;
const FAIL_LINES: usize = 800;

const TRANSPORT: &str = "crates/webmessaging-http/";

pub(super) fn all(file: &File) -> Vec<Finding> {
    let code = code_only(&file.text);
    let mut findings = Vec::new();
    findings.extend(header(file));
    findings.extend(length(file));
    findings.extend(unfinished(file, &code));
    findings.extend(ignored_examples(file));
    findings.extend(silenced_lints(file, &code));
    findings.extend(wrapped_crates(file, &code));
    findings
}

fn header(file: &File) -> Option<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let good = first.starts_with("//!") || first.starts_with("#![doc = include_str!");
    let why = "the first thing a reader needs is what the file is for";
    (!good).then(|| Finding::new(&file.path, 1, "no `//!` in the first line", why))
}

fn length(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let why = "a file is read as a whole; split it by subject";
    let finding = |limit| Finding::new(&file.path, limit + 1, format!("{lines} lines, limit {limit}"), why);
    match lines {
        0..=WARN_LINES => None,
        _ if lines <= FAIL_LINES => Some(finding(WARN_LINES).into_warning()),
        _ => Some(finding(FAIL_LINES)),
    }
}

fn unfinished(file: &File, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        if line.contains("#[ignore") {
            let why = "a test that nobody runs proves nothing; delete it or make it run";
            findings.push(Finding::new(&file.path, number, "ignored test", why));
        }
        for name in ["todo", "unimplemented", "dbg"] {
            if words(line, name).any(|after| after.starts_with("!(")) {
                let why = "work in progress does not belong in the history";
                findings.push(Finding::new(&file.path, number, format!("`{name}!`"), why));
            }
        }
    }
    findings
}

fn ignored_examples(file: &File) -> Vec<Finding> {
    let fence = |line: &str| {
        let comment = line.trim_start().strip_prefix("///").or_else(|| line.trim_start().strip_prefix("//!"));
        let info = comment.and_then(|text| text.trim_start().strip_prefix("```"));
        info.is_some_and(|info| info.split(',').any(|word| word.trim() == "ignore"))
    };
    let lines = (1..).zip(file.text.lines()).filter(|(_, line)| fence(line));
    let why = "an example that does not compile misleads; use `no_run` or `text`";
    lines.map(|(number, _)| Finding::new(&file.path, number, "ignored example", why)).collect()
}

fn silenced_lints(file: &File, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["allow", "expect"] {
        let needle = format!("[{name}(");
        for (position, _) in code.match_indices(&needle) {
            let before = code.get(..position).unwrap_or_default();
            if !before.ends_with('#') && !before.ends_with("#!") {
                continue;
            }
            let attribute = code.get(position..).unwrap_or_default();
            let attribute = attribute.split(']').next().unwrap_or_default();
            if !words(attribute, "reason").any(|after| after.trim_start().starts_with('=')) {
                let line = before.matches('\n').count() + 1;
                let why = "it outlives its cause when nobody remembers it";
                findings.push(Finding::new(&file.path, line, format!("`{name}` without a reason"), why));
            }
        }
    }
    findings
}

fn wrapped_crates(file: &File, code: &str) -> Vec<Finding> {
    // What a bench stands beside is no part of what a user gets.
    let test =
        file.path.contains("/tests/") || file.path.contains("/benches/") || file.path.ends_with("/tests.rs");
    if test || file.path.starts_with(TRANSPORT) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        for name in ["reqwest", "governor"] {
            if words(line, name).next().is_some() {
                let why = "only the transport crate knows it, so that its next version touches one crate";
                findings.push(Finding::new(&file.path, number, format!("names {name}"), why));
            }
        }
    }
    findings
}

/// What follows each place where `word` stands as a word of its own.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).filter_map(move |(position, _)| {
        let before = text.get(..position)?;
        let after = text.get(position + word.len()..)?;
        (!before.ends_with(part) && !after.starts_with(part)).then_some(after)
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{file, lines};
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let text = format!("//! Sample.\n{text}\n");
        assert_eq!(lines(&all(&file(path, &text))), expected, "{text}");
    }

    #[test]
    fn the_first_line_says_what_the_file_is() {
        for good in ["//! A.\n", "#![doc = include_str!(\"../README.md\")]\n"] {
            assert_eq!(header(&file("a.rs", good)), None);
        }
        assert!(header(&file("a.rs", "\n//! A.\n")).is_some());
        assert!(header(&file("a.rs", "")).is_some());
    }

    #[test]
    fn long_files_are_warned_of_then_refused() {
        let of = |lines: usize| length(&file("a.rs", &"x\n".repeat(lines)));
        assert_eq!(of(WARN_LINES), None);
        assert!(of(WARN_LINES + 1).is_some_and(|finding| finding.warning));
        assert!(of(FAIL_LINES).is_some_and(|finding| finding.warning));
        assert!(of(FAIL_LINES + 1).is_some_and(|finding| !finding.warning));
    }

    #[test]
    fn unfinished_work_is_found_in_code_only() {
        check("a.rs", "#[ignore]\n#[ignore = \"slow\"]", &["2: ignored test", "3: ignored test"]);
        check("a.rs", "todo!()\n  dbg!(x)", &["2: `todo!`", "3: `dbg!`"]);
        check("a.rs", "unimplemented!()", &["2: `unimplemented!`"]);
        check("a.rs", "// todo!()\nlet a = \"dbg!(\"; my_todo!(); todo();", &[]);
    }

    #[test]
    fn examples_must_compile() {
        check("a.rs", "/// ```ignore\n//! ```rust,ignore", &["2: ignored example", "3: ignored example"]);
        check("a.rs", "/// ```no_run\n/// ignore", &[]);
    }

    #[test]
    fn a_silenced_lint_has_a_reason() {
        check("a.rs", "#[allow(dead_code)]", &["2: `allow` without a reason"]);
        check("a.rs", "x\n#![expect(\n  a,\n)]", &["3: `expect` without a reason"]);
        check("a.rs", "#[expect(\n  a,\n  reason = \"b\"\n)]\nlet x = y.expect(\"z\");", &[]);
        check("a.rs", "let x = [allow(1)];", &[]);
    }

    #[test]
    fn wrapped_crates_are_named_in_the_transport_only() {
        check("crates/a/src/b.rs", "use reqwest::Client;", &["2: names reqwest"]);
        check("crates/a/src/b.rs", "fn f(g: &governor::Quota)", &["2: names governor"]);
        check("crates/a/src/b.rs", "// reqwest\nlet a = \"reqwest\"; reqwest_like();", &[]);
        check("crates/webmessaging-http/src/adapter.rs", "use reqwest::Client;", &[]);
        check("crates/a/tests/it/b.rs", "use reqwest::Client;", &[]);
        check("crates/a/benches/b.rs", "use reqwest::Client;", &[]);
    }
}
