//! Registered webhooks: two collections, one for each design document that has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::answer::Refusal;
use crate::filter::Filter;
use crate::state::lock;

/// As many webhooks are kept, in both collections together.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 100;

/// Which document a webhook is registered after. Each collection has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Collection {
    /// `/api/v2/platform/webhooks/webhooks`, of the file upload document.
    Webhooks,
    /// `/api/v2/platform/webhooks`, of the channel document.
    PlatformWebhooks,
}

impl Collection {
    pub(crate) const ALL: [Self; 2] = [Self::Webhooks, Self::PlatformWebhooks];

    /// The collection as seeds and the state name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Webhooks => "webhooks",
            Self::PlatformWebhooks => "platform-webhooks",
        }
    }

    /// The fields of a registration.
    pub(crate) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Webhooks => {
                &["name", "uri", "method", "eventFilter", "contentType", "retryPolicy", "headers"]
            }
            Self::PlatformWebhooks => {
                &["name", "description", "callbackUrl", "eventFilters", "enabled", "httpHeaders", "secret"]
            }
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Webhooks => "/api/v2/platform/webhooks/webhooks",
            Self::PlatformWebhooks => "/api/v2/platform/webhooks",
        }
    }

    /// The field with the callback URL.
    pub(crate) fn url_field(self) -> &'static str {
        match self {
            Self::Webhooks => "uri",
            Self::PlatformWebhooks => "callbackUrl",
        }
    }

    /// The field with the headers that each delivery carries.
    pub(crate) fn headers_field(self) -> &'static str {
        match self {
            Self::Webhooks => "headers",
            Self::PlatformWebhooks => "httpHeaders",
        }
    }
}

/// A text that nothing shows.
#[derive(Clone, Debug)]
pub(crate) struct Sealed(SecretString);

impl Sealed {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Sealed {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// One registered webhook.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) collection: Collection,
    pub(crate) name: String,
    /// A query can be a secret, too.
    pub(crate) url: Sealed,
    pub(crate) filter: Filter,
    pub(crate) headers: BTreeMap<String, Sealed>,
    /// What deliveries are signed with.
    pub(crate) secret: Sealed,
    pub(crate) retries_max: u32,
    pub(crate) is_enabled: bool,
    /// The fields of the registration that nobody has to keep quiet about.
    pub(crate) shown: Map<String, Value>,
    /// Ends what is under way when the webhook goes.
    pub(crate) gone: CancellationToken,
}

impl Subscription {
    /// The webhook as answers show it: secret and headers are written and never read.
    pub(crate) fn answer(&self) -> Value {
        let mut fields = self.shown.clone();
        let collection = self.collection;
        fields.insert("id".to_owned(), self.id.clone().into());
        fields.insert("name".to_owned(), self.name.clone().into());
        fields.insert(collection.url_field().to_owned(), self.url.expose().into());
        fields.insert("selfUri".to_owned(), format!("{}/{}", collection.path(), self.id).into());
        fields.into()
    }
}

/// All webhooks, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    all: Mutex<Vec<Arc<Subscription>>>,
}

