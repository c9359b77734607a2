//! Sets a worker up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use webmessaging_http::clock::{SystemEntropy, TokioClock};
use webmessaging_http::{Clock, Entropy, ExternalClient, ExternalClientBuilder, Timeouts};
use webmessaging_journal::Journal;
use webmessaging_store::Store;

use super::SyncWorker;
use super::destination::Destination;
use crate::error::Error;
use crate::target::{Target, Targets};
use crate::wake::Wake;

/// A receipt is small; what is beyond this is not read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

const POLL_MIN: Duration = Duration::from_millis(10);
const POLL_MAX: Duration = Duration::from_secs(3_600);

/// Changes how the client of a target is set up.
type SetUp = Box<dyn Fn(&Target, ExternalClientBuilder) -> ExternalClientBuilder + Send>;

/// Sets a [`SyncWorker`] up.
#[must_use = "a builder does nothing until `build` is called"]
pub struct SyncWorkerBuilder {
    store: Arc<dyn Store>,
    targets: Targets,
    journal: Journal,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    wake: Wake,
    poll: Duration,
    grace: Duration,
    set_up: SetUp,
}

impl SyncWorkerBuilder {
    pub(super) fn new(store: Arc<dyn Store>, targets: Targets) -> Self {
        Self {
            store,
            targets,
            journal: Journal::none(),
            clock: Arc::new(TokioClock),
            entropy: Arc::new(SystemEntropy),
            wake: Wake::new(),
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(10),
            set_up: Box::new(|_, client| client),
        }
    }

    /// Sets the journal that hears what came of deliveries; none by default. It can be the one that feeds the outbox.
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets what wakes it; see [`SyncWorker::wake`].
    pub fn wake(mut self, wake: &Wake) -> Self {
        self.wake = wake.clone();
        self
    }

    /// Sets how long it waits between two looks at the outbox when nobody wakes it, 10 milliseconds to an hour; a second by default.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval.clamp(POLL_MIN, POLL_MAX);
        self
    }

    /// Sets how long requests that are under way may take when it is stopped; 10 seconds by default.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.grace = limit;
        self
    }

    /// Sets up the client of each target: proxy, certificates, observers, breaker. Time limit and private networks are the target's.
    pub fn client(
        mut self,
        set_up: impl Fn(&Target, ExternalClientBuilder) -> ExternalClientBuilder + Send + 'static,
    ) -> Self {
        self.set_up = Box::new(set_up);
        self
    }

    /// Sets the clock; that of tokio by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets where waits get their randomness; from the system by default.
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Checks the setup and makes the worker.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) when the client of a target cannot be made: a network that is none, a proxy or a
    /// certificate that is not what it should be.
    pub fn build(self) -> Result<SyncWorker, Error> {
        let Self { store, targets, journal, clock, entropy, wake, poll, grace, set_up } = self;
        let destinations = targets
            .iter()
            .map(|target| {
                let client = ExternalClient::builder().answer_bytes_max(ANSWER_BYTES_MAX);
                let client = set_up(target, client)
                    .clock(Shared(Arc::clone(&clock)))
                    .allow_private(&target.allow_private)
                    .timeouts(Timeouts::default().connect(target.timeout).attempt(target.timeout))
                    .build()
                    .map_err(|error| {
                        let message = format!("target `{}`: its client cannot be made: {error}", target.name);
                        Error::configuration(message).with_source(error)
                    })?;
                Ok(Destination::new(target.clone(), client))
            })
            .collect::<Result<_, Error>>()?;
        let name = format!("sync-{:016x}", entropy.bits());
        Ok(SyncWorker { store, targets, destinations, journal, clock, entropy, wake, name, poll, grace })
    }
}

impl fmt::Debug for SyncWorkerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncWorkerBuilder").field("targets", &self.targets).finish_non_exhaustive()
    }
}

/// One clock for the worker and all its clients.
#[derive(Debug)]
struct Shared(Arc<dyn Clock>);

impl Clock for Shared {
    fn now(&self) -> std::time::Instant {
        self.0.now()
    }

    fn wall(&self) -> std::time::SystemTime {
        self.0.wall()
    }

    fn sleep(&self, duration: Duration) -> webmessaging_http::clock::Wait {
        self.0.sleep(duration)
    }

    fn watchdog(&self, duration: Duration) -> webmessaging_http::clock::Wait {
        self.0.watchdog(duration)
    }
}
