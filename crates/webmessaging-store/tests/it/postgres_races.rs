//! Races for a lane, held open at their worst moment by a lock on a row.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_postgres::Client;
use webmessaging_store::{
    DeadLetterId, DeadLetters, Enqueued, Inbox, Origin, Outbox, PostgresOptions, PostgresStore,
};

use crate::server::{Server, connect};
use crate::sqlite::runtime;
use crate::suite::{LEASE, accept, at, claim, claim_delivery, claims, drain, fill_lane, item, keys};

/// A store, and two connections beside it: one to lock with, one to look on.
async fn stage(server: &Server) -> (Arc<PostgresStore>, Client, Client) {
    stage_with(server, 8).await
}

async fn stage_with(server: &Server, connections: usize) -> (Arc<PostgresStore>, Client, Client) {
    let url = server.database().await;
    let options = PostgresOptions::new(url.clone()).connections(connections).callers_clock();
    let store = PostgresStore::open(options).await.unwrap();
    let lock = connect(&url).await;
    lock.batch_execute("set search_path to webmessaging; begin").await.unwrap();
    (Arc::new(store), lock, connect(&url).await)
}

/// Until so many calls wait for a lock, or this one has got by without.
async fn blocked<T>(looker: &Client, calls: i64, call: &JoinHandle<T>) {
    let sql = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    while looker.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < calls && !call.is_finished() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn an_item_does_not_overtake_one_that_is_still_being_enqueued() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let (store, lock, looker) = stage(server).await;
        // Somebody has not decided yet about a key.
        lock.batch_execute(
            "insert into items
                (target, idempotency_key, kind, payload, enqueued_at, head, due_at, changed_at)
                values ('crm', 'b', 'kind', '', 0, true, 0, 0)",
        )
        .await
        .unwrap();
        let slow = Arc::clone(&store);
        let slow = tokio::spawn(async move {
            slow.enqueue(["a", "b"].map(|key| item(key).lane("lane")).into(), at(0)).await
        });
        blocked(&looker, 1, &slow).await;
        assert!(!slow.is_finished());
        let quick = Arc::clone(&store);
        let quick = tokio::spawn(async move { quick.enqueue(vec![item("c").lane("lane")], at(0)).await });
        blocked(&looker, 2, &quick).await;
        assert!(!quick.is_finished());
        lock.batch_execute("rollback").await.unwrap();
        slow.await.unwrap().unwrap();
        quick.await.unwrap().unwrap();
        assert_eq!(keys(&claim(&*store, 1, 1).await), ["a"]);
        assert_eq!(claim(&*store, 9, 1).await, []);
        assert_eq!(drain(&*store, 40).await, ["a", "b", "c"]);
    });
}

#[test]
fn a_lane_is_not_left_without_a_first_item() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let (store, lock, looker) = stage(server).await;
        fill_lane(&*store, "lane", &["a"]).await;
        let held = claims(&claim(&*store, 1, 1).await);
        lock.batch_execute(
            "insert into items
                (target, idempotency_key, kind, payload, enqueued_at, head, due_at, changed_at)
                values ('crm', 'c', 'kind', '', 0, true, 0, 0)",
        )
        .await
        .unwrap();
        // Behind the one that is being delivered, and not there yet when it is.
        let slow = Arc::clone(&store);
        let slow = tokio::spawn(async move {
            slow.enqueue(["b", "c"].map(|key| item(key).lane("lane")).into(), at(0)).await
        });
        blocked(&looker, 1, &slow).await;
        let other = Arc::clone(&store);
        let delivered = tokio::spawn(async move { other.mark_delivered(&held, at(1)).await });
        blocked(&looker, 2, &delivered).await;
        lock.batch_execute("rollback").await.unwrap();
        slow.await.unwrap().unwrap();
        assert_eq!(delivered.await.unwrap().unwrap(), []);
        assert_eq!(drain(&*store, 1).await, ["b", "c"]);
    });
}

