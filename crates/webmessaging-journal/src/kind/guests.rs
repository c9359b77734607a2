//! Guests: created, changed, and how engaged they were.

use std::time::Duration;

use super::define::kind;
use super::guest_change::GuestChange;
use super::{Described, Subject};
use crate::details::Details;

kind! {
    /// A guest was created.
    pub struct GuestCreated {
        /// The guest.
        guest_id => String,
        /// What was sent, and for whom.
        change => Box<GuestChange>,
    }
    optional {}
}

impl Described for GuestCreated {
    fn subject(&self) -> Subject<'_> {
        Subject::new("guest", &self.guest_id)
    }

    fn details(&self) -> Details<'_> {
        self.change.details()
    }
}

kind! {
    /// A guest was changed.
    pub struct GuestUpdated {
        /// The guest.
        guest_id => String,
        /// What was sent, and for whom.
        change => Box<GuestChange>,
    }
    optional {}
}

impl Described for GuestUpdated {
    fn subject(&self) -> Subject<'_> {
        Subject::new("guest", &self.guest_id)
    }

    fn details(&self) -> Details<'_> {
        self.change.details()
    }
}

kind! {
    /// The engagement of a guest was calculated.
    pub struct EngagementCalculated {
        /// The guest.
        guest_id => String,
        /// From the beginning of the session to its end.
        duration: Duration,
        /// How many messages there were.
        messages: u64,
    }
    optional {
        /// How long an answer took in the mean.
        mean_response: Duration,
        /// Whether the guest has done what was hoped for.
        converted: bool,
    }
}

impl Described for EngagementCalculated {
    fn subject(&self) -> Subject<'_> {
        Subject::new("guest", &self.guest_id)
    }

    fn details(&self) -> Details<'_> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Details::default()
            .number("durationMs", millis(self.duration))
            .number("messages", self.messages)
            .number("meanResponseMs", self.mean_response.map(millis))
            .flag("converted", self.converted)
    }
}
