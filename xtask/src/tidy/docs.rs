//! Rules for the documentation as a whole: every crate has its page, numbers agree with the manifest.

use super::{File, Finding};
use crate::workspace::Package;

const ARCHITECTURE: &str = "docs/architecture.md";

/// Mentions of a Rust version, in the two files that people read before they install one.
pub(super) fn msrv(file: &File, msrv: &str) -> Vec<Finding> {
    if !matches!(file.name(), "README.md" | "CONTRIBUTING.md") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for (position, _) in line.match_indices("Rust 1.") {
            let version = line.get(position + "Rust ".len()..).unwrap_or_default();
            let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
            let version = version.get(..end).unwrap_or_default().trim_end_matches('.');
            if minor(version) != minor(msrv) {
                let message = format!("Rust {version}, but the manifest says {msrv}");
                findings.push(Finding::new(&file.path, number, message, "the root manifest decides"));
            }
        }
    }
    findings
}

/// `1.95.0` and `1.95` are the same promise.
fn minor(version: &str) -> Option<&str> {
    version.split('.').nth(1)
}

/// The folder, the README and the place in the code map of one crate.
pub(super) fn package(package: &Package, files: &[File]) -> Vec<Finding> {
    let Package { name, dir, .. } = package;
    let manifest = format!("{dir}/Cargo.toml");
    let mut findings = Vec::new();
    if dir.rsplit('/').next() != Some(name) {
        let message = format!("folder `{dir}` holds package `{name}`");
        findings.push(Finding::new(&manifest, 1, message, "who has the name should find the folder"));
    }
    let readme = format!("{dir}/README.md");
    if !files.iter().any(|file| file.path == readme) {
        let why = "it is the first page of the crate, on the web and in the API documentation";
        findings.push(Finding::new(&manifest, 1, "no README.md beside it", why));
    }
    let map = files.iter().find(|file| file.path == ARCHITECTURE);
    let listed = |text: &str| text.contains(&format!("`{name}`")) || text.contains(&format!("`{dir}`"));
    if map.is_some_and(|map| !listed(&map.text)) {
        let why = "the code map is where a new reader starts";
        findings.push(Finding::new(ARCHITECTURE, 1, format!("`{name}` is not in the code map"), why));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::sample::{file, lines};
    use super::*;

    #[test]
    fn versions_in_prose_agree_with_the_manifest() {
        let check = |path, text, expected: &[&str]| {
            assert_eq!(lines(&msrv(&file(path, text), "1.95")), expected, "{text}");
        };
        check("README.md", "needs Rust 1.95 or Rust 1.95.0.\n", &[]);
        check("README.md", "a\nneeds Rust 1.94.\n", &["2: Rust 1.94, but the manifest says 1.95"]);
        check("crates/a/README.md", "Rust 1.9", &["1: Rust 1.9, but the manifest says 1.95"]);
        check("docs/adr/1.md", "was Rust 1.80\n", &[]);
    }

    #[test]
    fn a_crate_has_its_folder_its_page_and_its_place() {
        let check = |name: &str, dir: &str, files: &[File], expected: &[&str]| {
            let sample = Package { name: name.to_owned(), dir: dir.to_owned(), ..Package::default() };
            assert_eq!(lines(&package(&sample, files)), expected);
        };
        let readme = || file("crates/a/README.md", "# a\n");
        check("a", "crates/a", &[readme()], &[]);
        check("a", "crates/a", &[], &["1: no README.md beside it"]);
        check("b", "crates/a", &[readme()], &["1: folder `crates/a` holds package `b`"]);
        check("a", "crates/a", &[readme(), file(ARCHITECTURE, "| `a` | x |\n")], &[]);
        check("a", "crates/a", &[readme(), file(ARCHITECTURE, "a\n")], &["1: `a` is not in the code map"]);
    }
}
