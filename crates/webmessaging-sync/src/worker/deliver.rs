//! One request, or several when the other side refuses a whole batch for the sake of one item.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde_json::Value;
use sha2::{Digest, Sha256};
use webmessaging_http::{Answer, Error as HttpError};

use super::SyncWorker;
use super::destination::Destination;
use super::round::{Limits, Tally};
use crate::batch::Batch;
use crate::key::Key;
use crate::log;
use crate::shape::Told;
use crate::verdict::{Judged, Verdict, judge};

/// What has to be left of a lease besides the time for a request: settling it, and clocks that differ.
const SETTLING: Duration = Duration::from_secs(10);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request that went out, or was to.
pub(super) struct Sent {
    pub(super) key: Key,
    pub(super) sha256: [u8; 32],
    pub(super) latency: Duration,
    pub(super) judged: Judged,
    /// What the answer says of each item.
    pub(super) told: Option<Vec<Told>>,
    pub(super) outcome: Result<Answer<Bytes>, HttpError>,
}

impl SyncWorker {
    /// Sends a batch. One that is refused as a whole is halved until whatever spoils it is alone, so that its neighbours go out.
    pub(super) async fn deliver(&self, destination: &Destination, batch: Batch, limits: Limits<'_>) -> Tally {
        let mut tally = Tally::default();
        let mut open = vec![batch];
        while let Some(mut batch) = open.pop() {
            if self.must_end(destination, limits) {
                tally.untried.extend(batch);
                continue;
            }
            destination.asked(batch.iter().map(|loaded| &loaded.item.claim));
            let sent = self.send(destination, &batch).await;
            if sent.judged.verdict == Verdict::Refused && batch.len() > 1 {
                log::halved(&destination.target.name, sent.key.as_str(), batch.len(), sent.judged.status);
                let second = batch.split_off(batch.len() / 2);
                open.extend([second, batch]);
                continue;
            }
            self.settle(destination, batch, sent, &mut tally).await;
        }
        tally
    }

    fn must_end(&self, destination: &Destination, limits: Limits<'_>) -> bool {
        let now = self.now();
        let needed = destination.target.timeout.saturating_add(SETTLING);
        *limits.stopping.borrow() || destination.is_halted(now) || limits.leased_until.since(now) < needed
    }

    async fn send(&self, destination: &Destination, batch: &Batch) -> Sent {
        let target = &destination.target;
        let items: Vec<_> = batch.iter().map(|item| (&*item.item.idempotency_key, &item.record)).collect();
        let (key, content) = target.shape.content(&items);
        let sha256 = Sha256::digest(&content.body).into();
        let mut request = Request::new(content.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.extend(target.auth_header());
        for (name, value) in content.headers {
            // Keys have no character that a header could not hold.
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        let started = self.clock.now();
        let outcome = destination.client.send(request).await;
        let latency = self.clock.now().saturating_duration_since(started);
        let records: Vec<&Value> = batch.iter().map(|item| &item.record).collect();
        let told = outcome.as_ref().ok().and_then(|answer| target.shape.told(&answer.value, &records));
        let judged = judge(&outcome, target.conflict_is_done, target.shape.answers_each());
        Sent { key, sha256, latency, judged, told, outcome }
    }
}
