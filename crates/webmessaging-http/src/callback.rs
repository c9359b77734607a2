//! Where a webhook is to be sent: the part that all registrations have in common.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};
use webmessaging_model::{Code, Limit, Violation};

/// A URI of ours that the platform calls, and the headers it sends along; for feature crates.
///
/// The URI has to be `https` and hold no user; it can hold a key, and the values of headers are secrets: `Debug` shows the host and the names.
///
/// # Examples
/// ```
/// use webmessaging_http::Callback;
///
/// let callback = Callback::new("https://receiver.example/hooks?key=s3cret").header("x-key", "s3cret");
/// assert!(callback.check("uri", "headers").is_empty());
/// assert!(!format!("{callback:?}").contains("s3cret"));
/// assert_eq!(Callback::new("http://receiver.example").check("uri", "headers")[0].rule, "webhook.uri.scheme");
/// ```
#[derive(Clone)]
pub struct Callback {
    uri: String,
    /// In the order they were set; a name is there once, however it is spelled.
    headers: Vec<(String, SecretString)>,
    is_loopback_allowed: bool,
}

impl Callback {
    /// A callback without headers.
    pub fn new(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), headers: Vec::new(), is_loopback_allowed: false }
    }

    /// Sets a header that each delivery carries, in place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        let name = name.into();
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.headers.push((name, value.into()));
        self
    }

    /// Leaves all headers out.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.headers.clear();
        self
    }

    /// Lets the URI be plain `http` to this machine, for a platform that is this machine: an emulator.
    #[must_use]
    pub fn allow_loopback(mut self) -> Self {
        self.is_loopback_allowed = true;
        self
    }

    /// The URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The headers, to be written into a request.
    pub fn headers(&self) -> BTreeMap<&str, &str> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect()
    }

    /// Every rule that it breaks, under the names that the request has for the URI and the headers.
    pub fn check(&self, uri: &'static str, headers: &'static str) -> Vec<Violation> {
        let mut found: Vec<_> = self.check_uri(uri).into_iter().collect();
        for (number, (name, value)) in self.headers.iter().enumerate() {
            // By its number, because a name that is none can be anything.
            let path = |part: &str| format!("{headers}[{number}].{part}");
            if HeaderName::try_from(name).is_err() {
                found.push(Violation::new(path("name"), Code::ForbiddenCharacter, "webhook.header.name"));
            }
            if HeaderValue::try_from(value.expose_secret()).is_err() {
                found.push(Violation::new(path("value"), Code::ForbiddenCharacter, "webhook.header.value"));
            }
        }
        found
    }

    /// What is wrong with the URI; never the URI itself, which can hold a key.
    fn check_uri(&self, path: &'static str) -> Option<Violation> {
        if self.uri.is_empty() {
            return Some(Violation::new(path, Code::Required, "webhook.uri.required"));
        }
        let url = Url::parse(&self.uri).ok();
        let is_safe = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "http" => self.is_loopback_allowed && is_loopback(url),
            _ => false,
        };
        if !url.as_ref().is_some_and(is_safe) {
            let mut allowed = vec!["https".to_owned()];
            if self.is_loopback_allowed {
                allowed.push("http to this machine".to_owned());
            }
            let violation = Violation::new(path, Code::NotAllowed, "webhook.uri.scheme");
            return Some(violation.allowed(Limit::OneOf(allowed)));
        }
        let has_user = |url: &Url| !url.username().is_empty() || url.password().is_some();
        url.as_ref().is_some_and(has_user).then(|| Violation::new(path, Code::NotAllowed, "webhook.uri.user"))
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(&self.uri).ok();
        f.debug_struct("Callback")
            .field("host", &url.as_ref().and_then(Url::host_str))
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
