//! The worker beside a receiver: delivers to the targets what follows from webhooks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use webmessaging::http::Proxy;
use webmessaging::journal::audit::AuditLog;
use webmessaging::journal::metrics::Metrics;
use webmessaging::journal::{Event, Journal};
use webmessaging::model::Timestamp;
use webmessaging::store::{NewItem, Store};
use webmessaging::sync::status::prometheus;
use webmessaging::sync::{OutboxSink, SyncWorker, Targets, Wake};
use webmessaging::webhooks::receiver::MetricsText;

use crate::failure::Failure;

/// A worker at work; dropped, it is told to stop.
pub(super) struct Deliveries {
    worker: Arc<SyncWorker>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    ended: Option<Result<(), JoinError>>,
}

impl Deliveries {
    /// Starts to deliver. What comes of it is in the audit log, and is something that targets can ask for.
    pub(super) fn start(
        store: Arc<dyn Store>,
        targets: Targets,
        wake: &Wake,
        (audit, metrics): (&AuditLog, &Metrics),
        grace: Duration,
    ) -> Result<Self, Failure> {
        let outbox = OutboxSink::new(Arc::clone(&store), targets.clone()).wake(wake);
        let journal = Journal::builder()
            .actor("sync")
            .durable("audit", audit.clone())
            .durable("metrics", metrics.clone())
            .durable("outbox", outbox)
            .build()?;
        let worker = SyncWorker::builder(store, targets)
            .journal(journal)
            .wake(wake)
            .grace(grace)
            // A proxy can be on another machine, and would not find this one.
            .client(
                |target, client| {
                    if is_here(target.host()) { client.proxy(Proxy::none()) } else { client }
                },
            )
            .build()?;
        let worker = Arc::new(worker);
        let running = Arc::clone(&worker);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            running
                .run(async {
                    // Whoever could say so may be gone, which says the same.
                    let _ = stopped.await;
                })
                .await;
        });
        Ok(Self { worker, stop, task, ended: None })
    }

    /// How it stands with the targets, for `/metrics`.
    pub(super) fn metrics(&self) -> impl Fn() -> MetricsText + Send + Sync + 'static {
        let worker = Arc::clone(&self.worker);
        move || {
            let worker = Arc::clone(&worker);
            // A store that cannot be read is what the receiver's own figures and its readiness tell.
            Box::pin(async move { worker.status().await.map(|all| prometheus(&all)).unwrap_or_default() })
        }
    }

    /// Waits until it ends by itself, which it should not.
    pub(super) async fn ended(&mut self) {
        self.ended = Some((&mut self.task).await);
    }

    /// Stops it, and waits for that.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let Self { stop, task, ended, .. } = self;
        drop(stop);
        let ended = match ended {
            Some(ended) => ended,
            None => task.await,
        };
        ended.map_err(|error| Failure::internal("the deliveries did not run", error))
    }
}

/// What an event means for the outbox of these targets.
pub(super) fn items_for(
    targets: Targets,
    wake: Wake,
) -> impl Fn(&Event, Timestamp) -> Vec<NewItem> + Send + Sync + 'static {
    move |event, now| {
        let items = targets.items_for(event, now);
        if !items.is_empty() {
            // They are written a moment later. A worker that is faster finds them with its next look.
            wake.wake();
        }
        items
    }
}

fn is_here(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in ["localhost", "localhost:8080", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:8080"] {
            assert!(is_here(host), "{host}");
        }
        for host in ["", "crm.example", "localhost.example", "10.0.0.1:80", "[fd00::1]:80", "128.0.0.1"] {
            assert!(!is_here(host), "{host}");
        }
    }
}
