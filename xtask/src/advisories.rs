//! Known vulnerabilities of our dependencies, from the database of `RustSec`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::deny;
use crate::report::{Report, Result, Verdict};
use crate::workspace::{Workspace, capture, run as run_command};

/// Names a folder or a `.tar.xz` archive with the database, for places without the network.
const VARIABLE: &str = "WEBMESSAGING_ADVISORY_DB";

/// What cargo-deny calls its clone of the default database: the end is a hash of the URL.
const CLONE: &str = "advisory-db-3157b0e258782691";

pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let tool = match deny::tool(workspace)? {
        Ok(tool) => tool,
        Err(skipped) => return Ok(skipped),
    };
    let mut command = Command::new(tool);
    command.current_dir(&workspace.root);
    let Some(source) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        let report = run_command(command.args(["check", "advisories"]))?;
        return Ok(report.with_hint(format!("without the network, set {VARIABLE}")));
    };
    let fetched = deny::fetch(workspace)?;
    if fetched.verdict == Verdict::Fail {
        return Ok(fetched);
    }
    let db_path = workspace.target_dir.join("advisory-db");
    prepare(&PathBuf::from(source), &db_path)?;
    let config = db_path.join("deny.toml");
    let own = fs::read_to_string(workspace.root.join("deny.toml"))?;
    fs::write(&config, with_db_path(&own, &db_path)?)?;
    run_command(command.args(["--offline", "--config"]).arg(config).args(["check", "advisories"]))
}

/// Makes the git repository that cargo-deny expects out of plain files.
fn prepare(source: &Path, db_path: &Path) -> Result<()> {
    let source =
        source.canonicalize().map_err(|error| format!("{VARIABLE}: {}: {error}", source.display()))?;
    if db_path.exists() {
        fs::remove_dir_all(db_path)?;
    }
    let clone = db_path.join(CLONE);
    fs::create_dir_all(&clone)?;
    if source.is_dir() {
        copy(&source, &clone)?;
    } else {
        capture(Command::new("tar").arg("-xJf").arg(source).arg("-C").arg(&clone))?;
    }
    // An identity and no hooks, whatever the user's own configuration says.
    let settings =
        ["user.name=xtask", "user.email=xtask@localhost", "commit.gpgsign=false", "core.hooksPath=.git/none"];
    for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "-m", "snapshot"]] {
        let mut git = Command::new("git");
        git.current_dir(&clone);
        for setting in settings {
            git.args(["-c", setting]);
        }
        capture(git.args(arguments))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            fs::copy(entry.path(), target)?;
        } else if entry.file_name() != ".git" {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Our configuration with the place of the database added: there is no argument for it.
fn with_db_path(config: &str, db_path: &Path) -> Result<String> {
    let header = "[advisories]\n";
    let (before, after) = config.split_once(header).ok_or("deny.toml: no section `[advisories]`")?;
    // A string of JSON is a string of TOML.
    let path = serde_json::Value::from(db_path.to_string_lossy());
    Ok(format!("{before}{header}db-path = {path}\n{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_database_joins_the_other_keys() {
        let config =
            with_db_path("[a]\nx = 1\n[advisories]\nyanked = \"deny\"\n", Path::new("/t/db")).unwrap();
        let table: toml::Table = config.parse().unwrap();
        assert_eq!(table["advisories"]["db-path"].as_str(), Some("/t/db"));
        assert_eq!(table["advisories"]["yanked"].as_str(), Some("deny"));
    }

    #[test]
    fn a_configuration_without_the_section_is_refused() {
        assert!(with_db_path("[bans]\n", Path::new("x")).unwrap_err().to_string().contains("[advisories]"));
    }
}
