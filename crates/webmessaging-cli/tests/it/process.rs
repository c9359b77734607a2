//! Runs the built command; its environment is empty but for what a test gives it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webmessaging"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

pub(crate) fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

/// A process that says in its first line where it listens, ended with the test.
pub(crate) struct Listening {
    child: Child,
    first_line: String,
}

impl Listening {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        Self { child, first_line }
    }

    pub(crate) fn url(&self) -> &str {
        self.first_line.trim_end().strip_prefix("listening on ").unwrap()
    }

    /// Asks it to end, as a service manager does, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(self) -> Option<i32> {
        self.end("-TERM")
    }

    /// Asks it to end with a signal, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn end(mut self, name: &str) -> Option<i32> {
        signal(&self.child, name);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The stand-alone emulator on a free port, ended with the test.
pub(crate) struct Emulator {
    listening: Listening,
    pub(crate) first_line: String,
    /// Its files; who is killed clears nothing away.
    _files: TempDir,
}

impl Emulator {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = command(&["emulator", "--listen", "127.0.0.1:0"]);
        let files = TempDir::new().unwrap();
        command.args(arguments).env("TMPDIR", files.path());
        let listening = Listening::start(command);
        Self { first_line: listening.first_line.clone(), listening, _files: files }
    }

    pub(crate) fn url(&self) -> &str {
        self.listening.url()
    }

    /// An upload to this emulator, with the credentials in the environment.
    pub(crate) fn upload(&self, path: &str, more: &[&str]) -> Command {
        let fixed = ["files", "upload", path, "--channel", "channel-1", "--message", "message-1"];
        self.called(&[&fixed[..], more].concat())
    }

    /// A command against this emulator, with the credentials in the environment.
    pub(crate) fn called(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("GENESYS_CLIENT_ID", "demo-client")
            .env("GENESYS_CLIENT_SECRET", "demo-secret")
            .env("GENESYS_BASE_PATH", self.url());
        command
    }

    #[cfg(unix)]
    pub(crate) fn terminate(self) -> Option<i32> {
        self.listening.terminate()
    }
}

#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}
