//! The usual way in Node.js, where it is installed: `npm install` in the folder `axios` beside this file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What is said where it is not installed.
pub(crate) const HOW_TO: &str = "npm install --prefix crates/webmessaging-http/benches/upload/axios";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/upload/axios")
}

pub(crate) fn is_installed() -> bool {
    folder().join("node_modules").is_dir()
}

/// How long so many files take; a stream, or the whole file in memory.
pub(crate) fn upload(mode: &str, sink: SocketAddr, path: &Path, files: usize, at_once: usize) -> Duration {
    let mut command = Command::new("node");
    command.arg(folder().join("upload.js")).args([mode, &format!("http://{sink}/put")]).arg(path);
    let output = command.args([files.to_string(), at_once.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Duration::from_secs_f64(String::from_utf8_lossy(&output.stdout).trim().parse().unwrap())
}
