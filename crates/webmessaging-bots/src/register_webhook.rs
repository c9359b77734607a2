//! Sees to it that the webhook for read receipts is registered, once.

use http::StatusCode;
use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_journal::kind::WebhookRegistered;

use crate::client::BotsClient;
use crate::create_webhook::CreateWebhook;
use crate::operations::{CREATE_WEBHOOK, READ_EVENT};

/// A webhook that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// The id the platform gave it; not known of one that existed.
    pub id: Option<String>,
    /// Whether a webhook of this name had been there already. It is left as it is.
    pub existed: bool,
}

impl BotsClient {
    /// Registers the webhook that tells which messages were read. One that exists already is success, and recorded as such.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule: the URI has to be `https`, or `http` to this machine when the platform is this
    /// machine, too; [`NotRecorded`](ErrorKind::NotRecorded); those of [`Client::send`](webmessaging_http::Client::send).
    pub async fn register_read_webhook(&self, webhook: CreateWebhook) -> Result<Registered, Error> {
        let webhook = if self.http.is_loopback() { webhook.allow_loopback() } else { webhook };
        let registered = match self.http.send(&webhook).await {
            Ok(answer) => Registered { id: answer.value.id, existed: false },
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
                Registered { id: None, existed: true }
            }
            Err(error) => return Err(error),
        };
        let recorded = self.journal.record(|stamp| {
            let mut kind = WebhookRegistered::new(webhook.get_name(), registered.existed);
            kind.webhook_id.clone_from(&registered.id);
            stamp.event(kind.event_type(READ_EVENT))
        });
        if let Err(cause) = recorded.await {
            let error = Error::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(&CREATE_WEBHOOK);
            let error = error.with_source(cause);
            return Err(registered.id.into_iter().fold(error, Error::with_subject));
        }
        Ok(registered)
    }
}
