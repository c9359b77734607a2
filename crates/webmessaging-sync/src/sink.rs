//! The outbox as a reader of the journal: what happened becomes what has to be delivered, before the caller goes on.

use std::fmt;
use std::sync::Arc;

use webmessaging_http::Clock;
use webmessaging_http::clock::TokioClock;
use webmessaging_journal::{Error, ErrorKind, Event, Recorded, Sink};
use webmessaging_store::Store;

use crate::target::Targets;
use crate::wake::Wake;

/// Puts what targets want to know into the outbox. Give it to a journal as a durable sink, so that it is waited for.
///
/// An event that no target wants costs nothing. One that is recorded again changes nothing, for as long as the store remembers its key.
///
/// # Examples
/// ```
/// # use std::sync::Arc;
/// use webmessaging_journal::Journal;
/// use webmessaging_journal::kind::BotMessageSent;
/// use webmessaging_store::{Outbox, SqliteOptions, SqliteStore};
/// use webmessaging_sync::{OutboxSink, Secrets, ShapeName, TargetConfig, Targets, Wake};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("store.db");
/// let store = Arc::new(SqliteStore::open(SqliteOptions::new(path)).await?);
/// let crm = TargetConfig::new("crm", "https://crm.example/messages", ShapeName::CrmMessages);
/// let targets = Targets::new([crm.build(&Secrets::none())?])?;
///
/// let outbox = OutboxSink::new(store.clone(), targets).wake(&Wake::new());
/// let journal = Journal::builder().durable("outbox", outbox).build()?;
/// journal.record(|stamp| stamp.event(BotMessageSent::new("conversation-1"))).await?;
/// assert_eq!(store.outbox_stats(None, std::time::SystemTime::now().into()).await?.due, 1);
/// # Ok(())
/// # }
/// ```
pub struct OutboxSink {
    store: Arc<dyn Store>,
    targets: Targets,
    clock: Arc<dyn Clock>,
    wake: Wake,
}

impl OutboxSink {
    /// A sink for these targets.
    pub fn new(store: Arc<dyn Store>, targets: Targets) -> Self {
        Self { store, targets, clock: Arc::new(TokioClock), wake: Wake::new() }
    }

    /// Sets whom it wakes; nobody by default, so that workers find what there is with their next look.
    #[must_use]
    pub fn wake(mut self, wake: &Wake) -> Self {
        self.wake = wake.clone();
        self
    }

    /// Sets the clock; that of the system by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl Sink for OutboxSink {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        Box::pin(async move {
            let now = self.clock.wall().into();
            let items = self.targets.items_for(event, now);
            if items.is_empty() {
                return Ok(());
            }
            self.store.enqueue(items, now).await.map_err(|error| {
                Error::new(ErrorKind::Sink, "the outbox does not take the event").with_source(error)
            })?;
            self.wake.wake();
            Ok(())
        })
    }
}

impl fmt::Debug for OutboxSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxSink").field("targets", &self.targets).finish_non_exhaustive()
    }
}
