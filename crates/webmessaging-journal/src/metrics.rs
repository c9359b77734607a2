//! Figures from events: counters, success rates, percentiles over a window, availability of features, capacity.

mod capacity;
mod counts;
mod prometheus;
mod snapshot;
mod window;

use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::capacity::Capacity;
use self::counts::{Activity, Labels};
use self::window::Window;
use crate::clock::{Clock, SystemClock};
use crate::event::Event;
use crate::kind::{EventKind, Outcome};
use crate::sink::{Recorded, Sink};

pub use self::snapshot::{
    ActivityMetrics, CapacityMetrics, DayMetrics, EventCount, FeatureMetrics, LatencyMetrics, MetricsSnapshot,
};

/// How metrics are kept.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_journal::metrics::{Metrics, MetricsPolicy};
///
/// let policy = MetricsPolicy::default().window(Duration::from_secs(300)).quota_bytes(50_000_000_000);
/// let metrics = Metrics::with(policy);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a policy does nothing until metrics are made with it"]
pub struct MetricsPolicy {
    window: Duration,
    slots: u32,
    days: u32,
    quota_bytes: Option<u64>,
    used_bytes: u64,
}

impl Default for MetricsPolicy {
    fn default() -> Self {
        Self { window: Duration::from_secs(900), slots: 5, days: 30, quota_bytes: None, used_bytes: 0 }
    }
}

impl MetricsPolicy {
    /// Sets how far back percentiles look; 15 minutes by default, between a second and a day.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window.clamp(Duration::from_secs(1), Duration::from_secs(86_400));
        self
    }

    /// Sets in how many parts the window moves on; 5 by default, from 1 to 60. More parts are smoother, and take up to
    /// 13 KiB for each activity that has had a latency.
    pub fn slots(mut self, slots: u32) -> Self {
        self.slots = slots.clamp(1, 60);
        self
    }

    /// Sets of how many days the stored bytes are kept; 30 by default, from 1 to 366. The projection is made from them.
    pub fn days(mut self, days: u32) -> Self {
        self.days = days.clamp(1, 366);
        self
    }

    /// Sets how many bytes there is room for; unknown by default, and then there is no projection.
    pub fn quota_bytes(mut self, bytes: u64) -> Self {
        self.quota_bytes = Some(bytes);
        self
    }

    /// Sets how many bytes were stored before; 0 by default.
    pub fn used_bytes(mut self, bytes: u64) -> Self {
        self.used_bytes = bytes;
        self
    }
}

/// Counts events. Cheap to clone; clones count together.
///
/// Labels have an end: actions and activities are those of [`EventKind`], of causes and features the first 64 of each have
/// one of their own and the others share `other`. Ids and texts are not among them.
///
/// # Examples
/// ```
/// use webmessaging_journal::Journal;
/// use webmessaging_journal::kind::{FileUploadFailed, FileUploaded};
/// use webmessaging_journal::metrics::Metrics;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), webmessaging_journal::Error> {
/// let metrics = Metrics::new();
/// // It takes no time worth speaking of, so it can be waited for.
/// let journal = Journal::builder().durable("metrics", metrics.clone()).build()?;
/// journal.record(|stamp| stamp.event(FileUploaded::new("file-1", "invoice.pdf", 20_480))).await?;
/// journal.record(|stamp| stamp.event(FileUploadFailed::new("message-1", "rate_limited"))).await?;
///
/// let snapshot = metrics.snapshot();
/// let uploads = &snapshot.activities["file.upload"];
/// assert_eq!((uploads.total, uploads.success_rate), (2, Some(0.5)));
/// assert_eq!(uploads.failures["rate_limited"], 1);
/// assert_eq!(snapshot.capacity.stored_bytes, 20_480);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    policy: MetricsPolicy,
    clock: Box<dyn Clock>,
    figures: Mutex<Figures>,
}

struct Figures {
    events: BTreeMap<(&'static str, &'static str, Option<Arc<str>>), u64>,
    activities: BTreeMap<&'static str, Activity>,
    features: BTreeMap<Arc<str>, FeatureMetrics>,
    capacity: Capacity,
    cause_labels: Labels,
    feature_labels: Labels,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::with(MetricsPolicy::default())
    }
}

impl Metrics {
    /// Metrics with the default policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// Metrics with a policy.
    pub fn with(policy: MetricsPolicy) -> Self {
        Self::with_clock(policy, SystemClock)
    }

    /// Metrics whose window moves with another clock.
    pub fn with_clock(policy: MetricsPolicy, clock: impl Clock) -> Self {
        let figures = Figures {
            events: BTreeMap::new(),
            activities: BTreeMap::new(),
            features: BTreeMap::new(),
            capacity: Capacity::default(),
            cause_labels: Labels::default(),
            feature_labels: Labels::default(),
        };
        Self(Arc::new(Inner { policy, clock: Box::new(clock), figures: Mutex::new(figures) }))
    }

    /// Counts one look at a feature: was it available? Updates of channels are counted by themselves.
    pub fn feature(&self, name: &str, available: bool) {
        self.0.figures().count_feature(name, available);
    }

    /// The figures at this moment.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let Inner { policy, clock, figures: _ } = &*self.0;
        let (now, today) = (clock.now(), clock.wall());
        let mut figures = self.0.figures();
        let Figures { events, activities, features, capacity, .. } = &mut *figures;
        MetricsSnapshot {
            events: events
                .iter()
                .map(|((action, outcome, cause), count)| EventCount {
                    action,
                    outcome,
                    cause: cause.as_deref().map(str::to_owned),
                    count: *count,
                })
                .collect(),
            activities: activities
                .iter_mut()
                .map(|(name, activity)| (*name, activity.snapshot(now)))
                .collect(),
            features: features.iter().map(|(name, feature)| (name.to_string(), feature.clone())).collect(),
            capacity: capacity.snapshot(policy, today),
            window_seconds: policy.window.as_secs_f64(),
        }
    }

    /// The figures in the text format of Prometheus (version 0.0.4).
    pub fn prometheus(&self) -> String {
        prometheus::text(&self.snapshot())
    }

    fn count(&self, event: &Event) {
        let Inner { policy, clock, .. } = &*self.0;
        let (now, outcome) = (clock.now(), event.outcome());
        let mut figures = self.0.figures();
        let figures = &mut *figures;
        let cause = outcome.cause().map(|cause| figures.cause_labels.label(cause));
        let action = event.kind.known_action().unwrap_or("unknown");
        let count = figures.events.entry((action, outcome.name(), cause.clone())).or_default();
        *count = count.saturating_add(1);

        let new = || Activity::new(Window::new(policy.window, policy.slots, now));
        let activity = figures.activities.entry(event.kind.activity()).or_insert_with(new);
        activity.count(outcome, cause, event.facts.latency, now);

        match &event.kind {
            EventKind::ChannelUpdated(update) => {
                for (name, available) in update.features.iter().flatten() {
                    figures.count_feature(name, *available);
                }
            }
            EventKind::FileUploaded(file) => figures.capacity.stored(event.at, file.size, policy.days),
            EventKind::TransferUploaded(file) => figures.capacity.stored(event.at, file.size, policy.days),
            _ => {}
        }
    }
}

impl Inner {
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    fn count_feature(&mut self, name: &str, available: bool) {
        let name = self.feature_labels.label(name);
        self.features.entry(name).or_default().count(available);
    }
}

impl Sink for Metrics {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        self.count(event);
        Box::pin(ready(Ok(())))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

/// Whether an outcome counts for or against a success rate.
fn is_counted(outcome: Outcome<'_>) -> bool {
    outcome != Outcome::Unknown
}
