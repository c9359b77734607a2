//! The worker: takes what is due from the outbox, sends it, and says what came of it.

mod builder;
mod deliver;
mod destination;
mod record;
mod round;
mod settle;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use tokio::sync::watch;
use webmessaging_http::{Clock, Entropy};
use webmessaging_journal::Journal;
use webmessaging_model::Timestamp;
use webmessaging_store::Store;

use self::destination::Destination;
use crate::error::Error;
use crate::log;
use crate::status::{Round, TargetStatus, pending};
use crate::switch;
use crate::target::Targets;
use crate::wake::Wake;

pub use self::builder::SyncWorkerBuilder;

/// Delivers the outbox to its targets.
///
/// Each target is served on its own: one that hangs delays no other. Workers on the same store, in this process or another one, share
/// the work. What is promised, whatever fails: each item arrives at least once, with the same key every time; items of a lane are taken in
/// their order; and what is given up lies among the dead letters with a reason.
///
/// # Examples
/// ```no_run
/// # use std::sync::Arc;
/// # async fn run(store: Arc<dyn webmessaging_store::Store>, stop: impl Future<Output = ()>)
/// #     -> Result<(), webmessaging_sync::Error> {
/// use webmessaging_sync::{Secrets, ShapeName, SyncWorker, TargetConfig, Targets};
///
/// let crm = TargetConfig::new("crm", "https://crm.example/messages", ShapeName::CrmMessages);
/// let targets = Targets::new([crm.build(&Secrets::none())?])?;
/// let worker = SyncWorker::builder(store, targets).build()?;
/// worker.run(stop).await;
/// # Ok(())
/// # }
/// ```
pub struct SyncWorker {
    store: Arc<dyn Store>,
    targets: Targets,
    destinations: Vec<Destination>,
    journal: Journal,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    wake: Wake,
    name: String,
    poll: Duration,
    grace: Duration,
}

impl SyncWorker {
    /// Starts setting a worker up.
    pub fn builder(store: Arc<dyn Store>, targets: Targets) -> SyncWorkerBuilder {
        SyncWorkerBuilder::new(store, targets)
    }

    /// Delivers what is due, and what becomes due, until `stop` is done.
    ///
    /// Then nothing is claimed any more, what is under way has the time of [`grace`](SyncWorkerBuilder::grace) to end, and the rest is given
    /// back. Dropped instead, what was claimed is due again when its lease runs out. Trouble with the store is logged, and tried again.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let (say, stopping) = watch::channel(false);
        let serve = |destination| self.serve(destination, stopping.clone());
        let mut served = Box::pin(join_all(self.destinations.iter().map(serve)));
        {
            let mut stop = std::pin::pin!(stop);
            if let Either::Left((_, stop)) = select(&mut served, &mut stop).await {
                // There is no target, and so nothing to do.
                stop.await;
            }
        }
        let _ = say.send(true);
        if !self.destinations.is_empty() {
            let _ = select(&mut served, self.clock.watchdog(self.grace)).await;
        }
        drop(served);
        for destination in &self.destinations {
            let outcome = self.give_back(destination).await;
            if let Err(error) = outcome {
                log::round_failed(&destination.target.name, &error);
            }
        }
    }

    /// Delivers what is due at this moment, one look for each target, and returns.
    ///
    /// # Errors
    /// [`Store`](crate::ErrorKind::Store) of the first target whose items could not be claimed or settled; the others were served.
    pub async fn deliver_due(&self) -> Result<Round, Error> {
        let (_say, stopping) = watch::channel(false);
        let rounds = self.destinations.iter().map(|destination| self.round(destination, &stopping));
        let mut all = Round::default();
        let mut failed = None;
        for outcome in join_all(rounds).await {
            all.add(outcome.round);
            failed = failed.or(outcome.error);
        }
        failed.map_or(Ok(all), Err)
    }

    /// How it stands with each target, in their order.
    ///
    /// # Errors
    /// [`Store`](crate::ErrorKind::Store).
    pub async fn status(&self) -> Result<Vec<TargetStatus>, Error> {
        let now = self.now();
        let mut all = Vec::new();
        for destination in &self.destinations {
            let name = &destination.target.name;
            let off_since = switch::off_since(&*self.store, name, now).await?;
            let stats = self.store.outbox_stats(Some(name), now).await?;
            all.push(destination.status(off_since, stats, now));
        }
        Ok(all)
    }

    /// How many pending items are for targets that this worker does not serve: those that were taken out of the configuration, say. They wait.
    ///
    /// # Errors
    /// [`Store`](crate::ErrorKind::Store).
    pub async fn unserved(&self) -> Result<u64, Error> {
        let now = self.now();
        let mut unserved = pending(&self.store.outbox_stats(None, now).await?);
        for target in self.targets.iter() {
            let stats = self.store.outbox_stats(Some(&target.name), now).await?;
            unserved = unserved.saturating_sub(pending(&stats));
        }
        Ok(unserved)
    }

    /// Switches a target on again that was disabled by a 410, in every process; one that asked to be left alone is asked again by this one.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for a target that there is not, [`Busy`](crate::ErrorKind::Busy) when somebody else is changing
    /// it, [`Store`](crate::ErrorKind::Store).
    pub async fn enable(&self, target: &str) -> Result<(), Error> {
        self.set_switch(target, true).await
    }

    /// Switches a target off, in every process: what is for it waits until [`enable`](Self::enable).
    ///
    /// # Errors
    /// As [`enable`](Self::enable).
    pub async fn disable(&self, target: &str) -> Result<(), Error> {
        self.set_switch(target, false).await
    }

    /// What wakes this worker; give it to whoever puts something into the outbox.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    async fn set_switch(&self, target: &str, is_on: bool) -> Result<(), Error> {
        self.targets.get(target)?;
        switch::set(&*self.store, target, &self.name, is_on, self.now()).await?;
        for destination in self.destinations.iter().filter(|destination| destination.target.name == target) {
            destination.unpause();
        }
        self.wake.wake();
        Ok(())
    }

    /// Looks for what is due, again and again.
    async fn serve(&self, destination: &Destination, stopping: watch::Receiver<bool>) {
        let (mut wake, mut stop) = (self.wake.listen(), stopping.clone());
        while !*stopping.borrow() {
            // What is enqueued from here on wakes us, even if this round does not see it.
            wake.mark_unchanged();
            let outcome = self.round(destination, &stopping).await;
            if let Some(error) = &outcome.error {
                log::round_failed(&destination.target.name, error);
            } else if outcome.round.claimed > 0 {
                continue;
            }
            let pause = self.clock.sleep(outcome.wait.map_or(self.poll, |wait| wait.min(self.poll)));
            // Whoever could wake or stop us may be gone; then the pause alone counts.
            let woken = std::pin::pin!(async {
                if wake.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            });
            let stopped = std::pin::pin!(async {
                if stop.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            });
            select(pause, select(woken, stopped)).await;
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.wall().into()
    }
}

impl fmt::Debug for SyncWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncWorker")
            .field("name", &self.name)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
