//! Deliveries to systems outside: taken, not taken.

use std::time::Duration;

use super::define::kind;
use super::{Cause, Described, Outcome, Subject};
use crate::details::Details;

kind! {
    /// A system outside has taken what was delivered to it.
    pub struct DeliverySucceeded {
        /// The delivery, such as the id of a batch.
        delivery_id => String,
        /// The name of the system.
        target => String,
    }
    optional {
        /// How many items there were.
        items: u64,
        /// Whether the system said that it had them already.
        duplicate: bool,
    }
}

impl Described for DeliverySucceeded {
    fn subject(&self) -> Subject<'_> {
        Subject::new("delivery", &self.delivery_id)
    }

    fn activity(&self) -> Option<&'static str> {
        Some("delivery")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .name("target", Some(&self.target))
            .number("items", self.items)
            .flag("duplicate", self.duplicate)
    }
}

kind! {
    /// A system outside has not taken what was to be delivered to it.
    pub struct DeliveryFailed {
        /// The delivery, such as the id of a batch.
        delivery_id => String,
        /// The name of the system.
        target => String,
        /// The stable code of what was in the way.
        cause => Cause,
    }
    optional {
        /// How many items there were.
        items: u64,
        /// Whether it has become a dead letter; nobody tries again by himself.
        dead: bool,
        /// When it is tried again.
        retry_in: Duration,
    }
}

impl Described for DeliveryFailed {
    fn subject(&self) -> Subject<'_> {
        Subject::new("delivery", &self.delivery_id)
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Failure { code: self.cause.as_str() }
    }

    fn activity(&self) -> Option<&'static str> {
        Some("delivery")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .name("target", Some(&self.target))
            .number("items", self.items)
            .flag("dead", self.dead)
            .number("retryInSeconds", self.retry_in.map(|wait| wait.as_secs()))
    }
}
