//! Events: what happened on the platform, as the bytes that webhooks are sent.

use std::error::Error;
use std::fmt;
use std::fmt::Display;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::{EmulatorClock, timestamp};
use crate::state::{REQUEST_BYTES_MAX, Shared};

/// The one event that the documents have without an envelope: its data is the whole body.
pub(crate) const FILE_TRANSFER_STATUS_CHANGE: &str = "webchat.fileTransfer.statusChange";

/// The longest type of an event, in bytes.
const EVENT_TYPE_BYTES_MAX: usize = 128;

/// Something that happened, ready to be sent: every attempt at every subscriber sends the same bytes.
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
    pub(crate) body: Bytes,
}

impl Event {
    /// An event that happens now.
    pub(crate) fn new(event_type: &str, data: Value, clock: &EmulatorClock) -> Result<Self, EventError> {
        if !is_event_type(event_type) {
            return Err(EventError::EventType);
        }
        let id = Uuid::new_v4().to_string();
        let body = if event_type == FILE_TRANSFER_STATUS_CHANGE {
            data.to_string()
        } else {
            let at = timestamp(clock.now());
            json!({ "eventType": event_type, "eventId": id, "timestamp": at, "data": data }).to_string()
        };
        if body.len() > REQUEST_BYTES_MAX {
            return Err(EventError::TooLong { bytes: body.len(), bytes_max: REQUEST_BYTES_MAX });
        }
        Ok(Self { id, kind: event_type.to_owned(), data, body: body.into() })
    }
}

/// What an event type has to be, to follow "must be".
pub(crate) fn event_type_rule() -> String {
    format!(
        "letters and digits between single dots, colons, hyphens and underscores, {EVENT_TYPE_BYTES_MAX} bytes at most"
    )
}

/// As the schemas of filters have it.
pub(crate) fn is_event_type(text: &str) -> bool {
    let is_group = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= EVENT_TYPE_BYTES_MAX && text.split(['.', ':', '-', '_']).all(is_group)
}

/// Why an event was not sent; see [`Emulator::send_event`](crate::Emulator::send_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum EventError {
    /// The type is not made of letters and digits between dots, colons, hyphens and underscores, or longer than 128
    /// bytes.
    EventType,
    /// The data cannot be written as JSON.
    Data(Box<dyn Error + Send + Sync>),
    /// The body would be too long.
    #[non_exhaustive]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The most that is sent, in bytes.
        bytes_max: usize,
    },
}

impl Display for EventError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventType => write!(formatter, "the event type must be {}", event_type_rule()),
            Self::Data(_) => formatter.write_str("the data cannot be written as JSON"),
            Self::TooLong { bytes, bytes_max } => {
                write!(formatter, "the event has {bytes} bytes, more than {bytes_max}")
            }
        }
    }
}

impl Error for EventError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Data(error) => Some(error.as_ref()),
            Self::EventType | Self::TooLong { .. } => None,
        }
    }
}

impl Shared {
    /// Sends an event to everybody who wants it, and gives its id.
    pub(crate) fn send_event(&self, event_type: &str, data: impl Serialize) -> Result<String, EventError> {
        let data = serde_json::to_value(data).map_err(|error| EventError::Data(error.into()))?;
        let event = Event::new(event_type, data, &self.clock)?;
        let _turn = self.turn();
        self.publish(&event);
        Ok(event.id)
    }

    /// Queues an event for everybody who wants it; for who has the turn.
    pub(crate) fn publish(&self, event: &Event) {
        let subscriptions = self.subscriptions.wanting(&event.kind, &event.data);
        tracing::debug!(event.kind, event.id, subscriptions = subscriptions.len(), "event");
        self.sender.publish(event, subscriptions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: &str, data: Value) -> Result<Event, EventError> {
        Event::new(event_type, data, &EmulatorClock::default())
    }

    fn body(event: &Event) -> Value {
        serde_json::from_slice(&event.body).unwrap()
    }

    #[test]
    fn data_travels_in_an_envelope_with_an_exception() {
        let data = json!({ "a": 1 });
        let enveloped = event("channel.updated", data.clone()).unwrap();
        let written = body(&enveloped);
        assert_eq!(written["eventType"], "channel.updated");
        assert_eq!(written["eventId"], enveloped.id);
        assert_eq!(written["data"], data);
        assert!(written["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(written.as_object().unwrap().len(), 4);
        assert_eq!(body(&event(FILE_TRANSFER_STATUS_CHANGE, data.clone()).unwrap()), data);
    }

    #[test]
    fn types_are_those_that_filters_can_name() {
        let longest = "a".repeat(EVENT_TYPE_BYTES_MAX);
        for good in ["channel.updated", "conversation:participated:read", "a", "A-1_b", &longest] {
            assert!(event(good, json!({})).is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ":a", "a..b", "a b", "a\"", "\u{e9}", &format!("{longest}a")] {
            assert!(matches!(event(bad, json!({})), Err(EventError::EventType)), "{bad}");
        }
    }

    #[test]
    fn the_length_of_a_body_is_limited() {
        let text = |bytes: usize| event(FILE_TRANSFER_STATUS_CHANGE, "x".repeat(bytes - 2).into());
        assert_eq!(text(REQUEST_BYTES_MAX).unwrap().body.len(), REQUEST_BYTES_MAX);
        let Err(error) = text(REQUEST_BYTES_MAX + 1) else { panic!("too long a body was taken") };
        assert_eq!(error.to_string(), "the event has 512001 bytes, more than 512000");
    }
}
