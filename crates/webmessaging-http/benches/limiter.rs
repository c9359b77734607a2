//! The rate limiter beside other strategies, on a model of the server: more load than the quota, with paused time, so
//! that twenty minutes of theirs take a second or two and the machine does not matter.
//!
//! The same model and the bounds on it are in `tests/it/limits.rs` and `tests/it/breaker.rs`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that fails says so, and prints what it found"
)]

#[path = "../tests/it/outage.rs"]
mod outage;
#[path = "../tests/it/quota.rs"]
mod quota;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::{Request, StatusCode};
use webmessaging_http::clock::{Clock, TokioClock};
use webmessaging_http::{Body, RateLimitPolicy, Timeouts, Transport};

use crate::outage::Outage;
use crate::quota::{Line, Load, Outcome, QUOTA, WINDOW, Window, drive, run};

const CALL: Duration = Duration::from_secs(600);

/// Sends until it is let in: three more times after one, two and four seconds, then the request is lost.
async fn naive(line: &Line) -> bool {
    for pause in [1, 2, 4, 0] {
        let answer = line.send(Request::new(Body::from(Bytes::new()))).await.unwrap();
        if answer.status() != StatusCode::TOO_MANY_REQUESTS {
            return true;
        }
        if pause > 0 {
            TokioClock.sleep(Duration::from_secs(pause)).await;
        }
    }
    false
}

struct Now;

impl governor::clock::Clock for Now {
    type Instant = Instant;

    fn now(&self) -> Instant {
        TokioClock.now()
    }
}

type Cell = RateLimiter<NotKeyed, InMemoryState, Now, NoOpMiddleware<Instant>>;

/// A governor cell in front of the naive loop, with this burst.
async fn celled(line: &Line, cell: &Cell) -> bool {
    while let Err(not_until) = cell.check() {
        TokioClock.sleep(not_until.wait_time_from(TokioClock.now())).await;
    }
    naive(line).await
}

async fn with_cell(load: Load, burst: u32) -> Outcome {
    drive(load, |line| {
        let quota = Quota::with_period(WINDOW / u32::try_from(QUOTA).unwrap()).unwrap();
        let cell: Cell = RateLimiter::direct_with_clock(quota.allow_burst(burst.try_into().unwrap()), Now);
        let shared = Arc::new((line, cell));
        move || {
            let shared = Arc::clone(&shared);
            async move { celled(&shared.0, &shared.1).await }
        }
    })
    .await
}

async fn without_limits(load: Load) -> Outcome {
    drive(load, |line| {
        let line = Arc::new(line);
        move || {
            let line = Arc::clone(&line);
            async move { naive(&line).await }
        }
    })
    .await
}

fn row(name: &str, load: Load, outcome: &Outcome) {
    let all_there = load.stagger * u32::try_from(load.processes - 1).unwrap() + WINDOW;
    println!(
        "| {name} | {} | {} | {:.1} % | {:.2} % | {} | {:.2} | {} |",
        load.processes,
        match load.window {
            Window::Fixed => "ends",
            Window::Sliding => "slides",
        },
        outcome.used(all_there) * 100.0,
        outcome.refused_share() * 100.0,
        outcome.refused.iter().filter(|at| **at >= WINDOW).count(),
        outcome.least(load.processes, all_there),
        outcome.lost,
    );
}

async fn table() {
    println!(
        "| strategy | processes | window | quota used | answered 429 | of these after the first window | least share | calls lost |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|");
    for processes in [1, 4] {
        for window in [Window::Fixed, Window::Sliding] {
            let load = Load::new(window, processes);
            row("naive retry", load, &without_limits(load).await);
            row("governor, burst of the quota", load, &with_cell(load, 300).await);
            row("governor, burst of 10", load, &with_cell(load, 10).await);
            row("this limiter", load, &run(load, |builder| builder).await);
        }
    }
    println!();
    println!("This limiter under other conditions:");
    println!();
    println!(
        "| condition | processes | window | quota used | answered 429 | of these after the first window | least share | calls lost |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|");
    let patient =
        |builder: webmessaging_http::ClientBuilder| builder.timeouts(Timeouts::default().call(CALL));
    for window in [Window::Fixed, Window::Sliding] {
        let four = Load::new(window, 4);
        for (name, load) in [
            ("64 callers each", Load { callers: 64, ..four }),
            ("answers after up to 3 s", Load { latency: Duration::from_secs(3), ..four }),
            ("one more every 90 s", Load { stagger: Duration::from_secs(90), windows: 30, ..four }),
            ("eight processes", Load::new(window, 8)),
            ("no counts in the headers", Load { tells_counts: false, ..four }),
        ] {
            row(name, load, &run(load, patient).await);
        }
        let whole =
            run(four, |builder| patient(builder).rate_limit(RateLimitPolicy::default().burst(300))).await;
        row("burst of the whole quota", four, &whole);
    }
    println!();
    println!("A server that is down for a minute, 64 callers that do not stop asking:");
    println!();
    println!("| outage | requests without budget and breaker | with both | ratio |");
    println!("|---|---:|---:|---:|");
    for outage in Outage::ALL {
        let (theirs, ours) = (
            outage::requests(outage, outage::unbudgeted).await,
            outage::requests(outage, |builder| builder).await,
        );
        let name = match outage {
            Outage::Unavailable => "answers 503",
            Outage::NoConnection => "takes no connection",
        };
        println!("| {name} | {theirs} | {ours} | {:.2} % |", ours as f64 * 100.0 / theirs as f64);
    }
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(table());
}
