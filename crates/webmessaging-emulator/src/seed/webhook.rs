//! Webhooks of a seed: there without having been registered.

use std::fmt;
use std::fmt::Debug;

use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::{Fields, Place, Problems};
use crate::subscription::{Collection, Subscription};
use crate::webhooks::subscription;

/// A webhook that is there without having been registered.
///
/// It is held to the rules of a registration. `Debug` shows its name and nothing that could be a secret.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use webmessaging_emulator::{Emulator, SeededWebhook, StateSeed};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let webhook = SeededWebhook::platform_webhook(json!({
///     "name": "channels",
///     "callbackUrl": "http://127.0.0.1:9000/hooks",
///     "eventFilters": [{ "resource": "channel", "action": "updated" }],
///     "secret": "sixteen-characters",
/// }));
/// let emulator = Emulator::builder().seed(StateSeed::new().webhooks([webhook])).start().await?;
/// assert_eq!(emulator.state().webhooks[0].name, "channels");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a webhook exists only as part of a seed"]
pub struct SeededWebhook {
    pub(super) id: Option<String>,
    collection: Collection,
    /// `None` when what was given cannot be written as JSON.
    registration: Option<Value>,
}

impl SeededWebhook {
    /// A webhook as the file upload document has it; `registration` is what would be posted to
    /// `/api/v2/platform/webhooks/webhooks`.
    pub fn webhook(registration: impl Serialize) -> Self {
        Self::new(Collection::Webhooks, registration)
    }

    /// A webhook as the channel document has it; `registration` is what would be posted to
    /// `/api/v2/platform/webhooks`.
    pub fn platform_webhook(registration: impl Serialize) -> Self {
        Self::new(Collection::PlatformWebhooks, registration)
    }

    fn new(collection: Collection, registration: impl Serialize) -> Self {
        Self { id: None, collection, registration: serde_json::to_value(registration).ok() }
    }

    /// The webhook's id, a UUID. Default: a fresh one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The webhook, with a fresh id; or `None` and every rule that the registration breaks.
    pub(super) fn check(
        &self,
        token: &SecretString,
        place: &Place,
        problems: &mut Problems,
    ) -> Option<Subscription> {
        let Some(registration) = self.registration.clone() else {
            problems.add(place, "", "cannot be written as JSON");
            return None;
        };
        match subscription(self.collection, registration, token) {
            Ok(subscription) => Some(subscription),
            Err(details) => {
                for detail in details {
                    let message = format!("breaks the rule {} of a registration", detail.error_code);
                    problems.add(place, detail.field_name.trim_start_matches('/'), message);
                }
                None
            }
        }
    }
}

impl Debug for SeededWebhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.registration.as_ref().and_then(|registration| registration.get("name"));
        formatter
            .debug_struct("SeededWebhook")
            .field("id", &self.id)
            .field("collection", &self.collection)
            .field("name", &name.and_then(Value::as_str))
            .finish_non_exhaustive()
    }
}

/// What a webhook of a seed is called, counted from 0.
pub(super) fn place(index: usize) -> Place {
    Place::entry("webhooks", index, "webhook")
}

/// The webhook of a table: its collection, its id, and the keys of a registration.
pub(super) fn read(value: &Value, place: &Place, problems: &mut Problems) -> Option<SeededWebhook> {
    let mut fields = Fields::new(value, place.clone(), problems)?;
    let id = fields.text("id");
    let names = Collection::ALL.map(Collection::name);
    let name = fields.required().one_of("collection", &names);
    let collection = Collection::ALL.into_iter().find(|collection| Some(collection.name()) == name);
    let Some(collection) = collection else {
        // Nobody can tell which of the other keys are right.
        fields.allow(Collection::ALL.iter().flat_map(|collection| collection.fields()).copied());
        fields.finish();
        return None;
    };
    let mut registration = Map::new();
    for key in collection.fields() {
        if let Some(value) = fields.read(key, "any value", Some) {
            registration.insert((*key).to_owned(), value.clone());
        }
    }
    fields.finish();
    let webhook = SeededWebhook::new(collection, registration);
    // Here the lines are known. The token that takes a placeholder's place has no say in what is allowed.
    webhook.check(&SecretString::from("token"), place, problems)?;
    Some(SeededWebhook { id: id.map(str::to_owned), ..webhook })
}
