//! What a verified delivery costs: signature, event and keys, for bodies of two sizes and one secret or three; and what an
//! explanation costs that finds nothing.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, reads the clock, and prints what it found"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use webmessaging_model::Timestamp;
use webmessaging_webhooks::{Case, Secret, Secrets, Signer, Verifier};

/// The best of so many rounds: what disturbs only adds.
const ROUNDS: u32 = 15;
const ROUND: Duration = Duration::from_millis(100);

/// An event of this length.
fn body(bytes: usize) -> Bytes {
    let empty = r#"{"eventType":"genesys.cloud.messaging.file.upload.completed","eventId":"5f0c7f4e-8a0e-4a53-9f0e-0d3f2a1b4c5d","timestamp":"2026-11-25T08:30:00.000Z","data":{"fileId":"7d9f1c1e-3b52-4e8f-a6d7-2f4b8c9e0a1b","virusScanResult":"clean","formatValidation":"passed","status":"completed","notes":[""]}}"#;
    let note = r#"","lorem ipsum \"dolor\" sit amet, consectetur"#;
    let missing = bytes - empty.len();
    let mut notes = note.repeat(missing / note.len());
    notes.push_str(&"x".repeat(missing % note.len()));
    let body = empty.replace(r#"[""]"#, &format!(r#"["{notes}"]"#));
    assert_eq!(body.len(), bytes);
    body.into()
}

fn secrets(count: usize) -> Secrets {
    let secret =
        |number: usize| Secret::new(format!("secret {number}"), format!("correct horse battery {number}"));
    Secrets::new((0..count).map(|number| secret(number).unwrap())).unwrap()
}

/// Microseconds for one run.
fn micros(mut run: impl FnMut()) -> f64 {
    let round = |run: &mut dyn FnMut()| {
        let began = Instant::now();
        let mut runs = 0_u32;
        while began.elapsed() < ROUND {
            for _ in 0..8 {
                run();
            }
            runs += 8;
        }
        began.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
    };
    (0..ROUNDS).map(|_| round(&mut run)).fold(f64::INFINITY, f64::min)
}

fn main() {
    let now = Timestamp::from_unix_millis(1_764_060_600_000);
    println!("| body | secrets | verified delivery, µs | of which the signature, µs | refused, µs |");
    println!("|---:|---:|---:|---:|---:|");
    for bytes in [600, 20_000] {
        for count in [1, 3] {
            let body = body(bytes);
            let verifier = Verifier::new(secrets(count));
            let headers = Signer::new(secrets(1)).sign(&body);
            let forged = Signer::new(Secret::new("other", "some other secret").unwrap()).sign(&body);
            let accepted = micros(|| {
                let delivery = verifier.verify(body.clone(), black_box(&headers), now).unwrap();
                black_box(delivery.content_key());
            });
            let signature = micros(|| {
                black_box(verifier.verify_signature(&body, black_box(&headers), now).unwrap());
            });
            let refused = micros(|| {
                black_box(verifier.verify(body.clone(), black_box(&forged), now).unwrap_err());
            });
            println!("| {bytes} B | {count} | {accepted:.2} | {signature:.2} | {refused:.2} |");
        }
    }

    println!();
    println!("| body | secrets | explanation that finds nothing, ms |");
    println!("|---:|---:|---:|");
    for (bytes, count) in [(600, 1), (600, 3), (20_000, 1), (20_000, 3)] {
        let body = body(bytes);
        let verifier = Verifier::new(secrets(count)).timestamped(true);
        let forged: HeaderMap = Signer::new(Secret::new("other", "some other secret").unwrap()).sign(&body);
        let took = micros(|| {
            black_box(Case::new(&body, black_box(&forged)).explain(&verifier, now));
        });
        println!("| {bytes} B | {count} | {:.2} |", took / 1e3);
    }
}
