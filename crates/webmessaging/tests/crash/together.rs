//! Two workers on one database: they share the work, and nothing is done twice.

use std::sync::Arc;
use std::time::Duration;

use webmessaging::journal::clock::SystemEntropy;
use webmessaging::journal::kind::TransferFinished;
use webmessaging::journal::{EventId, Stamp};
use webmessaging::model::Timestamp;
use webmessaging::store::{PostgresOptions, PostgresStore, Store};
use webmessaging::sync::SyncWorker;

use crate::server::{FAST, Server};
use crate::target::Target;
use crate::victim::targets;

const ITEMS: usize = 400;

async fn store(url: &str) -> Arc<dyn Store> {
    Arc::new(PostgresStore::open(PostgresOptions::new(url)).await.unwrap())
}

pub(crate) fn two_workers_share_a_database() {
    let Some(server) = Server::start(FAST) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (url, target) = (server.database().await, Target::calm());
        let filled = store(&url).await;
        let now = Timestamp::UNIX_EPOCH;
        for number in 0..ITEMS {
            let event = Stamp::new(EventId::new(now, &SystemEntropy), now, "test")
                .event(TransferFinished::new(format!("transfer-{number}"), "a.pdf"));
            filled.enqueue(targets(&target.url).items_for(&event, now), now).await.unwrap();
        }
        let worker = |store| {
            SyncWorker::builder(store, targets(&target.url)).poll(Duration::from_millis(10)).build().unwrap()
        };
        let (one, other) = (worker(store(&url).await), worker(store(&url).await));
        let arrived = || target.with(|seen| seen.keys.len());
        let done = || async {
            while arrived() < ITEMS {
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(one.run(done()), other.run(done()));
        target.with(|seen| {
            assert_eq!((seen.keys.len(), seen.requests), (ITEMS, ITEMS as u64), "each once");
        });
        let share = |status: Vec<webmessaging::sync::TargetStatus>| {
            status.iter().any(|target| target.last_success.is_some())
        };
        assert!(
            share(one.status().await.unwrap()) && share(other.status().await.unwrap()),
            "both had a part"
        );
    });
}
