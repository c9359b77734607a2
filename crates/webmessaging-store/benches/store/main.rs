//! The store beside a bare loop: how much of what the disk allows reaches the callers, and how much memory a million takes.
//!
//! The bare loop is a thread with a statement, a channel in front of it, and as many rows in a commit as wait for one: no keys
//! looked up, no savepoints, no rules, no types.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, prints what it found, and measures time"
)]

#[path = "../../tests/it/server.rs"]
#[expect(dead_code, reason = "shared with the tests, which crash it as well")]
mod server;

mod bare;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use webmessaging_model::Timestamp;
use webmessaging_store::{
    Accepted, Effects, Inbox, NewDelivery, NewItem, PostgresOptions, PostgresStore, SqliteOptions,
    SqliteStore, Store,
};

use crate::bare::{Bare, Keys};

const BODY: usize = 600;
const ROUNDS: usize = 5;
const LEASE: Duration = Duration::from_secs(60);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_764_000_000_000 + i64::try_from(millis).unwrap())
}

/// A key that looks like a digest: in no order.
fn key(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}{:016x}{mixed:016x}{number:016x}", mixed.rotate_left(32))
}

fn delivery(number: u64, body: &Bytes) -> NewDelivery {
    NewDelivery::new("genesys", key(number), "file.upload.completed", at(number))
        .delivery_id(format!("d-{number:012}"))
        .body(body.clone())
}

/// So many callers, each with one call at a time, for so many calls in all; calls per second and the 99th percentile.
async fn drive<F>(callers: u64, calls: u64, call: impl Fn(u64) -> F) -> (f64, Duration)
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let each = calls / callers;
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let work: Vec<_> = (0..each).map(|index| call(caller * each + index)).collect();
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(work.len());
                for call in work {
                    let begun = Instant::now();
                    call.await;
                    latencies.push(begun.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (rate, latencies[latencies.len() * 99 / 100])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The first free number: what was accepted once is not new again.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

async fn accept(store: &Arc<SqliteStore>, callers: u64, calls: u64, body: &Bytes) -> (f64, Duration) {
    let first = NUMBERS.fetch_add(calls, Ordering::Relaxed);
    drive(callers, calls, |index| {
        let (store, delivery) = (Arc::clone(store), delivery(first + index, body));
        async move { assert!(matches!(store.accept(delivery).await.unwrap(), Accepted::New(_))) }
    })
    .await
}

async fn loop_of(bare: &Arc<Bare>, callers: u64, calls: u64, body: &Bytes) -> f64 {
    let first = NUMBERS.fetch_add(calls, Ordering::Relaxed);
    let (rate, _) = drive(callers, calls, |index| {
        let (bare, delivery) = (Arc::clone(bare), delivery(first + index, body));
        async move { bare.insert(delivery).await }
    })
    .await;
    rate
}

async fn accepting() {
    println!("| callers | accepted/s | p99 | bare loop, same keys | of it | bare loop, one key | of it |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    let body = Bytes::from(vec![b'x'; BODY]);
    for (callers, calls) in [(1, 1_000), (16, 8_000), (64, 16_000), (256, 16_000)] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let store = SqliteStore::open(SqliteOptions::new(path("store.db"))).await.unwrap();
        let store = Arc::new(store);
        let two = Arc::new(Bare::open(&path("two.db"), Keys::Two));
        let one = Arc::new(Bare::open(&path("one.db"), Keys::One));
        let (mut rates, mut p99, mut of_two, mut of_one) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut twos, mut ones) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            // In turn, so that what else the machine does meets all three.
            let (rate, slow) = accept(&store, callers, calls, &body).await;
            let two = loop_of(&two, callers, calls, &body).await;
            let one = loop_of(&one, callers, calls, &body).await;
            of_two.push(rate / two);
            of_one.push(rate / one);
            rates.push(rate);
            p99.push(slow.as_secs_f64() * 1_000.0);
            twos.push(two);
            ones.push(one);
        }
        println!(
            "| {callers} | {:.0} | {:.1} ms | {:.0} | {:.2} | {:.0} | {:.2} |",
            median(rates),
            median(p99),
            median(twos),
            median(of_two),
            median(ones),
            median(of_one),
        );
    }
}

