//! Settings of a client from the environment, a file with profiles, and code.
//!
//! What code sets goes before the file, and the file before the environment: a file or profile that was named on purpose
//! goes before variables that happen to be set. That holds for one key at a time, with three exceptions, so that nothing
//! is sent where nobody meant it to go: whoever sets the secret in one form drops the other form of a weaker source;
//! whoever sets `environment`, `base_url` or `gateway.host` drops what weaker sources say of these, of `login_url` and of
//! the rest of the gateway; whoever sets `proxy.url` drops what weaker sources say of the proxy.
//!
//! The file is the one that code names, or the variable `WEBMESSAGING_CONFIG`, or else
//! `$XDG_CONFIG_HOME/webmessaging/config.toml`, which is below `~/.config` by default (on Windows below `%APPDATA%`). It
//! has a table `[default]` and any number of `[profiles.NAME]`; code or the variable `WEBMESSAGING_PROFILE` names the
//! one that counts. A profile stands alone: it takes nothing over from `[default]`.
//!
//! ```toml
//! [default]
//! client_id = "0f1e2d3c-..."
//! client_secret_file = "secret"
//! environment = "eu-west-1"
//!
//! [default.timeouts]
//! call = "20s"
//!
//! [profiles.offline]
//! client_id = "demo-client"
//! client_secret = "demo-secret"
//! base_url = "http://127.0.0.1:8480"
//! ```
//!
//! A variable that is set to nothing is not set. [`KEYS`] lists every key with its variables; a key that is not in the
//! list is refused, and so is a file that has a secret and can be read by others. No error and no `Debug` shows a secret.

mod connection;
mod environment;
mod file;
mod keys;
mod layer;
mod load;
mod nearest;
mod origin;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

pub use self::keys::{KEYS, Key};
pub use self::load::Loader;
pub use self::origin::Origin;
pub use self::value::Kind;

use self::connection::Connection;
use self::environment::NearMiss;
use self::layer::Layer;
use self::load::Flags;
use self::value::Value;
use crate::client::Client;
use crate::config::ClientBuilder;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::limit::RateLimitPolicy;
use crate::retry::RetryPolicy;
use crate::timeouts::Timeouts;
use crate::token_file::FileTokenCache;

/// What a client is set up with, and where each value comes from.
///
/// # Examples
/// ```
/// use webmessaging_http::settings::Settings;
///
/// let settings = Settings::loader()
///     .variables([("GENESYS_CLIENT_ID", "id"), ("GENESYS_CLIENT_SECRET", "secret"), ("GENESYSCLOUD_REGION", "eu-west-1")])
///     .set("timeouts.call", "20s")
///     .load()?;
/// let client = settings.builder()?.build()?;
///
/// let origin = |name| settings.origins().find(|setting| setting.name == name).map(|found| found.origin.to_string());
/// assert_eq!(origin("client_id").as_deref(), Some("GENESYS_CLIENT_ID"));
/// assert_eq!(origin("timeouts.call").as_deref(), Some("code"));
/// assert_eq!(origin("timeouts.connect").as_deref(), Some("default"));
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Clone)]
pub struct Settings {
    values: Layer,
    place: file::Place,
    flags: Flags,
    near_misses: Vec<NearMiss>,
}

