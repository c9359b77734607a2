//! What a check of the chain finds: each way in which somebody can change a log.

use std::fs;

use proptest::prelude::*;
use webmessaging_journal::ErrorKind;
use webmessaging_journal::audit::{AuditLog, Checkpoint, Fault, Retention, Selection, export, verify};

use crate::samples::{at, event, every_kind, facts, files, lines, log, message, write_lines};

const ONE_FILE: u64 = u64::MAX;
/// Smaller than a record, so that each has a file of its own.
const A_FILE_EACH: u64 = 1;

/// Changes the lines of the only file, and compares the first problem.
async fn check(change: impl FnOnce(&mut Vec<String>), expected: (u64, Option<u64>, Fault)) {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 6, ONE_FILE).await;
    let file = &files(folder.path())[0];
    let mut all = lines(file);
    change(&mut all);
    write_lines(file, &all);
    let problem = verify(folder.path(), None).unwrap().problem.unwrap();
    assert_eq!((problem.line, problem.seq, problem.fault), expected);
    assert_eq!(problem.file, file.file_name().unwrap().to_str().unwrap());
}

#[tokio::test]
async fn each_change_within_a_file_has_its_name() {
    check(|all| all[2] = all[2].replace("c2", "c9"), (3, Some(3), Fault::Hash)).await;
    check(|all| all[2].push(' '), (3, Some(3), Fault::NotARecord)).await;
    check(|all| all[2].clear(), (3, None, Fault::NotARecord)).await;
    check(|all| all[2] = "x".repeat(70_000), (3, None, Fault::NotARecord)).await;
    check(|all| drop(all.remove(2)), (3, Some(4), Fault::Missing)).await;
    check(|all| drop(all.remove(0)), (1, Some(2), Fault::Missing)).await;
    check(|all| all.swap(2, 3), (3, Some(4), Fault::Order)).await;
    check(|all| all.swap(0, 5), (1, Some(6), Fault::Order)).await;
    check(|all| all.insert(3, all[2].clone()), (4, Some(3), Fault::Duplicate)).await;
}

#[tokio::test]
async fn a_record_of_another_log_does_not_fit_in() {
    let other = tempfile::tempdir().unwrap();
    log(other.path(), 6, ONE_FILE).await;
    let foreign = lines(&files(other.path())[0])[3].clone();
    check(|all| all[3] = foreign, (4, Some(4), Fault::Link)).await;
}

#[tokio::test]
async fn an_end_that_was_cut_off_needs_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let head = log(folder.path(), 6, ONE_FILE).await;
    let file = &files(folder.path())[0];
    let mut all = lines(file);
    all.truncate(4);
    write_lines(file, &all);
    assert!(verify(folder.path(), None).unwrap().is_intact(), "a chain alone cannot know");
    let problem = verify(folder.path(), Some(&head)).unwrap().problem.unwrap();
    assert_eq!((problem.seq, problem.fault), (Some(6), Fault::Truncated));
    assert!(problem.to_string().ends_with(":4: record 6 is missing at the end"), "{problem}");

    fs::remove_file(file).unwrap();
    let problem = verify(folder.path(), Some(&head)).unwrap().problem.unwrap();
    assert_eq!((problem.line, problem.fault), (0, Fault::Truncated));
}

#[tokio::test]
async fn a_log_that_was_written_anew_needs_a_checkpoint() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log(folder.path(), 6, ONE_FILE).await;
    let head = log(other.path(), 4, ONE_FILE).await;
    assert!(verify(folder.path(), None).unwrap().is_intact());
    let problem = verify(folder.path(), Some(&head)).unwrap().problem.unwrap();
    assert_eq!((problem.line, problem.seq, problem.fault), (4, Some(4), Fault::Rewritten));
}

