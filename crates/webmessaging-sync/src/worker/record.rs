//! Tells the journal what came of a request.

use std::time::Duration;

use webmessaging_http::DELIVER;
use webmessaging_journal::kind::{DeliveryFailed, DeliverySucceeded};
use webmessaging_journal::{EventKind, Facts};
use webmessaging_store::ClaimedItem;

use super::SyncWorker;
use super::deliver::Sent;
use super::destination::Destination;
use crate::lane::is_delivery;
use crate::log;
use crate::verdict::Judged;

/// What is recorded of a failure.
pub(super) struct Failed<'a> {
    pub(super) judged: &'a Judged,
    pub(super) is_dead: bool,
    pub(super) retry_in: Option<Duration>,
}

impl SyncWorker {
    pub(super) async fn record_success(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        sent: &Sent,
        duplicate: bool,
    ) {
        let succeeded = DeliverySucceeded::new(sent.key.as_str(), &*destination.target.name)
            .items(u64::try_from(items.len()).unwrap_or(u64::MAX))
            .duplicate(duplicate);
        self.record(destination, items, sent, succeeded.into()).await;
    }

    pub(super) async fn record_failure(
        &self,
        destination: &Destination,
        items: &[ClaimedItem],
        sent: &Sent,
        failed: &Failed<'_>,
    ) {
        let Failed { judged, is_dead, retry_in } = failed;
        let mut kind = DeliveryFailed::new(sent.key.as_str(), &*destination.target.name, judged.cause)
            .items(u64::try_from(items.len()).unwrap_or(u64::MAX))
            .dead(*is_dead);
        kind.retry_in = *retry_in;
        self.record(destination, items, sent, kind.into()).await;
    }

    /// What came of a delivery is on record in the outbox already: a journal that fails takes nothing back.
    async fn record(&self, destination: &Destination, items: &[ClaimedItem], sent: &Sent, kind: EventKind) {
        // Telling of the deliveries of deliveries would never end.
        if items.iter().all(|item| is_delivery(&item.kind)) {
            return;
        }
        let mut facts = Facts::new()
            .operation(DELIVER.name)
            .latency(sent.latency)
            .payload_sha256(sent.sha256)
            .attempts(items.iter().map(|item| item.attempt).max().unwrap_or_default());
        facts.status = sent.judged.status;
        let (correlation_id, request_id) = match &sent.outcome {
            Ok(answer) => (Some(answer.facts.correlation_id.as_str()), answer.facts.request_id.as_deref()),
            Err(error) => (error.correlation_id(), error.request_id()),
        };
        facts.correlation_id = correlation_id.map(str::to_owned);
        facts.request_id = request_id.map(str::to_owned);
        if let Err(error) = self.journal.record(|stamp| stamp.event(kind).facts(facts)).await {
            log::journal_failed(&destination.target.name, &error);
        }
    }
}
