//! What became of the lines of a list.

use std::path::Path;

use serde_json::{Value, json};
use webmessaging::{Error, ErrorKind};

use super::is_about_the_line;
use super::rejects::Rejects;
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) created: u64,
    rejected: u64,
    /// Lines whose guest may exist though the call failed.
    unknown: u64,
    /// Lines with which nothing is wrong, and whose guests do not exist: as many as were worked on at once.
    unfinished: Vec<u64>,
    /// The last line that was begun.
    pub(super) last: u64,
    /// There was a failure that every other line would have as well.
    pub(super) is_hopeless: bool,
    failure: Option<Failure>,
}

impl Totals {
    pub(super) fn reject(
        &mut self,
        rejects: &mut Option<Rejects>,
        line: u64,
        why: &Value,
    ) -> Result<(), Failure> {
        self.rejected += 1;
        match rejects {
            Some(rejects) => rejects.write(line, why),
            None => Ok(()),
        }
    }

    pub(super) fn failed(
        &mut self,
        rejects: &mut Option<Rejects>,
        line: u64,
        error: Error,
    ) -> Result<(), Failure> {
        let (is_its_own, may_exist) = (is_about_the_line(&error), error.may_have_acted());
        let is_created = error.kind() == ErrorKind::NotRecorded;
        let failure = Failure::from(error);
        let json = failure.json();
        // What ends the import is what there is to say about it.
        if !is_its_own && !self.is_hopeless {
            self.is_hopeless = true;
            self.failure = Some(failure);
        } else {
            self.failure.get_or_insert(failure);
        }
        if is_created {
            self.created += 1;
            return Ok(());
        }
        if !is_its_own && !may_exist {
            self.unfinished.push(line);
            return Ok(());
        }
        self.unknown += u64::from(may_exist);
        self.reject(rejects, line, &json!({"error": json, "mayExist": may_exist}))
    }

    pub(super) fn report(
        mut self,
        is_interrupted: bool,
        is_broken: bool,
        rejects: Option<&Path>,
        output: Output,
    ) -> Result<Exit, Failure> {
        self.unfinished.sort_unstable();
        let Self { created, rejected, unknown, unfinished, last, is_hopeless, failure } = self;
        let is_whole = !is_interrupted && !is_hopeless && !is_broken;
        let report = json!({
            "ok": is_whole && rejected == 0,
            "created": created, "rejected": rejected, "mayExist": unknown, "unfinished": unfinished, "lastLine": last,
            "complete": is_whole,
            "error": failure.as_ref().map(Failure::json),
        });
        output.result(&report, || {
            let mut lines = vec![format!("{created} created, {rejected} rejected")];
            if unknown > 0 {
                lines.push(format!("{unknown} of the rejected may exist all the same"));
            }
            if let (Some(path), true) = (rejects, rejected > 0) {
                lines.push(format!("{} says why, line by line", path.display()));
            }
            if !unfinished.is_empty() {
                let numbers: Vec<_> = unfinished.iter().map(u64::to_string).collect();
                lines.push(format!(
                    "not created, and nothing is wrong with them: --only-lines {}",
                    numbers.join(",")
                ));
            }
            if !is_whole {
                lines.push(format!("the rest: --from-line {}", last + 1));
            }
            lines.join("\n")
        })?;
        if let Some(failure) = &failure {
            output.complain(failure)?;
        }
        Ok(match failure {
            _ if is_interrupted => Exit::Interrupted,
            Some(failure) => failure.exit(),
            None if rejected > 0 => Exit::InvalidInput,
            None => Exit::Success,
        })
    }
}
