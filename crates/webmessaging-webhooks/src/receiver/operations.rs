//! What operators and their monitors ask: is it alive, can it take deliveries, how does it go.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use webmessaging_journal::prometheus::{self, Page};
use webmessaging_store::InboxStats;

use super::Receiver;
use super::status::{ACK_BUCKETS_MILLIS, ReceiverStatus};

pub(super) async fn health() -> &'static str {
    "ok\n"
}

pub(super) async fn readiness(State(receiver): State<Receiver>) -> (StatusCode, String) {
    if receiver.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    match receiver.0.store.probe(receiver.0.clock.wall()).await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        // The code alone: who asks may be anybody in the network.
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("store: {}\n", error.kind().code())),
    }
}

pub(super) async fn metrics(State(receiver): State<Receiver>) -> Response<Body> {
    let inbox = receiver.0.store.inbox_stats(receiver.0.clock.wall()).await.ok();
    let mut text = text(&receiver.status(), inbox.as_ref());
    for more in &receiver.0.more_metrics {
        text.push_str(&more().await);
    }
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(prometheus::CONTENT_TYPE));
    response
}

/// The figures as Prometheus reads them.
fn text(status: &ReceiverStatus, inbox: Option<&InboxStats>) -> String {
    let mut page = Page::new();
    page.family("webmessaging_webhook_deliveries_total", "counter", "Deliveries by what they were answered.");
    page.sample(&[("answer", "accepted")], status.accepted);
    page.sample(&[("answer", "duplicate")], status.duplicates);
    page.sample(&[("answer", "turned_away")], status.turned_away);
    for (code, count) in &status.refused {
        page.sample(&[("answer", code)], *count);
    }
    page.family("webmessaging_webhook_deliveries_under_way", "gauge", "Deliveries being read and stored.");
    page.sample(&[], status.under_way);
    page.family("webmessaging_webhook_work_total", "counter", "Deliveries by what their work came to.");
    page.sample(&[("outcome", "handled")], status.handled);
    page.sample(&[("outcome", "retried")], status.retried);
    page.sample(&[("outcome", "buried")], status.buried);
    page.family(
        "webmessaging_webhook_secret_last_used_timestamp_seconds",
        "gauge",
        "When a secret last signed a delivery.",
    );
    for secret in &status.secrets {
        if let Some(at) = secret.last_used_at {
            let seconds = u64::try_from(at.unix_millis() / 1_000).unwrap_or_default();
            page.sample(&[("label", &secret.label)], seconds);
        }
    }
    acknowledgements(&mut page, status);
    if let Some(inbox) = inbox {
        page.family("webmessaging_webhook_inbox", "gauge", "Deliveries in the inbox by their state.");
        let counts = [
            ("due", inbox.due),
            ("waiting", inbox.waiting),
            ("leased", inbox.leased),
            ("dead", inbox.dead),
            ("remembered", inbox.remembered),
        ];
        for (state, count) in counts {
            page.sample(&[("state", state)], count);
        }
    }
    page.into_text()
}

fn acknowledgements(page: &mut Page, status: &ReceiverStatus) {
    page.family(
        "webmessaging_webhook_ack_seconds",
        "histogram",
        "Time from a delivery's head to its answer.",
    );
    let mut below = 0;
    for (millis, count) in ACK_BUCKETS_MILLIS.iter().zip(&status.ack_buckets) {
        below += count;
        page.sample_of("_bucket", &[("le", &seconds(*millis))], below);
    }
    let all: u64 = status.ack_buckets.iter().sum();
    page.sample_of("_bucket", &[("le", "+Inf")], all);
    page.sample_of("_sum", &[], status.ack_total.as_secs_f64());
    page.sample_of("_count", &[], all);
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}
