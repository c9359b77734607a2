//! What an upload costs: files through the client and through bare reqwest, to the same sink, in turns.
//!
//! The sink is a process of its own that reads and forgets. Bare is a `PUT` of a stream of the file, and nothing else. The client counts
//! the bytes, watches them and holds them to their length; for a whole upload, as a feature crate does it, it looks at the head of the
//! file and asks for the URL before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

mod axios;
mod contestants;
mod floor;
mod memory;
mod sink;

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;
use webmessaging_http::clock::{Clock, TokioClock};

use self::contestants::{Bare, Ours};
use self::floor::Floor;
use self::memory::{cpu_seconds, peak_since_reset, reset_peak};
use self::sink::Sink;

const MIB: u64 = 1024 * 1024;
const ROUNDS: usize = 5;
/// Where a few hundredths matter.
const ROUNDS_OF_ONE: usize = 15;

/// So many files, of this size, so many at once.
struct Load {
    title: &'static str,
    files: usize,
    mib: u64,
    at_once: usize,
}

const LOADS: [Load; 3] = [
    Load { title: "10 MiB x 20, one at a time", files: 20, mib: 10, at_once: 1 },
    Load { title: "50 MiB x 20, one at a time", files: 20, mib: 50, at_once: 1 },
    Load { title: "50 MiB x 20, four at once", files: 20, mib: 50, at_once: 4 },
];

fn main() {
    if sink::is_asked_for() {
        sink::serve();
    }
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let sink = Sink::start();
    let (ours, bare) = (Ours::new(sink.address), Bare::new(sink.address));
    // From cold: memory that was used before would hide what is used.
    memory(&runtime, folder.path(), &ours, &bare);
    println!();
    throughput(&runtime, folder.path(), &ours, &bare, sink.address);
    println!();
    announced(&runtime, folder.path(), &ours);
    println!();
    one_chain(&runtime, folder.path(), &bare);
    println!();
    processor(&runtime, folder.path(), &sink, &ours);
    println!();
    small_files(&runtime, folder.path(), &sink);
    println!();
    beside_node(&runtime, folder.path(), &sink, &ours);
}

/// Without the digest, which the other does not make, and with it; and the digest alone, of bytes that are at hand.
fn beside_node(runtime: &Runtime, folder: &Path, sink: &Sink, ours: &Ours) {
    if !axios::is_installed() {
        println!("Axios is not installed: `{}`.", axios::HOW_TO);
        return;
    }
    println!(
        "| load | axios, stream, MB/s | axios, whole file | client | times the faster one | with SHA-256 | times the faster one | SHA-256 alone, times the faster one |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for Load { title, files, mib, at_once } in LOADS {
        let path = file(folder, mib);
        let node = |mode| axios::upload(mode, sink.address, &path, files, at_once);
        let client = |digest| took_warm(|| runtime.block_on(ours.send(&path, files, at_once, digest)));
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let alone = took(|| (0..files).for_each(|_| hash(mib * MIB)));
                [node("stream"), client(false), node("buffer"), client(true), alone]
            })
            .collect();
        let rates = |column: usize| {
            median(rounds.iter().map(|round| rate(mib * MIB * files as u64, round[column])).collect())
        };
        let times = |column: usize| {
            let faster = |round: &[Duration; 5]| round[0].min(round[2]);
            median(rounds.iter().map(|round| times(faster(round), round[column])).collect())
        };
        // Of several at once, each core makes one.
        let alone = if at_once == 1 { format!("{:.1}", times(4)) } else { String::from("-") };
        println!(
            "| {title} | {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {:.1} | {alone} |",
            rates(0),
            rates(2),
            rates(1),
            times(1),
            rates(3),
            times(3)
        );
    }
}

/// A file of zeros that is in the page cache.
fn file(folder: &Path, mib: u64) -> PathBuf {
    let path = folder.join(format!("{mib}.txt"));
    if !path.exists() {
        let mut file = File::create(&path).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(b'0'), mib * MIB), &mut file).unwrap();
    }
    path
}

/// MB/s.
fn rate(bytes: u64, took: Duration) -> f64 {
    bytes as f64 / 1e6 / took.as_secs_f64()
}

