//! What the audit log costs: the chain in processor time, and records a second when each is durable before it is answered.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    reason = "a bench that fails says so, and prints what it found"
)]

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use webmessaging_journal::audit::{AuditLog, Checkpoint, add_line, verify};
use webmessaging_journal::clock::{Clock, SystemClock, SystemEntropy};
use webmessaging_journal::kind::BotMessageSent;
use webmessaging_journal::sinks::JsonLines;
use webmessaging_journal::{Event, EventId, Facts, Journal, Sink, Stamp};

const LINES: u32 = 100_000;
const ROUNDS: usize = 9;
/// How long records are written for each row.
const RUN: Duration = Duration::from_secs(3);

fn event() -> Event {
    let at = SystemClock.wall();
    let facts = Facts::new()
        .operation("bots.send")
        .status(200)
        .attempts(1)
        .latency(Duration::from_millis(42))
        .correlation_id("5c6f2d50-6c1a-4b0e-9b1e-0f4f0f6d1c11")
        .request_id("0f4f0f6d-9b1e-4b0e-6c1a-5c6f2d501c11")
        .payload_sha256([0x5a; 32]);
    let kind =
        BotMessageSent::new("7d0a4c1e-2f5b-4e6d-8c9a-1b3d5f7e9a0c").message_id("m-1").message_type("text");
    Stamp::new(EventId::new(at, &SystemEntropy), at, "order-bot").event(kind).facts(facts)
}

/// Nanoseconds of processor time that this thread has had, where the system tells.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// Processor time that all threads have had, to 10 ms, where the system tells.
fn process_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Processor time of one of many, in nanoseconds.
fn cost(mut work: impl FnMut()) -> f64 {
    let once = |work: &mut dyn FnMut()| {
        let before = cpu_nanos();
        (0..LINES).for_each(|_| work());
        (cpu_nanos() - before) as f64 / f64::from(LINES)
    };
    once(&mut work);
    median((0..ROUNDS).map(|_| once(&mut work)).collect())
}

fn chain() {
    let event = event();
    let lines = JsonLines::new(std::io::sink());
    let serialize = cost(|| drop(lines.record(&event)));
    let mut head = start();
    let mut buffer = Vec::new();
    let chained = cost(|| {
        buffer.clear();
        add_line(&mut buffer, &mut head, &event).unwrap();
    });
    println!("| a record of {} bytes | CPU, ns |", buffer.len());
    println!("|---|---|");
    println!("| serialized | {serialize:.0} |");
    println!("| serialized and chained | {chained:.0} |");
    println!("| the chain alone | {:.0} |", chained - serialize);
    println!("| checked by `verify`, with reading it | {:.0} |", verified());
}

/// Processor time of checking one record of a long log, in nanoseconds.
fn verified() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let (event, mut head, mut lines) = (event(), start(), Vec::new());
    for _ in 0..LINES {
        add_line(&mut lines, &mut head, &event).unwrap();
    }
    std::fs::write(folder.path().join("audit-00000000000000000001.jsonl"), &lines).unwrap();
    let check = || {
        let before = cpu_nanos();
        let found = verify(folder.path(), Some(&head)).unwrap();
        assert!(found.is_intact() && found.records == u64::from(LINES));
        (cpu_nanos() - before) as f64 / f64::from(LINES)
    };
    median((0..3).map(|_| check()).collect())
}

/// Before the first record.
fn start() -> Checkpoint {
    format!("0:{}", "0".repeat(64)).parse().unwrap()
}

/// Records a second; in microseconds, how long one waits in the median and with 99 of 100, and its processor time.
fn records_a_second(writers: usize, through_journal: bool) -> [f64; 4] {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    let journal = Journal::builder().durable("audit", log.clone()).build().unwrap();
    let (start, cpu) = (SystemClock.now(), process_cpu());
    let end = start + RUN;
    let (mut waits, elapsed) = runtime.block_on(async {
        let tasks: Vec<_> = (0..writers)
            .map(|_| {
                let (log, journal) = (log.clone(), journal.clone());
                tokio::spawn(async move {
                    let (event, mut waits) = (event(), Vec::new());
                    while SystemClock.now() < end {
                        let before = SystemClock.now();
                        if through_journal {
                            journal.append(event.clone()).await.unwrap();
                        } else {
                            log.append(&event).await.unwrap();
                        }
                        waits.push(SystemClock.now() - before);
                    }
                    waits
                })
            })
            .collect();
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(task.await.unwrap());
        }
        let elapsed = SystemClock.now() - start;
        log.close().await.unwrap();
        (waits, elapsed)
    });
    let cpu = (process_cpu() - cpu).as_secs_f64() * 1e6 / waits.len() as f64;
    let found = verify(folder.path(), None).unwrap();
    assert!(found.is_intact() && found.records == waits.len() as u64);
    waits.sort_unstable();
    let part = |part: usize| waits[(waits.len() - 1) * part / 100].as_secs_f64() * 1e6;
    [waits.len() as f64 / elapsed.as_secs_f64(), part(50), part(99), cpu]
}

/// A loop that appends a line of the same length and makes it durable, and nothing else.
fn bare_appends_a_second() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("bare")).unwrap();
    let mut line = Vec::new();
    add_line(&mut line, &mut start(), &event()).unwrap();
    let start: Instant = SystemClock.now();
    let mut count = 0_u32;
    while SystemClock.now() - start < RUN {
        file.write_all(&line).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / (SystemClock.now() - start).as_secs_f64()
}

fn main() {
    chain();
    println!();
    println!("| writers | records/s | wait, median µs | wait, 99 of 100 µs | CPU, µs |");
    println!("|---|---|---|---|---|");
    println!("| a bare loop of write and fdatasync | {:.0} | | | |", bare_appends_a_second());
    for (what, through_journal) in [("", false), (", through the journal", true)] {
        for writers in [1, 16, 64] {
            let [rate, median, most, cpu] = records_a_second(writers, through_journal);
            println!("| {writers}{what} | {rate:.0} | {median:.0} | {most:.0} | {cpu:.1} |");
        }
    }
}
