//! Promises about what the outbox says of itself.

use webmessaging_store::limits::LIST_MAX;
use webmessaging_store::{BlockedBy, DeadLetterFilter, Store};

use super::{at, bury_first, claim, claims, enqueue, fill_lane, item, with};

pub(crate) async fn the_outbox_counts_what_is_in_it(store: &dyn Store) {
    fill_lane(store, "dead", &["d1", "d2"]).await;
    bury_first(store, "400", 1).await;
    fill_lane(store, "dropped", &["x1"]).await;
    bury_first(store, "400", 2).await;
    let filter = DeadLetterFilter::default().lane("dropped");
    let letter = &store.dead_letters(&filter, None, 1).await.unwrap().letters[0];
    store.drop_dead_letter(letter.id, "", at(2)).await.unwrap();
    enqueue(store, ["a", "b", "c"].map(item)).await;
    let claimed = claim(store, 2, 3).await;
    store.mark_delivered(&claims(&claimed[..1]), at(3)).await.unwrap();
    store.enqueue(vec![with(item("z"), |item| item.target = "other".into())], at(-5)).await.unwrap();

    let stats = store.outbox_stats(Some("crm"), at(4)).await.unwrap();
    assert_eq!((stats.due, stats.waiting, stats.leased), (1, 1, 1));
    assert_eq!((stats.dead, stats.delivered, stats.dropped), (1, 1, 1));
    assert_eq!(stats.oldest_open_at, Some(at(0)));
    let stats = store.outbox_stats(None, at(40)).await.unwrap();
    assert_eq!((stats.due, stats.waiting, stats.leased), (3, 1, 0));
    assert_eq!(stats.oldest_open_at, Some(at(-5)));
}

pub(crate) async fn a_lane_that_is_held_up_says_why_and_since_when(store: &dyn Store) {
    fill_lane(store, "retried", &["r1", "r2"]).await;
    for (seconds, retry) in [(1, 10), (10, 60)] {
        let items = claim(store, 1, seconds).await;
        store
            .retry_items(&claims(&items), at(retry), &format!("503 at {seconds}"), at(seconds))
            .await
            .unwrap();
    }
    fill_lane(store, "dead", &["d1", "d2"]).await;
    bury_first(store, "400", 20).await;
    fill_lane(store, "moving", &["m1"]).await;

    let stats = store.outbox_stats(None, at(30)).await.unwrap();
    assert_eq!(stats.blocked_lanes_total, 2);
    let [retried, dead] = &stats.blocked_lanes[..] else { panic!("{stats:?}") };
    assert_eq!((retried.target.as_str(), retried.lane.as_str()), ("crm", "retried"));
    // Since it failed first, with the reason that it failed with last.
    assert_eq!((retried.by, retried.since), (BlockedBy::Retry { at: at(60) }, at(1)));
    assert_eq!(retried.reason, "503 at 10");
    assert_eq!((dead.lane.as_str(), dead.by, dead.since), ("dead", BlockedBy::DeadLetter, at(20)));
    assert_eq!(dead.reason, "400");
    // Due again, it is not held up but about to move.
    assert_eq!(store.outbox_stats(Some("crm"), at(60)).await.unwrap().blocked_lanes_total, 1);
    assert_eq!(store.outbox_stats(Some("other"), at(30)).await.unwrap().blocked_lanes_total, 0);
}

pub(crate) async fn a_release_is_no_failure(store: &dyn Store) {
    fill_lane(store, "lane", &["a"]).await;
    // Whoever had it first went down with it.
    claim(store, 1, 1).await;
    let items = claim(store, 1, 40).await;
    store.release_items(&claims(&items), at(50), at(40)).await.unwrap();
    let stats = store.outbox_stats(None, at(45)).await.unwrap();
    assert_eq!((stats.waiting, stats.blocked_lanes_total), (1, 0));

    let items = claim(store, 1, 50).await;
    store.retry_items(&claims(&items), at(60), "503", at(50)).await.unwrap();
    let items = claim(store, 1, 60).await;
    store.release_items(&claims(&items), at(70), at(60)).await.unwrap();
    let stats = store.outbox_stats(None, at(65)).await.unwrap();
    let [lane] = &stats.blocked_lanes[..] else { panic!("{stats:?}") };
    assert_eq!((lane.by, lane.since), (BlockedBy::Retry { at: at(70) }, at(50)));
    assert_eq!(lane.reason, "503", "what it failed with stays");
}

pub(crate) async fn targets_are_told_by_name_whatever_state_their_items_are_in(store: &dyn Store) {
    assert!(store.targets().await.unwrap().is_empty());
    enqueue(store, ["a", "b", "c"].map(item)).await;
    let claimed = claim(store, 2, 1).await;
    store.mark_delivered(&claims(&claimed[..1]), at(1)).await.unwrap();
    store.bury_item(&claimed[1].claim, "400", at(1)).await.unwrap();
    let of = |target: &str, key: &str| with(item(key), |item| item.target = target.into());
    // No language sorts these as their bytes do.
    enqueue(store, [of("z", "1"), of("Zulu", "1"), of("a_b", "1"), of("a-c", "1"), of("a_b", "2")]).await;
    assert_eq!(store.targets().await.unwrap(), ["Zulu", "a-c", "a_b", "crm", "z"]);
    let delivered = store.claim_items("z", "worker", 1, super::LEASE, at(2)).await.unwrap();
    store.mark_delivered(&claims(&delivered), at(2)).await.unwrap();
    assert_eq!(store.targets().await.unwrap().last().unwrap(), "z", "what is delivered is remembered");
}

pub(crate) async fn targets_are_listed_up_to_a_limit(store: &dyn Store) {
    let of = |number: u32| with(item("key"), |item| item.target = format!("target-{number:04}"));
    enqueue(store, (0..=LIST_MAX).map(of)).await;
    let targets = store.targets().await.unwrap();
    assert_eq!(targets.len(), usize::try_from(LIST_MAX).unwrap());
    assert_eq!(targets.last().unwrap(), "target-0499");
}
