//! The usual way in Node.js, where it is installed: `npm install` in the folder `axios` beside this file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What is said where it is not installed.
pub(crate) const HOW_TO: &str = "npm install --prefix crates/webmessaging-channels/benches/channels/axios";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/channels/axios")
}

pub(crate) fn is_installed() -> bool {
    folder().join("node_modules").is_dir()
}

/// How long it takes to find all channels, one page after the other.
pub(crate) fn list(server: SocketAddr) -> Duration {
    let mut command = Command::new("node");
    command.arg(folder().join("list.js")).arg(format!("http://{server}/api/v2/communications/channels"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Duration::from_secs_f64(String::from_utf8_lossy(&output.stdout).trim().parse().unwrap())
}
