//! `POST /api/v2/platform/webhooks`: asks to be told when a channel was changed.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::ExposeSecret;
use serde::Serialize;
use webmessaging_http::{Callback, CreatedWebhook, Encoder, Endpoint, SecretString, check_webhook_name};
use webmessaging_model::{Code, Limit, Operation, Unit, Violation, Violations};

use crate::operations::CREATE_WEBHOOK;

/// The name and the description that the design document gives the webhook.
const NAME: &str = "Web Messaging Config Sync";
const DESCRIPTION: &str = "Syncs channel capability updates to external monitoring";

/// A shorter secret can be guessed.
const SECRET_CHARACTERS_MIN: u64 = 16;

/// Registers a webhook for changes of channels. Contract: design; scope `webhooks:write`.
///
/// Name, description and filter are those of the design document: `channel.updated` of web messaging channels. There is no default secret:
/// whoever knows it can forge deliveries. The secret and the values of headers are in no `Debug`.
///
/// # Examples
/// ```
/// use webmessaging_channels::CreateWebhook;
/// use webmessaging_http::Endpoint;
///
/// let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys", "a secret of some length");
/// assert!(webhook.validate().is_ok());
/// assert!(CreateWebhook::new("https://receiver.example", "short").validate().is_err());
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateWebhook {
    name: String,
    callback: Callback,
    secret: SecretString,
    every_type: bool,
}

impl CreateWebhook {
    /// A webhook that calls this URI, and signs what it sends with this secret of at least 16 characters.
    pub fn new(uri: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        let callback = Callback::new(uri).header("content-type", "application/json");
        Self { name: NAME.to_owned(), callback, secret: secret.into(), every_type: false }
    }

    /// Sets the name, of which the platform has one; `Web Messaging Config Sync` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets a header that each delivery carries, in place of one of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.callback = self.callback.header(name, value);
        self
    }

    /// Asks for the changes of channels of every type.
    pub fn of_every_type(mut self) -> Self {
        self.every_type = true;
        self
    }

    /// Lets the URI be plain `http` to this machine, for a platform that is this machine: an emulator.
    /// [`ChannelsClient::register_webhook`](crate::ChannelsClient::register_webhook) does it by itself there.
    pub fn allow_loopback(mut self) -> Self {
        self.callback = self.callback.allow_loopback();
        self
    }

    pub(crate) fn get_name(&self) -> &str {
        &self.name
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    name: &'a str,
    description: &'static str,
    callback_url: &'a str,
    event_filters: [EventFilter; 1],
    enabled: bool,
    http_headers: BTreeMap<&'a str, &'a str>,
    secret: &'a str,
}

#[derive(Serialize)]
struct EventFilter {
    resource: &'static str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
}

impl Endpoint for CreateWebhook {
    type Answer = CreatedWebhook;

    fn operation(&self) -> &'static Operation {
        &CREATE_WEBHOOK
    }

    fn validate(&self) -> Result<(), Violations> {
        let mut found = check_webhook_name(&self.name);
        found.extend(self.callback.check("callbackUrl", "httpHeaders"));
        let characters = self.secret.expose_secret().chars().count() as u64;
        if characters < SECRET_CHARACTERS_MIN {
            let violation = Violation::new("secret", Code::TooSmall, "webhook.secret.min");
            found
                .push(violation.limit(Limit::Min(SECRET_CHARACTERS_MIN), Unit::Characters).count(characters));
        }
        Violations::check(found)
    }

    fn encode(&self, request: Encoder) -> Encoder {
        let condition = (!self.every_type).then_some("channelType == \"webchat\"");
        request.json(&Body {
            name: &self.name,
            description: DESCRIPTION,
            callback_url: self.callback.uri(),
            event_filters: [EventFilter { resource: "channel", action: "updated", condition }],
            enabled: true,
            http_headers: self.callback.headers(),
            secret: self.secret.expose_secret(),
        })
    }
}

impl fmt::Debug for CreateWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateWebhook")
            .field("name", &self.name)
            .field("callback", &self.callback)
            .finish_non_exhaustive()
    }
}
