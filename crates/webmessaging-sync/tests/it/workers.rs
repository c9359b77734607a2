//! The worker as it runs: woken, stopped, beside others, beside a target that hangs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use webmessaging_http::clock::TokioClock;
use webmessaging_sync::{ShapeName, SyncWorker};

use crate::judge::{Judge, Reply, take};
use crate::setup::{Bench, config, file, message, targets};

/// Runs until something has come about, and then for as long as stopping takes.
async fn run_until(worker: &SyncWorker, done: impl Fn() -> bool) {
    let stop = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    worker.run(stop).await;
}

#[tokio::test]
async fn what_is_enqueued_wakes_the_worker_long_before_its_next_look() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let hour = Duration::from_secs(3_600);
    // A clock that waits: without being woken the test would last an hour.
    let worker = bench.builder(&targets).clock(TokioClock).poll(hour).build().unwrap();
    let wake = worker.wake().clone();
    let enqueue = async {
        for number in 1..=3 {
            bench.enqueue(&targets, &[message("c", number)]).await;
            wake.wake();
            while judge.requests() < number {
                tokio::task::yield_now().await;
            }
        }
    };
    let (say, stop) = oneshot::channel::<()>();
    let work = async {
        enqueue.await;
        say.send(()).unwrap();
    };
    tokio::join!(worker.run(async { stop.await.unwrap() }), work);
    assert_eq!(judge.ids(), ["c-1", "c-2", "c-3"]);
}

#[tokio::test]
async fn without_being_woken_it_looks_again_and_again() {
    let (bench, judge) = (
        Bench::new().await,
        Judge::start(|seen| match seen.number {
            1..=3 => Reply::Refuse(503, ""),
            _ => take(),
        })
        .await,
    );
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&targets, &[message("c", 1)]).await;
    run_until(&bench.worker(&targets), || judge.taken().len() == 1).await;
    assert_eq!(judge.requests(), 4);
    assert!(bench.clock.sleeps().contains(&Duration::from_secs(1)));
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other() {
    let (bench, hanging, well) =
        (Bench::new().await, Judge::start(|_| Reply::Hang).await, Judge::start(|_| take()).await);
    let other = webmessaging_sync::TargetConfig::new("well", well.url(), ShapeName::CrmMessages)
        .allow_private(["127.0.0.1"]);
    let targets = targets([config(&hanging, ShapeName::CrmMessages), other]);
    bench.enqueue(&targets, &[message("c", 1), message("d", 1)]).await;
    let worker = bench.builder(&targets).grace(Duration::from_millis(50)).build().unwrap();
    run_until(&worker, || well.taken().len() == 2 && hanging.requests() == 2).await;
    assert_eq!(hanging.taken().len(), 0);
    // The rest was given back: another worker has it at once.
    let stats = bench.store.outbox_stats(Some("judge"), bench.now()).await.unwrap();
    assert_eq!((stats.due, stats.leased), (2, 0));
}

#[tokio::test]
async fn stopping_ends_what_is_under_way_and_gives_back_the_rest() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages).at_once(2)]);
    bench.enqueue(&targets, &[message("c", 1), message("c", 2), message("c", 3)]).await;
    let worker = bench.worker(&targets);
    // It stops as soon as the first request has come, while the second waits for its answer.
    let first = Arc::new(Notify::new());
    let said = Arc::clone(&first);
    judge.now(move |_| {
        said.notify_one();
        take()
    });
    worker.run(first.notified()).await;
    let taken = judge.taken().len();
    let stats = bench.store.outbox_stats(Some("judge"), bench.now()).await.unwrap();
    assert_eq!((stats.delivered, stats.leased), (u64::try_from(taken).unwrap(), 0));
    bench.until_settled(&bench.worker(&targets)).await;
    assert_eq!(judge.ids(), ["c-1", "c-2", "c-3"]);
}

#[tokio::test]
async fn stopping_counts_as_an_attempt_for_what_was_sent_alone() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(503, "")).await);
    let targets = targets([config(&judge, ShapeName::Documents).at_once(1)]);
    let worker = bench.builder(&targets).grace(Duration::from_millis(50)).build().unwrap();
    bench.enqueue(&targets, &[file(1)]).await;
    assert_eq!(worker.deliver_due().await.unwrap().retried, 1);
    bench.advance(Duration::from_secs(60));
    // Different attempts go in different requests: the second one waits for the first, which hangs.
    bench.enqueue(&targets, &[file(2)]).await;
    judge.now(|_| Reply::Hang);
    run_until(&worker, || judge.requests() == 2).await;
    let lease = Duration::from_secs(1);
    let items = bench.store.claim_items("judge", "other", 9, lease, bench.now()).await.unwrap();
    let attempts: Vec<_> = items.iter().map(|item| item.attempt).collect();
    assert_eq!(attempts, [3, 1]);
}

#[test]
fn a_worker_can_run_on_any_thread() {
    fn crosses<T: Send>(_: impl FnOnce(&'static SyncWorker) -> T) {}
    crosses(|worker| worker.run(std::future::pending()));
}

#[tokio::test]
async fn a_worker_without_targets_waits_to_be_stopped() {
    let bench = Bench::new().await;
    let worker = bench.worker(&targets([]));
    let (say, stop) = oneshot::channel::<()>();
    let stopping = async {
        tokio::task::yield_now().await;
        say.send(()).unwrap();
    };
    tokio::join!(worker.run(async { stop.await.unwrap() }), stopping);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_on_one_file_deliver_everything_once() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let events: Vec<_> = (0..200).map(|number| message(&format!("c{}", number % 17), number)).collect();
    bench.enqueue(&targets, &events).await;
    let other = SyncWorker::builder(bench.reopened().await, targets.clone())
        .clock(bench.clock.clone())
        .client(|_, client| client.proxy(webmessaging_http::Proxy::none()))
        .build()
        .unwrap();
    let one = bench.worker(&targets);
    let drain = |worker: SyncWorker| async move {
        let mut delivered = 0;
        loop {
            let round = worker.deliver_due().await.unwrap();
            delivered += round.delivered;
            if worker.status().await.unwrap()[0].pending == 0 {
                return delivered;
            }
        }
    };
    let (a, b) = tokio::join!(tokio::spawn(drain(one)), tokio::spawn(drain(other)));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((a + b, judge.requests(), judge.taken().len()), (200, 200, 200));
    let ids: BTreeSet<_> = judge.ids().into_iter().collect();
    assert_eq!(ids.len(), 200);
}

#[tokio::test]
async fn a_lease_that_is_nearly_over_is_given_back_in_time() {
    let bench = Bench::new().await;
    let clock = bench.clock.clone();
    // Each answer takes a minute of the lease, which has ten times ten seconds and half a minute.
    let judge = Judge::start(move |_| {
        clock.advance(Duration::from_secs(60));
        take()
    })
    .await;
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let events: Vec<_> = (1..=4).map(|number| message("c", number)).collect();
    bench.enqueue(&targets, &events).await;
    let worker = bench.worker(&targets);
    let round = worker.deliver_due().await.unwrap();
    assert_eq!((round.claimed, round.delivered, round.given_back), (4, 2, 1));
    // What followed the one that was given back came back with it.
    let stats = bench.store.outbox_stats(Some("judge"), bench.now()).await.unwrap();
    assert_eq!((stats.leased, stats.due, stats.waiting), (0, 1, 1));
    bench.until_settled(&worker).await;
    assert_eq!(
        (judge.ids(), judge.requests()),
        (["c-1", "c-2", "c-3", "c-4"].map(str::to_owned).to_vec(), 4)
    );
}
