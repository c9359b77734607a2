//! Where results go: standard output, as a table or as one JSON object; everything else is standard error's.

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table, TableStyle};
use serde_json::{Value, json};

use crate::args::Format;
use crate::failure::{Exit, Failure};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether a person reads along.
    pub(crate) fn is_for_people(self) -> bool {
        self.format == Format::Table
    }

    /// Prints a result in the one form that was asked for.
    pub(crate) fn result(self, json: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = match self.format {
            Format::Table => text(),
            Format::Json => format!("{json:#}"),
        };
        print(&text)
    }

    /// Prints a line for people; a program does not see it.
    pub(crate) fn note(self, text: &str) -> Result<(), Failure> {
        if self.is_for_people() { print(text) } else { Ok(()) }
    }

    /// Says why the command failed, and gives its exit code.
    pub(crate) fn failed(self, failure: &Failure) -> ExitCode {
        // When even this cannot be written, the exit code is all there is left to say.
        let _ = match self.format {
            Format::Table => self.complain(failure),
            Format::Json => print(&format!("{:#}", json!({"ok": false, "error": failure.json()}))),
        };
        failure.exit().into()
    }

    /// Tells a person about trouble; a program finds it in the result.
    pub(crate) fn complain(self, failure: &Failure) -> Result<(), Failure> {
        self.warn(&failure.text())
    }

    /// Tells a person what to do about trouble; a program does not see it.
    pub(crate) fn warn(self, text: &str) -> Result<(), Failure> {
        if !self.is_for_people() {
            return Ok(());
        }
        writeln!(io::stderr(), "{text}")
            .map_err(|error| Failure::internal("cannot write to standard error", error))
    }
}

/// Prints a line. Somebody who has read enough closes the pipe; that is no trouble.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::internal("cannot write to standard output", error))
        }
        _ => Ok(()),
    }
}

/// Wide enough for a digest, narrow enough for most terminals; longer texts are wrapped.
const TABLE_COLUMNS: u16 = 100;

/// Text that somebody else wrote, without what would move the cursor or change the colors of a terminal.
pub(crate) fn printable(text: &str) -> String {
    let is_harmless = |c: char| !c.is_control() || c == '\n' || c == '\t';
    if text.chars().all(is_harmless) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) { shown.push(c) } else { shown.extend(c.escape_default()) }
    }
    shown
}

/// A plan, each line in the color of its sign: added, removed, changed, in conflict. What is of others cannot bring colors of its own.
pub(crate) fn colored_plan(plan: &str) -> String {
    let plan = printable(plan);
    // Where nobody can see them, or wants to.
    if AutoStream::choice(&io::stdout()) == ColorChoice::Never {
        return plan;
    }
    let lines = plan.lines().map(|line| {
        let color = match line.get(..3) {
            Some("  +") => AnsiColor::Green,
            Some("  -") => AnsiColor::Red,
            Some("  ~") => AnsiColor::Yellow,
            Some("  !" | "  ?") => AnsiColor::Magenta,
            _ => return line.to_owned(),
        };
        let style = color.on_default();
        format!("{style}{line}{style:#}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A table with a header.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(TABLE_COLUMNS)
        .set_header(header.iter().map(|cell| printable(cell)));
    table.style_mut().row_separator = TableStyle::new().row_separator;
    let shown = |row: Vec<String>| row.iter().map(|cell| printable(cell)).collect::<Vec<_>>();
    table.add_rows(rows.into_iter().map(shown));
    table.to_string()
}

/// Success, or the exit code of something that should not be.
pub(crate) fn exit_if(ok: bool) -> Exit {
    if ok { Exit::Success } else { Exit::Internal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_does_not_command_the_terminal() {
        assert_eq!(printable("two\n\tlines"), "two\n\tlines");
        assert_eq!(printable("\u{1b}[31mred\u{9b}2J\u{7}"), "\\u{1b}[31mred\\u{9b}2J\\u{7}");
        assert!(!table(&["a\u{1b}"], [vec!["\u{1b}[2J".to_owned()]]).contains('\u{1b}'));
    }
}
