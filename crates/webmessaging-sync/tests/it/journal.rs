//! The journal on both ends: it feeds the outbox, and hears what came of it.

use std::sync::Arc;

use webmessaging_journal::kind::TransferFinished;
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{EventKind, Journal, Outcome};
use webmessaging_store::Enqueued;
use webmessaging_sync::{OutboxSink, ShapeName, TargetConfig};

use crate::judge::{Judge, Reply, take};
use crate::setup::{Bench, config, event, file, message, targets};

#[tokio::test]
async fn what_is_recorded_is_in_the_outbox_before_the_caller_goes_on() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let worker = bench.worker(&targets);
    let sink =
        OutboxSink::new(Arc::clone(&bench.store), targets).wake(worker.wake()).clock(bench.clock.clone());
    let journal = Journal::builder().durable("outbox", sink).build().unwrap();
    let event = message("c", 1);
    journal.append(event.clone()).await.unwrap();
    assert_eq!(bench.store.outbox_stats(None, bench.now()).await.unwrap().due, 1);
    // Again, after a crash say: it is the same item. And the same thing a second time is another one.
    journal.append(event).await.unwrap();
    journal.append(message("c", 1)).await.unwrap();
    journal.append(file(1)).await.unwrap();
    assert_eq!(worker.status().await.unwrap()[0].pending, 2);
}

#[tokio::test]
async fn the_same_event_makes_the_same_items() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let other = TargetConfig::new("other", "https://crm.example/", ShapeName::CrmMessages);
    let targets = targets([config(&judge, ShapeName::CrmMessages), other]);
    let event = message("c", 1);
    let (now, later) = (bench.now(), bench.now() + std::time::Duration::from_secs(9));
    let (first, second) = (targets.items_for(&event, now), targets.items_for(&event, later));
    let keys = |items: &[webmessaging_store::NewItem]| {
        items.iter().map(|item| item.idempotency_key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&first), keys(&second));
    assert_ne!(first[0].idempotency_key, first[1].idempotency_key);
    bench.store.enqueue(first, now).await.unwrap();
    let known = bench.store.enqueue(second, later).await.unwrap();
    assert!(known.iter().all(|answer| matches!(answer, Enqueued::Known(_))));
}

/// A receiver, two who wait and the process after a crash each record that a transfer is over, with events of their own.
#[tokio::test]
async fn a_transfer_goes_to_the_archive_once_however_often_its_end_is_recorded() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::Archive)]);
    let worker = bench.worker(&targets);
    let finished = |id: &str, name: &str| event(TransferFinished::new(id, name));
    bench.enqueue(&targets, &[finished("t-1", "a.pdf"), finished("t-1", "b.pdf")]).await;
    worker.deliver_due().await.unwrap();
    // Also when it has been delivered by then.
    bench.enqueue(&targets, &[finished("t-1", "a.pdf"), finished("t-2", "a.pdf")]).await;
    worker.deliver_due().await.unwrap();
    let documents: Vec<_> = judge.seen().iter().map(|seen| seen.body["documentId"].clone()).collect();
    assert_eq!(documents, ["t-1", "t-2"]);
}

#[tokio::test]
async fn deliveries_are_recorded_with_their_facts() {
    let (bench, kept) = (Bench::new().await, InMemory::new());
    let judge = Judge::start(|seen| match seen.number {
        1 => Reply::Refuse(503, "x-request-id: r-1\r\n"),
        2 => Reply::Refuse(409, ""),
        _ => Reply::Refuse(422, ""),
    })
    .await;
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let journal = Journal::builder().durable("memory", kept.clone()).build().unwrap();
    let worker = bench.builder(&targets).journal(journal).build().unwrap();
    bench.enqueue(&targets, &[message("c", 1), message("c", 2)]).await;
    bench.until_settled(&worker).await;
    let events = kept.events();
    let [failed, done, dead] = &events[..] else { panic!("{events:?}") };
    assert_eq!(failed.outcome(), Outcome::Failure { code: "server" });
    assert_eq!(
        (failed.facts.status, failed.facts.attempts, failed.facts.request_id.as_deref()),
        (Some(503), Some(1), Some("r-1"))
    );
    assert!(
        failed.facts.payload_sha256.is_some() && failed.facts.payload_sha256 == done.facts.payload_sha256
    );
    assert!(failed.facts.latency.is_some() && failed.facts.correlation_id.is_some());
    let (
        EventKind::DeliveryFailed(failed),
        EventKind::DeliverySucceeded(done),
        EventKind::DeliveryFailed(dead),
    ) = (&failed.kind, &done.kind, &dead.kind)
    else {
        panic!("{events:?}")
    };
    assert_eq!((failed.dead, failed.items, failed.retry_in.is_some()), (Some(false), Some(1), true));
    assert_eq!((done.duplicate, &*done.target), (Some(true), "judge"));
    assert_eq!(failed.delivery_id, done.delivery_id);
    assert_eq!((dead.dead, dead.retry_in, dead.cause.as_str()), (Some(true), None, "rejected"));
}

