//! Several processes on one server: they share the work, and nothing is done twice or out of order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::{join, join_all};
use webmessaging_store::{
    Accepted, Effects, Inbox, NewItem, Outbox, PostgresOptions, PostgresStore, RateLeases, RateQuota,
};

use crate::server::Server;
use crate::sqlite::runtime;
use crate::suite::{LEASE, at, delivery, item};

async fn stores(server: &Server, count: usize) -> Vec<PostgresStore> {
    let url = server.database().await;
    let open = |_| PostgresStore::open(PostgresOptions::new(url.clone()).callers_clock().connections(4));
    join_all((0..count).map(open)).await.into_iter().map(Result::unwrap).collect()
}

#[test]
fn the_same_delivery_at_several_processes_is_new_once() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let stores = stores(server, 3).await;
        let calls = (0..50).flat_map(|number| stores.iter().map(move |store| store.accept(delivery(number))));
        let answers = join_all(calls).await;
        let new = answers.iter().filter(|answer| matches!(answer, Ok(Accepted::New(_)))).count();
        assert_eq!((new, answers.iter().filter(|answer| answer.is_err()).count()), (50, 0));
    });
}

#[test]
fn every_delivery_is_claimed_by_one_process() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let stores = stores(server, 4).await;
        join_all((0..200).map(|number| stores[0].accept(delivery(number)))).await;
        let worker = async |store: &PostgresStore| {
            let mut seen = Vec::new();
            loop {
                let claimed = store.claim_deliveries("w", 7, LEASE, at(999)).await.unwrap();
                if claimed.is_empty() {
                    return seen;
                }
                for claimed in claimed {
                    let effects = Effects::none().enqueue(item(&claimed.content_key));
                    store.finish_delivery(&claimed.claim, effects, at(999)).await.unwrap();
                    seen.push(claimed.content_key);
                }
            }
        };
        let seen = join_all(stores.iter().chain(&stores).map(worker)).await.concat();
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (200, 200));
    });
}

#[test]
fn lanes_stay_in_order_while_several_processes_fill_and_drain_them() {
    const LANES: usize = 5;
    const EACH: usize = 40;
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let stores = stores(server, 4).await;
        // By lane: the keys in the order in which they were delivered.
        let delivered = Mutex::new(BTreeMap::<String, Vec<usize>>::new());
        let fill = async |lane: usize| {
            for number in 0..EACH {
                let item = NewItem::new("crm", format!("{lane}-{number}"), "kind", at(0));
                let items = vec![item.lane(format!("lane-{lane}"))];
                stores[lane % stores.len()].enqueue(items, at(0)).await.unwrap();
            }
        };
        let drain = async |store: &PostgresStore, seed: usize| {
            let mut step = seed;
            while delivered.lock().unwrap().values().map(Vec::len).sum::<usize>() < LANES * EACH {
                let items = store.claim_items("crm", "w", 4, LEASE, at(1)).await.unwrap();
                let mut given_back = BTreeSet::new();
                for item in items {
                    let lane = item.lane.clone().unwrap();
                    if given_back.contains(&lane) {
                        continue;
                    }
                    step += 1;
                    if step.is_multiple_of(7) {
                        // It fails, and the rest of its lane is given back with it.
                        store.retry_items(&[item.claim], at(1), "503", at(1)).await.unwrap();
                        given_back.insert(lane);
                        continue;
                    }
                    let number: usize = item.idempotency_key.rsplit('-').next().unwrap().parse().unwrap();
                    // Before it is marked: after that, another worker may have what follows.
                    delivered.lock().unwrap().entry(lane).or_default().push(number);
                    assert_eq!(store.mark_delivered(&[item.claim], at(1)).await.unwrap(), []);
                }
                tokio::task::yield_now().await;
            }
        };
        let drains = stores.iter().chain(&stores).enumerate().map(|(seed, store)| drain(store, seed));
        join(join_all((0..LANES).map(fill)), join_all(drains)).await;
        let delivered = delivered.into_inner().unwrap();
        assert_eq!(delivered.len(), LANES);
        for numbers in delivered.values() {
            assert_eq!(*numbers, (0..EACH).collect::<Vec<_>>());
        }
    });
}

#[test]
fn several_processes_share_a_quota_exactly() {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let stores = stores(server, 3).await;
        let quota = RateQuota::new("client", 100, Duration::from_secs(60));
        let calls = (0..60).map(|index| stores[index % 3].take_permits(&quota, 3, at(0)));
        let granted: u32 = join_all(calls).await.into_iter().map(|permits| permits.unwrap().granted).sum();
        assert_eq!(granted, 100);
    });
}
