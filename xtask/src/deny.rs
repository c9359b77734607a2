//! Licences, banned crates and sources, judged by cargo-deny; it is installed when missing.

use std::path::PathBuf;
use std::process::Command;

use crate::report::{Report, Result, Verdict};
use crate::workspace::{Workspace, capture, run as run_command};

const VERSION: &str = "0.20.2";

pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let tool = match tool(workspace)? {
        Ok(tool) => tool,
        Err(skipped) => return Ok(skipped),
    };
    let fetched = fetch(workspace)?;
    if fetched.verdict == Verdict::Fail {
        return Ok(fetched);
    }
    let mut command = Command::new(tool);
    command.current_dir(&workspace.root).args(["--offline", "check", "bans", "licenses", "sources"]);
    // A duplicate is a warning of six lines without its graph, of a hundred with it. A wrapper that is
    // not there yet is a rule made in time.
    let report = run_command(command.args(["--hide-inclusion-graph", "--allow", "unused-wrapper"]))?;
    Ok(report.with_hint("`cargo tree --target all -i CRATE` tells who brings a crate in"))
}

/// cargo-deny reads the manifests of all dependencies; offline, they must be there before.
pub(crate) fn fetch(workspace: &Workspace) -> Result<Report> {
    run_command(workspace.cargo().args(["fetch", "--locked", "--quiet"]))
}

/// Where cargo-deny is, after installing it if need be, or why this step is skipped.
pub(crate) fn tool(workspace: &Workspace) -> Result<std::result::Result<PathBuf, Report>> {
    let root = workspace.target_dir.join("tools");
    let own = root.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    for candidate in [PathBuf::from("cargo-deny"), own.clone()] {
        if capture(Command::new(&candidate).arg("--version")).is_ok() {
            return Ok(Ok(candidate));
        }
    }
    println!("installing cargo-deny {VERSION} into target/tools, once; this takes some minutes");
    let mut command = workspace.cargo();
    command.args(["install", "--quiet", "--locked", "cargo-deny", "--version", VERSION, "--root"]).arg(root);
    // It runs for seconds: the time to optimise it would never come back.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    // Without it, cargo builds in a temporary folder and leaves nothing behind.
    command.env_remove("CARGO_TARGET_DIR");
    let installed = run_command(&mut command)?;
    if installed.verdict == Verdict::Pass {
        return Ok(Ok(own));
    }
    let how = format!("no cargo-deny: `cargo install --locked cargo-deny --version {VERSION}`");
    Ok(Err(Report::skipped(how)))
}
