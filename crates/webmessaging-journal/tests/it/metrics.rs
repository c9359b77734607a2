//! Metrics of events: what is counted, what is told, and that labels have an end.

use std::collections::BTreeMap;
use std::time::Duration;

use webmessaging_journal::kind::*;
use webmessaging_journal::metrics::{Metrics, MetricsPolicy};
use webmessaging_journal::{Facts, Journal};
use webmessaging_model::ScanVerdict;

use crate::samples::{event, every_kind, facts};

async fn metrics(kinds: Vec<EventKind>) -> Metrics {
    let metrics = Metrics::with(MetricsPolicy::default().quota_bytes(1_000_000));
    let journal = Journal::builder().durable("metrics", metrics.clone()).build().unwrap();
    for (number, kind) in (0..).zip(kinds) {
        let facts = Facts::new().latency(Duration::from_millis(100 * (number + 1)));
        journal.append(event(number, kind).facts(facts)).await.unwrap();
    }
    metrics
}

#[tokio::test]
async fn successes_failures_and_blocks_are_rates_by_activity() {
    let snapshot = metrics(vec![
        BotMessageSent::new("c1").into(),
        BotMessageSent::new("c2").into(),
        BotMessageFailed::new("c1", "rate_limited").into(),
        BotMessageFailed::new("c1", "timeout").into(),
        FileScanned::new("f1", ScanVerdict::Malicious).into(),
        FileScanned::new("f2", ScanVerdict::Pending).into(),
    ])
    .await
    .snapshot();

    let sends = &snapshot.activities["bot_message.send"];
    assert_eq!((sends.total, sends.successes, sends.success_rate), (4, 2, Some(0.5)));
    assert_eq!(sends.failures, BTreeMap::from([("rate_limited".to_owned(), 1), ("timeout".to_owned(), 1)]));
    let latency = &sends.latency;
    assert_eq!((latency.count, latency.recent_count, latency.sum_seconds), (4, 4, 1.0));
    let near =
        |told: Option<f64>, real: f64| assert!((told.unwrap() - real).abs() <= real / 100.0, "{told:?}");
    near(latency.mean_seconds, 0.25);
    near(latency.p50_seconds, 0.2);
    near(latency.max_seconds, 0.4);

    // A scan without a verdict is neither for nor against.
    let scans = &snapshot.activities["file.scanned"];
    assert_eq!((scans.total, scans.success_rate, scans.blocks["malicious"]), (1, Some(0.0), 1));
    let counts: Vec<_> = snapshot
        .events
        .iter()
        .map(|event| (event.action, event.outcome, event.cause.as_deref(), event.count))
        .collect();
    assert_eq!(
        counts,
        [
            ("bot_message.failed", "failure", Some("rate_limited"), 1),
            ("bot_message.failed", "failure", Some("timeout"), 1),
            ("bot_message.sent", "success", None, 2),
            ("file.scanned", "blocked", Some("malicious"), 1),
            ("file.scanned", "unknown", None, 1),
        ]
    );
}

#[tokio::test]
async fn features_are_counted_by_availability() {
    let features = |rich, browsing| {
        BTreeMap::from([("rich-media".to_owned(), rich), ("co-browsing".to_owned(), browsing)])
    };
    let metrics = metrics(vec![
        ChannelUpdated::new("ch1", Vec::new()).features(features(true, false)).into(),
        ChannelUpdated::new("ch2", Vec::new()).features(features(true, true)).into(),
    ])
    .await;
    metrics.feature("rich-media", false);
    let snapshot = metrics.snapshot();
    let rich = &snapshot.features["rich-media"];
    assert_eq!((rich.total, rich.available), (3, 2));
    assert_eq!(snapshot.features["co-browsing"].rate, Some(0.5));
}

#[tokio::test]
async fn labels_hold_no_ids_and_have_an_end() {
    let mut kinds = every_kind();
    for number in 0..1_000 {
        kinds.push(
            OperationFailed::new(
                format!("op{number}"),
                "guest",
                format!("id{number}"),
                format!("cause-{number}"),
            )
            .into(),
        );
    }
    let metrics = metrics(kinds).await;
    for number in 0..1_000 {
        metrics.feature(&format!("feature-{number}"), true);
    }
    metrics.feature("jane@example.com", true);
    let snapshot = metrics.snapshot();
    assert!(snapshot.events.len() <= EventKind::ACTIONS.len() + 64, "{}", snapshot.events.len());
    assert_eq!(snapshot.features.len(), 65);
    let text = format!("{}{}", metrics.prometheus(), serde_json::to_string(&snapshot).unwrap());
    for hidden in ["jane", "id7", "op7", "ch1", "f1\"", "a.pdf", "bucket.example"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}

/// Every line has the form that the format asks for, every sample belongs to the family above it.
#[tokio::test]
async fn the_text_is_well_formed() {
    let mut kinds = every_kind();
    kinds.push(BotMessageFailed::new("c1", "rate_limited").into());
    let text = metrics(kinds).await.prometheus();
    let (mut family, mut kind, mut seen) = ("", "", Vec::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap();
            assert!(help.len() > family.len() + 1 && !seen.contains(&family), "{line}");
            seen.push(family);
        } else if let Some(told) = line.strip_prefix("# TYPE ") {
            let (name, told) = told.split_once(' ').unwrap();
            assert_eq!(name, family);
            kind = told;
            assert_eq!(kind == "counter", family.ends_with("_total"), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value == "NaN" || value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
            let of_summary = ["_sum", "_count"].map(|suffix| format!("{family}{suffix}"));
            assert!(name == family || kind == "summary" && of_summary.iter().any(|of| of == name), "{line}");
            let labels = labels.strip_suffix('}').unwrap();
            for label in labels.split(',').filter(|label| !label.is_empty()) {
                let (name, value) = label.split_once('=').unwrap();
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{line}");
                assert!(value.starts_with('"') && value.ends_with('"') && value.len() >= 2, "{line}");
            }
        }
    }
    for line in [
        r#"webmessaging_events_total{action="bot_message.failed",outcome="failure",cause="rate_limited"} 2"#,
        r#"webmessaging_feature_observations_total{feature="rich-media",available="true"} 1"#,
        r#"webmessaging_activity_duration_seconds_count{activity="bot_message.send"} 3"#,
        "webmessaging_stored_bytes_total 20",
        "webmessaging_storage_quota_bytes 1000000",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
}

/// What this version does not know is counted under one name.
#[tokio::test]
async fn unknown_kinds_share_a_name() {
    let json = serde_json::to_string(&event(0, BotMessageSent::new("c1")).facts(facts())).unwrap();
    let metrics = Metrics::new();
    let journal = Journal::builder().durable("metrics", metrics.clone()).build().unwrap();
    for number in 0..100 {
        let newer = json.replace("bot_message.sent", &format!("newer.kind_{number}"));
        journal.append(serde_json::from_str(&newer).unwrap()).await.unwrap();
    }
    let snapshot = metrics.snapshot();
    assert_eq!(
        (snapshot.events.len(), snapshot.events[0].action, snapshot.events[0].count),
        (1, "unknown", 100)
    );
    assert_eq!(
        (snapshot.activities["unknown"].total, snapshot.activities["unknown"].success_rate),
        (0, None)
    );
}
