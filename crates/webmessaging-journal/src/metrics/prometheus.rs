//! The figures as Prometheus reads them.

use super::snapshot::{ActivityMetrics, CapacityMetrics, MetricsSnapshot, float};
use crate::prometheus::Page;

/// The figures as text.
pub(super) fn text(snapshot: &MetricsSnapshot) -> String {
    let mut page = Page::new();
    page.family("webmessaging_events_total", "counter", "Events by action, outcome and cause.");
    for event in &snapshot.events {
        let cause = event.cause.as_deref().unwrap_or_default();
        page.sample(&[("action", event.action), ("outcome", event.outcome), ("cause", cause)], event.count);
    }
    latencies(&mut page, snapshot);

    let help = "Looks at a feature of a channel, by whether it was there.";
    page.family("webmessaging_feature_observations_total", "counter", help);
    for (feature, counts) in &snapshot.features {
        let there = counts.available;
        let away = counts.total.saturating_sub(there);
        for (available, count) in [("true", there), ("false", away)] {
            page.sample(&[("feature", feature), ("available", available)], count);
        }
    }
    capacity(&mut page, &snapshot.capacity);
    page.into_text()
}

fn latencies(page: &mut Page, snapshot: &MetricsSnapshot) {
    let help = "How long activities took; quantiles are those of the window, sum and count those since the beginning.";
    page.family("webmessaging_activity_duration_seconds", "summary", help);
    let with_latency = |(_, activity): &(&&str, &ActivityMetrics)| activity.latency.count > 0;
    for (activity, ActivityMetrics { latency, .. }) in snapshot.activities.iter().filter(with_latency) {
        let quantiles = [
            ("0.5", latency.p50_seconds),
            ("0.9", latency.p90_seconds),
            ("0.99", latency.p99_seconds),
            ("1", latency.max_seconds),
        ];
        for (quantile, seconds) in quantiles {
            // Nothing in the window: that is what this value says.
            page.sample(&[("activity", activity), ("quantile", quantile)], seconds.unwrap_or(f64::NAN));
        }
        page.sample_of("_sum", &[("activity", activity)], latency.sum_seconds);
        page.sample_of("_count", &[("activity", activity)], latency.count);
    }
}

fn capacity(page: &mut Page, capacity: &CapacityMetrics) {
    page.family("webmessaging_stored_files_total", "counter", "Files that were stored.");
    page.sample(&[], capacity.files);
    page.family("webmessaging_stored_bytes_total", "counter", "Bytes of the files that were stored.");
    page.sample(&[], capacity.stored_bytes);
    let gauges = [
        ("webmessaging_storage_used_bytes", "Bytes in use.", Some(float(capacity.used_bytes))),
        ("webmessaging_storage_quota_bytes", "Bytes there is room for.", capacity.quota_bytes.map(float)),
        (
            "webmessaging_storage_until_full_seconds",
            "Time until there is no more room, if it goes on as in the last days.",
            capacity.days_until_full.map(|days| days * 86_400.0),
        ),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            page.family(name, "gauge", help);
            page.sample(&[], value);
        }
    }
}
