//! Data of a shape that is not fixed: kept as it came, read as the type somebody knows it to be.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;

/// Any JSON. `Debug` does not show it.
///
/// # Examples
/// ```
/// use webmessaging_webhooks::{Event, EventData};
///
/// let event = Event::from_slice(br#"{"eventType":"brand.new","data":{"level":7}}"#)?;
/// let EventData::Other(data) = event.data() else { panic!("a known event") };
/// assert_eq!(data.get("level"), Some(7));
/// # Ok::<(), webmessaging_webhooks::Error>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(Value);

impl Payload {
    /// All of it as another type.
    ///
    /// # Errors
    /// [`UnknownShape`](crate::ErrorKind::UnknownShape) when it is another type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.0).map_err(Error::json)
    }

    /// One field of an object; `None` when it is missing or another type.
    pub fn get<T: DeserializeOwned>(&self, field: &str) -> Option<T> {
        T::deserialize(self.0.get(field)?).ok()
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }

    pub(super) fn without(mut self, field: &str) -> Self {
        if let Some(fields) = self.0.as_object_mut() {
            fields.remove(field);
        }
        self
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload(..)")
    }
}