impl Subscriptions {
    /// Adds a webhook, unless its name is taken in its collection or there are too many.
    pub(crate) fn register(&self, subscription: Subscription) -> Result<Arc<Subscription>, Refusal> {
        let mut all = lock(&self.all)?;
        let same = |known: &Subscription| {
            known.collection == subscription.collection && known.name == subscription.name
        };
        if all.iter().any(|known| same(known)) {
            let message = "a webhook of this name exists";
            return Err(Refusal::new(StatusCode::CONFLICT, "request.conflict", message));
        }
        if all.len() >= SUBSCRIPTIONS_MAX {
            // Not 409: clients take that for the webhook they wanted.
            let message = format!("there are {SUBSCRIPTIONS_MAX} webhooks, the most there can be");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "too.many.webhooks", message));
        }
        let subscription = Arc::new(subscription);
        all.push(Arc::clone(&subscription));
        Ok(subscription)
    }

    /// The webhooks of a collection.
    pub(crate) fn list(&self, collection: Collection) -> Result<Vec<Arc<Subscription>>, Refusal> {
        Ok(lock(&self.all)?.iter().filter(|known| known.collection == collection).map(Arc::clone).collect())
    }

    /// Removes a webhook and ends its deliveries; tells whether it was there.
    pub(crate) fn remove(&self, collection: Collection, id: &str) -> Result<bool, Refusal> {
        let mut all = lock(&self.all)?;
        let found = all.iter().position(|known| known.collection == collection && known.id == id);
        if let Some(position) = found {
            all.remove(position).gone.cancel();
        }
        Ok(found.is_some())
    }

    /// The enabled webhooks that want an event.
    pub(crate) fn wanting(&self, event_type: &str, data: &Value) -> Vec<Arc<Subscription>> {
        let wants = |known: &Subscription| known.is_enabled && known.filter.lets_through(event_type, data);
        // A poisoned lock has been traced, and there is nobody to tell.
        let all = lock(&self.all).map(|all| all.clone()).unwrap_or_default();
        all.into_iter().filter(|known| wants(known)).collect()
    }

    /// All webhooks as they are.
    pub(crate) fn capture(&self) -> Vec<Arc<Subscription>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts these webhooks in place of all others, whose deliveries end.
    pub(crate) fn restore(&self, subscriptions: &[Arc<Subscription>]) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for known in all.drain(..) {
            known.gone.cancel();
        }
        // One of them may have been among the others, and gone with them.
        let anew = |known: &Arc<Subscription>| Subscription {
            gone: CancellationToken::new(),
            ..Subscription::clone(known)
        };
        all.extend(subscriptions.iter().map(anew).map(Arc::new));
        self.all.clear_poison();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subscription(collection: Collection, name: &str) -> Subscription {
        Subscription {
            id: format!("id-of-{name}"),
            collection,
            name: name.to_owned(),
            url: "http://127.0.0.1/?key=swordfish".to_owned().into(),
            filter: Filter::EventType("a.b".to_owned()),
            headers: BTreeMap::from([("x-key".to_owned(), "swordfish".to_owned().into())]),
            secret: "swordfish".to_owned().into(),
            retries_max: 5,
            is_enabled: true,
            shown: Map::from_iter([("method".to_owned(), json!("POST"))]),
            gone: CancellationToken::new(),
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let subscriptions = Subscriptions::default();
        subscriptions.register(subscription(Collection::Webhooks, "one")).unwrap();
        let printed = format!("{subscriptions:?}");
        assert!(printed.contains("one"), "{printed}");
        assert!(!printed.contains("swordfish"), "{printed}");
    }

    #[test]
    fn an_answer_leaves_out_secret_and_headers() {
        assert_eq!(
            subscription(Collection::Webhooks, "one").answer(),
            json!({
                "id": "id-of-one",
                "name": "one",
                "uri": "http://127.0.0.1/?key=swordfish",
                "method": "POST",
                "selfUri": "/api/v2/platform/webhooks/webhooks/id-of-one",
            })
        );
    }

    #[test]
    fn the_fields_of_a_registration_are_those_of_its_schema() {
        for (collection, schema) in [
            (Collection::Webhooks, include_str!("../schemas/webhook.json")),
            (Collection::PlatformWebhooks, include_str!("../schemas/platform-webhook.json")),
        ] {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let mut known: Vec<&str> =
                schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut fields = collection.fields().to_vec();
            known.sort_unstable();
            fields.sort_unstable();
            assert_eq!(fields, known, "{collection:?}");
        }
    }

    #[test]
    fn names_are_unique_within_a_collection() {
        let subscriptions = Subscriptions::default();
        subscriptions.register(subscription(Collection::Webhooks, "one")).unwrap();
        subscriptions.register(subscription(Collection::PlatformWebhooks, "one")).unwrap();
        let refused = subscriptions.register(subscription(Collection::Webhooks, "one")).unwrap_err();
        assert!(format!("{refused:?}").contains("request.conflict"), "{refused:?}");
        assert!(!subscriptions.remove(Collection::Webhooks, "id-of-two").unwrap());
        assert!(subscriptions.remove(Collection::Webhooks, "id-of-one").unwrap());
        subscriptions.register(subscription(Collection::Webhooks, "one")).unwrap();
    }

    #[test]
    fn only_enabled_webhooks_want_events() {
        let subscriptions = Subscriptions::default();
        subscriptions.register(subscription(Collection::Webhooks, "one")).unwrap();
        let disabled = Subscription { is_enabled: false, ..subscription(Collection::Webhooks, "two") };
        subscriptions.register(disabled).unwrap();
        let wanting = subscriptions.wanting("a.b", &json!({}));
        assert_eq!(wanting.iter().map(|known| known.name.as_str()).collect::<Vec<_>>(), ["one"]);
        assert!(subscriptions.wanting("a.c", &json!({})).is_empty());
    }

    #[test]
    fn webhooks_that_are_put_back_live_again_however_often() {
        let subscriptions = Subscriptions::default();
        let before = subscriptions.register(subscription(Collection::Webhooks, "one")).unwrap();
        let captured = subscriptions.capture();
        subscriptions.restore(&captured);
        subscriptions.restore(&captured);
        assert!(before.gone.is_cancelled());
        let after = subscriptions.list(Collection::Webhooks).unwrap().remove(0);
        assert!(!after.gone.is_cancelled());
        assert_eq!((after.secret.expose(), after.headers["x-key"].expose()), ("swordfish", "swordfish"));
        subscriptions.restore(&[]);
        assert!(after.gone.is_cancelled());
        assert!(subscriptions.list(Collection::Webhooks).unwrap().is_empty());
    }
}
