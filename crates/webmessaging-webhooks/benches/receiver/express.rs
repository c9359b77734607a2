//! The usual way in Node.js, where it is installed: `npm install` in the folder `express` beside this file.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::SECRET;

/// A server in Express; ends when it is dropped.
pub(crate) struct Express {
    process: Child,
    pub(crate) address: SocketAddr,
}

/// What is said where it is not installed.
pub(crate) const HOW_TO: &str = "npm install --prefix crates/webmessaging-webhooks/benches/receiver/express";

impl Express {
    /// Remembers ids in a set, and looks at no signature.
    pub(crate) fn in_memory() -> Option<Self> {
        Self::start(&["memory"])
    }

    /// Checks the signature, and writes each delivery to SQLite before it answers.
    pub(crate) fn durable(folder: &Path) -> Option<Self> {
        Self::start(&["durable", folder.join("express.db").to_str().unwrap()])
    }

    fn start(arguments: &[&str]) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/receiver/express");
        if !folder.join("node_modules").is_dir() {
            return None;
        }
        let mut command = Command::new("node");
        command.arg(folder.join("server.js")).args(arguments).env("WEBHOOK_SECRET", SECRET);
        // As it is run for customers.
        command.env("NODE_ENV", "production").stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap()));
        Some(Self { process, address })
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