#[tokio::test]
async fn the_chain_goes_over_files() {
    let folder = tempfile::tempdir().unwrap();
    let head = log(folder.path(), 5, A_FILE_EACH).await;
    let found = verify(folder.path(), Some(&head)).unwrap();
    assert!(found.is_intact());
    assert_eq!((found.files, found.records, found.first_seq, found.last), (5, 5, Some(1), Some(head)));
    assert_eq!((found.from, found.to), (Some(at(0)), Some(at(4))));

    let all = files(folder.path());
    fs::rename(&all[2], folder.path().join("gone")).unwrap();
    let problem = verify(folder.path(), None).unwrap().problem.unwrap();
    assert_eq!((problem.line, problem.seq, problem.fault), (1, Some(4), Fault::Missing));
    assert_eq!(problem.file, all[3].file_name().unwrap().to_str().unwrap());

    fs::rename(folder.path().join("gone"), &all[2]).unwrap();
    let (third, fourth) = (lines(&all[2]), lines(&all[3]));
    write_lines(&all[2], &fourth);
    write_lines(&all[3], &third);
    assert_eq!(verify(folder.path(), None).unwrap().problem.unwrap().fault, Fault::Order);

    write_lines(&all[2], &third);
    write_lines(&all[3], &fourth);
    let renamed = folder.path().join("audit-00000000000000000099.jsonl");
    fs::rename(&all[4], &renamed).unwrap();
    let problem = verify(folder.path(), None).unwrap().problem.unwrap();
    assert_eq!((problem.seq, problem.fault), (Some(5), Fault::Name));

    // Two files in one: each record is in its place, and one file is not what its name says.
    fs::remove_file(&renamed).unwrap();
    write_lines(&all[2], &[third, fourth].concat());
    fs::write(&all[3], "").unwrap();
    assert!(verify(folder.path(), None).unwrap().is_intact(), "nothing of what was written is missing");
    fs::rename(&all[2], &all[3]).unwrap();
    let problem = verify(folder.path(), None).unwrap().problem.unwrap();
    assert_eq!((problem.seq, problem.fault), (Some(3), Fault::Name));
}

#[tokio::test]
async fn what_retention_removes_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let all = log(folder.path(), 6, A_FILE_EACH).await;
    let log = AuditLog::builder(folder.path()).file_bytes(A_FILE_EACH).open().unwrap();
    assert_eq!(log.retain(Retention::new("retention")).await.unwrap(), None, "no limit, nothing goes");

    // Each file has one record of the same length; the newest one stays.
    let bytes = fs::metadata(&files(folder.path())[0]).unwrap().len();
    let removed = log.retain(Retention::new("retention").keep_bytes(2 * bytes)).await.unwrap().unwrap();
    assert_eq!((removed.records, removed.first_seq, removed.last.seq()), (4, 1, 4));
    assert_eq!((removed.from, removed.to, removed.cause.as_str()), (at(0), at(3), "retention"));

    let found = verify(folder.path(), Some(&all)).unwrap();
    assert_eq!((found.problem, found.records, found.first_seq), (None, 3, Some(5)));
    assert_eq!(found.removed, Some(removed));
    assert!(found.removal_on_record);

    // More of it: the stub tells of everything that was ever removed.
    let removed = log.retain(Retention::new("gdpr").keep_bytes(0)).await.unwrap().unwrap();
    assert_eq!((removed.records, removed.first_seq, removed.last.seq()), (2, 5, 6));
    let found = verify(folder.path(), None).unwrap();
    let stub = found.removed.clone().unwrap();
    assert_eq!((stub.records, stub.first_seq, stub.last.seq(), stub.cause.as_str()), (6, 1, 6, "gdpr"));
    assert!(found.is_intact() && found.removal_on_record);

    // A stub that speaks of another end does not fit the records that are left.
    log.close().await.unwrap();
    let path = folder.path().join("audit-removed.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&stub.last.hash_hex(), &"0f".repeat(32))).unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().problem.unwrap().fault, Fault::Link);
    fs::write(&path, "{}").unwrap();
    assert_eq!(verify(folder.path(), None).unwrap_err().kind(), ErrorKind::Damaged);
    fs::remove_file(&path).unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().problem.unwrap().fault, Fault::Missing);
}

