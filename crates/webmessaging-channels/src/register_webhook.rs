//! Sees to it that the webhook for changes of channels is registered, once.

use webmessaging_http::{Error, ErrorKind, Registered, Sent, register_webhook};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::WebhookRegistered;

use crate::client::ChannelsClient;
use crate::create_webhook::CreateWebhook;
use crate::operations::{CHANNEL_UPDATED_EVENT, CREATE_WEBHOOK};

impl ChannelsClient {
    /// Registers the webhook that tells of changes. One that exists already is success, and recorded as such.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule: the URI has to be `https`, or `http` to this machine when the platform
    /// is this machine, too; [`NotRecorded`](ErrorKind::NotRecorded), whose [`subject`](Error::subject) is the id of the webhook; and those of
    /// [`Client::send`](webmessaging_http::Client::send).
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(channels: webmessaging_channels::ChannelsClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use webmessaging_channels::CreateWebhook;
    ///
    /// let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys", std::env::var("WEBHOOK_SECRET")?);
    /// let registered = channels.register_webhook(webhook).await?;
    /// println!("{:?}, there before: {}", registered.id, registered.existed);
    /// # Ok(()) }
    /// ```
    pub async fn register_webhook(&self, webhook: CreateWebhook) -> Result<Registered, Error> {
        let webhook = if self.http.is_loopback() { webhook.allow_loopback() } else { webhook };
        let (registered, call) = register_webhook(&self.http, &webhook).await?;
        let recorded = self.journal.record(|stamp| {
            let mut kind = WebhookRegistered::new(webhook.get_name(), registered.existed);
            kind.webhook_id.clone_from(&registered.id);
            stamp.event(kind.event_type(CHANNEL_UPDATED_EVENT)).facts(EventFacts::of(call))
        });
        match recorded.await {
            Ok(()) => Ok(registered),
            Err(cause) => {
                let error = Error::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(&CREATE_WEBHOOK);
                Err(registered.id.into_iter().fold(error.with_source(cause), Error::with_subject))
            }
        }
    }
}
