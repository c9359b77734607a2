//! Rules for `Cargo.toml`: one place for versions, one for lints, one for what the packages share.

use toml::{Table, Value};

use super::{File, Finding};
use crate::report::Result;

const ONE_TABLE: &str = "versions stand in one table, in the root manifest";

/// The minimum supported Rust version, from the root manifest.
pub(super) fn msrv(root: &str) -> Result<String> {
    let table: Table = root.parse()?;
    let package = table.get("workspace").and_then(|workspace| workspace.get("package"));
    let version = package.and_then(|package| package.get("rust-version")).and_then(Value::as_str);
    Ok(version.ok_or("Cargo.toml: no `rust-version` in [workspace.package]")?.to_owned())
}

/// The table of versions in the root manifest: sorted, defaults off.
pub(super) fn root(text: &str) -> Result<Vec<Finding>> {
    const SECTION: &str = "workspace.dependencies";
    let table: Table = text.parse()?;
    let dependencies = table.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let dependencies =
        dependencies.and_then(Value::as_table).ok_or("Cargo.toml: no [workspace.dependencies]")?;
    let third_party = |name: &str| dependencies.get(name).is_some_and(|value| value.get("path").is_none());

    let mut findings = Vec::new();
    let mut previous = "";
    for (line, name) in keys(text, SECTION).filter(|(_, name)| third_party(name)) {
        if name < previous {
            let why = "a sorted table has one place for each entry";
            let message = format!("`{name}` stands after `{previous}`");
            findings.push(Finding::new("Cargo.toml", line, message, why));
        }
        previous = name;
    }
    for (name, value) in dependencies.iter().filter(|(name, _)| third_party(name)) {
        if value.get("default-features").and_then(Value::as_bool) != Some(false) {
            let why = "what a dependency brings along is named, not inherited";
            let message = format!("`{name}` without `default-features = false`");
            findings.push(Finding::new("Cargo.toml", line_of(text, SECTION, name), message, why));
        }
    }
    Ok(findings)
}

/// A literal version in any manifest but the root's.
pub(super) fn literal_msrv(file: &File) -> Option<Finding> {
    let table: Table = file.text.parse().ok()?;
    let literal = table.get("package")?.get("rust-version")?.is_str();
    let why = "the root manifest is the one place for it";
    let line = line_of(&file.text, "package", "rust-version");
    literal.then(|| Finding::new(&file.path, line, "literal `rust-version`", why))
}

/// The manifest of a member; `ours` are the names of all members.
pub(super) fn member(file: &File, ours: &[&str]) -> Result<Vec<Finding>> {
    let table: Table = file.text.parse().map_err(|error| format!("{}: {error}", file.path))?;
    let mut findings = shared_keys(file, &table);
    if !inherits(table.get("lints")) {
        let why = "a crate without the shared lints has none";
        let line = line_of(&file.text, "lints", "workspace");
        findings.push(Finding::new(&file.path, line, "no `[lints] workspace = true`", why));
    }
    findings.extend(dependency_tables(file, "", &table, ours));
    for (platform, tables) in table.get("target").and_then(Value::as_table).into_iter().flatten() {
        if let Some(tables) = tables.as_table() {
            let prefix = format!("target.'{platform}'.");
            findings.extend(dependency_tables(file, &prefix, tables, ours));
        }
    }
    Ok(findings)
}

fn shared_keys(file: &File, table: &Table) -> Vec<Finding> {
    const EVERY: [&str; 3] = ["edition", "rust-version", "license"];
    const PUBLISHED: [&str; 5] = ["version", "repository", "authors", "keywords", "categories"];
    let package = table.get("package");
    let private = package.and_then(|package| package.get("publish")).and_then(Value::as_bool) == Some(false);
    let published: &[&str] = if private { &[] } else { &PUBLISHED };
    let keys = EVERY.iter().chain(published);
    let missing = keys.filter(|key| !inherits(package.and_then(|package| package.get(**key))));
    let why = "what the packages share is written once, in [workspace.package]";
    let finding = |key: &&str| {
        let line = line_of(&file.text, "package", key);
        Finding::new(&file.path, line, format!("no `{key}.workspace = true`"), why)
    };
    missing.map(finding).collect()
}

fn dependency_tables(file: &File, prefix: &str, tables: &Table, ours: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let section = format!("{prefix}{kind}");
        for (name, value) in tables.get(kind).and_then(Value::as_table).into_iter().flatten() {
            let internal = ours.contains(&name.as_str());
            let problem = match kind {
                "dev-dependencies" if internal => internal_dev(value),
                _ => (!inherits(Some(value))).then_some(("not `workspace = true`", ONE_TABLE)),
            };
            if let Some((message, why)) = problem {
                let line = line_of(&file.text, &section, name);
                findings.push(Finding::new(&file.path, line, format!("`{name}`: {message}"), why));
            }
        }
    }
    findings
}