#[tokio::test]
async fn retention_that_a_crash_has_interrupted_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 4, A_FILE_EACH).await;
    let second = &files(folder.path())[1];
    let kept = fs::read(second).unwrap();
    let log = AuditLog::builder(folder.path()).file_bytes(A_FILE_EACH).open().unwrap();
    log.retain(Retention::new("retention").keep_bytes(0)).await.unwrap().unwrap();
    log.close().await.unwrap();
    // As if the file had not gone before the crash.
    fs::write(second, kept).unwrap();
    assert!(verify(folder.path(), None).unwrap().is_intact());
    AuditLog::builder(folder.path()).open().unwrap().close().await.unwrap();
    assert!(!second.exists());
    assert!(verify(folder.path(), None).unwrap().is_intact());
}

#[tokio::test]
async fn records_are_exported_by_time_and_subject() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 6, 1_000).await;
    let copy = |selection: Selection| {
        let mut copy = Vec::new();
        let copied = export(folder.path(), &selection, &mut copy).unwrap();
        let text = String::from_utf8(copy).unwrap();
        assert_eq!(text.lines().count() as u64, copied);
        text
    };
    let original: String =
        files(folder.path()).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert_eq!(copy(Selection::all()), original);
    let of_c2 = copy(Selection::all().subject("conversation", "c2"));
    assert!(of_c2.starts_with(r#"{"seq":3,"#) && of_c2.lines().count() == 1);
    assert_eq!(copy(Selection::all().subject("file", "c2")), "");
    let middle = copy(Selection::all().from(at(1)).until(at(4)));
    let seqs: Vec<_> = middle.lines().map(|line| &line[..8]).collect();
    assert_eq!(seqs, [r#"{"seq":2"#, r#"{"seq":3"#, r#"{"seq":4"#]);
}

/// The order and the names of the members are what `docs/reference/audit-log.md` says.
#[tokio::test]
async fn a_record_has_its_members_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder(folder.path()).open().unwrap();
    for (number, kind) in (0..).zip(every_kind()) {
        log.append(&event(number, kind).facts(facts())).await.unwrap();
    }
    let page = include_str!("../../../../docs/reference/audit-log.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| member |")).skip(2);
    let documented: Vec<_> = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().trim().trim_matches('`'))
        .collect();
    for line in lines(&files(folder.path())[0]) {
        let places: Vec<_> =
            documented.iter().map(|name| line.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted() && line.starts_with(r#"{"seq":"#), "{line}");
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        assert_eq!(members.len(), documented.len(), "{line}");
    }
}

fn two_records() -> &'static (tempfile::TempDir, Vec<u8>, Checkpoint) {
    static LOG: std::sync::OnceLock<(tempfile::TempDir, Vec<u8>, Checkpoint)> = std::sync::OnceLock::new();
    LOG.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let head = runtime.block_on(async {
            let log = AuditLog::builder(folder.path()).open().unwrap();
            log.append(&message(0).facts(facts())).await.unwrap();
            log.append(&event(1, every_kind().swap_remove(13)).facts(facts())).await.unwrap();
            let head = log.head().await.unwrap();
            log.close().await.unwrap();
            head
        });
        let bytes = fs::read(&files(folder.path())[0]).unwrap();
        (folder, bytes, head)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::with_cases(2_000)
    })]

    /// Without any checkpoint.
    #[test]
    fn any_changed_byte_is_found(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, bytes, _) = two_records();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != byte);
        let folder = tempfile::tempdir().unwrap();
        let mut changed = bytes.clone();
        changed[place] = byte;
        fs::write(folder.path().join("audit-00000000000000000001.jsonl"), changed).unwrap();
        prop_assert!(!verify(folder.path(), None).unwrap().is_intact());
    }
}
