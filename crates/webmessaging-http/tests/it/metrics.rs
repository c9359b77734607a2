//! Figures: what is counted, and that the reference lists every metric that is exported.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect_file;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use webmessaging_http::observe::MetricsFacade;
use webmessaging_http::transport::Failure;
use webmessaging_http::{BreakerPolicy, ClientBuilder, Metrics, RateLimitPolicy};
use webmessaging_model::{LimitClass, RetryClass};

use crate::logged::run;
use crate::reference::{names, table};
use crate::script::{Call, Step, client_with, done, status, token};

/// A login, a call with two retries behind a breaker that opens, one that waits for the limit, and one that fails.
async fn calls(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) {
    let steps = [
        token("t", 86_400),
        status(503),
        status(503),
        done(),
        done(),
        Step::Fail(Failure::Connect),
        status(404),
    ];
    let (client, _) = client_with(steps, |builder| {
        let rare = RateLimitPolicy::default().requests(4).burst(4).window(Duration::from_secs(10));
        set_up(builder.breaker(BreakerPolicy::default().failures(2)).rate_limit(rare))
    });
    client.send(&Call(RetryClass::Repeatable)).await.unwrap();
    client.send(&Call(RetryClass::Repeatable)).await.unwrap();
    client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
}

#[tokio::test]
async fn everything_is_counted_by_operation() {
    let metrics = Metrics::new();
    calls(|builder| builder.observer(metrics.clone())).await;
    let json = serde_json::to_string_pretty(&metrics.snapshot()).unwrap() + "\n";
    expect_file!["../golden/metrics.json"].assert_eq(&json);
}

#[tokio::test]
async fn one_observer_can_watch_several_clients() {
    let metrics = Metrics::new();
    for _ in 0..2 {
        calls(|builder| builder.observer(metrics.clone())).await;
    }
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.logins, BTreeMap::from([("ok", 2)]));
    assert_eq!(snapshot.operations["things.announce"].calls, BTreeMap::from([("ok", 4)]));
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// A recorder that keeps everything it is given.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    described: BTreeMap<String, (&'static str, Option<Unit>)>,
    seen: BTreeMap<Key, (&'static str, f64)>,
}

impl Kept {
    fn describe(&self, kind: &'static str, name: &KeyName, unit: Option<Unit>) {
        self.0.lock().unwrap().described.insert(name.as_str().to_owned(), (kind, unit));
    }

    fn cell(&self, kind: &'static str, key: &Key) -> Arc<Cell> {
        self.0.lock().unwrap().seen.entry(key.clone()).or_insert((kind, 0.0));
        Arc::new(Cell { kept: self.clone(), key: key.clone() })
    }

    /// Everything that was given, as text.
    pub(crate) fn text(&self) -> String {
        let book = self.0.lock().unwrap();
        format!("{:?} {:?}", book.described, book.seen)
    }

    /// The values of a metric, by their labels.
    fn values(&self, name: &str) -> BTreeMap<String, f64> {
        let book = self.0.lock().unwrap();
        let of = book.seen.iter().filter(|(key, _)| key.name() == name);
        let labels =
            |key: &Key| key.labels().map(|label| label.value().to_owned()).collect::<Vec<_>>().join(" ");
        of.map(|(key, (_, value))| (labels(key), *value)).collect()
    }
}

struct Cell {
    kept: Kept,
    key: Key,
}

impl Cell {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut book = self.kept.0.lock().unwrap();
        let (_, value) = book.seen.get_mut(&self.key).unwrap();
        *value = change(*value);
    }
}

impl CounterFn for Cell {
    fn increment(&self, by: u64) {
        self.change(|value| value + float(by));
    }

    fn absolute(&self, to: u64) {
        self.change(|_| float(to));
    }
}

impl GaugeFn for Cell {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }

    fn set(&self, to: f64) {
        self.change(|_| to);
    }
}

