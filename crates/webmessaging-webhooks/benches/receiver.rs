//! What the durable receiver takes: deliveries a second and the time to an answer, beside a bare server that does the least
//! that is as durable.
//!
//! Both verify an HMAC and answer after a commit with `synchronous=FULL` that waiting deliveries share. The bare one keeps one
//! key and the body in one table; the receiver parses the event, looks for two keys, and keeps it as work to be done. The load
//! comes from a thread of its own over loopback, with deliveries that were signed before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use webmessaging_journal::clock::{Clock, SystemClock};
use webmessaging_model::Timestamp;
use webmessaging_store::{SqliteOptions, SqliteStore};
use webmessaging_webhooks::receiver::Receiver;
use webmessaging_webhooks::{Secret, Signer, Verifier};

const DELIVERIES: usize = 60_000;
const ROUNDS: usize = 5;
const CONNECTIONS: [usize; 3] = [16, 64, 256];

fn secret() -> Secret {
    Secret::new("bench", "a secret of sufficient length").unwrap()
}

/// Deliveries of about 600 bytes, each of its own, ready to be sent.
fn requests(count: usize) -> Vec<Vec<u8>> {
    let signer = Signer::new(secret());
    let note = "x".repeat(270);
    (0..count)
        .map(|_| {
            // Ids as the platform has them: in no order.
            let (event, file) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
            let body = format!(
                r#"{{"eventType":"genesys.cloud.messaging.file.upload.completed","eventId":"{event}","timestamp":"2026-11-25T08:30:00.000Z","data":{{"fileId":"{file}","virusScanResult":"clean","formatValidation":"passed","status":"completed","note":"{note}"}}}}"#
            );
            let headers = signer.sign(body.as_bytes());
            let mut request = format!("POST /webhooks/genesys HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in &headers {
                write!(request, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
            }
            request.push_str("\r\n");
            request.push_str(&body);
            request.into_bytes()
        })
        .collect()
}

/// Sends all requests over so many connections; gives the wall time and the time of each answer. With `every`, one is due after each such
/// time, and its answer is timed from then on, even where it is sent late.
fn load(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
    every: Option<Duration>,
) -> (Duration, Vec<Duration>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let requests = Arc::new(requests);
    runtime.block_on(async {
        let next = Arc::new(AtomicUsize::new(0));
        let started = SystemClock.now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
                tokio::spawn(async move {
                    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let (mut buffer, mut times) = ([0; 1024], Vec::new());
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(request) = requests.get(number) else { break };
                        let mut sent = SystemClock.now();
                        if let Some(every) = every {
                            let due = started + every * u32::try_from(number).unwrap();
                            tokio::time::sleep_until(due.into()).await;
                            sent = due;
                        }
                        stream.write_all(request).await.unwrap();
                        let read = stream.read(&mut buffer).await.unwrap();
                        assert!(
                            buffer[..read].starts_with(b"HTTP/1.1 200"),
                            "{}",
                            String::from_utf8_lossy(&buffer[..read])
                        );
                        times.push(SystemClock.now() - sent);
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.unwrap());
        }
        (SystemClock.now() - started, times)
    })
}

type Row = (String, Bytes, oneshot::Sender<()>);

/// The least that is as durable: one key, one table, one commit for all that wait.
fn bare(path: &std::path::Path) -> mpsc::Sender<Row> {
    let (sender, mut rows) = mpsc::channel::<Row>(1_024);
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection
        .execute("create table inbox (id integer primary key, key text unique, body blob)", [])
        .unwrap();
    std::thread::spawn(move || {
        while let Some(first) = rows.blocking_recv() {
            let mut waiting = vec![first];
            while let Some(row) = (waiting.len() < 512).then(|| rows.try_recv().ok()).flatten() {
                waiting.push(row);
            }
            connection.execute_batch("begin immediate").unwrap();
            let mut insert =
                connection.prepare_cached("insert or ignore into inbox (key, body) values (?1, ?2)").unwrap();
            for (key, body, _) in &waiting {
                insert.execute((key, &body[..])).unwrap();
            }
            connection.execute_batch("commit").unwrap();
            for (_, _, answer) in waiting {
                let _ = answer.send(());
            }
        }
    });
    sender
}

async fn take_bare(
    State((verifier, rows)): State<(Arc<Verifier>, mpsc::Sender<Row>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if verifier.verify_signature(&body, &headers, Timestamp::UNIX_EPOCH).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    // The least there is to find a delivery by.
    let id = memchr::memmem::find(&body, b"\"eventId\":\"").map(|at| &body[at + 11..]).unwrap_or_default();
    let id = id.split(|byte| *byte == b'"').next().unwrap_or_default();
    let (answer, kept) = oneshot::channel();
    rows.send((String::from_utf8_lossy(id).into_owned(), body.clone(), answer)).await.unwrap();
    kept.await.unwrap();
    StatusCode::OK
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

fn start_bare(folder: &std::path::Path) -> SocketAddr {
    let rows = bare(&folder.join("bare.db"));
    start(async move |listener: TcpListener| {
        let state = (Arc::new(Verifier::new(secret())), rows);
        serve(listener, Router::new().route("/webhooks/genesys", post(take_bare)).with_state(state)).await;
    })
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
