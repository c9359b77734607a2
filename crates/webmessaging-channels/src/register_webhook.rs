//! Sees to it that the webhook for changes of channels is registered, once.

use http::StatusCode;
use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_journal::kind::WebhookRegistered;

use crate::client::ChannelsClient;
use crate::create_webhook::CreateWebhook;
use crate::operations::{CHANNEL_UPDATED_EVENT, CREATE_WEBHOOK};
use crate::record;

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
        let (registered, facts) = match self.http.send(&webhook).await {
            Ok(answer) => {
                let registered = Registered { id: answer.value.id, existed: false };
                (registered, record::of_call(&CREATE_WEBHOOK, &answer.facts))
            }
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
                let facts = record::of_error(&CREATE_WEBHOOK, &error);
                (Registered { id: None, existed: true }, facts)
            }
            Err(error) => return Err(error),
        };
        let recorded = self.journal.record(|stamp| {
            let mut kind = WebhookRegistered::new(webhook.get_name(), registered.existed);
            kind.webhook_id.clone_from(&registered.id);
            stamp.event(kind.event_type(CHANNEL_UPDATED_EVENT)).facts(facts)
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
