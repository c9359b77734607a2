//! The text format of Prometheus.

use std::fmt::{self, Write};

use super::snapshot::{ActivityMetrics, CapacityMetrics, MetricsSnapshot, float};

/// The figures as text.
pub(super) fn text(snapshot: &MetricsSnapshot) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut text, snapshot);
    text
}

fn write_all(text: &mut String, snapshot: &MetricsSnapshot) -> fmt::Result {
    let name = "webmessaging_events_total";
    head(text, name, "counter", "Events by action, outcome and cause.")?;
    for event in &snapshot.events {
        let cause = event.cause.as_deref().unwrap_or_default();
        let labels = [("action", event.action), ("outcome", event.outcome), ("cause", cause)];
        sample(text, name, &labels, event.count)?;
    }
    latencies(text, snapshot)?;

    let name = "webmessaging_feature_observations_total";
    head(text, name, "counter", "Looks at a feature of a channel, by whether it was there.")?;
    for (feature, counts) in &snapshot.features {
        let there = counts.available;
        let away = counts.total.saturating_sub(there);
        for (available, count) in [("true", there), ("false", away)] {
            sample(text, name, &[("feature", feature), ("available", available)], count)?;
        }
    }
    capacity(text, &snapshot.capacity)
}

fn latencies(text: &mut String, snapshot: &MetricsSnapshot) -> fmt::Result {
    let name = "webmessaging_activity_duration_seconds";
    let help = "How long activities took; quantiles are those of the window, sum and count those since the beginning.";
    head(text, name, "summary", help)?;
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
            let seconds = seconds.unwrap_or(f64::NAN);
            sample(text, name, &[("activity", activity), ("quantile", quantile)], Value(seconds))?;
        }
        sample(text, &format!("{name}_sum"), &[("activity", activity)], Value(latency.sum_seconds))?;
        sample(text, &format!("{name}_count"), &[("activity", activity)], latency.count)?;
    }
    Ok(())
}

fn capacity(text: &mut String, capacity: &CapacityMetrics) -> fmt::Result {
    let name = "webmessaging_stored_files_total";
    head(text, name, "counter", "Files that were stored.")?;
    sample(text, name, &[], capacity.files)?;
    let name = "webmessaging_stored_bytes_total";
    head(text, name, "counter", "Bytes of the files that were stored.")?;
    sample(text, name, &[], capacity.stored_bytes)?;
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
            head(text, name, "gauge", help)?;
            sample(text, name, &[], Value(value))?;
        }
    }
    Ok(())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    let help = help.replace('\\', r"\\").replace('\n', r"\n");
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) -> fmt::Result {
    text.write_str(name)?;
    for (index, (label, value)) in labels.iter().enumerate() {
        let begin = if index == 0 { '{' } else { ',' };
        write!(text, "{begin}{label}=\"{}\"", escaped(value))?;
    }
    if !labels.is_empty() {
        text.write_char('}')?;
    }
    writeln!(text, " {value}")
}

/// Labels are stable names, in which nothing has to be escaped; whatever they become, the text stays well-formed.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

/// A number as the format has it.
struct Value(f64);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            f.write_str("NaN")
        } else if self.0.is_infinite() {
            f.write_str(if self.0 > 0.0 { "+Inf" } else { "-Inf" })
        } else {
            self.0.fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped() {
        let mut text = String::new();
        sample(&mut text, "a_total", &[("b", "\"\\\n"), ("c", "d")], 1).unwrap();
        head(&mut text, "a", "gauge", "one\\two\nthree").unwrap();
        assert_eq!(
            text,
            "a_total{b=\"\\\"\\\\\\n\",c=\"d\"} 1\n# HELP a one\\\\two\\nthree\n# TYPE a gauge\n"
        );
    }

    #[test]
    fn numbers_that_are_none_have_their_names() {
        let shown =
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.25, 3.0].map(|value| Value(value).to_string());
        assert_eq!(shown, ["NaN", "+Inf", "-Inf", "0.25", "3"]);
    }
}
