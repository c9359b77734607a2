//! The verifier beside an implementation that shares nothing with it: the `openssl` command, one process for many bodies.

use std::env;
use std::fs;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use webmessaging_webhooks::{ErrorKind, Verifier};

use crate::setup::{NEW, header, kind, now, secret};

const BODIES: usize = 2_000;

#[test]
#[expect(clippy::print_stderr, reason = "who reads the log of the tests should see what was not tested")]
fn openssl_agrees_on_many_bodies() {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(env::var_os("CI").is_none(), "the command openssl is missing, and CI is set");
        eprintln!("skipped: the command openssl is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::default();
    let strategy = prop::collection::vec(any::<u8>(), 0..700);
    let bodies: Vec<Vec<u8>> =
        (0..BODIES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    for (number, body) in bodies.iter().enumerate() {
        fs::write(folder.path().join(number.to_string()), body).unwrap();
    }
    let answer = Command::new("openssl")
        .current_dir(folder.path())
        .args(["dgst", "-sha256", "-r", "-hmac", NEW])
        .args((0..BODIES).map(|number| number.to_string()))
        .output()
        .unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));

    let verifier = Verifier::new(secret(NEW));
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert_eq!(answer.lines().count(), BODIES);
    for ((number, body), line) in bodies.iter().enumerate().zip(answer.lines()) {
        let (hex, file) = line.split_once(" *").unwrap();
        assert_eq!(file, number.to_string());
        let headers = header("x-genesys-signature", hex);
        assert!(verifier.verify_signature(body, &headers, now()).is_ok(), "body {number}: {body:?}");
        let mut other = body.clone();
        other.push(0);
        assert_eq!(kind(verifier.verify_signature(&other, &headers, now())), ErrorKind::Mismatch);
    }
}
