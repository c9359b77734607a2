//! Servers to try things on: a PostgreSQL from the system's package, in a temporary folder, gone when you are.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::report::{Report, Result};

/// The same that keeps the server of the store's tests.
const KEEPER: &str = include_str!("../../crates/webmessaging-store/tests/it/server.sh");

/// Starts the server, prints its URL, and stops it at Enter, Ctrl-C or the end of the input.
pub(crate) fn run() -> Result<Report> {
    let Some(bin) = programs() else {
        return Ok(Report::fail("PostgreSQL is not installed: apt-get install postgresql"));
    };
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER]).current_dir("/").env("BIN", bin).env("PORT", port.to_string());
    keeper.env("SETTINGS", "").stdin(Stdio::piped()).stdout(Stdio::piped());
    as_owner(&mut keeper)?;
    let mut keeper = keeper.spawn()?;
    let mut answer = String::new();
    if let Some(stdout) = keeper.stdout.take() {
        BufReader::new(stdout).read_line(&mut answer)?;
    }
    if answer.trim() == "0" {
        println!("postgresql://test@127.0.0.1:{port}/postgres");
        println!("Press Enter to stop it.");
        std::io::stdin().lock().read_line(&mut String::new())?;
    }
    // The end of its input is what it waits for.
    drop(keeper.stdin.take());
    keeper.wait()?;
    Ok(if answer.trim() == "0" { Report::pass("stopped") } else { Report::fail("the server did not start") })
}

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let found = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let usable = found.filter(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists());
    usable.max_by_key(|bin| {
        let version = bin.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok());
        version.unwrap_or_default()
    })
}

/// The server refuses to run as root: then it is the package's own user.
#[cfg(unix)]
fn as_owner(command: &mut Command) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;

    if !std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        return Ok(());
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let user = users.lines().find(|line| line.starts_with("postgres:"));
    let mut ids = user.ok_or("no user `postgres` in /etc/passwd")?.split(':').skip(2).map(str::parse);
    if let (Some(user), Some(group)) = (ids.next(), ids.next()) {
        command.uid(user?).gid(group?);
    }
    Ok(())
}

#[cfg(not(unix))]
fn as_owner(_: &mut Command) -> Result<()> {
    Ok(())
}
