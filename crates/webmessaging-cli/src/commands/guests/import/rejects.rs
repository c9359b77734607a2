//! The file that says which lines were wrong, and why.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::{Failure, Local};

/// A JSON object on each line: which line it was, and why. Nothing of the guest is in it.
pub(super) struct Rejects(BufWriter<File>);

impl Rejects {
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let created = File::create_new(path);
        let file = created.map_err(|error| {
            let failure = Local::input("output", "cannot be made, or is there already");
            failure.about(path.display().to_string()).caused_by(error)
        })?;
        Ok(Self(BufWriter::new(file)))
    }

    pub(super) fn write(&mut self, line: u64, why: &Value) -> Result<(), Failure> {
        let mut entry = json!({"line": line});
        if let (Value::Object(entry), Value::Object(why)) = (&mut entry, why) {
            entry.extend(why.clone());
        }
        // Each is there before the next line is begun: a process can be killed.
        writeln!(self.0, "{entry}").and_then(|()| self.0.flush()).map_err(unwritable)
    }

    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.0.flush().and_then(|()| self.0.get_ref().sync_all()).map_err(unwritable)
    }
}

fn unwritable(error: io::Error) -> Failure {
    Failure::internal("the rejects cannot be written", error)
}
