//! What operators and their monitors ask: is it alive, can it take deliveries, how does it go.

use std::fmt::Write;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
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
    let mut response = Response::new(Body::from(text(&receiver.status(), inbox.as_ref())));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The figures as Prometheus reads them.
fn text(status: &ReceiverStatus, inbox: Option<&InboxStats>) -> String {
    let mut page = Page::default();
    page.family("webmessaging_webhook_deliveries_total", "counter", "Deliveries by what they were answered.");
    page.sample("{answer=\"accepted\"}", status.accepted);
    page.sample("{answer=\"duplicate\"}", status.duplicates);
    page.sample("{answer=\"turned_away\"}", status.turned_away);
    for (code, count) in &status.refused {
        page.sample(&format!("{{answer=\"{code}\"}}"), *count);
    }
    page.family("webmessaging_webhook_deliveries_under_way", "gauge", "Deliveries being read and stored.");
    page.sample("", status.under_way);
    page.family("webmessaging_webhook_work_total", "counter", "Deliveries by what their work came to.");
    page.sample("{outcome=\"handled\"}", status.handled);
    page.sample("{outcome=\"retried\"}", status.retried);
    page.sample("{outcome=\"buried\"}", status.buried);
    page.family(
        "webmessaging_webhook_secret_last_used_timestamp_seconds",
        "gauge",
        "When a secret last signed a delivery.",
    );
    for secret in &status.secrets {
        if let Some(at) = secret.last_used_at {
            let label = escaped(&secret.label);
            page.sample(&format!("{{label=\"{label}\"}}"), at.unix_millis() / 1_000);
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
            page.sample(&format!("{{state=\"{state}\"}}"), count);
        }
    }
    page.text
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
        page.sample(&format!("_bucket{{le=\"{}\"}}", seconds(*millis)), below);
    }
    let all: u64 = status.ack_buckets.iter().sum();
    page.sample("_bucket{le=\"+Inf\"}", all);
    page.sample("_sum", status.ack_total.as_secs_f64());
    page.sample("_count", all);
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

fn escaped(label: &str) -> String {
    label.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }
}
