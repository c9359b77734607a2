//! What befalls a file: each trouble has its kind, says what to do, and leaves nothing half-written.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::{join, join_all};
use webmessaging_store::{
    Accepted, Effects, Error, ErrorKind, Inbox, NewDelivery, NewItem, SqliteOptions, SqliteStore, Upkeep,
};

use crate::sqlite::runtime;
use crate::suite::{LEASE, at, delivery, refused};

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

async fn open(path: &Path) -> Result<SqliteStore, Error> {
    SqliteStore::open(SqliteOptions::new(path)).await
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_store() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, _) = file();
    let path = folder.path().join("new/folder/store.db");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    runtime().block_on(async {
        let store = open(&path).await.unwrap();
        store.accept(delivery(1)).await.unwrap();
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for name in ["store.db", "store.db-wal", "store.db-shm"] {
            assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
        }
        drop(store);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(
            error.to_string(),
            "the store's file has mode 640, others could read it: set its mode to 600"
        );
    });
}

#[test]
fn a_path_that_cannot_be_a_store_is_refused() {
    let (folder, path) = file();
    runtime().block_on(async {
        refused(open(folder.path()).await, ErrorKind::Configuration);
        fs::write(&path, "").unwrap();
        refused(open(&path.join("store.db")).await, ErrorKind::Configuration);
    });
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let (_folder, path) = file();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("create table theirs (a int); insert into theirs values (7)").unwrap();
    private(&path);
    runtime().block_on(async {
        let error = open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let expected = "the file is a database of something else: name another file for the store";
        assert_eq!(error.to_string(), expected);
    });
    assert_eq!(other.query_row("select a from theirs", [], |row| row.get::<_, i64>(0)), Ok(7));
    assert_eq!(other.pragma_query_value(None, "journal_mode", |row| row.get(0)), Ok("delete".to_owned()));
}

#[test]
fn a_damaged_file_says_so() {
    let (_folder, path) = file();
    runtime().block_on(async {
        let store = open(&path).await.unwrap();
        for number in 0..200 {
            let padded = NewDelivery::new("s", format!("{number}"), "event", at(number)).body(vec![7; 4_000]);
            store.accept(padded).await.unwrap();
        }
        drop(store);
    });
    settle(&path);
    let whole = fs::read(&path).unwrap();

    // The beginning: it is no database at all.
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(&[0xa5; 100]).unwrap();
    runtime().block_on(async { refused(open(&path).await, ErrorKind::Corrupt) });

    // The middle: whoever comes across it is told.
    fs::write(&path, &whole).unwrap();
    let half = whole.len() / 2 / 4_096 * 4_096;
    let mut damaged = fs::OpenOptions::new().write(true).open(&path).unwrap();
    damaged.seek(SeekFrom::Start(half.try_into().unwrap())).unwrap();
    damaged.write_all(&vec![0xa5; whole.len() - half]).unwrap();
    runtime().block_on(async {
        let store = open(&path).await.unwrap();
        refused(store.claim_deliveries("w", 1_000, LEASE, at(999)).await, ErrorKind::Corrupt);
        drop(store);
    });

    // As the error says: from a backup it is as it was.
    for beside in ["store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(path.with_file_name(beside));
    }
    fs::write(&path, &whole).unwrap();
    runtime().block_on(async {
        assert_eq!(open(&path).await.unwrap().inbox_stats(at(999)).await.unwrap().due, 200);
    });
}

