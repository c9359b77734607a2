//! The crash test at length: a receiver that is killed again and again, on both stores, and the table of how that went.

use std::process::Stdio;

use crate::report::{Report, Result};
use crate::workspace::Workspace;

/// So many times it is killed on each store, unless somebody wants more.
pub(crate) const ROUNDS: &str = "200";

pub(crate) fn run(workspace: &Workspace, rounds: &str) -> Result<Report> {
    let mut command = workspace.cargo();
    command.args(["test", "--package", "webmessaging", "--test", "crash", "--", "--test-threads", "1"]);
    let status =
        command.env("CRASH_ROUNDS", rounds).stdout(Stdio::inherit()).stderr(Stdio::inherit()).status()?;
    Ok(if status.success() {
        Report::pass(format!("{rounds} rounds on each store"))
    } else {
        Report::fail("something was lost or done twice, see above")
    })
}