impl HistogramFn for Cell {
    fn record(&self, by: f64) {
        self.change(|value| value + by);
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe("counter", &name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe("gauge", &name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe("histogram", &name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell("counter", key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell("gauge", key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell("histogram", key))
    }
}

#[test]
fn the_reference_lists_every_metric_with_its_labels() {
    let kept = Kept::default();
    metrics::with_local_recorder(&kept, || run(calls(|builder| builder.observer(MetricsFacade::new()))));
    let book = kept.0.lock().unwrap();
    let mut listed = BTreeMap::new();
    for row in table("metric") {
        let (kind, unit) = book.described[row[0]];
        assert_eq!(kind, row[1], "{row:?}");
        let base_unit = match row[3] {
            "seconds" => Unit::Seconds,
            "bytes" => Unit::Bytes,
            _ => Unit::Count,
        };
        assert_eq!(unit, Some(base_unit), "{row:?}");
        // As Prometheus has it: the unit, then `total` of what only grows.
        let unit = format!("_{}", row[3]);
        let has_unit = row[0].trim_end_matches("_total").ends_with(&unit);
        assert_eq!((kind == "counter", has_unit), (row[0].ends_with("_total"), has_unit), "{row:?}");
        listed
            .insert(row[0].to_owned(), names(row[2]).into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
    }
    let labels = |key: &Key| key.labels().map(|label| label.key().to_owned()).collect::<BTreeSet<_>>();
    let seen: BTreeMap<_, _> = book.seen.keys().map(|key| (key.name().to_owned(), labels(key))).collect();
    assert_eq!(seen, listed);
    assert_eq!(book.described.keys().collect::<Vec<_>>(), listed.keys().collect::<Vec<_>>());

    let known: BTreeSet<_> = table("label").iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(known, seen.into_values().flatten().collect());
}

#[test]
fn what_is_exported_is_what_is_counted() {
    let (kept, metrics) = (Kept::default(), Metrics::new());
    metrics::with_local_recorder(&kept, || {
        run(calls(|builder| builder.observer(MetricsFacade::new()).observer(metrics.clone())));
    });
    let exported =
        |name: &str, labels: &str| kept.values(&format!("webmessaging_http_{name}")).remove(labels);
    for (operation, figures) in metrics.snapshot().operations {
        let value = |name| exported(name, operation);
        assert_eq!(value("retries_total"), Some(float(figures.retries)).filter(|_| figures.retries > 0));
        assert_eq!(value("sent_bytes_total"), Some(float(figures.sent_bytes)));
        assert_eq!(value("received_bytes_total"), Some(float(figures.received_bytes)));
        assert_eq!(value("call_duration_seconds"), Some(figures.latency.sum_seconds));
        for (outcome, count) in figures.calls {
            let labels = format!("{operation} {outcome}");
            assert_eq!(exported("calls_total", &labels), Some(float(count)));
        }
        for (cause, waits) in figures.waits {
            let labels = format!("{operation} {cause}");
            assert_eq!(exported("wait_duration_seconds", &labels), Some(waits.sum_seconds));
        }
    }
    assert_eq!(kept.values("webmessaging_http_logins_total"), BTreeMap::from([("ok".to_owned(), 1.0)]));
    let closed = BTreeMap::from([("api.mypurecloud.com".to_owned(), 0.0)]);
    assert_eq!(kept.values("webmessaging_http_breaker_state"), closed);
}

/// The names that the reference promises for `cause` are the ones that there are.
#[test]
fn causes_and_reasons_are_listed() {
    use webmessaging_http::WaitReason::{Probing, Quota, Refused, Shared, Smoothing};
    use webmessaging_http::observe::WaitCause::{self, Limit, Queue, Retry};
    let class = LimitClass::Platform;
    let limits = [Refused, Quota, Shared, Smoothing, Probing].map(|reason| Limit { class, reason });
    let causes: BTreeSet<_> =
        limits.into_iter().chain([Queue { class }, Retry]).map(WaitCause::code).collect();
    let listed = |heading, name| {
        let row = table(heading).into_iter().find(|row| row[0] == name).unwrap();
        row[1].split(['`', ',', ' ']).filter(|word| causes.contains(word)).collect::<BTreeSet<_>>()
    };
    assert_eq!(listed("label", "cause"), causes);
    let reasons = &causes - &BTreeSet::from(["queue", "retry"]);
    assert_eq!(listed("field", "reason"), reasons);
}
