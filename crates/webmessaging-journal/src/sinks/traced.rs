//! Events as lines of the program's log.

use std::future::ready;

use tracing::{Level, event};

use crate::details::safe_id;
use crate::event::Event;
use crate::kind::Outcome;
use crate::sink::{Recorded, Sink};

/// Hands each event to `tracing`, with the target `webmessaging_journal` and the message `recorded`: what succeeded at
/// level info, the rest at level warn.
///
/// Fields are `action`, `outcome`, `cause`, `subject`, `subject_id`, `event_id`, `status`, `latency_ms`, `request_id` and
/// `correlation_id`.
///
/// # Examples
/// ```
/// use webmessaging_journal::Journal;
/// use webmessaging_journal::sinks::Traced;
///
/// let journal = Journal::builder().best_effort("log", Traced::new()).build()?;
/// # Ok::<(), webmessaging_journal::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Traced;

impl Traced {
    /// The sink.
    pub fn new() -> Self {
        Self
    }
}

macro_rules! recorded {
    ($level:expr, $event:expr) => {{
        let (subject, outcome, facts) = ($event.subject(), $event.outcome(), &$event.facts);
        event!(
            target: "webmessaging_journal",
            $level,
            action = &*safe_id($event.action()),
            outcome = outcome.name(),
            cause = outcome.cause(),
            subject = &*safe_id(subject.kind),
            subject_id = (!subject.id.is_empty()).then(|| safe_id(subject.id)).as_deref(),
            event_id = %$event.id,
            status = facts.status,
            latency_ms = facts.latency_millis(),
            request_id = facts.request_id.as_deref().map(safe_id).as_deref(),
            correlation_id = facts.correlation_id.as_deref().map(safe_id).as_deref(),
            "recorded"
        );
    }};
}

impl Sink for Traced {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        // The level of an event has to be known to the compiler.
        if event.outcome() == Outcome::Success {
            recorded!(Level::INFO, event);
        } else {
            recorded!(Level::WARN, event);
        }
        Box::pin(ready(Ok(())))
    }
}
