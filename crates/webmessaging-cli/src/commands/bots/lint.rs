//! `webmessaging bots lint`: messages in files, and every rule that one breaks.

use std::path::Path;

use serde_json::{Value, json};
use webmessaging::bots::MessageLine;
use webmessaging::model::{Violation, Violations};

use super::content;
use crate::args::bots::LintArgs;
use crate::failure::{Exit, Failure};
use crate::lines::Lines;
use crate::output::{Output, printable};

pub(super) fn run(args: &LintArgs, output: Output) -> Result<Exit, Failure> {
    let mut lint = Lint::default();
    for path in &args.files {
        let has_lines =
            args.lines || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
        let read = if has_lines { lint.lines(path) } else { lint.file(path) };
        // The others are looked at all the same.
        if let Err(failure) = read {
            output.complain(&failure)?;
            lint.unreadable.push(failure.json());
        }
    }
    output.result(&lint.to_json(), || lint.to_text())?;
    Ok(if lint.is_clean() { Exit::Success } else { Exit::InvalidInput })
}

#[derive(Default)]
struct Lint {
    messages: u64,
    findings: Vec<Finding>,
    unreadable: Vec<Value>,
}

/// What is wrong with one message.
struct Finding {
    file: String,
    /// Nothing where the file is the message.
    line: Option<u64>,
    why: Why,
}

enum Why {
    Breaks(Violations),
    /// It was not looked at.
    Is(&'static str),
}

impl Lint {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let message = content::of_file(path)?;
        self.note(path, None, message.map(drop).map_err(Why::Breaks));
        Ok(())
    }

    fn lines(&mut self, path: &Path) -> Result<(), Failure> {
        let mut lines = Lines::open(path)?;
        while let Some((number, line)) = lines.next()? {
            let checked = match line {
                Ok(text) if text.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(text) => MessageLine::from_json(&text).map(drop).map_err(Why::Breaks),
                Err(why) => Err(Why::Is(why)),
            };
            self.note(path, Some(number), checked);
        }
        Ok(())
    }

    fn note(&mut self, path: &Path, line: Option<u64>, checked: Result<(), Why>) {
        self.messages += 1;
        if let Err(why) = checked {
            self.findings.push(Finding { file: path.display().to_string(), line, why });
        }
    }

    fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.unreadable.is_empty()
    }

    fn to_json(&self) -> Value {
        let findings: Vec<_> = self.findings.iter().map(Finding::to_json).collect();
        json!({
            "ok": self.is_clean(), "messages": self.messages, "findings": findings, "unreadable": self.unreadable,
        })
    }

    fn to_text(&self) -> String {
        let mut lines: Vec<_> = self.findings.iter().flat_map(Finding::to_lines).collect();
        let messages =
            if self.messages == 1 { "1 message".to_owned() } else { format!("{} messages", self.messages) };
        lines.push(match self.findings.len() {
            0 => format!("{messages}, no rule is broken"),
            broken => format!("{messages}, of which {broken} cannot be sent"),
        });
        if !self.unreadable.is_empty() {
            lines.push(format!("files that cannot be read: {}", self.unreadable.len()));
        }
        lines.join("\n")
    }
}

impl Finding {
    fn to_json(&self) -> Value {
        match &self.why {
            Why::Breaks(violations) => {
                json!({"file": self.file, "line": self.line, "violations": violations})
            }
            Why::Is(reason) => {
                json!({"file": self.file, "line": self.line, "violations": [], "reason": reason})
            }
        }
    }

    /// A line for each rule that is broken, as compilers have it.
    fn to_lines(&self) -> Vec<String> {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = format!("{}{line}", self.file);
        let lines = match &self.why {
            Why::Breaks(violations) => violations.iter().map(says).collect(),
            Why::Is(reason) => vec![(*reason).to_owned()],
        };
        lines.into_iter().map(|says| printable(&format!("{place}: {says}"))).collect()
    }
}

/// An empty path is the message itself.
fn says(violation: &Violation) -> String {
    let subject = if violation.path.is_empty() { "the message" } else { "" };
    format!("{subject}{violation}")
}