#[tokio::test]
async fn only_what_was_buried_is_said_to_be_dead() {
    let (bench, kept) = (Bench::new().await, InMemory::new());
    let judge = Judge::start(|_| Reply::Refuse(422, "")).await;
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let journal = Journal::builder().durable("memory", kept.clone()).build().unwrap();
    let worker = bench.builder(&targets).journal(journal).build().unwrap();
    bench.enqueue(&targets, &[message("c", 1)]).await;
    // While the answer is under way another worker claims it.
    let other = std::sync::Mutex::new(bench.connection());
    judge.now(move |_| {
        other.lock().unwrap().execute("update items set fence = fence + 1", []).unwrap();
        Reply::Refuse(422, "")
    });
    assert_eq!(worker.deliver_due().await.unwrap().buried, 0);
    assert_eq!((judge.requests(), kept.events().len()), (1, 0));
    judge.now(|_| Reply::Refuse(422, ""));
    bench.until_settled(&worker).await;
    let events = kept.events();
    let [event] = &events[..] else { panic!("{events:?}") };
    let EventKind::DeliveryFailed(failed) = &event.kind else { panic!("{event:?}") };
    assert_eq!((failed.dead, failed.items), (Some(true), Some(1)));
}

/// A target that wants to hear of deliveries hears of those to others, and nobody hears of those.
#[tokio::test]
async fn telling_of_deliveries_ends() {
    let (bench, crm, watch, other) = (
        Bench::new().await,
        Judge::start(|_| take()).await,
        Judge::start(|_| take()).await,
        Judge::start(|_| take()).await,
    );
    let watcher = |name: &str, judge: &Judge| {
        TargetConfig::new(name, judge.url(), ShapeName::Template)
            .template(serde_json::json!({ "about": "{{data.target}}" }))
            .events(["delivery.succeeded", "delivery.failed"])
            .allow_private(["127.0.0.1"])
    };
    let targets =
        targets([config(&crm, ShapeName::CrmMessages), watcher("watch", &watch), watcher("other", &other)]);
    let sink = OutboxSink::new(Arc::clone(&bench.store), targets.clone()).clock(bench.clock.clone());
    let journal = Journal::builder().durable("outbox", sink).build().unwrap();
    let worker = bench.builder(&targets).journal(journal.clone()).build().unwrap();
    journal.append(message("c", 1)).await.unwrap();
    bench.until_settled(&worker).await;
    assert_eq!(
        (crm.requests(), watch.ids(), other.ids()),
        (1, vec!["judge".to_owned()], vec!["judge".to_owned()])
    );
}

#[tokio::test]
async fn a_target_hears_nothing_of_its_own_deliveries() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let all = config(&judge, ShapeName::Template)
        .template(serde_json::json!({ "about": "{{subject.id}}" }))
        .events(["bot_message.sent", "delivery.succeeded"]);
    let targets = targets([all]);
    let sink = OutboxSink::new(Arc::clone(&bench.store), targets.clone()).clock(bench.clock.clone());
    let journal = Journal::builder().durable("outbox", sink).build().unwrap();
    let worker = bench.builder(&targets).journal(journal.clone()).build().unwrap();
    journal.append(message("c", 1)).await.unwrap();
    bench.until_settled(&worker).await;
    assert_eq!(judge.ids(), ["c"]);
}

#[tokio::test]
async fn a_journal_that_fails_takes_no_delivery_back() {
    struct Broken;

    impl webmessaging_journal::Sink for Broken {
        fn record<'a>(&'a self, _: &'a webmessaging_journal::Event) -> webmessaging_journal::Recorded<'a> {
            let error = webmessaging_journal::Error::new(webmessaging_journal::ErrorKind::Io, "broken");
            Box::pin(async { Err(error) })
        }
    }

    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let journal = Journal::builder().durable("broken", Broken).build().unwrap();
    let worker = bench.builder(&targets).journal(journal).build().unwrap();
    bench.enqueue(&targets, &[message("c", 1)]).await;
    assert_eq!(worker.deliver_due().await.unwrap().delivered, 1);
    assert_eq!(worker.deliver_due().await.unwrap().claimed, 0);
}
