//! The end of a log after a crash: torn lines are put aside and reported, and what is wrong otherwise is refused.

use std::fs;

use proptest::prelude::*;
use webmessaging_journal::ErrorKind;
use webmessaging_journal::audit::{AuditLog, Fault, verify};

use crate::samples::{files, lines, log, message, write_lines};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[tokio::test]
async fn a_torn_line_is_put_aside_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 3, u64::MAX).await;
    let file = files(folder.path()).remove(0);
    for number in 1..=2_u64 {
        let mut bytes = fs::read(&file).unwrap();
        bytes.extend_from_slice(br#"{"seq":4,"id":"0193"#);
        fs::write(&file, bytes).unwrap();
        assert_eq!(verify(folder.path(), None).unwrap().problem.unwrap().fault, Fault::Torn);

        let log = AuditLog::builder(folder.path()).open().unwrap();
        let torn = log.torn().unwrap();
        assert_eq!(torn.bytes, 19);
        assert_eq!(torn.moved_to, file.with_extension(format!("jsonl.torn-{number}")));
        assert_eq!(fs::read(&torn.moved_to).unwrap(), br#"{"seq":4,"id":"0193"#);
        assert_eq!(log.append(&message(3)).await.unwrap().seq(), 3 + number);
        log.close().await.unwrap();
    }
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.problem, found.records), (None, 5));
}

#[tokio::test]
async fn a_last_record_that_is_not_what_was_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 3, u64::MAX).await;
    let file = &files(folder.path())[0];
    let mut all = lines(file);
    all[2] = all[2].replace("c2", "c9");
    write_lines(file, &all);
    let before = fs::read(file).unwrap();
    let error = AuditLog::builder(folder.path()).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(
        error.to_string(),
        "the file audit-00000000000000000001.jsonl of the audit log has a last record that is not what was written \
         (hash): find out with `verify`, keep the folder as evidence, and begin a new one"
    );
    assert_eq!(fs::read(file).unwrap(), before, "evidence is not touched");
}

#[tokio::test]
async fn zeros_that_a_power_failure_leaves_are_put_aside_unless_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 1, u64::MAX).await;
    let file = &files(folder.path())[0];
    let whole = fs::read(file).unwrap();
    let mut bytes = whole.clone();
    bytes.resize(whole.len() + 2_000_000, 0);
    fs::write(file, &bytes).unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    assert_eq!(log.torn().unwrap().bytes, 2_000_000);
    log.close().await.unwrap();
    assert_eq!(fs::read(file).unwrap(), whole);

    bytes.resize(whole.len() + 5_000_000, 0);
    fs::write(file, bytes).unwrap();
    assert_eq!(AuditLog::builder(folder.path()).open().unwrap_err().kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn a_file_that_was_made_and_not_written_to_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 2, u64::MAX).await;
    let next = folder.path().join("audit-00000000000000000003.jsonl");
    fs::write(&next, "").unwrap();
    let head = log(folder.path(), 1, u64::MAX).await;
    assert_eq!(head.seq(), 3);
    assert_eq!(lines(&next).len(), 1);
    assert!(verify(folder.path(), Some(&head)).unwrap().is_intact());

    // One that does not follow is no file of ours.
    fs::write(folder.path().join("audit-00000000000000000007.jsonl"), "").unwrap();
    assert_eq!(AuditLog::builder(folder.path()).open().unwrap_err().kind(), ErrorKind::Damaged);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::with_cases(300)
    })]

    /// Whatever of a file is left, opening it keeps every whole record and goes on behind them.
    #[test]
    fn any_truncation_is_repaired(part in 0.0..=1.0_f64) {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            log(folder.path(), 4, u64::MAX).await;
            let file = files(folder.path()).remove(0);
            let bytes = fs::read(&file).unwrap();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                reason = "a place within the file")]
            let left = (part * bytes.len() as f64) as usize;
            fs::write(&file, &bytes[..left]).unwrap();
            let whole = String::from_utf8_lossy(&bytes[..left]).matches('\n').count() as u64;
            let is_torn = left > 0 && bytes[left - 1] != b'\n';

            let log = AuditLog::builder(folder.path()).open().unwrap();
            assert_eq!(log.torn().is_some(), is_torn);
            assert_eq!(log.append(&message(9)).await.unwrap().seq(), whole + 1);
            let found = verify(folder.path(), Some(&log.head().await.unwrap())).unwrap();
            assert_eq!((found.problem, found.records), (None, whole + 1));
        });
    }

    /// Whatever lies in the folder, opening and checking it ends with a result.
    #[test]
    fn any_bytes_are_repaired_or_reported(bytes in prop::collection::vec(any::<u8>(), 0..2_000), tail in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            log(folder.path(), 1, u64::MAX).await;
            let file = files(folder.path()).remove(0);
            let mut all = if tail { fs::read(&file).unwrap() } else { Vec::new() };
            all.extend_from_slice(&bytes);
            fs::write(&file, &all).unwrap();
            drop(verify(folder.path(), None).unwrap());
            match AuditLog::builder(folder.path()).open() {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged),
            }
        });
    }
}
