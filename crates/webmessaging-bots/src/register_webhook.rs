//! Sees to it that the webhook for read receipts is registered, once.

use webmessaging_http::{Error, ErrorKind, Registered, Sent, register_webhook};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::WebhookRegistered;

use crate::client::BotsClient;
use crate::create_webhook::CreateWebhook;
use crate::operations::{CREATE_WEBHOOK, READ_EVENT};

impl BotsClient {
    /// Registers the webhook that tells which messages were read. One that exists already is success, and recorded as such.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule: the URI has to be `https`, or `http` to this machine when the platform is this
    /// machine, too; [`NotRecorded`](ErrorKind::NotRecorded); those of [`Client::send`](webmessaging_http::Client::send).
    pub async fn register_read_webhook(&self, webhook: CreateWebhook) -> Result<Registered, Error> {
        let webhook = if self.http.is_loopback() { webhook.allow_loopback() } else { webhook };
        let (registered, call) = register_webhook(&self.http, &webhook).await?;
        let recorded = self.journal.record(|stamp| {
            let mut kind = WebhookRegistered::new(webhook.get_name(), registered.existed);
            kind.webhook_id.clone_from(&registered.id);
            stamp.event(kind.event_type(READ_EVENT)).facts(EventFacts::of(call))
        });
        if let Err(cause) = recorded.await {
            let error = Error::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(&CREATE_WEBHOOK);
            let error = error.with_source(cause);
            return Err(registered.id.into_iter().fold(error, Error::with_subject));
        }
        Ok(registered)
    }
}
