//! One delivery: where it goes, what it carries, and what is wrong with it on purpose.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;

use crate::delivery::{DeliveryOutcome, Entry};
use crate::event::Event;
use crate::signature::SignatureFormat;
use crate::subscription::Subscription;
use crate::tamper::Tamper;
use crate::target::{LoopbackTarget, Target};

/// Carries the event's id. The signature does not cover it.
pub(crate) const EVENT_ID_HEADER: HeaderName = HeaderName::from_static("x-genesys-event-id");

/// Carries the signature of the body.
pub(crate) const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-genesys-signature");

/// One delivery on its way.
pub(crate) struct Job {
    pub(crate) entry: Arc<Entry>,
    pub(crate) target: LoopbackTarget,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) is_late: bool,
    pub(crate) retries_left: u32,
    pub(crate) first_at: Option<SystemTime>,
    pub(crate) subscription: Arc<Subscription>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Job {
    /// Whatever becomes of a delivery, the log says how it ended.
    fn drop(&mut self) {
        self.entry.end(DeliveryOutcome::Canceled);
    }
}

impl Job {
    /// The delivery of an event to a webhook, unless there is nowhere to send it; the entry then says so.
    pub(crate) fn new(
        event: &Event,
        subscription: &Arc<Subscription>,
        entry: Arc<Entry>,
        place: OwnedSemaphorePermit,
        signature_format: SignatureFormat,
        tamper: Option<Tamper>,
    ) -> Option<Self> {
        // What is registered has been parsed before.
        let Some(Target::Loopback(target)) = Target::parse(subscription.url.expose()) else {
            entry.end(DeliveryOutcome::NoTls);
            return None;
        };
        let Some(headers) = headers(event, subscription, signature_format, tamper) else {
            entry.end(DeliveryOutcome::Canceled);
            return None;
        };
        Some(Self {
            entry,
            target,
            headers,
            body: event.body.clone(),
            is_late: tamper == Some(Tamper::OutOfOrder),
            retries_left: subscription.retries_max,
            first_at: None,
            subscription: Arc::clone(subscription),
            _place: place,
        })
    }
}

/// The webhook's own headers, and over them the sender's; `None` for headers that registration keeps out.
fn headers(
    event: &Event,
    subscription: &Subscription,
    signature_format: SignatureFormat,
    tamper: Option<Tamper>,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &subscription.headers {
        headers
            .insert(HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.expose()).ok()?);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(EVENT_ID_HEADER, HeaderValue::try_from(event.id.as_str()).ok()?);
    let signed: Option<&[u8]> = match tamper {
        Some(Tamper::Unsigned) => None,
        Some(Tamper::WrongSignature) => Some(b"other bytes"),
        _ => Some(&event.body),
    };
    if let Some(bytes) = signed {
        let signature = signature_format.sign(subscription.secret.expose(), bytes)?;
        headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(signature).ok()?);
    }
    Some(headers)
}
