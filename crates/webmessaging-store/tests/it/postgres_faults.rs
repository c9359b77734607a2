//! What befalls a server: it dies, is set read-only, is somebody else's, or was here before a newer version.

use std::path::Path;
use std::time::Duration;

use webmessaging_store::{
    Accepted, Error, ErrorKind, Inbox, Leases, NewScan, Outbox, PostgresOptions, PostgresStore, ScanStates,
    Upkeep,
};

use crate::server::{FAST, Server, connect};
use crate::sqlite::runtime;
use crate::suite::{LEASE, at, delivery, item, refused};

async fn open(url: &str) -> Result<PostgresStore, Error> {
    PostgresStore::open(PostgresOptions::new(url).callers_clock()).await
}

#[test]
fn a_server_that_died_is_used_again_when_it_is_back() {
    let Some(server) = Server::start(FAST) else { return };
    runtime().block_on(async {
        let store = open(&server.database().await).await.unwrap();
        store.accept(delivery(1)).await.unwrap();
        server.kill();
        let error = store.accept(delivery(2)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Unavailable, true));
        refused(store.claim_deliveries("w", 1, LEASE, at(9)).await, ErrorKind::Unavailable);
        server.revive();
        store.accept(delivery(3)).await.unwrap();
        assert_eq!(store.claim_deliveries("w", 9, LEASE, at(9)).await.unwrap().len(), 2);
        // The connections are broken without anybody having noticed: what can be repeated is.
        server.crash();
        assert!(matches!(store.accept(delivery(4)).await.unwrap(), Accepted::New(_)));
        server.crash();
        store.enqueue(vec![item("a")], at(0)).await.unwrap();
    });
}

#[test]
fn a_server_that_cannot_be_used_says_why() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let url = server.database().await;
        refused(open("not a url: secret").await, ErrorKind::Configuration);
        let error = open("postgresql://u:secret@host:x/db").await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        refused(open(&format!("{url}?sslmode=require")).await, ErrorKind::Configuration);
        refused(open(&format!("{url}_missing")).await, ErrorKind::Configuration);
        refused(open(&url.replace("test@", "nobody@")).await, ErrorKind::Configuration);
        refused(open("postgresql://test@127.0.0.1:1/test").await, ErrorKind::Unavailable);
    });
}

#[test]
fn a_server_that_may_not_be_written_says_so() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let url = server.database().await;
        open(&url).await.unwrap().accept(delivery(1)).await.unwrap();
        let name = url.rsplit('/').next().unwrap();
        let sql = format!("alter database {name} set default_transaction_read_only = on");
        connect(&url).await.batch_execute(&sql).await.unwrap();
        let store = open(&url).await.unwrap();
        refused(store.accept(delivery(2)).await, ErrorKind::ReadOnly);
        refused(store.probe(at(1)).await, ErrorKind::ReadOnly);
        assert_eq!(store.inbox_stats(at(9)).await.unwrap().due, 1);
    });
}

/// The steps as they are in the repository, in their order.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres/schema");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_earlier_version_is_brought_up_to_date_with_what_is_in_it() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        for version in 1..=migrations().len() {
            let url = server.database().await;
            let client = connect(&url).await;
            client
                .batch_execute(
                    "create schema webmessaging; set search_path to webmessaging;
                    create table schema_version (id int primary key check (id = 1), version int not null);",
                )
                .await
                .unwrap();
            for migration in migrations().iter().take(version) {
                client.batch_execute(migration).await.unwrap();
            }
            let rows = format!(
                "insert into schema_version values (1, {version});
                insert into deliveries
                    (source, delivery_id, content_key, event_type, received_at, body, due_at, changed_at)
                    values ('genesys', 'id-1', 'content-1', 'event', 1764000001000, 'a', 0, 0)"
            );
            client.batch_execute(&rows).await.unwrap();
            let store = open(&url).await.unwrap();
            let known = Accepted::Duplicate { first_received_at: at(1) };
            assert_eq!(store.accept(delivery(1)).await.unwrap(), known);
            assert!(store.advance_scan(NewScan::new("f", 1, "s", at(1))).await.unwrap().has_moved());
        }
    });
}

#[test]
fn a_newer_schema_is_left_alone() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let url = server.database().await;
        open(&url).await.unwrap();
        let client = connect(&url).await;
        client.batch_execute("update webmessaging.schema_version set version = 99").await.unwrap();
        let error = open(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerSchema);
        let row = client.query_one("select version from webmessaging.schema_version", &[]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), 99);
    });
}

#[test]
fn the_clock_of_the_database_decides_whatever_the_clocks_of_the_callers_say() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let options = PostgresOptions::new(server.database().await);
        let store = PostgresStore::open(options).await.unwrap();
        // Two callers, an hour apart.
        let (early, late) = (at(0), at(3_600));
        let lease = store.acquire_lease("sweeper", "early", LEASE, early).await.unwrap().acquired().unwrap();
        assert_eq!(lease.expires_at, early + LEASE);
        let held = store.acquire_lease("sweeper", "late", LEASE, late).await.unwrap();
        assert!(held.acquired().is_none());

        // What arrives at a machine whose clock is ahead is due all the same.
        let mut ahead = delivery(1);
        ahead.received_at = late;
        store.accept(ahead).await.unwrap();
        let claimed = store.claim_deliveries("early", 9, LEASE, early).await.unwrap();
        assert_eq!((claimed.len(), claimed[0].leased_until), (1, early + LEASE));
        assert_eq!(store.claim_deliveries("late", 9, LEASE, late).await.unwrap(), []);

        let mut ahead = item("a");
        ahead.available_at = late;
        store.enqueue(vec![ahead], late).await.unwrap();
        let items = store.claim_items("crm", "early", 9, Duration::ZERO, early).await.unwrap();
        assert_eq!(items.len(), 1);
        let retry_at = early + Duration::from_secs(600);
        store.retry_items(&[items[0].claim.clone()], retry_at, "503", early).await.unwrap();
        assert_eq!(store.claim_items("crm", "late", 9, LEASE, late).await.unwrap(), []);
    });
}
