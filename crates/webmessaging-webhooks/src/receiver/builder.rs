//! How a receiver is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use webmessaging_journal::clock::{Clock, SystemClock};
use webmessaging_journal::{Event, Journal};
use webmessaging_model::Timestamp;
use webmessaging_store::{NewItem, Store, limits};

use super::handler::Handler;
use super::platform::PlatformEvents;
use super::status::Figures;
use super::{Inner, ItemsFor, MetricsText, MoreMetrics, PATHS, Receiver, Setup, Trust};
use crate::verify::BODY_BYTES_MAX;

/// Sets a [`Receiver`] up.
#[must_use = "a builder does nothing until `build` is called"]
pub struct ReceiverBuilder {
    store: Arc<dyn Store>,
    trust: Trust,
    handler: Option<Box<dyn Handler>>,
    journal: Journal,
    items_for: Option<Box<ItemsFor>>,
    more_metrics: Vec<Box<MoreMetrics>>,
    clock: Arc<dyn Clock>,
    setup: Setup,
}

impl ReceiverBuilder {
    pub(super) fn new(store: Arc<dyn Store>, trust: Trust) -> Self {
        Self {
            store,
            trust,
            handler: None,
            journal: Journal::none(),
            items_for: None,
            more_metrics: Vec::new(),
            clock: Arc::new(SystemClock),
            setup: Setup {
                source: "genesys".to_owned(),
                paths: PATHS.map(str::to_owned).to_vec(),
                body_bytes_max: BODY_BYTES_MAX,
                body_time_max: Duration::from_secs(10),
                deliveries_max: 1_024,
                bodies_bytes_max: 128 * 1_024 * 1_024,
                connections_max: 4_096,
                concurrency: 32,
                lease: Duration::from_secs(60),
                attempts_max: 12,
                poll_every: Duration::from_secs(1),
                shutdown_time_max: Duration::from_secs(30),
            },
        }
    }

    /// Sets what is done with deliveries; by default [`PlatformEvents`].
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.handler = Some(Box::new(handler));
        self
    }

    /// Sets who is told of what deliveries come to, before a delivery counts as done; nobody by default. An outbox is not one of its
    /// sinks here: see [`items_for`](Self::items_for).
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets what an event means for the outbox. The items are written in the transaction that marks the delivery as done, so that
    /// neither is there without the other.
    pub fn items_for(
        mut self,
        items_for: impl Fn(&Event, Timestamp) -> Vec<NewItem> + Send + Sync + 'static,
    ) -> Self {
        self.items_for = Some(Box::new(items_for));
        self
    }

    /// Adds figures of somebody else to `/metrics`, in the text format of Prometheus: those of the journal, say, or of the deliveries to
    /// targets. They are asked for with each request; none by default.
    pub fn metrics(mut self, more: impl Fn() -> MetricsText + Send + Sync + 'static) -> Self {
        self.more_metrics.push(Box::new(more));
        self
    }

    /// Sets the name of the sender, within which ids are unique; `genesys` by default.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.setup.source = source.into();
        self
    }

    /// Sets the paths that deliveries are posted to; [`PATHS`] by default.
    pub fn paths(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.setup.paths = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how many bytes a body may have; 10 MiB by default, which is also the most that a store takes. A verifier's own limit
    /// counts as well.
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.setup.body_bytes_max = bytes.min(limits::BODY_BYTES_MAX);
        self
    }

    /// Sets how long a body may take to arrive; 10 seconds by default, after which the platform has given up anyway.
    pub fn body_time_max(mut self, limit: Duration) -> Self {
        self.setup.body_time_max = limit;
        self
    }

    /// Sets how many deliveries are read and stored at once; 1,024 by default, at least 1. Further ones are answered 503.
    pub fn deliveries_max(mut self, deliveries: usize) -> Self {
        self.setup.deliveries_max = deliveries.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets how many bytes of bodies are held at once, those included whose sender is not known yet; 128 MiB by default, at least one
    /// body. What finds no room is answered 503.
    pub fn bodies_bytes_max(mut self, bytes: usize) -> Self {
        self.setup.bodies_bytes_max = bytes;
        self
    }

    /// Sets how many connections [`Receiver::serve`] holds; 4,096 by default, at least 1. Further ones wait.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.setup.connections_max = connections.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets how many deliveries are worked on at once; 32 by default, at least 1.
    pub fn concurrency(mut self, deliveries: usize) -> Self {
        self.setup.concurrency = deliveries.max(1);
        self
    }

    /// Sets how long the work on a delivery may take before another process may begin it anew; 60 seconds by default, at least 1.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.setup.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Sets how often the work on a delivery is tried before it goes to the dead letters; 12 times by default, at least once. The
    /// pauses double from a second to five minutes.
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.setup.attempts_max = attempts.max(1);
        self
    }

    /// Sets how often the inbox is looked at when nobody says that something arrived; once a second by default.
    pub fn poll_every(mut self, pause: Duration) -> Self {
        self.setup.poll_every = pause;
        self
    }

    /// Sets how long a stop waits for what was begun; 30 seconds by default.
    pub fn shutdown_time_max(mut self, limit: Duration) -> Self {
        self.setup.shutdown_time_max = limit;
        self
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the receiver.
    pub fn build(self) -> Receiver {
        let Self { store, trust, handler, journal, items_for, more_metrics, clock, setup } = self;
        let labels = match &trust {
            Trust::Signed(verifier) => verifier.secrets().labels().map(str::to_owned).collect(),
            Trust::Anybody => Vec::new(),
        };
        let handler = handler.unwrap_or_else(|| Box::new(PlatformEvents::new(Arc::clone(&store))));
        Receiver(Arc::new(Inner {
            store,
            trust,
            handler,
            journal,
            items_for,
            more_metrics,
            clock,
            figures: Figures::new(labels),
            places: Semaphore::new(setup.deliveries_max),
            room: Semaphore::new(room(&setup)),
            arrived: Notify::new(),
            stopping: watch::Sender::new(false),
            setup,
        }))
    }
}

/// In KiB, one more for what is begun of one.
fn room(setup: &Setup) -> usize {
    setup.bodies_bytes_max.max(setup.body_bytes_max) / 1_024 + 1
}

impl fmt::Debug for ReceiverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("trust", &self.trust)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
