//! Checks how a target is set up: everything that is wrong with it at once, and nothing of its secrets.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri, header};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::Target;
use crate::config::{Auth, TargetConfig};
use crate::error::Error;
use crate::schedule::{Schedule, WAIT_MAX, WAITS_MAX};
use crate::secrets::Secrets;
use crate::shape::{Shape, ShapeName, Template};

const NAME_BYTES_MAX: usize = 64;
const BATCH_MAX: usize = 100;
const AT_ONCE_MAX: usize = 16;
const TIMEOUT_MIN: Duration = Duration::from_millis(100);
const TIMEOUT_MAX: Duration = Duration::from_secs(120);

/// Headers that a secret cannot travel in: they are set already, or belong to the connection.
const TAKEN: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "transfer-encoding",
    "user-agent",
    "x-correlation-id",
    "x-item-keys",
    "x-request-id",
];

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// What came of a check, or nothing and one more problem.
    fn keep<T>(&mut self, checked: Result<T, impl Into<String>>) -> Option<T> {
        checked.map_err(|problem| self.add(problem)).ok()
    }
}

impl Target {
    pub(crate) fn check(config: TargetConfig, secrets: &Secrets) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let is_named = is_name(&config.name);
        if !is_named {
            problems.add(format!("`name` must be 1 to {NAME_BYTES_MAX} of `a-z 0-9 _ -`"));
        }
        let uri = problems.keep(uri(&config.url));
        let auth = problems.keep(auth(&config.auth, secrets)).flatten();
        let events = events(config.shape, config.events, &mut problems);
        let shape = problems.keep(shape(config.shape, config.template, &events));
        let batch_max = within(
            config.batch_max.unwrap_or(config.shape.batch_default()),
            if config.shape.is_batch() { BATCH_MAX } else { 1 },
            "batch_max",
            &mut problems,
        );
        let at_once = within(config.at_once.unwrap_or(4), AT_ONCE_MAX, "at_once", &mut problems);
        let timeout = config.timeout.unwrap_or(Duration::from_secs(10));
        if !(TIMEOUT_MIN..=TIMEOUT_MAX).contains(&timeout) {
            problems.add("`timeout` must be 100ms to 2m");
        }
        let late_after = config.late_after.unwrap_or(Duration::from_secs(3_600));
        if late_after < Duration::from_secs(1) {
            problems.add("`late_after` must be at least 1s");
        }
        let schedule = config.schedule.as_ref().map_or_else(Schedule::default, |waits| {
            if waits.len() > WAITS_MAX || waits.iter().any(|wait| *wait > WAIT_MAX) {
                problems.add(format!("`schedule` must be at most {WAITS_MAX} waits of at most 1day"));
            }
            Schedule::new(waits.iter().copied())
        });
        match (uri, shape) {
            (Some(uri), Some(shape)) if problems.0.is_empty() => Ok(Self {
                conflict_is_done: config.conflict_is_done.unwrap_or(config.shape.is_conflict_done()),
                name: config.name,
                uri,
                shape,
                auth,
                events,
                lane: config.lane,
                batch_max,
                at_once,
                timeout,
                schedule,
                late_after,
                allow_private: config.allow_private,
            }),
            _ => {
                let name = if is_named { format!(" `{}`", config.name) } else { String::new() };
                Err(Error::configuration(format!("target{name}: {}", problems.0.join("; "))))
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

/// A URL that a key may be sent to. Nothing of it is repeated.
fn uri(text: &str) -> Result<Uri, &'static str> {
    let url = Url::parse(text).map_err(|_| "`url` is not a url")?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" if url.has_host() => {}
        "http" if is_here => {}
        _ => return Err("`url` must be https; plain http is for this machine alone"),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("`url` must be without user, password and fragment");
    }
    url.as_str().parse().map_err(|_| "`url` is not a url")
}

fn auth(auth: &Auth, secrets: &Secrets) -> Result<Option<(HeaderName, SecretString)>, String> {
    let (name, source) = match auth {
        Auth::None => return Ok(None),
        Auth::Bearer(source) => (header::AUTHORIZATION, source),
        Auth::Header(name, source) => {
            let header: HeaderName = name.parse().map_err(|_| "`auth.header.name` is not a header's name")?;
            if TAKEN.contains(&header.as_str()) {
                return Err(format!("`auth.header.name` cannot be `{header}`, which is set already"));
            }
            if header == header::AUTHORIZATION {
                return Err("`auth.header.name` cannot be `authorization`: use `auth.bearer`".to_owned());
            }
            (header, source)
        }
    };
    let secret = secrets.read(source).map_err(|why| format!("`auth`: {why}"))?;
    if secret.expose_secret().is_empty() || HeaderValue::from_str(secret.expose_secret()).is_err() {
        return Err("`auth`: the secret is empty, or has a character that no header can hold".to_owned());
    }
    Ok(Some((name, secret)))
}

fn events(shape: ShapeName, wanted: Option<Vec<String>>, problems: &mut Problems) -> Vec<String> {
    let Some(wanted) = wanted else {
        if shape == ShapeName::Template {
            problems.add("`events` must name the actions that the template is for");
        }
        return shape.actions().iter().map(|&action| action.to_owned()).collect();
    };
    if wanted.is_empty() {
        problems.add("`events` must name an action");
    }
    let unknown = |action: &&String| !shape.actions().contains(&action.as_str());
    if let Some(index) = wanted.iter().position(|action| unknown(&action)) {
        let known = shape.actions().join(", ");
        problems.add(format!("entry {} of `events` is not an action for `{shape}`: {known}", index + 1));
    }
    wanted
}

fn shape(name: ShapeName, template: Option<serde_json::Value>, events: &[String]) -> Result<Shape, String> {
    match (name, template) {
        (ShapeName::Template, Some(template)) => Template::new(template, events).map(Shape::Template),
        (ShapeName::Template, None) => Err("`template` is missing".to_owned()),
        (_, Some(_)) => Err(format!("`template` is not for `{name}`: set `shape` to `template`")),
        (name, None) => Ok(Shape::Fixed(name)),
    }
}

fn within(found: usize, max: usize, key: &str, problems: &mut Problems) -> usize {
    if !(1..=max).contains(&found) {
        problems.add(format!("`{key}` must be 1 to {max}"));
    }
    found
}
