//! The steps that are one call of cargo.

use std::env;
use std::io::{self, IsTerminal as _};

use crate::report::{Report, Result};
use crate::workspace::{Workspace, run};

pub(crate) fn fmt(workspace: &Workspace, fix: bool) -> Result<Report> {
    let check: &[&str] = if fix { &[] } else { &["--check"] };
    let mut command = workspace.cargo();
    command.args(["fmt", "--all"]).args(check);
    // The one tool that colours its output without asking where it goes.
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !io::stdout().is_terminal();
    command.args(if plain { &["--", "--color", "never"][..] } else { &[] });
    run(&mut command)
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<Report> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    run(workspace.cargo().args(arguments))
}

pub(crate) fn test(workspace: &Workspace) -> Result<Report> {
    run(workspace.cargo().args(["test", "--workspace", "--all-features"]))
}

/// Part of the tests as well; by itself it is the quickest answer to whether an operation keeps its word. Over the whole
/// workspace, so that nothing is built anew with other features.
pub(crate) fn conformance(workspace: &Workspace) -> Result<Report> {
    run(workspace.cargo().args(["test", "--workspace", "--all-features", "--test", "it", "conformance"]))
}

pub(crate) fn doc(workspace: &Workspace) -> Result<Report> {
    let arguments = ["doc", "--workspace", "--all-features", "--no-deps"];
    run(workspace.cargo().args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
}