#[test]
fn a_claim_leaves_no_gap_while_an_item_is_given_back() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let (store, lock, looker) = stage(server).await;
        fill_lane(&*store, "lane", &["a", "b", "c"]).await;
        let late = claim(&*store, 2, 1).await;
        // All leases have run out; who had them gives back the second item, and is slow about it.
        lock.batch_execute("select id from items where idempotency_key = 'b' for update").await.unwrap();
        let giver = Arc::clone(&store);
        let second = vec![late[1].claim.clone()];
        let given_back =
            tokio::spawn(async move { giver.retry_items(&second, at(500), "503", at(40)).await });
        blocked(&looker, 1, &given_back).await;
        let other = Arc::clone(&store);
        let claimed = tokio::spawn(async move { other.claim_items("crm", "w", 9, LEASE, at(40)).await });
        blocked(&looker, 2, &claimed).await;
        lock.batch_execute("rollback").await.unwrap();
        assert_eq!(given_back.await.unwrap().unwrap(), []);
        // The third does not come with the first while the second waits.
        assert_eq!(keys(&claimed.await.unwrap().unwrap()), ["a"]);
    });
}

#[test]
fn an_old_key_that_is_enqueued_during_an_edit_stays_known() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let (store, lock, looker) = stage(server).await;
        fill_lane(&*store, "lane", &["old"]).await;
        let held = claim(&*store, 1, 1).await.remove(0).claim;
        store.bury_item(&held, "400", at(1)).await.unwrap();
        // Somebody has not decided yet about the new key.
        lock.batch_execute(
            "insert into items
                (target, idempotency_key, kind, payload, enqueued_at, head, due_at, changed_at)
                values ('crm', 'new', 'kind', '', 0, true, 0, 0)",
        )
        .await
        .unwrap();
        let editor = Arc::clone(&store);
        let id = DeadLetterId { origin: Origin::Outbox, number: held.id().get() };
        let edited =
            tokio::spawn(async move { editor.edit_dead_letter(id, "{}".into(), "new", at(2)).await });
        blocked(&looker, 1, &edited).await;
        assert!(!edited.is_finished());
        let other = Arc::clone(&store);
        let again = tokio::spawn(async move { other.enqueue(vec![item("old").lane("lane")], at(2)).await });
        blocked(&looker, 2, &again).await;
        assert!(!again.is_finished());
        lock.batch_execute("rollback").await.unwrap();
        edited.await.unwrap().unwrap();
        assert_eq!(again.await.unwrap().unwrap(), [Enqueued::Known(held.id())]);
    });
}

#[test]
fn nobody_waits_for_a_call_that_was_given_up() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let (store, lock, looker) = stage_with(server, 1).await;
        fill_lane(&*store, "lane", &["a"]).await;
        let item = claims(&claim(&*store, 1, 1).await);
        accept(&*store, 1).await;
        let received = claim_delivery(&*store, 1).await.claim;
        lock.batch_execute("select id from items for update; select id from deliveries for update")
            .await
            .unwrap();
        for calls in 1..=2 {
            let (slow, item, received) = (Arc::clone(&store), item.clone(), received.clone());
            let slow = tokio::spawn(async move {
                if calls == 1 {
                    slow.mark_delivered(&item, at(1)).await.map(drop)
                } else {
                    slow.bury_delivery(&received, "400", at(1)).await
                }
            });
            blocked(&looker, calls, &slow).await;
            slow.abort();
            assert!(slow.await.unwrap_err().is_cancelled());
        }
        // There may be one connection, and the server still works for those who have gone: this call has a new one.
        accept(&*store, 2).await;
        let sql = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        assert_eq!(looker.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 2);
        lock.batch_execute("rollback").await.unwrap();
        // Nobody has committed what was begun.
        assert_eq!(store.mark_delivered(&item, at(2)).await.unwrap(), []);
    });
}