/// To a URL that is at hand; with the digest beside the floor as well, which is one connection.
fn throughput(runtime: &Runtime, folder: &Path, ours: &Ours, bare: &Bare, sink: SocketAddr) {
    println!(
        "| load | client, MB/s | bare, MB/s | ratio | with SHA-256: client | bare, hashed in line | ratio | floor | ratio of the floor |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut floor = Floor::new(sink);
    for Load { title, files, mib, at_once } in LOADS {
        let (path, bytes) = (file(folder, mib), mib * MIB * files as u64);
        let rounds: Vec<_> = (0..ROUNDS_OF_ONE)
            .map(|_| {
                let client =
                    |digest| took_warm(|| runtime.block_on(ours.send(&path, files, at_once, digest)));
                let theirs =
                    |digest| took_warm(|| runtime.block_on(bare.upload(&path, files, at_once, digest)));
                let [plain_bare, plain] = [theirs(false), client(false)];
                let [hashed_bare, hashed] = [theirs(true), client(true)];
                let least =
                    if at_once == 1 { took_warm(|| floor.upload(&path, files)) } else { Duration::MAX };
                [
                    rate(bytes, plain),
                    rate(bytes, plain_bare),
                    times(plain_bare, plain),
                    rate(bytes, hashed),
                    rate(bytes, hashed_bare),
                    times(hashed_bare, hashed),
                    rate(bytes, least),
                    times(hashed_bare, least),
                ]
            })
            .collect();
        let of = |column: usize| median(rounds.iter().map(|round| round[column]).collect());
        let cell = |column: usize| match column {
            6 | 7 if at_once > 1 => String::from("-"),
            2 | 5 | 7 => format!("{:.2}", of(column)),
            _ => format!("{:.0}", of(column)),
        };
        println!("| {title} | {} |", (0..8).map(cell).collect::<Vec<_>>().join(" | "));
    }
}

/// What the announcement costs: whole uploads beside those to a URL that is at hand.
fn announced(runtime: &Runtime, folder: &Path, ours: &Ours) {
    println!(
        "| load | announced and sent, MB/s | of those sent alone | with SHA-256 | of those sent alone |"
    );
    println!("|---|---:|---:|---:|---:|");
    for Load { title, files, mib, at_once } in LOADS {
        let (path, bytes) = (file(folder, mib), mib * MIB * files as u64);
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let whole =
                    |digest| took_warm(|| runtime.block_on(ours.upload(&path, files, at_once, digest)));
                let alone = |digest| took_warm(|| runtime.block_on(ours.send(&path, files, at_once, digest)));
                let [whole, alone, hashed, hashed_alone] =
                    [whole(false), alone(false), whole(true), alone(true)];
                [rate(bytes, whole), times(alone, whole), rate(bytes, hashed), times(hashed_alone, hashed)]
            })
            .collect();
        let of = |column: usize| median(rounds.iter().map(|round| round[column]).collect());
        println!("| {title} | {:.0} | {:.2} | {:.0} | {:.2} |", of(0), of(1), of(2), of(3));
    }
}

fn memory(runtime: &Runtime, folder: &Path, ours: &Ours, bare: &Bare) {
    println!("| load | client, growth in MiB | bare | client, MB/s, of bare |");
    println!("|---|---:|---:|---:|");
    let loads = [("1 GiB, one", 1, 1_024, 1), ("50 MiB x 64, all at once", 64, 50, 64)];
    for (title, files, mib, at_once) in loads {
        let path = file(folder, mib);
        let grown = |upload: &dyn Fn()| {
            let idle = reset_peak();
            let took = took(upload);
            (peak_since_reset().saturating_sub(idle) as f64 / MIB as f64, took)
        };
        let (mine, my_time) = grown(&|| runtime.block_on(ours.upload(&path, files, at_once, true)));
        let (theirs, _) = grown(&|| runtime.block_on(bare.upload(&path, files, at_once, true)));
        let (_, my_plain) = grown(&|| runtime.block_on(ours.upload(&path, files, at_once, false)));
        let (_, their_plain) = grown(&|| runtime.block_on(bare.upload(&path, files, at_once, false)));
        let bytes = mib * MIB * files as u64;
        println!(
            "| {title} | {mine:.1} | {theirs:.1} | {:.0} (with SHA-256), {:.2} (without) |",
            rate(bytes, my_time),
            their_plain.as_secs_f64() / my_plain.as_secs_f64(),
        );
    }
}

