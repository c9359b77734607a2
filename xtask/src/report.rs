//! What a step has to say when it is over.

use std::fmt;
use std::process::ExitCode;

/// Errors of this program are read by people only, hence text.
pub(crate) type Error = Box<dyn std::error::Error>;

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    /// One line for the table; may be empty.
    pub(crate) note: String,
    code: u8,
}

impl Report {
    pub(crate) fn pass(note: impl Into<String>) -> Self {
        Self { verdict: Verdict::Pass, note: note.into(), code: 0 }
    }

    pub(crate) fn fail(note: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, note: note.into(), code: 1 }
    }

    pub(crate) fn skipped(note: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, note: note.into(), code: 0 }
    }

    /// A failure that ends this program with the exit code of the child that failed.
    #[must_use]
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Adds to the note of a failure what may help.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl fmt::Display) -> Self {
        if self.verdict == Verdict::Fail {
            self.note = format!("{}; {hint}", self.note);
        }
        self
    }

    /// Fails with a count of problems that were printed already, or passes with `summary`.
    pub(crate) fn from_problems(problems: usize, summary: impl Into<String>) -> Self {
        match problems {
            0 => Self::pass(summary),
            1 => Self::fail("1 problem"),
            many => Self::fail(format!("{many} problems")),
        }
    }

    /// In CI nobody reads the word "skipped": a check that did not run has not passed.
    #[must_use]
    pub(crate) fn strict(self, in_ci: bool) -> Self {
        if in_ci && self.verdict == Verdict::Skipped {
            return Self::fail(format!("skipped, which counts as failed in CI: {}", self.note));
        }
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// Whether the value of the variable `CI` says that this run is one.
pub(crate) fn is_ci(value: Option<&str>) -> bool {
    !matches!(value, None | Some("" | "false" | "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_is_any_value_but_the_false_ones() {
        assert!(is_ci(Some("true")));
        assert!(is_ci(Some("1")));
        for off in [None, Some(""), Some("false"), Some("0")] {
            assert!(!is_ci(off), "{off:?}");
        }
    }

    #[test]
    fn a_skip_fails_in_ci_only() {
        assert_eq!(Report::skipped("no tool").strict(false).verdict, Verdict::Skipped);
        let strict = Report::skipped("no tool").strict(true);
        assert_eq!(strict.verdict, Verdict::Fail);
        assert!(strict.note.contains("no tool"));
    }

    #[test]
    fn only_failures_need_hints() {
        assert_eq!(Report::fail("a").with_hint("b").note, "a; b");
        assert_eq!(Report::pass("a").with_hint("b").note, "a");
    }

    #[test]
    fn exit_codes_of_children_survive() {
        assert_eq!(Report::fail("x").with_code(101).strict(true).code, 101);
    }
}
