//! Hooks around calls: an observer hears of attempts, waits, calls, logins and breakers, and cannot reach a secret.

mod attempt;
mod call;
mod client;
mod headers;
mod histogram;
mod metrics;
#[cfg(feature = "metrics")]
mod metrics_facade;
mod snapshot;
mod wait;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crate::clock::Clock;
use crate::config::ClientBuilder;
use crate::log;

pub use self::attempt::{AttemptEnded, AttemptStarted};
pub use self::call::CallEnded;
pub use self::client::{BreakerChanged, LoginEnded};
pub use self::histogram::LATENCY_BOUNDS_SECONDS;
pub use self::metrics::Metrics;
#[cfg(feature = "metrics")]
pub use self::metrics_facade::MetricsFacade;
pub use self::snapshot::{Bucket, LatencyMetrics, MetricsSnapshot, OperationMetrics, WaitMetrics};
pub use self::wait::{WaitCause, WaitEnded, WaitStarted};

pub(crate) use self::call::CallId;
pub(crate) use self::headers::AddedHeaders;
pub(crate) use self::wait::{Scope, Waiting};

/// Hears what a client does, while it does it.
///
/// What it is shown has no token, no `Authorization`, no presigned URL, no query and no content of a body. It can add a
/// header to an attempt and change nothing else: a check that must be able to stop a call belongs before the call.
///
/// Everything is called in turn on the task that runs the call, so it must be quick, and must not block until another
/// call of the same client has ended. A panic is caught and logged, and the call goes on; in a program that is built
/// to abort on panics nothing can be caught. Where nobody observes, nothing of this costs anything.
///
/// # Examples
/// ```
/// use webmessaging_http::observe::{AttemptEnded, AttemptStarted};
/// use webmessaging_http::{Client, Credentials, Observer};
///
/// struct Tracing;
///
/// impl Observer for Tracing {
///     fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
///         // Refused for uploads to presigned URLs, whose headers are signed.
///         let _ = attempt.add_header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
///     }
///
///     fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
///         println!("{}: {} after {:?}", attempt.operation().name, attempt.outcome(), attempt.latency());
///     }
/// }
///
/// let client = Client::builder(Credentials::new("id", "secret")).observer(Tracing).build()?;
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[expect(
    unused_variables,
    reason = "what is not overridden does nothing, and the names are for who overrides it"
)]
pub trait Observer: Send + Sync + 'static {
    /// An attempt is about to be sent.
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {}

    /// An attempt was answered or failed, and it is known whether there will be another. An attempt whose caller went
    /// away ends as [`Canceled`](crate::ErrorKind::Canceled).
    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {}

    /// A call begins to wait for its turn or before a retry.
    fn wait_started(&self, wait: &WaitStarted<'_>) {}

    /// The wait is over, or given up.
    fn wait_ended(&self, wait: &WaitEnded<'_>) {}

    /// A call ended: with an answer, with an error, or because its caller went away. Every call ends once, and one that
    /// was refused before it began ends, too.
    fn call_ended(&self, call: &CallEnded<'_>) {}

    /// A login succeeded or failed for good. Callers that wait for it together hear of it once. The requests behind it
    /// are a call of their own.
    fn login_ended(&self, login: &LoginEnded) {}

    /// The breaker of a host changed its state. The changes of a host are told one after the other, in their order.
    fn breaker_changed(&self, change: &BreakerChanged<'_>) {}
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
        (**self).attempt_started(attempt);
    }

    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        (**self).attempt_ended(attempt);
    }

    fn wait_started(&self, wait: &WaitStarted<'_>) {
        (**self).wait_started(wait);
    }

    fn wait_ended(&self, wait: &WaitEnded<'_>) {
        (**self).wait_ended(wait);
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        (**self).call_ended(call);
    }

    fn login_ended(&self, login: &LoginEnded) {
        (**self).login_ended(login);
    }

    fn breaker_changed(&self, change: &BreakerChanged<'_>) {
        (**self).breaker_changed(change);
    }
}

impl ClientBuilder {
    /// Adds an observer; none by default. Several are called in the order they were added.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }
}

/// The observers of a client.
#[derive(Clone, Default)]
pub(crate) struct Observers(Arc<[Box<dyn Observer>]>);

impl Observers {
    pub(crate) fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        Self(observers.into())
    }

    /// Nobody wants to know: whatever is told costs nothing if this is asked first.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time, where somebody wants to know how long something takes.
    pub(crate) fn time(&self, clock: &dyn Clock) -> Option<Instant> {
        (!self.is_empty()).then(|| clock.now())
    }

    /// Tells each one in turn. No lock may be held that an observer could ask for.
    pub(crate) fn tell(&self, mut news: impl FnMut(&dyn Observer)) {
        for observer in &*self.0 {
            // An observer's own state is its own affair, and of ours it can change the headers alone, which are whole
            // after each step.
            if catch_unwind(AssertUnwindSafe(|| news(&**observer))).is_err() {
                log::observer_panicked();
            }
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observers({})", self.0.len())
    }
}
