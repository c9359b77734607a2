//! Many callers of one file: what they share, and what they do not.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use webmessaging_store::{Accepted, Inbox, SqliteOptions, SqliteStore};

#[cfg(target_os = "linux")]
use crate::child::{Orders, command};
use crate::sqlite::runtime;
use crate::suite::{LEASE, at, delivery};

#[test]
fn more_callers_than_places_in_the_queue_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let options = SqliteOptions::new(folder.path().join("store.db")).queue(1);
        let store = SqliteStore::open(options).await.unwrap();
        let answers = join_all((0..200).map(|number| store.accept(delivery(number)))).await;
        assert!(answers.into_iter().all(|answer| matches!(answer.unwrap(), Accepted::New(_))));
    });
}

#[test]
fn the_same_delivery_from_many_callers_is_new_once() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let path = folder.path().join("store.db");
        // Two stores on one file, as two processes would have it.
        let first = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
        let second = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
        let calls =
            (0..40).flat_map(|number| [first.accept(delivery(number)), second.accept(delivery(number))]);
        let answers = join_all(calls).await;
        let new = answers.into_iter().filter(|answer| matches!(answer, Ok(Accepted::New(_)))).count();
        assert_eq!(new, 40);
    });
}

#[test]
fn a_call_that_nobody_polls_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).await.unwrap();
        drop(store.accept(delivery(1)));
        assert_eq!(store.claim_deliveries("w", 9, LEASE, at(9)).await.unwrap(), []);
        // Given up in the middle, it is done or not, and the store goes on.
        let _ = store.accept(delivery(2)).now_or_never();
        assert!(matches!(store.accept(delivery(3)).await.unwrap(), Accepted::New(_)));
    });
}

#[test]
fn a_store_that_is_dropped_has_written_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    runtime().block_on(async {
        let store = Arc::new(SqliteStore::open(SqliteOptions::new(&path)).await.unwrap());
        join_all((0..50).map(|number| store.accept(delivery(number)))).await;
        drop(store);
        let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
        assert_eq!(store.inbox_stats(at(99)).await.unwrap().due, 50);
    });
}

/// In a process of its own: other tests have a memory, too.
#[cfg(target_os = "linux")]
#[test]
fn thousands_of_deliveries_take_no_more_memory_than_a_few() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let program = std::env::current_exe().unwrap();
    let output = command(&program, Orders::Flood, path.to_str().unwrap(), 0).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let grown = said.lines().find_map(|line| line.split("grew ").nth(1)).expect("it says how much");
    // Eighty megabytes went through.
    assert!(grown.parse::<u64>().unwrap() < 16 * 1_024, "grew by {grown} KiB");
}
