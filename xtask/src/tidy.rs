//! House rules that no other tool knows: each is a small function over the text of one file.

mod docs;
mod links;
mod manifests;
mod mask;
mod rust;
mod text;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::report::{Report, Result};
use crate::workspace::{Workspace, capture};

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
    why: &'static str,
    warning: bool,
}

impl Finding {
    /// `line` counts from 1, as editors do.
    fn new(path: &str, line: usize, message: impl Into<String>, why: &'static str) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), why, warning: false }
    }

    fn into_warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.warning { "warning: " } else { "" };
        write!(f, "{}:{}: {level}{} — {}", self.path, self.line, self.message, self.why)
    }
}

/// A file that git knows, or would take: ignored ones are nobody's business.
#[derive(Debug)]
struct File {
    /// Relative to the root, with `/`.
    path: String,
    size: u64,
    /// Empty when it is not text.
    text: String,
}

impl File {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let files = read_files(&workspace.root)?;
    let findings = check(workspace, &files)?;
    for finding in &findings {
        println!("{finding}");
    }
    let failures = findings.iter().filter(|finding| !finding.warning).count();
    let warnings = findings.len() - failures;
    let plural = if warnings == 1 { "" } else { "s" };
    Ok(Report::from_problems(failures, format!("{} files, {warnings} warning{plural}", files.len())))
}

fn check(workspace: &Workspace, files: &[File]) -> Result<Vec<Finding>> {
    let root =
        files.iter().find(|file| file.path == "Cargo.toml").ok_or("Cargo.toml: not among the files")?;
    let msrv = manifests::msrv(&root.text)?;
    let mut findings = manifests::root(&root.text)?;
    for file in files {
        findings.extend(text::size(file));
        match file.extension() {
            "rs" => {
                findings.extend(text::all(file));
                findings.extend(rust::all(file));
            }
            "md" => {
                findings.extend(text::all(file));
                findings.extend(links::check(file, files));
                findings.extend(docs::msrv(file, &msrv));
            }
            "toml" => findings.extend(text::all(file)),
            _ => {}
        }
        if file.name() == "Cargo.toml" && file.path != "Cargo.toml" {
            findings.extend(manifests::literal_msrv(file));
        }
    }
    let names: Vec<_> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    for package in &workspace.packages {
        let manifest = format!("{}/Cargo.toml", package.dir);
        if let Some(file) = files.iter().find(|file| file.path == manifest) {
            findings.extend(manifests::member(file, &names)?);
        }
        findings.extend(docs::package(package, files));
    }
    Ok(findings)
}

fn read_files(root: &Path) -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let mut files = Vec::new();
    for path in capture(&mut git)?.split_terminator('\0') {
        let full = root.join(path);
        // Deleted but not yet committed, or a link to something that is checked where it is.
        let Ok(metadata) = fs::symlink_metadata(&full) else { continue };
        if !metadata.is_file() {
            continue;
        }
        let text = String::from_utf8(fs::read(&full)?).unwrap_or_default();
        files.push(File { path: path.to_owned(), size: metadata.len(), text });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

/// An in-memory file, and the findings of a check as `line: message`.
#[cfg(test)]
mod sample {
    use super::{File, Finding};

    pub(super) fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), size: text.len() as u64, text: text.to_owned() }
    }

    pub(super) fn lines(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|finding| format!("{}: {}", finding.line, finding.message)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_that_editors_can_follow() {
        let finding = Finding::new("a/b.rs", 3, "tab", "width differs by editor");
        assert_eq!(finding.to_string(), "a/b.rs:3: tab — width differs by editor");
        assert!(finding.into_warning().to_string().starts_with("a/b.rs:3: warning: tab"));
    }

    #[test]
    fn the_parts_of_a_path() {
        let file = sample::file("crates/a/README.md", "");
        assert_eq!((file.name(), file.extension()), ("README.md", "md"));
        assert_eq!(sample::file("a/LICENSE", "").extension(), "");
    }
}