/// With a version, a crate and its tests would each have to be published before the other.
fn internal_dev(value: &Value) -> Option<(&'static str, &'static str)> {
    let bare = value.get("path").is_some() && value.get("version").is_none() && !inherits(Some(value));
    let why = "a version here, also an inherited one, blocks publishing";
    (!bare).then_some(("not a bare `{ path = \"...\" }`", why))
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// The keys that start a line of a section, with their lines.
fn keys<'a>(text: &'a str, section: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut inside = false;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        if let Some(header) = line.strip_prefix('[') {
            let name = header.trim_end().trim_end_matches(']');
            inside = name == section;
            // `[dependencies.name]` is an entry of `[dependencies]` too.
            let entry = name.strip_prefix(section).and_then(|rest| rest.strip_prefix('.'));
            return entry.map(|name| (number, name));
        }
        let end = line.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')?;
        let (name, rest) = line.split_at(end);
        let entry = inside && !name.is_empty() && rest.trim_start().starts_with(['=', '.']);
        entry.then_some((number, name))
    })
}

/// The line of a key, or of its section, or the first.
fn line_of(text: &str, section: &str, key: &str) -> usize {
    let header = format!("[{section}]");
    let of_section = || text.lines().position(|line| line.trim_end() == header).map_or(1, |index| index + 1);
    keys(text, section).find(|(_, name)| *name == key).map_or_else(of_section, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{file, lines};
    use super::*;

    const PACKAGE: &str = "\
[package]
name = \"a\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
repository.workspace = true
authors.workspace = true
keywords.workspace = true
categories.workspace = true

[lints]
workspace = true
";

    fn check(text: &str, expected: &[&str]) {
        let findings = member(&file("crates/a/Cargo.toml", text), &["a", "b"]).unwrap();
        assert_eq!(lines(&findings), expected, "{text}");
    }

    #[test]
    fn dependencies_come_from_the_workspace() {
        check(&format!("{PACKAGE}[dependencies]\nserde = {{ workspace = true }}\nb.workspace = true\n"), &[]);
        check(&format!("{PACKAGE}[dependencies]\nserde = \"1\"\n"), &["15: `serde`: not `workspace = true`"]);
        let platform = format!("{PACKAGE}[target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n");
        check(&platform, &["15: `libc`: not `workspace = true`"]);
        check(
            &format!("{PACKAGE}[dependencies]\nb = {{ path = \"../b\" }}\n"),
            &["15: `b`: not `workspace = true`"],
        );
    }

    #[test]
    fn tests_use_our_crates_by_bare_path() {
        check(&format!("{PACKAGE}[dev-dependencies]\nb = {{ path = \"../b\" }}\n"), &[]);
        let message = "15: `b`: not a bare `{ path = \"...\" }`";
        check(&format!("{PACKAGE}[dev-dependencies]\nb = {{ workspace = true }}\n"), &[message]);
        check(
            &format!("{PACKAGE}[dev-dependencies]\nb = {{ path = \"../b\", version = \"1\" }}\n"),
            &[message],
        );
    }

    #[test]
    fn shared_keys_and_lints_are_inherited() {
        check(
            &PACKAGE.replace("license.workspace = true", "license = \"MIT\""),
            &["6: no `license.workspace = true`"],
        );
        check(&PACKAGE.replace("[lints]\nworkspace = true\n", ""), &["1: no `[lints] workspace = true`"]);
        let private = "[package]\npublish = false\nedition.workspace = true\nrust-version.workspace = true\n\
                       license.workspace = true\n[lints]\nworkspace = true\n";
        check(private, &[]);
    }

    #[test]
    fn the_table_of_versions_is_sorted_without_defaults() {
        let text = "[workspace.dependencies]\nours = { path = \"x\" }\n\
                    b = { version = \"1\", default-features = false }\n\
                    a = { version = \"1\", default-features = false }\nc = \"1\"\n";
        let expected = ["4: `a` stands after `b`", "5: `c` without `default-features = false`"];
        assert_eq!(lines(&root(text).unwrap()), expected);
    }

    #[test]
    fn the_version_of_rust_is_literal_in_the_root_only() {
        let text = "[workspace.package]\nrust-version = \"1.95\"\n";
        assert_eq!(msrv(text).unwrap(), "1.95");
        let literal = file("fuzz/Cargo.toml", "[package]\nname = \"f\"\nrust-version = \"1.95\"\n");
        assert_eq!(literal_msrv(&literal).unwrap().line, 3);
        assert_eq!(literal_msrv(&file("crates/a/Cargo.toml", PACKAGE)), None);
    }
}
