//! The registration of a webhook: the parts that all of them have in common, for feature crates.

use std::collections::BTreeMap;
use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use webmessaging_model::{CallFacts, Code, Violation};

use crate::callback::Callback;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};

/// What the platform says of a webhook it has registered.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct CreatedWebhook {
    /// Its id, where the platform tells it.
    #[serde(default)]
    pub id: Option<String>,
}

/// A webhook that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// The id the platform gave it; not known of one that existed.
    pub id: Option<String>,
    /// Whether a webhook of this name had been there already. It is left as it is: whether it calls the same URI with the same secret, the
    /// platform does not say. It is also what a registration whose answer was lost ends with, since it is sent again.
    pub existed: bool,
}

/// Registers a webhook, with what is known of the call. One that exists already (409) is success.
///
/// # Errors
/// Those of [`Client::send`].
pub async fn register_webhook(
    client: &Client,
    webhook: &impl Endpoint<Answer = CreatedWebhook>,
) -> Result<(Registered, CallFacts), Error> {
    match client.send(webhook).await {
        Ok(answer) => {
            Ok((Registered { id: answer.value.id, existed: false }, CallFacts::from(&answer.facts)))
        }
        Err(error) if error.kind() == ErrorKind::Conflict && error.status() == Some(StatusCode::CONFLICT) => {
            Ok((Registered { id: None, existed: true }, CallFacts::from(&error)))
        }
        Err(error) => Err(error),
    }
}

/// Every rule that the name of a webhook breaks: it has to be there, and without control characters.
pub fn check_webhook_name(name: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    if name.is_empty() {
        found.push(Violation::new("name", Code::Required, "webhook.name.required"));
    }
    if name.chars().any(char::is_control) {
        found.push(Violation::new("name", Code::ForbiddenCharacter, "webhook.name.charset"));
    }
    found
}

/// The request for the webhook of an event as the document on file uploads has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventWebhook<'a> {
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

impl<'a> EventWebhook<'a> {
    /// How often a delivery that failed is sent again, in the document.
    pub const RETRIES: u32 = 3;

    /// A `POST` of JSON for each event of this type, sent again up to `retries` times with exponential backoff; not at all with 0.
    pub fn new(name: &'a str, callback: &'a Callback, event: &str, retries: u32) -> Self {
        Self {
            name,
            uri: callback.uri(),
            method: "POST",
            event_filter: format!("eventType = \"{event}\""),
            content_type: "application/json",
            retry_policy: RetryPolicy { enabled: retries > 0, max_retries: retries, backoff: "exponential" },
            headers: callback.headers(),
        }
    }

    /// A callback with the header `authorization` of the document, in which the platform puts its own webhook token.
    pub fn callback(uri: impl Into<String>) -> Callback {
        Callback::new(uri).header("authorization", "Bearer {{platform:webhook:token}}")
    }
}

impl fmt::Debug for EventWebhook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URI can hold a key, and headers are secrets.
        f.debug_struct("EventWebhook").field("name", &self.name).finish_non_exhaustive()
    }
}
