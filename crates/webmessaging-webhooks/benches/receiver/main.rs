//! What the durable receiver takes: deliveries a second and the time to an answer, beside a bare server that does the least
//! that is as durable.
//!
//! Both verify an HMAC and answer after a commit with `synchronous=FULL` that waiting deliveries share. The bare one keeps one
//! key and the body in one table; the receiver parses the event, looks for two keys, and keeps it as work to be done. The load
//! comes from a thread of its own over loopback, with deliveries that were signed before. A second table is beside Express, where it
//! is installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

mod bare;
mod express;
mod load;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use webmessaging_store::{SqliteOptions, SqliteStore};
use webmessaging_webhooks::receiver::Receiver;
use webmessaging_webhooks::{Secret, Verifier};

use self::bare::start_bare;
use self::express::{Express, HOW_TO};
use self::load::{load, requests};

const DELIVERIES: usize = 60_000;
const ROUNDS: usize = 5;
const CONNECTIONS: [usize; 3] = [16, 64, 256];

const SECRET: &str = "a secret of sufficient length";

fn secret() -> Secret {
    Secret::new("bench", SECRET).unwrap()
}

/// A server on a thread of its own.
fn start(serve: impl AsyncFnOnce(TcpListener) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { serve(listener).await });
    });
    address
}

/// What it takes, not what it does with it: the work is another's, and begins when the answer is given.
fn start_ours(folder: &std::path::Path) -> SocketAddr {
    let path = folder.join("ours.db");
    start(async move |listener: TcpListener| {
        let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
        let receiver = Receiver::builder(Arc::new(store), Verifier::new(secret())).build();
        serve(listener, receiver.router()).await;
    })
}

async fn serve(listener: TcpListener, router: Router) {
    listener.set_nonblocking(true).unwrap();
    axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The time that so many of a hundred answers did not take longer than.
fn percentile(times: &mut [Duration], of_a_hundred: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * of_a_hundred / 100]
}

fn main() {
    beside_the_bare_one();
    println!();
    beside_express();
}

fn beside_the_bare_one() {
    println!(
        "| connections | receiver, deliveries/s | bare, deliveries/s | ratio | receiver p50 | receiver p99 | bare p99 | receiver p99 at 80 % |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let folder = tempfile::tempdir().unwrap();
            let (bare, receiver) = (start_bare(folder.path()), start_ours(folder.path()));
            let (their_wall, times) = load(bare, connections, requests(DELIVERIES), None);
            their_times.extend(times);
            let (our_wall, times) = load(receiver, connections, requests(DELIVERIES), None);
            our_times.extend(times);
            ours.push(DELIVERIES as f64 / our_wall.as_secs_f64());
            theirs.push(DELIVERIES as f64 / their_wall.as_secs_f64());
            ratios.push(their_wall.as_secs_f64() / our_wall.as_secs_f64());
        }
        let rate = median(ours);
        let folder = tempfile::tempdir().unwrap();
        let every = Duration::from_secs_f64(1.0 / (rate * 0.8));
        let (_, mut calm) = load(start_ours(folder.path()), connections, requests(DELIVERIES), Some(every));
        println!(
            "| {connections} | {:.0} | {:.0} | {:.2} | {:.2?} | {:.2?} | {:.2?} | {:.2?} |",
            rate,
            median(theirs),
            median(ratios),
            percentile(&mut our_times, 50),
            percentile(&mut our_times, 99),
            percentile(&mut their_times, 99),
            percentile(&mut calm, 99),
        );
    }
}

/// At 64 connections, in turns.
fn beside_express() {
    const CONNECTIONS: usize = 64;
    if Express::in_memory().is_none() {
        println!("Express is not installed: `{HOW_TO}`.");
        return;
    }
    let (mut ours, mut in_memory, mut durable) = (Vec::new(), Vec::new(), Vec::new());
    let rate = |address, count: usize| {
        let (wall, _) = load(address, CONNECTIONS, requests(count), None);
        count as f64 / wall.as_secs_f64()
    };
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        // It takes its time: fewer deliveries, of which the first ones are to warm it up.
        for (express, rates, count) in [
            (Express::in_memory().unwrap(), &mut in_memory, DELIVERIES / 3),
            (Express::durable(folder.path()).unwrap(), &mut durable, DELIVERIES / 6),
        ] {
            rate(express.address, DELIVERIES / 30);
            rates.push(rate(express.address, count));
        }
        ours.push(rate(start_ours(folder.path()), DELIVERIES));
    }
    let ratio =
        |theirs: &[f64]| median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect());
    let (to_memory, to_durable) = (ratio(&in_memory), ratio(&durable));
    println!("| 64 connections | deliveries/s | the receiver takes so many times as much |");
    println!("|---|---|---|");
    println!("| receiver | {:.0} | |", median(ours));
    println!("| Express, no signature, ids in a set | {:.0} | {to_memory:.1} |", median(in_memory));
    println!(
        "| Express, signature, better-sqlite3 with `synchronous=FULL` | {:.0} | {to_durable:.1} |",
        median(durable)
    );
}
