//! `POST /api/v2/platform/webhooks/webhooks`: asks to be told when a file has been scanned.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use webmessaging_http::{Encoder, Endpoint, SecretString};
use webmessaging_model::{Code, Limit, Operation, Violation, Violations};

use secrecy::ExposeSecret;

use crate::operations::{CREATE_WEBHOOK, FILE_SCANNED_EVENT};

/// The name that the design document gives the webhook.
const NAME: &str = "File Upload Scanner Listener";

/// The platform puts its webhook token in the place of this.
const TOKEN: &str = "Bearer {{platform:webhook:token}}";

const RETRIES: u32 = 3;

/// Registers a webhook for the end of scans. Contract: design; scope `webhooks:write`.
///
/// The defaults are those of the design document: its name, three retries with exponential backoff, and the header
/// `authorization` with the platform's webhook token. The values of headers are secrets; `Debug` shows their names, and of
/// the URI the host.
///
/// # Examples
/// ```
/// use webmessaging_files::CreateWebhook;
/// use webmessaging_http::Endpoint;
///
/// let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys").header("x-key", "s3cret");
/// assert!(!format!("{webhook:?}").contains("s3cret"));
/// assert!(webhook.validate().is_ok());
/// assert!(CreateWebhook::new("http://receiver.example").validate().is_err());
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateWebhook {
    name: String,
    uri: String,
    retries: u32,
    /// In the order they were set; a name is there once, however it is spelled.
    headers: Vec<(String, SecretString)>,
    is_loopback_allowed: bool,
}

impl CreateWebhook {
    /// A webhook that calls this URI.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            name: NAME.to_owned(),
            uri: uri.into(),
            retries: RETRIES,
            headers: vec![("authorization".to_owned(), TOKEN.into())],
            is_loopback_allowed: false,
        }
    }

    /// Sets the name, of which the platform has one; `File Upload Scanner Listener` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets a header that each delivery carries, in place of one of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        let name = name.into();
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.headers.push((name, value.into()));
        self
    }

    /// Leaves all headers out, the default one and those set before.
    pub fn without_headers(mut self) -> Self {
        self.headers.clear();
        self
    }

    /// Sets how often the platform sends a delivery again that failed; 3 by default, none with 0.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Lets the URI be plain `http` to this machine, for a platform that is this machine: an emulator.
    /// [`FilesClient::register_scan_webhook`](crate::FilesClient::register_scan_webhook) does it by itself there.
    pub fn allow_loopback(mut self) -> Self {
        self.is_loopback_allowed = true;
        self
    }

    pub(crate) fn get_name(&self) -> &str {
        &self.name
    }

    /// What is wrong with the URI; never the URI itself, which can hold a key.
    fn check_uri(&self) -> Option<Violation> {
        if self.uri.is_empty() {
            return Some(Violation::new("uri", Code::Required, "webhook.uri.required"));
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
            let violation = Violation::new("uri", Code::NotAllowed, "webhook.uri.scheme");
            return Some(violation.allowed(Limit::OneOf(allowed)));
        }
        let has_user = |url: &Url| !url.username().is_empty() || url.password().is_some();
        url.as_ref()
            .is_some_and(has_user)
            .then(|| Violation::new("uri", Code::NotAllowed, "webhook.uri.user"))
    }
}

/// What the platform says of a webhook it has registered.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct CreatedWebhook {
    /// Its id, where the platform tells it.
    #[serde(default)]
    pub id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    name: &'a str,
    uri: &'a str,
    method: &'static str,
    event_filter: String,
    content_type: &'static str,
    retry_policy: RetryPolicy,
    headers: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RetryPolicy {
    enabled: bool,
    max_retries: u32,
    backoff: &'static str,
}

impl Endpoint for CreateWebhook {
    type Answer = CreatedWebhook;

    fn operation(&self) -> &'static Operation {
        &CREATE_WEBHOOK
    }

    fn validate(&self) -> Result<(), Violations> {
        let mut found = Vec::new();
        if self.name.is_empty() {
            found.push(Violation::new("name", Code::Required, "webhook.name.required"));
        }
        if self.name.chars().any(char::is_control) {
            found.push(Violation::new("name", Code::ForbiddenCharacter, "webhook.name.charset"));
        }
        found.extend(self.check_uri());
        for (number, (name, value)) in self.headers.iter().enumerate() {
            // By its number, because a name that is none can be anything.
            let path = |part: &str| format!("headers[{number}].{part}");
            if HeaderName::try_from(name).is_err() {
                found.push(Violation::new(path("name"), Code::ForbiddenCharacter, "webhook.header.name"));
            }
            if HeaderValue::try_from(value.expose_secret()).is_err() {
                found.push(Violation::new(path("value"), Code::ForbiddenCharacter, "webhook.header.value"));
            }
        }
        Violations::check(found)
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.json(&Body {
            name: &self.name,
            uri: &self.uri,
            method: "POST",
            event_filter: format!("eventType = \"{FILE_SCANNED_EVENT}\""),
            content_type: "application/json",
            retry_policy: RetryPolicy {
                enabled: self.retries > 0,
                max_retries: self.retries,
                backoff: "exponential",
            },
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.expose_secret()))
                .collect(),
        })
    }
}

impl fmt::Debug for CreateWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(&self.uri).ok();
        f.debug_struct("CreateWebhook")
            .field("name", &self.name)
            .field("host", &url.as_ref().and_then(Url::host_str))
            .field("retries", &self.retries)
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
