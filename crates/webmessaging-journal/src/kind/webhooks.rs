//! Webhooks: registered at the platform, and received from it.

use super::define::kind;
use super::{Described, Subject};
use crate::details::Details;

kind! {
    /// A webhook was registered, or had been before.
    pub struct WebhookRegistered {
        /// Its name.
        name => String,
        /// Whether it had been there already.
        existed: bool,
    }
    optional {
        /// The id the platform gave it.
        webhook_id => String,
        /// The event it is for.
        event_type => String,
    }
}

impl Described for WebhookRegistered {
    fn subject(&self) -> Subject<'_> {
        Subject::new("webhook", self.webhook_id.as_deref().unwrap_or(&self.name))
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .name("name", Some(&self.name))
            .name("eventType", self.event_type.as_deref())
            .flag("existed", Some(self.existed))
    }
}

kind! {
    /// A webhook was received and taken.
    pub struct WebhookReceived {
        /// The id of the delivery.
        delivery_id => String,
        /// The event it tells of.
        event_type => String,
        /// Whether it had been received before.
        duplicate: bool,
    }
    optional {
        /// What it is about, by the id the platform names.
        about => String,
    }
}

impl Described for WebhookReceived {
    fn subject(&self) -> Subject<'_> {
        Subject::new("webhook_delivery", &self.delivery_id)
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .name("eventType", Some(&self.event_type))
            .flag("duplicate", Some(self.duplicate))
            .id("about", self.about.as_ref())
    }
}
