//! `POST /api/v2/platform/webhooks/webhooks`: asks to be told when a file has been scanned.

use std::fmt;

use webmessaging_http::{
    Callback, CreatedWebhook, Encoder, Endpoint, EventWebhook, SecretString, check_webhook_name,
};
use webmessaging_model::{Operation, Violations};

use crate::operations::{CREATE_WEBHOOK, FILE_SCANNED_EVENT};

/// The name that the design document gives the webhook.
const NAME: &str = "File Upload Scanner Listener";

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
    callback: Callback,
    retries: u32,
}

impl CreateWebhook {
    /// A webhook that calls this URI.
    pub fn new(uri: impl Into<String>) -> Self {
        let callback = EventWebhook::callback(uri);
        Self { name: NAME.to_owned(), callback, retries: EventWebhook::RETRIES }
    }

    /// Sets the name, of which the platform has one; `File Upload Scanner Listener` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets a header that each delivery carries, in place of one of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.callback = self.callback.header(name, value);
        self
    }

    /// Leaves all headers out, the default one and those set before.
    pub fn without_headers(mut self) -> Self {
        self.callback = self.callback.without_headers();
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
        request.json(&EventWebhook::new(&self.name, &self.callback, FILE_SCANNED_EVENT, self.retries))
    }
}

impl fmt::Debug for CreateWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateWebhook")
            .field("name", &self.name)
            .field("callback", &self.callback)
            .field("retries", &self.retries)
            .finish()
    }
}
