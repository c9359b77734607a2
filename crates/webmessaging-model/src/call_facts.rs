//! What is known of a call, for whoever makes calls and whoever writes down what happened.

use std::time::Duration;

/// What is known of a call to another system. All of it is optional.
///
/// The transport makes it of an answer and of an error, the journal makes the facts of an event of it; neither knows the other.
///
/// # Examples
/// ```
/// use webmessaging_model::CallFacts;
///
/// let mut call = CallFacts::default();
/// call.operation = Some("messages.send");
/// call.status = Some(200);
/// assert_eq!(call.attempts, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFacts {
    /// The name of the operation.
    pub operation: Option<&'static str>,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// How many times the request was sent, or tried to be.
    pub attempts: Option<u32>,
    /// Time from the call to its answer, waits between attempts included.
    pub latency: Option<Duration>,
    /// Our id of the call.
    pub correlation_id: Option<String>,
    /// The other side's id of the request.
    pub request_id: Option<String>,
}
