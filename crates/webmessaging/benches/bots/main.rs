//! What a bot's message costs, beside those of others, and what becomes of many when everything goes wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

mod contestants;
mod faults;
mod server;

use std::hint::black_box;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use webmessaging::bots::{Message, find_markup};
use webmessaging::http::clock::{Clock, TokioClock};
use webmessaging::journal::Journal;
use webmessaging::journal::audit::AuditLog;
use webmessaging::store::{SqliteOptions, SqliteStore};
use webmessaging::sync::{OutboxSink, Secrets, ShapeName, TargetConfig, Targets};

use self::contestants::Contestant;

const ROUNDS: usize = 3;
const MESSAGES: usize = 10_000;

fn main() {
    let address = server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // `-- faults` runs that part alone.
    let named: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    if is_wanted("throughput") {
        throughput(&runtime, address);
        println!();
    }
    if is_wanted("checks") {
        checks();
        println!();
    }
    if is_wanted("faults") {
        faults::run(&Runtime::new().unwrap());
    }
}

/// Seconds, and seconds of processor time.
type Cost = (f64, f64);

fn throughput(runtime: &Runtime, address: SocketAddr) {
    println!(
        "| at once | client, messages/s | of reqwest | of hyper | times Node.js | with audit log, of reqwest | what a flush to the disk allows | with outbox, times Node.js that tells a CRM | CPU of a message, µs: client, the same with audit log, reqwest, hyper, Node.js |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for at_once in [1, 16, 64] {
        let folder = tempfile::tempdir().unwrap();
        let (audit, outbox) = (audit(folder.path()), outbox(runtime, folder.path()));
        let contestants = [
            Contestant::ours(address, Journal::none()),
            Contestant::reqwest(address),
            Contestant::hyper(address),
            Contestant::ours(address, audit),
            Contestant::ours(address, outbox),
        ];
        for contestant in &contestants {
            cost(runtime, contestant, at_once, MESSAGES / 20);
        }
        let rounds: Vec<Vec<Cost>> = (0..ROUNDS)
            .map(|_| {
                // One after the other each waits for the disk.
                let durable = if at_once == 1 { MESSAGES / 20 } else { MESSAGES };
                let counts = [MESSAGES, MESSAGES, MESSAGES, durable, durable];
                let mut costs: Vec<_> = contestants
                    .iter()
                    .zip(counts)
                    .map(|(contestant, count)| cost(runtime, contestant, at_once, count))
                    .collect();
                costs.push(node(address, at_once, false));
                costs.push(node(address, at_once, true));
                costs
            })
            .collect();
        // All that are under way wait for the same flush, and then send the next.
        let flush = flush(folder.path(), at_once);
        let limit = |reqwest: f64| at_once as f64 * reqwest / (at_once as f64).mul_add(reqwest, flush);
        let of = |figure: &dyn Fn(&[Cost]) -> f64| median(rounds.iter().map(|round| figure(round)).collect());
        let times = |ours: usize, theirs: usize| of(&|round| round[theirs].0 / round[ours].0);
        let micros = |who: usize| of(&|round| round[who].1 * 1e6);
        println!(
            "| {at_once} | {:.0} | {:.2} | {:.2} | {:.1} | {:.2} | {:.2} ({:.0} µs) | {:.1} | {:.1}, {:.1}, {:.1}, {:.1}, {:.0} |",
            of(&|round| 1.0 / round[0].0),
            times(0, 1),
            times(0, 2),
            times(0, 5),
            times(3, 1),
            of(&|round| limit(round[1].0)),
            flush * 1e6,
            times(4, 6),
            micros(0),
            micros(3),
            micros(1),
            micros(2),
            micros(5)
        );
    }
}

fn audit(folder: &Path) -> Journal {
    let log = AuditLog::builder(folder.join("audit")).open().unwrap();
    Journal::builder().durable("audit", log).build().unwrap()
}

fn outbox(runtime: &Runtime, folder: &Path) -> Journal {
    let store = runtime.block_on(SqliteStore::open(SqliteOptions::new(folder.join("store.db")))).unwrap();
    let crm = TargetConfig::new("crm", "https://crm.example/messages", ShapeName::CrmMessages);
    let targets = Targets::new([crm.build(&Secrets::none()).unwrap()]).unwrap();
    Journal::builder().durable("outbox", OutboxSink::new(Arc::new(store), targets)).build().unwrap()
}

