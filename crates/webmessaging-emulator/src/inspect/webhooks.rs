//! Webhooks and their deliveries in the state: neither secrets nor the values of headers.

use serde::Serialize;
use url::Url;

use crate::sender::Sender;
use crate::subscription::Subscription;

/// A registered webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookState {
    /// The webhook's id.
    pub id: String,
    /// `webhooks`, of the file upload document, or `platform-webhooks`, of the channel document.
    pub collection: String,
    /// Its name, unique in the collection.
    pub name: String,
    /// Where it is delivered, without the query.
    pub url: String,
    /// What it wants: an event type, or `resource.action` and the condition, if there is one, behind ` if `.
    pub events: Vec<String>,
    /// Names of the headers that each delivery carries on its behalf.
    pub headers: Vec<String>,
    /// Whether anything is delivered to it.
    pub is_enabled: bool,
}

/// Deliveries to webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeliveryState {
    /// Deliveries that wait or are under way.
    pub open: usize,
    /// Names of the tampers that wait for an event, the next one first.
    pub tampers: Vec<String>,
}

impl WebhookState {
    pub(super) fn of(subscription: &Subscription) -> Self {
        Self {
            id: subscription.id.clone(),
            collection: subscription.collection.name().to_owned(),
            name: subscription.name.clone(),
            url: without_query(subscription.url.expose()),
            events: subscription.filter.described(),
            headers: subscription.headers.keys().cloned().collect(),
            is_enabled: subscription.is_enabled,
        }
    }
}

impl DeliveryState {
    pub(super) fn of(sender: &Sender) -> Self {
        let tampers = sender.tampers().into_iter().map(|tamper| tamper.name().to_owned());
        Self { open: sender.log().open(), tampers: tampers.collect() }
    }
}

/// Registration lets no credentials and no fragment in; a query can be a secret. What is no URL is not shown.
fn without_query(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| String::new(),
        |mut url| {
            url.set_query(None);
            url.into()
        },
    )
}