/// One setting as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The key.
    pub name: String,
    /// The value as it may be shown; nothing where there is none. A secret says only that it is set.
    pub shown: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Settings {
    /// Reads the settings of this process: its environment, and the file where there is one.
    ///
    /// # Errors
    /// Those of [`Loader::load`].
    pub fn load() -> Result<Self, Error> {
        Self::loader().load()
    }

    /// Starts reading settings, with more than the environment says.
    pub fn loader() -> Loader {
        Loader::new()
    }

    /// A builder with all of these settings; what it is told afterwards goes before them.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when there is no client id or no client secret, with
    /// every place where they can be set; when a file with certificates cannot be read; or when a key of `proxy`,
    /// `tls` or `gateway` means nothing beside the others.
    pub fn builder(&self) -> Result<ClientBuilder, Error> {
        let client = self.text(keys::CLIENT_ID).zip(self.secret(keys::CLIENT_SECRET));
        let credentials = match (client, self.secret(keys::ACCESS_TOKEN)) {
            (Some((id, secret)), _) => Credentials::new(id, secret.clone()),
            (None, Some(token)) => Credentials::access_token(token.clone()),
            (None, None) => return Err(self.incomplete()),
        };
        let mut builder = Client::builder(credentials);
        if let Some(Value::Path(path)) = self.value(keys::TOKEN_FILE) {
            builder = builder.token_cache(FileTokenCache::new(path));
        }
        if let Some(Value::Domain(domain)) = self.value(keys::ENVIRONMENT) {
            builder = builder.domain(domain.clone());
        }
        if let Some(Value::Url(url)) = self.value(keys::BASE_URL) {
            builder = builder.base_url(url);
        }
        if let Some(Value::Url(url)) = self.value(keys::LOGIN_URL) {
            builder = builder.login_url(url);
        }
        if let Some(Value::List(scopes)) = self.value(keys::SCOPES) {
            builder = builder.scopes(scopes);
        }
        if let Some(Value::AuthStyle(style)) = self.value(keys::AUTH_STYLE) {
            builder = builder.auth_style(*style);
        }
        if let Some(Value::Number(bytes)) = self.value(keys::ANSWER_BYTES_MAX) {
            builder = builder.answer_bytes_max(usize::try_from(*bytes).unwrap_or(usize::MAX));
        }
        for (operation, template) in self.values.paths() {
            builder = builder.path(operation, template);
        }
        let builder = builder.timeouts(self.timeouts()).retry(self.retry()).rate_limit(self.rate_limit());
        Ok(Connection::of(&self.values)?.apply(builder))
    }

    fn timeouts(&self) -> Timeouts {
        let mut timeouts = Timeouts::default();
        if let Some(limit) = self.duration("timeouts.connect") {
            timeouts = timeouts.connect(limit);
        }
        if let Some(limit) = self.duration("timeouts.attempt") {
            timeouts = timeouts.attempt(limit);
        }
        if let Some(limit) = self.duration("timeouts.call") {
            timeouts = timeouts.call(limit);
        }
        if let Some(limit) = self.duration("timeouts.stall") {
            timeouts = timeouts.stall(limit);
        }
        timeouts
    }

    fn retry(&self) -> RetryPolicy {
        let mut policy = RetryPolicy::default();
        if let Some(Value::Number(retries)) = self.value("retry.max_retries") {
            policy = policy.max_retries(u32::try_from(*retries).unwrap_or(u32::MAX));
        }
        if let Some(base) = self.duration("retry.base") {
            policy = policy.base(base);
        }
        if let Some(cap) = self.duration("retry.cap") {
            policy = policy.cap(cap);
        }
        policy
    }

    fn rate_limit(&self) -> RateLimitPolicy {
        let mut policy = RateLimitPolicy::default();
        let requests = |name| match self.value(name) {
            Some(Value::Number(requests)) => u32::try_from(*requests).ok(),
            _ => None,
        };
        if let Some(number) = requests(keys::REQUESTS) {
            policy = policy.requests(number);
        }
        if let Some(number) = requests(keys::BURST) {
            policy = policy.burst(number);
        }
        if let Some(window) = self.duration("rate_limit.window") {
            policy = policy.window(window);
        }
        policy
    }

    /// The id of the organisation, for the calls that name it.
    pub fn organization_id(&self) -> Option<&str> {
        self.text(keys::ORGANIZATION_ID)
    }

    /// The file that was read, or would have been if it were there.
    pub fn file(&self) -> Option<&Path> {
        self.place.path.as_deref()
    }

    /// The profile that counts; `default` where nobody named another one.
    pub fn profile(&self) -> &str {
        &self.place.profile
    }

    /// Every setting in the order of [`KEYS`], and where it comes from.
    pub fn origins(&self) -> impl Iterator<Item = Setting> + '_ {
        KEYS.iter().flat_map(|key| {
            let mut settings = self.values.settings_of(key);
            if settings.is_empty() && !key.is_table() {
                let (name, shown) = (key.name.to_owned(), key.default.map(str::to_owned));
                settings.push(Setting { name, shown, origin: Origin::Default });
            }
            settings
        })
    }

    /// Variables that are set and look like one that is not, as pairs of what was found and what may have been meant.
    pub fn near_misses(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.near_misses.iter().map(|miss| (&*miss.found, miss.meant))
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.value(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        match self.value(name) {
            Some(Value::Duration(span)) => Some(*span),
            _ => None,
        }
    }

    fn secret(&self, name: &str) -> Option<&SecretString> {
        match self.value(name) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// Says which credentials are missing, and everywhere they could be set.
    fn incomplete(&self) -> Error {
        let missing = [
            (keys::CLIENT_ID, self.text(keys::CLIENT_ID).is_none()),
            (keys::CLIENT_SECRET, self.secret(keys::CLIENT_SECRET).is_none()),
        ];
        let missing: Vec<_> = missing
            .into_iter()
            .filter_map(|(name, is_missing)| Key::of(name).filter(|_| is_missing))
            .collect();
        let all = |of: &dyn Fn(&Key) -> Option<String>| -> String {
            missing.iter().filter_map(|key| of(key)).collect::<Vec<_>>().join(" and ")
        };
        let what = all(&|key| Some(format!("no {}", key.name.replace('_', " "))));
        let variables = all(&|key| key.variables.first().map(|&name| name.to_owned()));
        let names = all(&|key| Some(format!("`{}`", key.name)));
        let flags = all(&|key| self.flags.get(key.name).map(|&flag| flag.to_owned()));
        let flags = if flags.is_empty() { flags } else { format!(", or {flags}") };
        let misses =
            self.near_misses().map(|(found, meant)| format!("; {found} is set, did you mean {meant}?"));
        let misses: String = misses.collect();
        Error::configuration(format!("{what}: set {variables}, or {names} in {}{flags}{misses}", self.place))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |setting: Setting| (setting.name, (setting.shown.unwrap_or_default(), setting.origin));
        let settings: BTreeMap<_, _> = self.origins().map(shown).collect();
        f.debug_struct("Settings")
            .field("file", &self.place.path)
            .field("profile", &self.place.profile)
            .field("settings", &settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the reference says of defaults is what a client does without settings.
    #[test]
    fn the_defaults_of_the_keys_are_those_of_the_client() {
        let none: [(&str, &str); 0] = [];
        let credentials =
            || Settings::loader().variables(none).set("client_id", "i").set("client_secret", "s");
        let bare = credentials().load().unwrap().builder().unwrap();
        let with_default = KEYS.iter().filter_map(|key| Some((key.name, key.default?)));
        let explicit = with_default.fold(credentials(), |loader, (name, default)| loader.set(name, default));
        let explicit = explicit.load().unwrap();
        assert!(
            explicit
                .origins()
                .filter(|setting| setting.shown.is_some())
                .all(|s| s.origin == Origin::Code(None))
        );
        let explicit = explicit.builder().unwrap();
        assert_eq!((&explicit.timeouts, &explicit.retry), (&bare.timeouts, &bare.retry));
        assert_eq!(explicit.rate_limit, bare.rate_limit);
        assert_eq!(explicit.answer_bytes_max, bare.answer_bytes_max);
        assert_eq!(explicit.auth_style, bare.auth_style);
        assert_eq!(format!("{explicit:?}"), format!("{bare:?}"));
    }
}
