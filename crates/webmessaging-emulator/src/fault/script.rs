//! Fault scripts: rules that say which requests go wrong, and how.

#[cfg(feature = "toml")]
use std::path::Path;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::document::{self, DocumentError, Problems};
use crate::fault::{Fault, read, write};
use crate::routes::Route;

/// Faults for many requests: a list of rules, and a seed from which those with a rate draw.
///
/// Rules are tried from the first to the last. A delay or a move of the clock lets the rules behind it act on the same
/// request as well; any other fault is the last. Requests are counted from the moment the script is set, those included
/// that take an [injected](crate::Emulator::inject) fault, which goes before every rule.
///
/// As a document a script has the same shape in TOML and JSON; `docs/reference/emulator.md` lists the keys.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use webmessaging_emulator::{Emulator, Fault, FaultRule, FaultScript, Route};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let script = FaultScript::new(7)
///     .rule(FaultRule::new(Fault::delay(Duration::from_millis(20))))
///     .rule(FaultRule::new(Fault::drop_after()).route(Route::CreateUpload).every(3).times(5))
///     .rule(FaultRule::new(Fault::status(503).header("retry-after", "1")).rate(0.1));
/// let emulator = Emulator::builder().faults(script).start().await?;
///
/// let written = FaultScript::from_json(
///     r#"{ "rules": [{ "route": "token", "nth": 2, "fault": "answer", "status": 500 }] }"#,
/// )?;
/// emulator.set_faults(written)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultScript {
    pub(super) seed: u64,
    pub(super) rules: Vec<FaultRule>,
}

impl FaultScript {
    /// A script without rules.
    ///
    /// The same seed and rules let the same requests go wrong: whether the n-th request of a rule does depends on
    /// nothing else.
    pub fn new(seed: u64) -> Self {
        Self { seed, rules: Vec::new() }
    }

    /// Adds a rule behind the others.
    #[must_use]
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The rules, in the order in which they are tried.
    pub fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// Reads a script from a JSON text.
    ///
    /// # Errors
    ///
    /// Every mistake of the text, with the number of its rule and what is allowed.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        Self::from_json_bytes(text.as_bytes())
    }

    pub(crate) fn from_json_bytes(text: &[u8]) -> Result<Self, DocumentError> {
        document::from_json(text, read::script)
    }

    /// Reads a script from a TOML text.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json), and with lines.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, DocumentError> {
        document::from_toml(text, read::script)
    }

    /// Reads a script from a file: JSON when its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    ///
    /// As for [`from_toml`](Self::from_toml), with the name of the file; also when it cannot be read, is not UTF-8, or
    /// is longer than 32 MiB.
    #[cfg(feature = "toml")]
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, DocumentError> {
        document::from_file(path.as_ref(), read::script)
    }

    /// Holds a script that code has made to the rules for written ones, by writing it.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let mut problems = Problems::default();
        read::script(&write::script(self), &mut problems);
        problems.into_result(())
    }
}

impl Serialize for FaultScript {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write::script(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FaultScript {
    /// Tells every mistake, as the readers above do.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut problems = Problems::default();
        let script = read::script(&Value::deserialize(deserializer)?, &mut problems);
        problems.into_result(script).map_err(D::Error::custom)
    }
}

/// A fault, and the requests it happens to: those that all of the conditions hold for.
///
/// Requests are counted from 1, each route for itself; a rule for every route counts the requests of all routes.
/// Without conditions a rule is about every request. The setters take any value;
/// [`EmulatorBuilder::start`](crate::EmulatorBuilder::start) and [`Emulator::set_faults`](crate::Emulator::set_faults)
/// refuse what is not allowed.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a rule acts only as part of a script"]
pub struct FaultRule {
    pub(super) route: Option<Route>,
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
    pub(super) every: Option<u64>,
    pub(super) rate: Option<f64>,
    pub(super) times: Option<u64>,
    pub(super) fault: Fault,
}

impl FaultRule {
    /// A rule that lets every request of every route go wrong.
    pub fn new(fault: Fault) -> Self {
        Self { route: None, from: None, to: None, every: None, rate: None, times: None, fault }
    }

    /// Only requests of this route.
    pub fn route(mut self, route: Route) -> Self {
        self.route = Some(route);
        self
    }

    /// Only the request of this number, from 1; the same as [`from`](Self::from) and [`to`](Self::to) together.
    pub fn nth(self, number: u64) -> Self {
        self.from(number).to(number)
    }

    /// Only requests whose number can be divided by `step`, from 1.
    pub fn every(mut self, step: u64) -> Self {
        self.every = Some(step);
        self
    }

    /// Only requests of this number and later ones, from 1.
    pub fn from(mut self, number: u64) -> Self {
        self.from = Some(number);
        self
    }

    /// Only requests up to this number, itself included, from 1.
    pub fn to(mut self, number: u64) -> Self {
        self.to = Some(number);
        self
    }

    /// Only this part of the requests, from 0 to 1, as the script's seed draws them.
    pub fn rate(mut self, part: f64) -> Self {
        self.rate = Some(part);
        self
    }

    /// No more than this many requests, from 1.
    pub fn times(mut self, count: u64) -> Self {
        self.times = Some(count);
        self
    }
}
