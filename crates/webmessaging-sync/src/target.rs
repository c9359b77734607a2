//! A target that was checked: everything that is needed to speak with it.

mod all;
mod check;

use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use secrecy::SecretString;
use webmessaging_journal::Event;
use webmessaging_model::Timestamp;
use webmessaging_store::NewItem;

use crate::config::LaneRule;
use crate::key::Key;
use crate::lane;
use crate::schedule::Schedule;
use crate::shape::{Shape, ShapeName};

pub use self::all::{TARGETS_MAX, Targets};

/// So many requests fit into one lease at least, if each of them takes all of its time: enough to halve a batch down to the one item
/// that spoils it.
const REQUESTS_IN_LEASE: u32 = 10;

/// What a lease has on top, for the store and for clocks that differ.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// A system that things are delivered to; [`TargetConfig::build`](crate::TargetConfig::build) makes one.
#[derive(Clone)]
pub struct Target {
    pub(crate) name: String,
    pub(crate) uri: Uri,
    pub(crate) shape: Shape,
    pub(crate) auth: Option<(HeaderName, SecretString)>,
    pub(crate) events: Vec<String>,
    pub(crate) lane: LaneRule,
    pub(crate) batch_max: usize,
    pub(crate) at_once: usize,
    pub(crate) timeout: Duration,
    pub(crate) schedule: Schedule,
    pub(crate) late_after: Duration,
    pub(crate) conflict_is_done: bool,
    pub(crate) allow_private: Vec<String>,
}

impl Target {
    /// Its name, which its items have in the outbox.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The form of what it is told.
    pub fn shape(&self) -> ShapeName {
        self.shape.name()
    }

    /// The host, and the port where one is named. The rest of its URL can be a key and is not shown.
    pub fn host(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// The actions it wants.
    pub fn events(&self) -> &[String] {
        &self.events
    }

    /// The waits between attempts.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// What it is to be told of an event, if anything.
    ///
    /// Of deliveries it hears only when it asks for them, and never of its own, which would go on for ever.
    pub fn item_for(&self, event: &Event, now: Timestamp) -> Option<NewItem> {
        let (action, subject) = (event.action(), event.subject());
        let is_own = lane::delivery_target(event).is_some_and(|target| target == self.name);
        if is_own || !self.events.iter().any(|wanted| wanted == action) {
            return None;
        }
        let record = self.shape.record(event, &self.name)?;
        let key = Key::of_event(&self.name, self.shape(), event);
        let item = NewItem::new(&*self.name, key.as_str(), action, now).payload(record.to_string());
        match self.lane {
            LaneRule::Subject if !subject.id.is_empty() => Some(item.lane(lane::of(event))),
            LaneRule::Subject | LaneRule::None => Some(item),
        }
    }

    /// The header that says who is speaking.
    pub(crate) fn auth_header(&self) -> Option<(HeaderName, HeaderValue)> {
        use secrecy::ExposeSecret;

        let (name, secret) = self.auth.as_ref()?;
        let secret = secret.expose_secret();
        let value = if *name == http::header::AUTHORIZATION {
            HeaderValue::from_str(&format!("Bearer {secret}"))
        } else {
            HeaderValue::from_str(secret)
        };
        // It was tried when the target was checked.
        let mut value = value.ok()?;
        value.set_sensitive(true);
        Some((name.clone(), value))
    }

    /// How many items are claimed at a time.
    pub(crate) fn claim_max(&self) -> u32 {
        u32::try_from(self.batch_max.saturating_mul(self.at_once)).unwrap_or(u32::MAX)
    }

    /// For how long they are claimed.
    pub(crate) fn lease(&self) -> Duration {
        self.timeout.saturating_mul(REQUESTS_IN_LEASE).saturating_add(LEASE_MARGIN)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .field("host", &self.host())
            .field("shape", &self.shape())
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
