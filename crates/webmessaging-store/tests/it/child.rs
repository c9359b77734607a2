//! Processes beside the test: the test binary itself, started again with orders in its environment.

use std::io::{BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use webmessaging_store::{
    Accepted, Effects, Error, NewItem, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store,
};

use crate::suite::{LEASE, at, delivery};

const ORDERS: &str = "STORE_CHILD";
const PLACE: &str = "STORE_CHILD_PLACE";
const ROUND: &str = "STORE_CHILD_ROUND";

/// What a child does with the store it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orders {
    /// Works for ever and says what was acknowledged, one line each.
    Work,
    /// Opens the store and says how that went.
    Open,
    /// Accepts many deliveries and says by how many KiB it has grown.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "memory is measured on Linux"))]
    Flood,
    /// Accepts deliveries from a number on, many at once, and says after each group up to where.
    Accept,
}

/// A command that starts this binary as a child.
pub(crate) fn command(program: &std::path::Path, orders: Orders, place: &str, round: i64) -> Command {
    let mut command = Command::new(program);
    command
        .args(["child::a_child_does_as_it_is_told", "--exact", "--nocapture"])
        .env(ORDERS, format!("{orders:?}"))
        .env(PLACE, place)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// A worker, and what it says.
pub(crate) fn worker(place: &str, round: i64) -> (Child, BufReader<ChildStdout>) {
    start(Orders::Work, place, round)
}

/// A child, and what it says.
pub(crate) fn start(orders: Orders, place: &str, round: i64) -> (Child, BufReader<ChildStdout>) {
    let program = std::env::current_exe().unwrap();
    let mut child = command(&program, orders, place, round).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// Not a test when nobody has started it as a child.
#[test]
fn a_child_does_as_it_is_told() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let place = std::env::var(PLACE).unwrap();
    let round: i64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&place).await;
        if orders == "Open" {
            say(&format!("opened {:?}", store.map(|_| ()).map_err(|error| error.kind())));
            return;
        }
        let store = store.unwrap();
        if orders == "Flood" {
            flood(&*store).await;
            return;
        }
        if orders == "Accept" {
            for group in 0.. {
                let first = round + group * GROUP;
                accept_group(&*store, first).await;
                say(&format!("accepted {}", first + GROUP));
            }
        }
        work(store, round).await;
    });
}

/// So many deliveries are accepted at once.
pub(crate) const GROUP: i64 = 128;

/// How many of a group were new.
pub(crate) async fn accept_group(store: &dyn Store, first: i64) -> usize {
    let calls = (first..first + GROUP).map(|number| store.accept(delivery(number)));
    let answers = futures_util::future::join_all(calls).await;
    answers.into_iter().filter(|answer| matches!(answer.as_ref().unwrap(), Accepted::New(_))).count()
}

async fn flood(store: &dyn Store) {
    // What is needed once is not what grows.
    accept_many(store, 0, 1_000).await;
    let before = resident_kib();
    accept_many(store, 1_000, 21_000).await;
    say(&format!("grew {}", resident_kib().saturating_sub(before)));
}

async fn accept_many(store: &dyn Store, first: i64, end: i64) {
    for group in (first..end).step_by(100) {
        let calls = (group..group + 100).map(|number| store.accept(delivery(number).body(vec![7; 4_000])));
        for answer in futures_util::future::join_all(calls).await {
            answer.unwrap();
        }
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

async fn open(place: &str) -> Result<Arc<dyn Store>, Error> {
    if place.starts_with("postgresql:") {
        return Ok(Arc::new(PostgresStore::open(PostgresOptions::new(place).callers_clock()).await?));
    }
    Ok(Arc::new(SqliteStore::open(SqliteOptions::new(place)).await?))
}

/// Whole lines: a line that is cut off was not said.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: then the end is near.
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

/// Time goes on from round to round, so that the claims of the one before have run out.
pub(crate) fn round_begins(round: i64) -> i64 {
    10_000_000 + round * 1_000
}

async fn work(store: Arc<dyn Store>, round: i64) {
    let now = round_begins(round);
    let mut tasks = Vec::new();
    for task in 0..4_i64 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            for index in 0..100_000_i64 {
                let number = round * 1_000_000 + task * 100_000 + index;
                let mut delivery = delivery(number);
                delivery.received_at = at(now);
                match store.accept(delivery).await {
                    // Or known: its own answer was lost, and it was accepted all the same.
                    Ok(_) => say(&format!("accepted {number}")),
                    Err(_) => return,
                }
            }
        }));
    }
    let finisher = Arc::clone(&store);
    tasks.push(tokio::spawn(async move {
        while let Ok(claimed) = finisher.claim_deliveries("finisher", 10, LEASE, at(now)).await {
            for claimed in claimed {
                let key = &claimed.content_key;
                let item =
                    NewItem::new("crm", key.clone(), "kind", at(now)).lane(format!("lane-{}", key.len()));
                let effects = Effects::none().enqueue(item);
                if finisher.finish_delivery(&claimed.claim, effects, at(now)).await.is_err() {
                    return;
                }
                say(&format!("finished {key}"));
            }
            tokio::task::yield_now().await;
        }
    }));
    tasks.push(tokio::spawn(async move {
        while let Ok(items) = store.claim_items("crm", "deliverer", 3, LEASE, at(now)).await {
            for item in items {
                match store.mark_delivered(&[item.claim], at(now)).await {
                    Ok(lost) if lost.is_empty() => say(&format!("delivered {}", item.idempotency_key)),
                    _ => return,
                }
            }
            tokio::task::yield_now().await;
        }
    }));
    for task in tasks {
        task.await.unwrap();
    }
}
