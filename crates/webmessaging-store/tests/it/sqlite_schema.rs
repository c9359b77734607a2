//! Schemas of SQLite: from every version to this one, and none from a newer one.

use std::path::Path;

use webmessaging_store::{
    Accepted, ErrorKind, Inbox, NewScan, Outbox, ScanStates, SqliteOptions, SqliteStore,
};

use crate::sqlite::runtime;
use crate::sqlite_faults::private;
use crate::suite::{LEASE, at, delivery};

/// The steps as they are in the repository, in their order.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/schema");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// A store as an earlier version left it, with something in it.
fn of_version(path: &Path, version: usize) {
    let connection = rusqlite::Connection::open(path).unwrap();
    for migration in migrations().iter().take(version) {
        connection.execute_batch(migration).unwrap();
    }
    if version >= 1 {
        connection
            .execute_batch(
                "insert into deliveries
                    (source, delivery_id, content_key, event_type, received_at, body, due_at, changed_at)
                    values ('genesys', 'id-1', 'content-1', 'event', 1764000001000, x'61', 0, 0);
                insert into items
                    (target, lane, idempotency_key, kind, payload, enqueued_at, head, due_at, changed_at)
                    values ('crm', 'lane', 'a', 'kind', x'62', 0, 1, 0, 0);",
            )
            .unwrap();
        connection.pragma_update(None, "application_id", 0x574d_5354).unwrap();
    }
    connection.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
    drop(connection);
    private(path);
}

#[test]
fn every_earlier_version_is_brought_up_to_date_with_what_is_in_it() {
    for version in 0..=migrations().len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        of_version(&path, version);
        runtime().block_on(async {
            let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
            if version >= 1 {
                let known = Accepted::Duplicate { first_received_at: at(1) };
                assert_eq!(store.accept(delivery(1)).await.unwrap(), known);
                let claimed = store.claim_deliveries("w", 9, LEASE, at(1)).await.unwrap();
                assert_eq!(claimed[0].body, "a");
                let items = store.claim_items("crm", "w", 9, LEASE, at(1)).await.unwrap();
                assert_eq!(items[0].payload, "b");
            }
            assert!(store.advance_scan(NewScan::new("f", 1, "s", at(1))).await.unwrap().has_moved());
        });
    }
}

#[test]
fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    of_version(&path, migrations().len());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    runtime().block_on(async {
        let error = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerSchema);
        assert_eq!(
            error.to_string(),
            "the store has schema 99 and this version knows 3: use the newer version, this one leaves it alone"
        );
    });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// Whoever is late finds a file that is half made.
#[test]
fn several_open_a_new_store_at_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        runtime().block_on(async {
            let opens = (0..8).map(|_| SqliteStore::open(SqliteOptions::new(&path)));
            let stores = futures_util::future::join_all(opens).await;
            for (number, store) in (0..).zip(stores) {
                assert!(matches!(store.unwrap().accept(delivery(number)).await.unwrap(), Accepted::New(_)));
            }
        });
    }
}
