//! What the checks and hashes of guests cost, beside those of Node.js.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use webmessaging_guests::{GuestPayload, IdentityHasher, check_payload};

const COUNT: u32 = 1_000_000;
const ROUNDS: usize = 5;
const HOW_TO: &str = "npm install --prefix crates/webmessaging-guests/benches/guests/node";
const SALT: &str = "a salt that nobody else has";

/// A payload with everything that a form has.
const PAYLOAD: &str = r#"{"channel":"webmessaging","consent":{"marketing":false,"dataProcessing":true},"identityAttributes":{"emailHash":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","deviceFingerprint":"fp-7c1e2a"},"channelContext":{"originPage":"https://shop.example/support/contact","campaignId":"WINTER-2026"},"attributes":{"source":"website"}}"#;

fn main() {
    let parsed = serde_json::from_str(PAYLOAD).unwrap();
    let salted = IdentityHasher::salted_sha256(SALT).unwrap();
    let keyed = IdentityHasher::hmac_sha256(SALT).unwrap();
    let emails: Vec<_> = (0..1_024).map(|n| format!(" Jane.Doe{n}@Example.com")).collect();
    let email = |n: u32| emails[n as usize % emails.len()].as_str();
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| Round {
            node: node(),
            text: each(|_| drop(black_box(GuestPayload::from_json(PAYLOAD.as_bytes()).unwrap()))),
            parsed: each(|_| check_payload(black_box(&parsed)).unwrap()),
            salted: each(|n| _ = black_box(salted.email(email(n)).unwrap())),
            keyed: each(|n| _ = black_box(keyed.email(email(n)).unwrap())),
        })
        .collect();
    println!("| | Node.js, ns | here, ns | times |");
    println!("|---|---:|---:|---:|");
    row("payload, from JSON text", &rounds, |node| node.0, |round| round.text);
    row("payload, already parsed, against the schema", &rounds, |node| node.1, |round| round.parsed);
    row("hash of an e-mail address, SHA-256 with a salt", &rounds, |node| node.2, |round| round.salted);
    row("hash of an e-mail address, HMAC-SHA-256", &rounds, |node| node.2, |round| round.keyed);
    if rounds[0].node.is_none() {
        println!("\nAjv is not installed: `{HOW_TO}`.");
    }
}

/// Nanoseconds of Node.js: from text, already parsed, a hash.
type Node = (f64, f64, f64);

/// Nanoseconds each.
struct Round {
    node: Option<Node>,
    text: f64,
    parsed: f64,
    salted: f64,
    keyed: f64,
}

fn row(title: &str, rounds: &[Round], theirs: fn(&Node) -> f64, ours: fn(&Round) -> f64) {
    let here = median(rounds.iter().map(ours).collect());
    let node: Vec<_> =
        rounds.iter().filter_map(|round| Some((theirs(round.node.as_ref()?), ours(round)))).collect();
    if node.is_empty() {
        println!("| {title} | not installed | {here:.0} | |");
        return;
    }
    let times = median(node.iter().map(|(theirs, ours)| theirs / ours).collect());
    println!(
        "| {title} | {:.0} | {here:.0} | {times:.1} |",
        median(node.iter().map(|(theirs, _)| *theirs).collect())
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guests/node")
}

fn node() -> Option<Node> {
    if !folder().join("node_modules").is_dir() {
        return None;
    }
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/guest.json");
    let mut command = Command::new("node");
    command.arg(folder().join("guests.js")).arg(schema).arg(PAYLOAD).arg(COUNT.to_string());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| figures[name].as_f64().unwrap();
    Some((of("text"), of("parsed"), of("hash")))
}

fn each(mut work: impl FnMut(u32)) -> f64 {
    (0..COUNT / 10).for_each(&mut work);
    let began = Instant::now();
    (0..COUNT).for_each(&mut work);
    began.elapsed().as_nanos() as f64 / f64::from(COUNT)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
