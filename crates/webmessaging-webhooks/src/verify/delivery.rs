//! What a verified delivery is: the event, the bytes it was read from, and what the signature has shown.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use webmessaging_model::Timestamp;

use super::{X_GENESYS_EVENT_ID, text};
use crate::error::Error;
use crate::event::{ContentKey, Event};

/// A longer id is nobody's key.
const ID_BYTES_MAX: usize = 256;

/// How a delivery was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Over the body alone. Such a delivery can be replayed; [`Delivery::content_key`] finds the second one.
    #[non_exhaustive]
    Body {
        /// The header that carried the signature.
        header: HeaderName,
    },
    /// Over id, time and body.
    #[non_exhaustive]
    Timestamped {
        /// The id of the delivery, which every repetition has again.
        id: Box<str>,
        /// When this attempt was signed.
        at: Timestamp,
    },
}

/// What a signature has shown: which secret made it, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    secret_index: usize,
    secret_label: Arc<str>,
    scheme: Scheme,
}

impl Proof {
    pub(super) fn new(secret_index: usize, secret_label: Arc<str>, scheme: Scheme) -> Self {
        Self { secret_index, secret_label, scheme }
    }

    /// How it was signed.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Which secret it was signed with, counted from 0 in the order of the verifier. Anything but 0 means that the sender has
    /// not heard of the newest one yet.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// The label of that secret.
    pub fn secret_label(&self) -> &str {
        &self.secret_label
    }
}

/// A delivery that was signed with one of the secrets.
///
/// There is no other way to get one than [`Verifier::verify`](crate::Verifier::verify): who has a `Delivery` has its event
/// from the bytes that were signed. `Debug` shows ids and states, and nothing that people wrote.
#[derive(Clone)]
pub struct Delivery {
    body: Bytes,
    event: Event,
    proof: Proof,
    unsigned_id: Option<Box<str>>,
}

impl Delivery {
    pub(super) fn new(body: Bytes, event: Event, proof: Proof, headers: &HeaderMap) -> Self {
        let unsigned_id = headers.get(X_GENESYS_EVENT_ID).and_then(text).filter(|id| is_usable(id));
        Self { body, event, proof, unsigned_id: unsigned_id.map(Into::into) }
    }

    /// The event.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The bytes that were signed, to be stored as they are.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The event and the bytes.
    pub fn into_parts(self) -> (Event, Bytes) {
        (self.event, self.body)
    }

    /// Reads the body as a type of your own, with every field the sender wrote.
    ///
    /// # Errors
    /// [`UnknownShape`](crate::ErrorKind::UnknownShape) when it is another type.
    pub fn decode<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(Error::json)
    }

    /// What the signature has shown.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// How it was signed; see [`Proof::scheme`].
    pub fn scheme(&self) -> &Scheme {
        &self.proof.scheme
    }

    /// Which secret it was signed with; see [`Proof::secret_index`].
    pub fn secret_index(&self) -> usize {
        self.proof.secret_index
    }

    /// The label of that secret.
    pub fn secret_label(&self) -> &str {
        &self.proof.secret_label
    }

    /// The id of the delivery, the same whenever it is repeated: the one that is signed in front of the body, or the envelope's
    /// `eventId`, or the header `x-genesys-event-id`. An id of more than 256 bytes is not one.
    pub fn delivery_id(&self) -> Option<&str> {
        self.signed_id().or(self.unsigned_id.as_deref())
    }

    /// Whether the signature covers the id. Otherwise anybody who recorded the delivery can send it again under another one, and
    /// only the [`content_key`](Self::content_key) gives it away.
    pub fn is_delivery_id_signed(&self) -> bool {
        self.signed_id().is_some()
    }

    fn signed_id(&self) -> Option<&str> {
        let of_scheme = match &self.proof.scheme {
            Scheme::Timestamped { id, .. } => Some(&**id),
            Scheme::Body { .. } => None,
        };
        [of_scheme, self.event.event_id()].into_iter().flatten().find(|id| is_usable(id))
    }

    /// What the event says, as a key; see [`Event::content_key`].
    pub fn content_key(&self) -> ContentKey {
        self.event.content_key()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("event", &self.event)
            .field("body_bytes", &self.body.len())
            .field("proof", &self.proof)
            .field("delivery_id", &self.delivery_id())
            .finish_non_exhaustive()
    }
}

fn is_usable(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_BYTES_MAX
}
