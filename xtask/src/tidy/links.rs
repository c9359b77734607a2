//! Links between our own Markdown files: the file exists, and so does the heading.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Finding};

const WHY: &str = "a dead link costs a reader more than no link";

pub(super) fn check(file: &File, files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, target) in links(&file.text) {
        if let Some(message) = problem(file, files, &target) {
            findings.push(Finding::new(&file.path, line, message, WHY));
        }
    }
    findings
}

fn problem(file: &File, files: &[File], target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path =
        if path.is_empty() { file.path.clone() } else { resolve(&file.path, &path.replace("%20", " ")) };
    let folder = format!("{path}/");
    let Some(found) = files.iter().find(|other| other.path == path) else {
        let is_folder = path.is_empty() || files.iter().any(|other| other.path.starts_with(&folder));
        return (!is_folder).then(|| format!("link to `{target}`: no such file"));
    };
    let anchor = anchor.filter(|anchor| !anchor.is_empty() && found.extension() == "md")?;
    (!anchors(&found.text).contains(anchor)).then(|| format!("link to `{target}`: no such heading"))
}

/// The path from the root, given a link in `from`; a leading `/` means the root, as on GitHub.
fn resolve(from: &str, link: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if link.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(link.split('/')) {
        match part {
            "" | "." => {}
            // Above the root: keep it, so that it is not found.
            ".." if parts.last().is_none_or(|last| *last == "..") => parts.push(part),
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The local targets of all links, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        if let Some(definition) = line.trim_start().strip_prefix('[')
            && let Some((name, target)) = definition.split_once("]:")
            && !name.contains(']')
            && !name.starts_with('^')
        {
            found.push((number, target.trim().to_owned()));
        }
        for (position, _) in line.match_indices("](") {
            let rest = line.get(position + 2..).unwrap_or_default();
            found.push((number, inline_target(rest).to_owned()));
        }
    }
    let local =
        |target: &str| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
    let bare = found.into_iter().map(|(line, target)| (line, destination(&target).to_owned()));
    bare.filter(|(_, target)| local(target)).collect()
}

/// Up to the parenthesis that closes the link; pairs inside belong to the target.
fn inline_target(rest: &str) -> &str {
    let mut depth = 0_usize;
    for (position, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return rest.get(..position).unwrap_or_default(),
            ')' => depth -= 1,
            _ => {}
        }
    }
    ""
}

/// Without a title and without angle brackets.
fn destination(target: &str) -> &str {
    let target = target.trim();
    if let Some(rest) = target.strip_prefix('<') {
        return rest.split('>').next().unwrap_or_default();
    }
    target.split_whitespace().next().unwrap_or_default()
}

/// Lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let line = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| line.starts_with(marker));
        match (fence, marker) {
            (None, Some(_)) => fence = marker,
            (Some(open), Some(close)) if open == close => fence = None,
            _ => return fence.is_none(),
        }
        false
    })
}

/// Code spans are blanked: `[a](b)` in them is text.
fn without_code(line: &str) -> String {
    let parts = line.split('`').count();
    let blank = |(index, part): (usize, &str)| {
        // The last part after an odd backtick is not a span.
        if index % 2 == 1 && index + 1 < parts { " ".repeat(part.len()) } else { part.to_owned() }
    };
    line.split('`').enumerate().map(blank).collect::<Vec<_>>().join("`")
}

/// The anchors of a page by GitHub's rules: slugs of headings, repeated ones numbered, and explicit ids.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(text) {
        for attribute in ["id=\"", "name=\""] {
            for (position, _) in line.match_indices(attribute) {
                let rest = line.get(position + attribute.len()..).unwrap_or_default();
                anchors.extend(rest.split('"').next().map(str::to_owned));
            }
        }
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        if !(1..=6).contains(&level) || !title.starts_with(' ') {
            continue;
        }
        let slug = slug(title);
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    anchors
}

fn slug(title: &str) -> String {
    let title = without_targets(title.trim().trim_end_matches('#').trim_end());
    let kept = title.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// `[text](target)` as `text`.
fn without_targets(title: &str) -> String {
    let mut out = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        out.push_str(before);
        rest = after.split_once(')').map_or("", |(_, tail)| tail);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample::{file, lines};
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let files = [
            file(path, text),
            file("docs/other.md", "# Other page\n\n## Part\n\n## Part\n"),
            file("crates/a/src/lib.rs", "//! A.\n"),
        ];
        lines(&check(&files[0], &files))
    }

    #[test]
    fn targets_that_exist_pass() {
        let text = "# Top\n[a](other.md) [b](./other.md#part-1 \"title\") [c](../crates/a/src/lib.rs#L3)\n\
                    [d](../crates/a) [e](#top) [f](https://example.com/x#y) [g](mailto:a@b) ![h](</docs/other.md>)\n\
                    [i]: other.md#other-page\n[j]: https://example.com\n[^k]: a note\n";
        assert_eq!(problems("docs/page.md", text), Vec::<String>::new());
    }

    #[test]
    fn dead_targets_are_named() {
        assert_eq!(problems("docs/page.md", "\n[a](no.md)\n"), ["2: link to `no.md`: no such file"]);
        assert_eq!(problems("docs/page.md", "[a]: ../../x.md\n"), ["1: link to `../../x.md`: no such file"]);
        let message = "1: link to `other.md#parts`: no such heading";
        assert_eq!(problems("docs/page.md", "[a](other.md#parts)\n"), [message]);
        assert_eq!(problems("page.md", "[a](#no)\n"), ["1: link to `#no`: no such heading"]);
    }

    #[test]
    fn code_is_not_a_link() {
        let text = "`[a](no.md)` and\n```text\n[b](no.md)\n```\n~~~\n[c](no.md)\n~~~\n";
        assert_eq!(problems("page.md", text), Vec::<String>::new());
    }

    #[test]
    fn slugs_follow_github() {
        for (title, expected) in [
            (" 1. What it is", "1-what-it-is"),
            (" `cargo xtask ci`: all steps", "cargo-xtask-ci-all-steps"),
            (" A & B — c_d", "a--b--c_d"),
            (" [Text](x.md) more ##", "text-more"),
        ] {
            assert_eq!(slug(title), expected);
        }
    }

    #[test]
    fn explicit_anchors_count() {
        assert!(anchors("<a id=\"here\"></a>\n").contains("here"));
        assert!(!anchors("```text\n# no heading\n```\n").contains("no-heading"));
    }

    #[test]
    fn paths_are_resolved_from_the_page() {
        assert_eq!(resolve("docs/a/b.md", "../c.md"), "docs/c.md");
        assert_eq!(resolve("docs/a/b.md", "/c.md"), "c.md");
        assert_eq!(resolve("b.md", "../c.md"), "../c.md");
    }
}