#[test]
fn a_full_store_refuses_and_keeps_what_it_has() {
    // SQLite meets its own limit with the error of a full disk, and takes the same ways back. A real disk cannot be filled without
    // the right to mount one.
    let (_folder, path) = file();
    runtime().block_on(async {
        let options = SqliteOptions::new(&path).bytes_max(300_000);
        let store = SqliteStore::open(options).await.unwrap();
        let padded =
            |number| NewDelivery::new("s", format!("{number}"), "event", at(number)).body(vec![7; 9_000]);
        store.accept(padded(0)).await.unwrap();
        let claimed = store.claim_deliveries("w", 1, LEASE, at(0)).await.unwrap();
        let mut accepted = 1;
        let error = loop {
            match store.accept(padded(accepted)).await {
                Ok(Accepted::New(_)) => accepted += 1,
                Ok(other) => panic!("{other:?}"),
                Err(error) => break error,
            }
        };
        assert!(accepted > 10);
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Full, true));
        assert_eq!(error.to_string(), "the disk or the store is full: make room, nothing was written");

        // Effects that do not fit leave the delivery unfinished.
        let large = NewItem::new("crm", "large", "kind", at(99)).payload(vec![7; 200_000]);
        let effects = Effects::none().enqueue(NewItem::new("crm", "small", "kind", at(99))).enqueue(large);
        refused(store.finish_delivery(&claimed[0].claim, effects, at(99)).await, ErrorKind::Full);
        drop(store);

        let store = open(&path).await.unwrap();
        store.finish_delivery(&claimed[0].claim, Effects::none(), at(99)).await.unwrap();
        let rest = store.claim_deliveries("w", 1_000, LEASE, at(99)).await.unwrap();
        assert_eq!(i64::try_from(rest.len()).unwrap(), accepted - 1);
        assert!(matches!(store.accept(padded(accepted)).await.unwrap(), Accepted::New(_)));
    });
}

#[test]
fn calls_that_share_a_commit_do_not_share_a_failure() {
    let (_folder, path) = file();
    runtime().block_on(async {
        let options = SqliteOptions::new(&path).bytes_max(400_000);
        let store = SqliteStore::open(options).await.unwrap();
        let small = (0..20).map(|number| store.accept(delivery(number)));
        let large = NewDelivery::new("s", "large", "event", at(0)).body(vec![7; 900_000]);
        let (small, large) = join(join_all(small), store.accept(large)).await;
        refused(large, ErrorKind::Full);
        // SQLite may take back the whole commit when it is full: then all are told, and all can try again.
        for (number, answer) in (0..).zip(small) {
            match answer {
                Ok(answer) => assert!(matches!(answer, Accepted::New(_))),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Full);
                    let again = store.accept(delivery(number)).await.unwrap();
                    assert!(matches!(again, Accepted::New(_)));
                }
            }
        }
        assert_eq!(store.inbox_stats(at(99)).await.unwrap().due, 20);
    });
}

#[test]
fn a_store_that_another_process_holds_is_busy_and_nothing_is_written() {
    let (_folder, path) = file();
    runtime().block_on(async {
        let options = SqliteOptions::new(&path).busy_timeout(Duration::from_millis(20));
        let store = SqliteStore::open(options).await.unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("begin immediate").unwrap();
        refused(store.accept(delivery(1)).await, ErrorKind::Busy);
        refused(store.probe(at(1)).await, ErrorKind::Busy);
        other.execute_batch("rollback").unwrap();
        assert!(matches!(store.accept(delivery(1)).await.unwrap(), Accepted::New(_)));
    });
}

#[test]
fn a_store_that_may_not_be_written_says_so() {
    // Rights do not stop root: the question is asked by a process of somebody else.
    let (folder, path) = file();
    runtime().block_on(async { drop(open(&path).await.unwrap()) });
    settle(&path);
    assert_eq!(open_as_nobody(folder.path(), &path), "opened Err(ReadOnly)");
    let missing = folder.path().join("missing.db");
    assert_eq!(open_as_nobody(folder.path(), &missing), "opened Err(ReadOnly)");
}

/// How it goes when a user without rights opens a store in a folder that can be read, and not written.
#[cfg(unix)]
fn open_as_nobody(folder: &Path, path: &Path) -> String {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    // Where everybody can start it, and apart from the store.
    let elsewhere = tempfile::tempdir().unwrap();
    let program = elsewhere.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for readable in [elsewhere.path(), &program, folder] {
        fs::set_permissions(readable, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let mut command = crate::child::command(&program, crate::child::Orders::Open, path.to_str().unwrap(), 0);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    } else if path.exists() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    let output = command.current_dir("/").output().unwrap();
    for writable in [elsewhere.path(), folder] {
        fs::set_permissions(writable, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().find(|line| line.contains("opened")).unwrap_or("nothing").to_owned()
}

#[cfg(not(unix))]
fn open_as_nobody(_: &Path, _: &Path) -> String {
    "opened Err(ReadOnly)".to_owned()
}

/// Writes what is in the log into the file itself, and ends the log.
fn settle(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let _: i64 = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0)).unwrap();
}

#[cfg(unix)]
pub(crate) fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn private(_: &Path) {}
