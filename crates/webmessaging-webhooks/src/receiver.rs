//! The receiver: takes webhooks, keeps them durably before it says so, and works on them afterwards.
//!
//! What the sender hears is decided by the store alone: 200 is said when a delivery is kept or was kept before, 503 when it is
//! not, 4xx when it is not to be sent again. The work follows from the inbox, with retries, whatever becomes of the process.

pub mod handler;
pub mod platform;
pub mod status;

mod builder;
mod intake;
mod limit;
mod log;
mod operations;
mod server;
mod work;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::{Notify, Semaphore, watch};
use webmessaging_journal::clock::Clock;
use webmessaging_journal::{Event, Journal};
use webmessaging_model::Timestamp;
use webmessaging_store::{NewItem, Store};

use self::status::Figures;
use crate::verify::Verifier;

pub use self::builder::ReceiverBuilder;
pub use self::handler::{Handled, Handler, HandlerError, Handling, Received};
pub use self::platform::{FileFacts, FileFound, PlatformEvents};
pub use self::status::{ReceiverStatus, SecretUse};

/// The paths that deliveries are posted to by default: one for everything, and the one that the design documents name.
pub const PATHS: [&str; 2] = ["/webhooks/genesys", "/webhooks/genesys/file-transfer"];

/// Takes webhooks. Cheap to clone; clones are the same receiver.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging_store::{SqliteOptions, SqliteStore};
/// use webmessaging_webhooks::{Secret, Verifier};
/// use webmessaging_webhooks::receiver::Receiver;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("store.db");
/// let store = Arc::new(SqliteStore::open(SqliteOptions::new(path)).await?);
/// let verifier = Verifier::new(Secret::new("2026-11", "correct horse battery staple")?);
/// let receiver = Receiver::builder(store, verifier).build();
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let stop = async {};
/// // Until `stop` is ready; then what was accepted is finished.
/// receiver.serve(listener, stop).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Receiver(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trust: Trust,
    pub(crate) handler: Box<dyn Handler>,
    pub(crate) journal: Journal,
    pub(crate) items_for: Option<Box<ItemsFor>>,
    pub(crate) more_metrics: Vec<Box<MoreMetrics>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) setup: Setup,
    pub(crate) figures: Figures,
    /// One place for each delivery that is being read or stored.
    pub(crate) places: Semaphore,
    /// Room for their bodies, in KiB.
    pub(crate) room: Semaphore,
    /// Something was accepted.
    pub(crate) arrived: Notify,
    pub(crate) stopping: watch::Sender<bool>,
}

/// What an event means for the outbox.
pub(crate) type MoreMetrics = dyn Fn() -> MetricsText + Send + Sync;

/// Figures in the text format of Prometheus, in the making.
pub type MetricsText = Pin<Box<dyn Future<Output = String> + Send>>;

pub(crate) type ItemsFor = dyn Fn(&Event, Timestamp) -> Vec<NewItem> + Send + Sync;

/// Whom deliveries are taken from.
#[derive(Debug)]
pub(crate) enum Trust {
    Signed(Verifier),
    /// Anybody, because somebody said so.
    Anybody,
}

#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) source: String,
    pub(crate) paths: Vec<String>,
    pub(crate) body_bytes_max: usize,
    pub(crate) body_time_max: Duration,
    pub(crate) deliveries_max: usize,
    pub(crate) bodies_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    pub(crate) attempts_max: u32,
    pub(crate) poll_every: Duration,
    pub(crate) shutdown_time_max: Duration,
}

impl Receiver {
    /// A receiver that keeps signed deliveries in a store.
    pub fn builder(store: Arc<dyn Store>, verifier: Verifier) -> ReceiverBuilder {
        ReceiverBuilder::new(store, Trust::Signed(verifier))
    }

    /// A receiver that believes everybody who can reach it. Only for networks that keep strangers out by themselves, and for
    /// tests.
    pub fn unsigned(store: Arc<dyn Store>) -> ReceiverBuilder {
        ReceiverBuilder::new(store, Trust::Anybody)
    }

    /// The routes for deliveries, to mount in a server. Whoever does so calls [`run`](Self::run) as well.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for path in &self.0.setup.paths {
            router = router.route(path, post(intake::take));
        }
        router.with_state(self.clone())
    }

    /// The routes for operators: `/healthz` (the process answers), `/readyz` (the store does, and nobody has said stop), and
    /// `/metrics` (Prometheus). They tell nothing of anybody's content, and are not for the internet all the same.
    pub fn operations(&self) -> Router {
        Router::new()
            .route("/healthz", get(operations::health))
            .route("/readyz", get(operations::readiness))
            .route("/metrics", get(operations::metrics))
            .with_state(self.clone())
    }

    /// Works on what was accepted, until [`stop`](Self::stop), and then finishes what it has begun; nothing takes longer than
    /// [`ReceiverBuilder::lease`]. What is left is for the next start.
    pub async fn run(&self) {
        work::run(self).await;
    }

    /// Serves deliveries and the routes for operators on a listener, and works on what is accepted, until `stop` is ready.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        server::serve(self, listener, stop).await
    }

    /// Stops taking and beginning: from now on deliveries are answered 503, which makes the sender come again.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
        self.0.arrived.notify_waiters();
    }

    /// How it stands with deliveries, secrets and work.
    pub fn status(&self) -> ReceiverStatus {
        let taken = self.0.setup.deliveries_max.saturating_sub(self.0.places.available_permits());
        self.0.figures.status(u64::try_from(taken).unwrap_or(u64::MAX))
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("trust", &self.0.trust)
            .field("setup", &self.0.setup)
            .finish_non_exhaustive()
    }
}
