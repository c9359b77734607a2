//! A change that could not be brought together with those of others.

use std::fmt;

use serde_json::Value;
use webmessaging_model::json_merge::Conflict;

use crate::guest::{ETagged, Guest};

/// Why an update was given up, with both versions: the source of an error of the kind [`Conflict`](webmessaging_http::ErrorKind::Conflict).
///
/// `Display` names the places and never the values.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct GuestConflict {
    /// The places that both sides have changed in different ways; none where the guest has only been changed too often meanwhile.
    pub places: Vec<Conflict>,
    /// What the update would have made of the guest as it was.
    pub mine: Value,
    /// The guest as it is, to decide anew.
    pub theirs: Box<ETagged<Guest>>,
}

impl fmt::Display for GuestConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places.is_empty() {
            return f.write_str("somebody has changed the guest again and again");
        }
        let places: Vec<_> = self.places.iter().map(|place| place.path.as_str()).collect();
        write!(f, "changed by two sides at once: {}", places.join(", "))
    }
}

impl fmt::Debug for GuestConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.places.iter().map(|place| place.path.as_str()).collect();
        f.debug_struct("GuestConflict")
            .field("places", &places)
            .field("theirs", &self.theirs)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for GuestConflict {}