/// Of one message.
fn cost(runtime: &Runtime, contestant: &Contestant, at_once: usize, messages: usize) -> Cost {
    let (began, cpu) = (TokioClock.now(), cpu_seconds());
    runtime.block_on(async {
        let callers: Vec<_> = (0..at_once)
            .map(|_| {
                let contestant = contestant.clone();
                tokio::spawn(async move {
                    for _ in 0..messages / at_once {
                        contestant.send().await;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    });
    let sent = (messages / at_once * at_once) as f64;
    ((TokioClock.now() - began).as_secs_f64() / sent, (cpu_seconds() - cpu) / sent)
}

/// Seconds that the disk takes for the records of so many messages.
fn flush(folder: &Path, messages: usize) -> f64 {
    const RECORD_BYTES: usize = 700;
    let mut file = std::fs::File::create(folder.join("flushed")).unwrap();
    let records = vec![b'x'; messages * RECORD_BYTES];
    let times = (0..200).map(|_| {
        let began = TokioClock.now();
        file.write_all(&records).unwrap();
        file.sync_data().unwrap();
        (TokioClock.now() - began).as_secs_f64()
    });
    median(times.collect())
}

/// Processor time that this thread has had, and the one that writes the audit log.
fn cpu_seconds() -> f64 {
    let of = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0.0) / 1e9
    };
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let logs = threads.map(|thread| thread.path()).filter(|thread| {
        std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "audit log")
    });
    of(Path::new("/proc/thread-self")) + logs.map(|thread| of(&thread)).sum::<f64>()
}

fn sketch(arguments: &[&str]) -> serde_json::Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bots/sketch.js");
    let output = Command::new("node").arg(script).args(arguments).output().expect("Node.js is not installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Of one message, by the document's steps in Node.js.
fn node(address: SocketAddr, at_once: usize, tells_crm: bool) -> Cost {
    const SENT: usize = 4_000;
    let (url, count, at_once) = (format!("http://{address}"), SENT.to_string(), at_once.to_string());
    let crm = format!("{url}/crm");
    let mut arguments = vec!["send", &url, &count, &at_once];
    if tells_crm {
        arguments.push(&crm);
    }
    let figures = sketch(&arguments);
    let of = |name: &str| figures[name].as_f64().unwrap() / SENT as f64;
    (of("seconds"), of("cpu"))
}

fn checks() {
    let message = |text: String| Message::text("customer-participant-id-123", "bot-participant-id-456", text);
    let short = message("x".repeat(80));
    let long = message(format!("{}abcd", "plain text ".repeat(372)));
    let hostile = [("<script>", "<script>".repeat(512)), ("<script>", "<script>".repeat(2_048))];
    let open = ["<>", "< ", "&lt", "&ltb", "%3", "\"=", "<a=\"", "&amp;", "`<", "`<b>`", "javascript:a "]
        .map(|part| (part, part.repeat(16_384 / part.len())));
    let theirs: Vec<_> = (0..ROUNDS).map(|_| sketch(&["check"])).collect();
    let their = |name: &str| median(theirs.iter().map(|round| round[name].as_f64().unwrap()).collect());
    println!("| check | Node.js, ns | here, ns |");
    println!("|---|---:|---:|");
    let valid = |message: &Message| each(100_000, || black_box(message).validate().unwrap());
    println!("| a text of 80 characters | {:.0} | {:.0} |", their("short"), valid(&short));
    println!("| a text of 4,096 characters | {:.0} | {:.0} |", their("long"), valid(&long));
    for (index, (part, text)) in hostile.iter().chain(&open).enumerate() {
        let ours = each(200, || _ = black_box(find_markup(black_box(text))));
        let theirs = if index == 0 { format!("{:.0}", their("hostile")) } else { "not tried".to_owned() };
        println!("| `{part}` again and again, {} KiB | {theirs} | {ours:.0} |", text.len() / 1_024);
    }
}

fn each(count: u32, mut work: impl FnMut()) -> f64 {
    (0..count / 10).for_each(|_| work());
    let rounds = (0..ROUNDS).map(|_| {
        let began = TokioClock.now();
        (0..count).for_each(|_| work());
        (TokioClock.now() - began).div_f64(f64::from(count))
    });
    median(rounds.map(|took: Duration| took.as_secs_f64() * 1e9).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
