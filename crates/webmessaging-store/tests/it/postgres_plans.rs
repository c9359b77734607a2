//! What a server reads to say how it stands: not all that was delivered in the past.

use tokio_postgres::Client;
use webmessaging_store::{Inbox, Outbox, PostgresOptions, PostgresStore};

use crate::server::{Server, connect};
use crate::sqlite::runtime;
use crate::suite::at;

/// Much that is done, and a little of everything else.
const ROWS: &str = "
    set search_path to webmessaging;
    insert into deliveries
        (source, content_key, event_type, received_at, body, state, due_at, changed_at, buried_at)
        select 's', n, 'e', 0, repeat('x', 200)::bytea, case when n < 9 then n / 2 else 2 end, 0, 0, 0
        from generate_series(0, 20000) as n;
    insert into items
        (target, lane, idempotency_key, kind, payload, enqueued_at, head, state, due_at,
            attempt, changed_at, buried_at, failing_since)
        select 'crm', n, n, 'k', repeat('x', 200)::bytea, 0, true, case when n < 9 then n / 2 else 2 end,
            9000000000000, 1, 0, 0, 0
        from generate_series(0, 20000) as n;";

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(PostgresOptions::new(url).callers_clock()).await.unwrap()
}

/// How many times a whole table was read. A connection tells that when it ends, so this waits until there is no other one.
async fn whole_tables(client: &Client) -> i64 {
    let others = "select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
    while client.query_one(others, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::task::yield_now().await;
    }
    let scans =
        "select sum(seq_scan)::bigint from pg_stat_user_tables where relname in ('deliveries', 'items')";
    client.query_one(scans, &[]).await.unwrap().get(0)
}

#[test]
fn counting_reads_indexes_and_no_whole_table() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let url = server.database().await;
        drop(open(&url).await);
        let filler = connect(&url).await;
        for sql in [ROWS, "vacuum analyze deliveries", "vacuum analyze items"] {
            filler.batch_execute(sql).await.unwrap();
        }
        drop(filler);
        let looker = connect(&url).await;
        let before = whole_tables(&looker).await;
        let store = open(&url).await;
        // More often than the server makes a plan for the values alone.
        for _ in 0..8 {
            let inbox = store.inbox_stats(at(1)).await.unwrap();
            assert_eq!((inbox.due, inbox.dead, inbox.remembered), (4, 2, 19_995));
            for target in [None, Some("crm")] {
                let outbox = store.outbox_stats(target, at(1)).await.unwrap();
                assert_eq!((outbox.waiting, outbox.leased), (2, 2));
                assert_eq!((outbox.dead, outbox.delivered, outbox.dropped), (2, 19_994, 1));
                assert_eq!(outbox.blocked_lanes_total, 4);
            }
        }
        drop(store);
        assert_eq!(whole_tables(&looker).await, before);
    });
}