/// From the delivery to what follows from it, delivered in turn: every step of a gateway that has to be durable.
async fn whole_way(store: &dyn Store, deliveries: u64) -> [f64; 3] {
    let body = Bytes::from(vec![b'x'; BODY]);
    let first = NUMBERS.fetch_add(deliveries, Ordering::Relaxed);
    let begun = Instant::now();
    let accepts = (0..deliveries).map(|number| store.accept(delivery(first + number, &body)));
    futures_util::future::join_all(accepts).await.into_iter().for_each(|answer| {
        answer.unwrap();
    });
    let accepted = begun.elapsed();
    let now = at(first + deliveries);
    let begun = Instant::now();
    loop {
        let claimed = store.claim_deliveries("bench", 100, LEASE, now).await.unwrap();
        if claimed.is_empty() {
            break;
        }
        let finishes = claimed.iter().map(|claimed| {
            let item = NewItem::new("crm", claimed.content_key.clone(), "kind", now).payload(body.clone());
            let item = item.lane(format!("lane-{}", claimed.claim.id().get() % 50));
            store.finish_delivery(&claimed.claim, Effects::none().enqueue(item), now)
        });
        for finished in futures_util::future::join_all(finishes).await {
            finished.unwrap();
        }
    }
    let finished = begun.elapsed();
    let begun = Instant::now();
    loop {
        let items = store.claim_items("crm", "bench", 100, LEASE, now).await.unwrap();
        if items.is_empty() {
            break;
        }
        let claims: Vec<_> = items.into_iter().map(|item| item.claim).collect();
        assert_eq!(store.mark_delivered(&claims, now).await.unwrap(), []);
    }
    [accepted, finished, begun.elapsed()].map(|time| deliveries as f64 / time.as_secs_f64())
}

fn whole_way_row(name: &str, [accepted, finished, delivered]: [f64; 3]) {
    println!("| {name} | {accepted:.0} | {finished:.0} | {delivered:.0} |");
}

async fn engines() {
    println!("| engine | accepted/s | claimed and finished with one item/s | delivered in 50 lanes/s |");
    println!("|---|---:|---:|---:|");
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).await.unwrap();
    whole_way_row("SQLite", whole_way(&store, 10_000).await);
    let Some(server) = server::Server::start("-c shared_buffers=256MB") else { return };
    let options = PostgresOptions::new(server.database().await).connections(16);
    let store = PostgresStore::open(options).await.unwrap();
    whole_way_row("PostgreSQL, 16 connections", whole_way(&store, 4_000).await);
}

/// Resident memory of this process in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1_024.0
}

async fn memory() {
    println!("| deliveries accepted, finished | MiB resident | accepted/s |");
    println!("|---:|---:|---:|");
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).await.unwrap();
    let store = Arc::new(store);
    let body = Bytes::from(vec![b'x'; BODY]);
    let million: u64 = std::env::var("DELIVERIES").map_or(1_000_000, |count| count.parse().unwrap());
    let step = million / 50;
    for done in 1..=50 {
        let (rate, _) = accept(&store, 64, step, &body).await;
        let now = at(NUMBERS.load(Ordering::Relaxed));
        loop {
            let claimed = store.claim_deliveries("bench", 500, LEASE, now).await.unwrap();
            if claimed.is_empty() {
                break;
            }
            let finishes =
                claimed.iter().map(|claimed| store.finish_delivery(&claimed.claim, Effects::none(), now));
            futures_util::future::join_all(finishes).await.into_iter().for_each(|answer| answer.unwrap());
        }
        if [1, 10, 25, 50].contains(&done) {
            println!("| {} | {:.0} | {rate:.0} |", done * step, resident());
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // First, so that nothing else is in the memory.
    println!("Memory of the process:");
    println!();
    memory().await;
    println!();
    println!(
        "Deliveries of {BODY} bytes into SQLite, flushed before they are answered (median of {ROUNDS}):"
    );
    println!();
    accepting().await;
    println!();
    println!("The whole way:");
    println!();
    engines().await;
}
