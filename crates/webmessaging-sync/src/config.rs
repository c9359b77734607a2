//! A target as data: where to, in which form, with which key, how patiently. Setters for code, serde for files.

mod read;

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::secrets::{SecretSource, Secrets};
use crate::shape::ShapeName;
use crate::target::Target;

/// How a target is set up. [`build`](Self::build) checks it as a whole.
///
/// serde reads it from any format; unknown keys are refused. Durations are texts such as `10s` or `2h`. `token`, `token_env` and
/// `token_file` are three ways to give a secret.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_sync::{Auth, Secrets, ShapeName, TargetConfig};
///
/// let config = TargetConfig::new("crm", "https://crm.example/guests", ShapeName::CrmGuests)
///     .auth(Auth::Bearer("s3cret".into()))
///     .timeout(Duration::from_secs(5));
/// let target = config.build(&Secrets::none())?;
/// assert_eq!(target.events(), ["guest.created", "guest.updated"]);
/// assert!(!format!("{target:?}").contains("s3cret"));
/// # Ok::<(), webmessaging_sync::Error>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) shape: ShapeName,
    #[serde(default)]
    pub(crate) template: Option<Value>,
    #[serde(default)]
    pub(crate) auth: Auth,
    #[serde(default)]
    pub(crate) events: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) lane: LaneRule,
    #[serde(default)]
    pub(crate) batch_max: Option<usize>,
    #[serde(default)]
    pub(crate) at_once: Option<usize>,
    #[serde(default, deserialize_with = "read::duration")]
    pub(crate) timeout: Option<Duration>,
    #[serde(default, deserialize_with = "read::durations")]
    pub(crate) schedule: Option<Vec<Duration>>,
    #[serde(default, deserialize_with = "read::duration")]
    pub(crate) late_after: Option<Duration>,
    #[serde(default)]
    pub(crate) conflict_is_done: Option<bool>,
    #[serde(default)]
    pub(crate) allow_private: Vec<String>,
}

/// How a target knows who is speaking.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// It does not ask.
    #[default]
    None,
    /// `Authorization: Bearer`, and the secret.
    Bearer(SecretSource),
    /// The secret in a header of this name.
    Header(String, SecretSource),
}

/// What has to stay in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LaneRule {
    /// What happens to one subject: a conversation for messages, otherwise the file, transfer, guest or channel.
    #[default]
    Subject,
    /// Nothing: items overtake each other, and none holds up another.
    None,
}

impl TargetConfig {
    /// A target by its name (1 to 64 of `a-z 0-9 _ -`), URL and shape.
    #[must_use]
    pub fn new(name: impl Into<String>, url: impl Into<String>, shape: ShapeName) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            shape,
            template: None,
            auth: Auth::None,
            events: None,
            lane: LaneRule::default(),
            batch_max: None,
            at_once: None,
            timeout: None,
            schedule: None,
            late_after: None,
            conflict_is_done: None,
            allow_private: Vec::new(),
        }
    }

    /// Sets the form of the requests of a [`Template`](ShapeName::Template): a JSON object in which a string like `{{subject.id}}` is
    /// replaced by a value.
    #[must_use]
    pub fn template(mut self, template: Value) -> Self {
        self.template = Some(template);
        self
    }

    /// Sets how the target knows who is speaking; it does not ask by default.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Sets the actions it wants, such as `guest.created`; by default all that its shape can tell of, but for a template, which has to name
    /// them.
    #[must_use]
    pub fn events(mut self, actions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.events = Some(actions.into_iter().map(Into::into).collect());
        self
    }

    /// Sets what has to stay in order; everything about one subject by default.
    #[must_use]
    pub fn lane(mut self, rule: LaneRule) -> Self {
        self.lane = rule;
        self
    }

    /// Sets the most items of a request, 1 to 100; 50 by default where the shape is one for batches, and 1 otherwise.
    #[must_use]
    pub fn batch_max(mut self, items: usize) -> Self {
        self.batch_max = Some(items);
        self
    }

    /// Sets the most requests under way at a time, 1 to 16; 4 by default.
    #[must_use]
    pub fn at_once(mut self, requests: usize) -> Self {
        self.at_once = Some(requests);
        self
    }

    /// Sets how long a request may take, 100 milliseconds to 2 minutes; 10 seconds by default.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Sets the waits between attempts, at most 50, each at most a day; see [`Schedule`](crate::Schedule) for the default.
    #[must_use]
    pub fn schedule(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.schedule = Some(waits.into_iter().collect());
        self
    }

    /// Sets the age of the oldest item at which the target is late, at least a second; an hour by default.
    #[must_use]
    pub fn late_after(mut self, age: Duration) -> Self {
        self.late_after = Some(age);
        self
    }

    /// Sets whether a 409 means that the target has it already; by default so, but for templates.
    #[must_use]
    pub fn conflict_is_done(mut self, is_done: bool) -> Self {
        self.conflict_is_done = Some(is_done);
        self
    }

    /// Allows addresses of private networks, as `10.0.0.0/8` or `127.0.0.1`; none by default.
    #[must_use]
    pub fn allow_private(mut self, networks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allow_private.extend(networks.into_iter().map(Into::into));
        self
    }

    /// Checks the setup, reads the secret where `secrets` allows it, and makes the target.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration), which names the target and everything that is wrong with it.
    pub fn build(self, secrets: &Secrets) -> Result<Target, Error> {
        Target::check(self, secrets)
    }
}

impl fmt::Debug for TargetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL and the template can hold a key.
        f.debug_struct("TargetConfig")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .field("auth", &self.auth)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
