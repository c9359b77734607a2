//! `POST /api/v2/platform/webhooks/webhooks`: asks to be told when messages were read.

use std::fmt;

use webmessaging_http::{
    Callback, CreatedWebhook, Encoder, Endpoint, EventWebhook, SecretString, check_webhook_name,
};
use webmessaging_model::{Operation, Violations};

use crate::operations::{CREATE_WEBHOOK, READ_EVENT};

/// Registers a webhook for read receipts (`conversation:participated:read`). Contract: design; scope `webhooks:write`.
///
/// The document names the event and not the request; it is that of the file uploads document, with its three retries and its header `authorization` with the
/// platform's webhook token. The values of headers are secrets; `Debug` shows their names, and of the URI the host.
///
/// # Examples
/// ```
/// use webmessaging_bots::CreateWebhook;
/// use webmessaging_http::Endpoint;
///
/// assert!(CreateWebhook::new("https://receiver.example/webhooks/genesys").validate().is_ok());
/// assert!(CreateWebhook::new("http://receiver.example").validate().is_err());
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateWebhook {
    name: String,
    callback: Callback,
}

impl CreateWebhook {
    /// A webhook that calls this URI.
    pub fn new(uri: impl Into<String>) -> Self {
        let callback = EventWebhook::callback(uri);
        Self { name: "Read Receipt Listener".to_owned(), callback }
    }

    /// Sets the name, of which the platform has one; `Read Receipt Listener` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets a header that each delivery carries, in place of one of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.callback = self.callback.header(name, value);
        self
    }

    /// Lets the URI be plain `http` to this machine, for a platform that is this machine: an emulator.
    /// [`BotsClient::register_read_webhook`](crate::BotsClient::register_read_webhook) does it by itself there.
    pub fn allow_loopback(mut self) -> Self {
        self.callback = self.callback.allow_loopback();
        self
    }

    pub(crate) fn get_name(&self) -> &str {
        &self.name
    }
}

impl Endpoint for CreateWebhook {
    type Answer = CreatedWebhook;

    fn operation(&self) -> &'static Operation {
        &CREATE_WEBHOOK
    }

    fn validate(&self) -> Result<(), Violations> {
        let mut found = check_webhook_name(&self.name);
        found.extend(self.callback.check("uri", "headers"));
        Violations::check(found)
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.json(&EventWebhook::new(&self.name, &self.callback, READ_EVENT, EventWebhook::RETRIES))
    }
}

impl fmt::Debug for CreateWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateWebhook").field("name", &self.name).field("callback", &self.callback).finish()
    }
}