/// One digest is one chain, which no second core shortens: what SHA-256 does with bytes at hand, and one thread that reads them as well.
fn one_chain(runtime: &Runtime, folder: &Path, bare: &Bare) {
    println!(
        "| times bare hashed in line | SHA-256 alone, MB/s | times | with reading, on one thread, MB/s | times |"
    );
    println!("|---|---:|---:|---:|---:|");
    for Load { title, files, mib, at_once } in LOADS.into_iter().filter(|load| load.at_once == 1) {
        let (path, bytes) = (file(folder, mib), mib * MIB * files as u64);
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let hash = took(|| (0..files).for_each(|_| hash(mib * MIB)));
                let thread = took(|| (0..files).for_each(|_| read_and_hash(&path)));
                let theirs = took_warm(|| runtime.block_on(bare.upload(&path, files, at_once, true)));
                [rate(bytes, hash), times(theirs, hash), rate(bytes, thread), times(theirs, thread)]
            })
            .collect();
        let of = |column: usize| median(rounds.iter().map(|round| round[column]).collect());
        println!("| {title} | {:.0} | {:.2} | {:.0} | {:.2} |", of(0), of(1), of(2), of(3));
    }
}

/// Hashes so many bytes that are in the processor's own memory.
fn hash(bytes: u64) {
    const PIECE_BYTES: usize = 256 * 1024;
    let (mut hash, piece) = (Sha256::new(), vec![b'0'; PIECE_BYTES]);
    (0..bytes / PIECE_BYTES as u64).for_each(|_| hash.update(&piece));
    std::hint::black_box(hash.finalize());
}

fn read_and_hash(path: &Path) {
    const PIECE_BYTES: u64 = 256 * 1024;
    let (mut file, mut hash, mut piece) = (File::open(path).unwrap(), Sha256::new(), Vec::new());
    while file.by_ref().take(PIECE_BYTES).read_to_end(&mut piece).unwrap() > 0 {
        hash.update(&piece);
        piece.clear();
    }
    std::hint::black_box(hash.finalize());
}

/// What the bytes cost, and so the rate that all cores allow together if none of them ever waits.
fn processor(runtime: &Runtime, folder: &Path, sink: &Sink, ours: &Ours) {
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    println!("| load | client, CPU s/GB | sink, CPU s/GB | MB/s | that {cores} cores allow | part |");
    println!("|---|---:|---:|---:|---:|---:|");
    for Load { title, files, mib, at_once } in LOADS {
        let path = file(folder, mib);
        for (with, digest) in [("without a digest", false), ("with SHA-256", true)] {
            let gigabytes = (ROUNDS * files) as f64 * (mib * MIB) as f64 / 1e9;
            let cpu = || (cpu_seconds("self"), cpu_seconds(&sink.id().to_string()));
            let before = cpu();
            let wall = took(|| runtime.block_on(ours.send(&path, ROUNDS * files, at_once, digest)));
            let after = cpu();
            let (client, sink) = ((after.0 - before.0) / gigabytes, (after.1 - before.1) / gigabytes);
            let (reached, allowed) = (gigabytes * 1e3 / wall.as_secs_f64(), cores * 1e3 / (client + sink));
            println!(
                "| {title}, {with} | {client:.2} | {sink:.2} | {reached:.0} | {allowed:.0} | {:.2} |",
                reached / allowed
            );
        }
    }
}

/// The rate limit's own floor: so many windows have to begin.
fn small_files(runtime: &Runtime, folder: &Path, sink: &Sink) {
    const FILES: usize = 1_000;
    const QUOTA: u32 = 300;
    let path = folder.join("small.txt");
    std::fs::write(&path, "0".repeat(4_096)).unwrap();
    let limited = Ours::limited(sink.address, QUOTA, Duration::from_secs(1));
    let before = sink.requests();
    let wall = took(|| runtime.block_on(limited.upload(&path, FILES, 16, true)));
    let requests = sink.requests() - before;
    let windows = FILES / QUOTA as usize;
    println!("| load | announcements and logins | wall, s | floor of the quota, s | ratio |");
    println!("|---|---:|---:|---:|---:|");
    println!(
        "| 4 KiB x {FILES}, 16 at once, {QUOTA} requests a second allowed | {requests} | {:.2} | {windows} | {:.2} |",
        wall.as_secs_f64(),
        wall.as_secs_f64() / windows as f64
    );
}

fn took(work: impl FnOnce()) -> Duration {
    let began = TokioClock.now();
    work();
    TokioClock.now() - began
}

/// The second time: a contestant whose turn it is finds the other one's threads on the cores.
fn took_warm(mut work: impl FnMut()) -> Duration {
    work();
    took(work)
}

fn times(theirs: Duration, mine: Duration) -> f64 {
    theirs.as_secs_f64() / mine.as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
