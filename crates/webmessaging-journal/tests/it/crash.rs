//! A process that records is killed at any moment: what it was told is durable is there, and the chain holds.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use webmessaging_journal::ErrorKind;
use webmessaging_journal::audit::{AuditLog, verify};
use webmessaging_journal::clock::{Entropy, SystemEntropy};

use crate::samples::message;

const FOLDER: &str = "WEBMESSAGING_JOURNAL_CRASH_FOLDER";
const KILLS: usize = 60;
const WRITERS: u64 = 4;

/// Records without end and says what was acknowledged; does nothing unless it was started by the other test.
#[test]
fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        // Small files, so that it is killed while it changes them, too.
        let log = AuditLog::builder(&folder).file_bytes(8 * 1024).open().unwrap();
        let record = || {
            let log = log.clone();
            async move {
                loop {
                    let event = message(SystemEntropy.bits());
                    let place = log.append(&event).await.unwrap();
                    let line = format!("ack {} {}\n", event.id, place);
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            }
        };
        for _ in 1..WRITERS {
            tokio::spawn(record());
        }
        record().await;
    });
}

/// Starts the child, kills it after so many acknowledgments, and returns all that it has said.
fn run_and_kill(folder: &Path, after: u64) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // A last line can be torn by the kill, as well.
        if let Some(told) = line.strip_prefix("ack ").filter(|told| told.len() > 36 + 1 + 64) {
            acknowledged.push(told.to_owned());
        }
        if acknowledged.len() as u64 == after {
            let error = AuditLog::builder(folder).open().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Locked);
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut torn) = (BTreeSet::new(), 0);
    for _ in 0..KILLS {
        let told = run_and_kill(folder.path(), 1 + SystemEntropy.bits() % 50);
        assert!(!told.is_empty());
        acknowledged.extend(told);
        let log = AuditLog::builder(folder.path()).open().unwrap();
        torn += u64::from(log.torn().is_some());
        // The lock is free again when the writer has ended.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(log.close()).unwrap();
    }
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(found.problem, None);

    let mut there = BTreeSet::new();
    for file in crate::samples::files(folder.path()) {
        for line in crate::samples::lines(&file) {
            let record: serde_json::Value = serde_json::from_str(&line).unwrap();
            let text = |name: &str| record[name].as_str().unwrap().to_owned();
            there.insert(format!("{} {}:{}", text("id"), record["seq"], text("hash")));
        }
    }
    assert_eq!(there.len() as u64, found.records);
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "of {} acknowledged records are lost: {lost:?}", acknowledged.len());
    println!("{KILLS} kills, {} records acknowledged, {torn} torn ends", acknowledged.len());
}
