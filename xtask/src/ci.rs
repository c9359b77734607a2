//! The table of steps, and `ci`, which runs them one after the other.

use std::process::ExitCode;
use std::time::Instant;

use crate::report::{Report, Result, Verdict, is_ci};
use crate::workspace::Workspace;
use crate::{advisories, cargo_steps, deny, features, generate, layers, tidy};

/// Every command but `ci`, in the order in which `ci` runs them. A new check is one line here.
#[rustfmt::skip]
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", in_ci: true, about: "Formatting", run: Run::Flag { flag: "fix", help: "Write instead of complain", in_ci: false, run: cargo_steps::fmt } },
    Step { name: "tidy", in_ci: true, about: "House rules that no other tool knows", run: Run::Plain(tidy::run) },
    Step { name: "layers", in_ci: true, about: "Which crate may use which, and the size of each dependency tree", run: Run::Plain(layers::run) },
    Step { name: "features", in_ci: true, about: "Every crate alone, with every feature alone", run: Run::Plain(features::run) },
    Step { name: "clippy", in_ci: true, about: "Lints, warnings being errors", run: Run::Plain(cargo_steps::clippy) },
    Step { name: "test", in_ci: true, about: "All tests, including those in the documentation", run: Run::Plain(cargo_steps::test) },
    Step { name: "conformance", in_ci: true, about: "Every operation against the emulator, with every fault", run: Run::Plain(cargo_steps::conformance) },
    Step { name: "doc", in_ci: true, about: "API documentation, warnings being errors", run: Run::Plain(cargo_steps::doc) },
    Step { name: "gen", in_ci: true, about: "Generated parts of the documentation", run: Run::Flag { flag: "check", help: "Complain instead of write", in_ci: true, run: generate::run } },
    Step { name: "deny", in_ci: true, about: "Licences, banned crates and sources of dependencies", run: Run::Plain(deny::run) },
    Step { name: "advisories", in_ci: false, about: "Known vulnerabilities of dependencies; apart, as a new one must not break an unrelated change", run: Run::Plain(advisories::run) },
];

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) in_ci: bool,
    pub(crate) run: Run,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    Plain(fn(&Workspace) -> Result<Report>),
    /// With a switch, and the position it has in `ci`.
    Flag {
        flag: &'static str,
        help: &'static str,
        in_ci: bool,
        run: fn(&Workspace, bool) -> Result<Report>,
    },
}

impl Step {
    pub(crate) fn execute(&self, workspace: &Workspace, flag: bool) -> Report {
        let result = match self.run {
            Run::Plain(run) => run(workspace),
            Run::Flag { run, .. } => run(workspace, flag),
        };
        let report = result.unwrap_or_else(|error| {
            println!("{}: {error}", self.name);
            Report::fail(error.to_string().lines().next().unwrap_or_default())
        });
        report.strict(is_ci(std::env::var("CI").ok().as_deref()))
    }

    /// As `ci` runs it, for instance `gen --check`.
    fn label(&self) -> String {
        match self.run {
            Run::Flag { flag, in_ci: true, .. } => format!("{} --{flag}", self.name),
            _ => self.name.to_owned(),
        }
    }
}

struct Row {
    label: String,
    report: Report,
    seconds: f64,
}

/// Runs all steps, even after a failure: one run shows everything there is to repair.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut rows = Vec::new();
    for step in STEPS.iter().filter(|step| step.in_ci) {
        let label = step.label();
        println!("\n==== {label} ====");
        let flag = matches!(step.run, Run::Flag { in_ci: true, .. });
        let (report, seconds) = timed(|| step.execute(workspace, flag));
        rows.push(Row { label, report, seconds });
    }
    println!("\n{}", table(&rows));
    if rows.iter().any(|row| row.report.verdict == Verdict::Fail) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

#[expect(clippy::disallowed_methods, reason = "the time of a step is shown to people and decides nothing")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed().as_secs_f64())
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.label.len()).max().unwrap_or(0);
    let mut lines = vec![format!("{:width$}  {:7}  {:>7}  note", "step", "result", "seconds")];
    lines.push(format!("{}  {}  {}  {}", "-".repeat(width), "-".repeat(7), "-".repeat(7), "-".repeat(4)));
    for Row { label, report, seconds } in rows {
        let line = format!("{label:width$}  {:7}  {seconds:>7.1}  {}", report.verdict, report.note);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_runs_the_documented_steps_in_order() {
        let labels: Vec<_> = STEPS.iter().filter(|step| step.in_ci).map(Step::label).collect();
        let documented = [
            "fmt",
            "tidy",
            "layers",
            "features",
            "clippy",
            "test",
            "conformance",
            "doc",
            "gen --check",
            "deny",
        ];
        assert_eq!(labels, documented);
    }

    #[test]
    fn the_table_is_plain_text_in_columns() {
        let row = |label: &str, report, seconds| Row { label: label.to_owned(), report, seconds };
        let rows = [
            row("fmt", Report::pass(""), 0.61),
            row("gen --check", Report::fail("run `cargo xtask gen`"), 1.0),
            row("deny", Report::skipped("no network"), 12.34),
        ];
        let expected = "\
step         result   seconds  note
-----------  -------  -------  ----
fmt          pass         0.6
gen --check  fail         1.0  run `cargo xtask gen`
deny         skipped     12.3  no network";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn an_error_is_a_failure_with_its_first_line_as_note() {
        let workspace = Workspace { root: ".".into(), target_dir: ".".into(), packages: Vec::new() };
        let step =
            Step { name: "x", about: "", in_ci: true, run: Run::Plain(|_| Err("first\nsecond".into())) };
        let report = step.execute(&workspace, false);
        assert_eq!((report.verdict, report.note.as_str()), (Verdict::Fail, "first"));
    }
}
