//! Sees to it that the webhook for scans is registered, once.

use webmessaging_http::{Endpoint, Error, Registered, register_webhook};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::WebhookRegistered;

use crate::client::FilesClient;
use crate::create_webhook::CreateWebhook;
use crate::operations::FILE_SCANNED_EVENT;
use crate::record;

impl FilesClient {
    /// Registers the webhook that tells what scans came to. One that exists already is success, and recorded as such.
    ///
    /// # Errors
    /// [`InvalidInput`](webmessaging_http::ErrorKind::InvalidInput) with every broken rule: the URI has to be `https`, or `http` to this machine
    /// when the platform is this machine, too; [`NotRecorded`](webmessaging_http::ErrorKind::NotRecorded); and those of
    /// [`Client::send`](webmessaging_http::Client::send).
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(files: webmessaging_files::FilesClient) -> Result<(), webmessaging_http::Error> {
    /// use webmessaging_files::CreateWebhook;
    ///
    /// let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys");
    /// let registered = files.register_scan_webhook(webhook).await?;
    /// println!("{:?}, there before: {}", registered.id, registered.existed);
    /// # Ok(()) }
    /// ```
    pub async fn register_scan_webhook(&self, webhook: CreateWebhook) -> Result<Registered, Error> {
        let webhook = if self.http.is_loopback() { webhook.allow_loopback() } else { webhook };
        let (registered, call) = register_webhook(&self.http, &webhook).await?;
        let event = || {
            let mut kind = WebhookRegistered::new(webhook.get_name(), registered.existed);
            kind.webhook_id.clone_from(&registered.id);
            (kind.event_type(FILE_SCANNED_EVENT).into(), EventFacts::of(call))
        };
        match record::done(&self.journal, webhook.operation(), event).await {
            Ok(()) => Ok(registered),
            Err(error) => Err(registered.id.into_iter().fold(error, Error::with_subject)),
        }
    }
}
