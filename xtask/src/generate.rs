//! Parts of the documentation that are written by programs, and the check that they are up to date.

use std::fmt::Write as _;
use std::fs;

use crate::counts;
use crate::report::{Report, Result, Verdict};
use crate::workspace::{Workspace, run as run_command};

const HINT: &str = "run `cargo xtask gen`";

struct Generator {
    name: &'static str,
    run: fn(&Workspace, bool) -> Result<Report>,
}

const GENERATORS: &[Generator] = &[
    Generator { name: "package counts in README.md", run: package_counts },
    Generator { name: "reference pages", run: reference },
];

pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<Report> {
    let mut failures = Vec::new();
    for generator in GENERATORS {
        let report = (generator.run)(workspace, check)?;
        println!("{}: {}: {}", generator.name, report.verdict, report.note);
        if report.verdict == Verdict::Fail {
            failures.push(report);
        }
    }
    Ok(failures
        .into_iter()
        .next()
        .unwrap_or_else(|| Report::pass(format!("{} generators", GENERATORS.len()))))
}

fn package_counts(workspace: &Workspace, check: bool) -> Result<Report> {
    let path = workspace.root.join("README.md");
    let old = fs::read_to_string(&path).map_err(|error| format!("README.md: {error}"))?;
    let mut table = "| depend on | packages in the normal dependency tree |\n|---|---:|\n".to_owned();
    for (subject, count) in counts::all(workspace)? {
        writeln!(table, "| {} | {count} |", subject.markdown())?;
    }
    let new = fill(&old, "package-counts", &table).map_err(|error| format!("README.md: {error}"))?;
    if new == old {
        return Ok(Report::pass("up to date"));
    }
    if check {
        return Ok(Report::fail(format!("README.md: package counts differ: {HINT}")));
    }
    fs::write(&path, new)?;
    Ok(Report::pass("written"))
}

/// Tests of these crates compare the reference with the code, and write it when asked to.
const REFERENCED: [&str; 2] = ["webmessaging", "webmessaging-emulator"];

fn reference(workspace: &Workspace, check: bool) -> Result<Report> {
    let mut report = Report::pass("none yet");
    let packages = REFERENCED.iter().filter(|package| {
        let tests = format!("crates/{package}/tests/it");
        workspace.root.join(tests).is_dir()
    });
    for package in packages {
        let mut test = workspace.cargo();
        test.args(["test", "-p", package, "--all-features", "--test", "it", "reference"]);
        if check {
            test.env_remove("UPDATE_EXPECT");
        } else {
            test.env("UPDATE_EXPECT", "1");
        }
        report = run_command(&mut test)?;
        if report.verdict == Verdict::Fail {
            break;
        }
    }
    Ok(report)
}

/// Replaces what stands between the markers of block `name`.
fn fill(text: &str, name: &str, content: &str) -> Result<String> {
    let start = format!("<!-- generated: {name} -->\n");
    let end = "<!-- /generated -->";
    let missing = || format!("no block between `{}` and `{end}`", start.trim_end());
    let (before, rest) = text.split_once(&start).ok_or_else(missing)?;
    let (_, after) = rest.split_once(end).ok_or_else(missing)?;
    // A blank line on each side: without it Markdown takes the table for a part of the comment.
    Ok(format!("{before}{start}\n{content}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\n<!-- generated: x -->\nold\n<!-- /generated -->\nb\n";

    #[test]
    fn only_the_block_changes_and_filling_twice_is_filling_once() {
        let once = fill(TEXT, "x", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- generated: x -->\n\nnew\n\n<!-- /generated -->\nb\n");
        assert_eq!(fill(&once, "x", "new\n").unwrap(), once);
    }

    #[test]
    fn a_missing_marker_is_named() {
        for text in ["", "<!-- generated: x -->\n", "<!-- /generated -->"] {
            let error = fill(text, "x", "").unwrap_err().to_string();
            assert!(error.contains("<!-- generated: x -->"), "{error}");
        }
    }
}
