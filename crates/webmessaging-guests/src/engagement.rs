//! How engaged a guest was, as far as the platform's figures tell.

use std::time::Duration;

use webmessaging_model::Timestamp;

use crate::guest::Guest;

/// The attribute that says whether the guest has done what was hoped for.
const CONVERTED: &str = "converted";

/// The attributes with the figures.
const DURATION: &str = "durationMs";
const CALCULATED: &str = "calculatedAt";

/// The guest was changed last when its figures were written, if that was so shortly after they were calculated.
const WRITING: Duration = Duration::from_secs(60);

/// How engaged a guest was.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_guests::{Engagement, Guest};
///
/// let guest: Guest = serde_json::from_str(
///     r#"{"id": "guest-1", "createdDate": "2026-11-26T08:00:00Z", "closedDate": "2026-11-26T08:10:00Z",
///         "interactionCount": 4, "attributes": {"converted": "true"}}"#,
/// )?;
/// let engagement = Engagement::of(&guest);
/// assert_eq!(engagement.duration, Some(Duration::from_secs(600)));
/// assert_eq!(engagement.mean_response, Some(Duration::from_secs(150)));
/// assert!(engagement.converted);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Engagement {
    /// From the creation of the guest to the end of its session, or to its last change; nothing where one of them is missing, or where the end lies
    /// before the beginning. A last change that was the writing of these figures is none: what was written then counts.
    pub duration: Option<Duration>,
    /// How many messages there were.
    pub messages: u64,
    /// The duration shared out over the messages, which is what the design document takes for the mean time of an answer; nothing without
    /// messages or without a duration.
    pub mean_response: Option<Duration>,
    /// Whether the attribute `converted` is `true`.
    pub converted: bool,
}

impl Engagement {
    /// The engagement of a guest as it was read.
    pub fn of(guest: &Guest) -> Self {
        let end = guest.closed_date.or(guest.modified_date);
        let is_in_order = |created: &Timestamp, end: &Timestamp| end >= created;
        let times = guest.created_date.zip(end).filter(|(created, end)| is_in_order(created, end));
        let duration = written(guest).or_else(|| times.map(|(created, end)| end.since(created)));
        let messages = guest.interaction_count.unwrap_or_default();
        let share = |duration: Duration| {
            let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            millis.checked_div(messages).map(Duration::from_millis)
        };
        let converted = guest.attribute(CONVERTED) == Some("true");
        Self { duration, messages, mean_response: duration.and_then(share), converted }
    }

    /// The figures as attributes of the guest; what is not known is left out.
    pub(crate) fn attributes(&self, at: Timestamp) -> Vec<(&'static str, String)> {
        let millis = |duration: Duration| duration.as_millis().to_string();
        let known = [
            (DURATION, self.duration.map(millis)),
            ("messageCount", Some(self.messages.to_string())),
            ("avgResponseTimeMs", self.mean_response.map(millis)),
            ("conversionFlag", Some(self.converted.to_string())),
            (CALCULATED, Some(at.to_string())),
        ];
        known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The duration that was written by the last change, where it was that.
fn written(guest: &Guest) -> Option<Duration> {
    let (None, Some(modified)) = (guest.closed_date, guest.modified_date) else { return None };
    let calculated: Timestamp = guest.attribute(CALCULATED)?.parse().ok()?;
    let apart = modified.since(calculated).max(calculated.since(modified));
    let millis = guest.attribute(DURATION)?.parse().ok().filter(|_| apart < WRITING)?;
    Some(Duration::from_millis(millis))
}
