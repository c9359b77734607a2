//! Promises about what is forgotten, and when.

use std::time::Duration;

use webmessaging_store::{
    Accepted, Begun, DeadLetterFilter, DedupPolicy, Effects, Enqueued, IntentOutcome, NewIntent,
    NewQuarantine, NewScan, Retention, SenderSchedule, Store,
};

use super::{
    accept, at, bury_first, claim, claim_delivery, claims, delivery, drain, enqueue, finish_all, item,
};

const DAY: i64 = 86_400;

fn retention() -> Retention {
    Retention::new(DedupPolicy::for_sender(&SenderSchedule::genesys()))
}

pub(crate) async fn what_is_done_is_forgotten_after_its_time(store: &dyn Store) {
    accept(store, 1).await;
    accept(store, 2).await;
    finish_all(store, 2).await;
    enqueue(store, ["a", "b"].map(item)).await;
    drain(store, 2).await;
    // Not done, and the newest: some engines never let go of the newest row.
    accept(store, 3).await;
    enqueue(store, [item("c")]).await;

    let kept = store.purge(&retention(), at(DAY)).await.unwrap();
    assert_eq!((kept.deliveries, kept.items), (0, 0));
    assert!(matches!(store.accept(delivery(1)).await.unwrap(), Accepted::Duplicate { .. }));
    let gone = store.purge(&retention(), at(8 * DAY)).await.unwrap();
    assert_eq!((gone.deliveries, gone.items, gone.has_more), (2, 2, false));
    assert!(matches!(store.accept(delivery(1)).await.unwrap(), Accepted::New(_)));
    assert!(matches!(enqueue(store, [item("a")]).await[..], [Enqueued::New(_)]));
}

pub(crate) async fn what_is_not_done_is_never_forgotten(store: &dyn Store) {
    for number in 1..=4 {
        accept(store, number).await;
    }
    let dead = claim_delivery(store, 1).await.claim;
    store.bury_delivery(&dead, "no", at(1)).await.unwrap();
    claim_delivery(store, 2).await;
    enqueue(store, ["a", "b", "c", "d"].map(item)).await;
    bury_first(store, "no", 1).await;
    claim(store, 1, 1).await;
    store.begin_intent(NewIntent::new("bots.send", "key", at(1))).await.unwrap();
    store.quarantine(NewQuarantine::new("f", "malicious", at(1))).await.unwrap();

    let purged = store.purge(&retention(), at(999 * DAY)).await.unwrap();
    assert_eq!(purged, webmessaging_store::Purged::default());
    let letters = store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap().letters;
    assert_eq!(letters.len(), 2);
    assert_eq!(drain(store, 999 * DAY).await, ["b", "c", "d"]);
}

pub(crate) async fn what_is_forgotten_is_forgotten_in_batches(store: &dyn Store) {
    for number in 1..=6 {
        accept(store, number).await;
    }
    finish_all(store, 6).await;
    accept(store, 7).await;
    let batches = retention().batch(2);
    for (deliveries, has_more) in [(2, true), (2, true), (2, true), (0, false)] {
        let purged = store.purge(&batches, at(9 * DAY)).await.unwrap();
        assert_eq!((purged.deliveries, purged.has_more), (deliveries, has_more));
    }
}

pub(crate) async fn dropped_letters_and_decisions_are_forgotten_last(store: &dyn Store) {
    accept(store, 1).await;
    let dead = claim_delivery(store, 1).await.claim;
    store.bury_delivery(&dead, "no", at(1)).await.unwrap();
    enqueue(store, ["a", "b"].map(item)).await;
    bury_first(store, "no", 1).await;
    let letters = store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap().letters;
    for letter in &letters {
        store.edit_dead_letter(letter.id, "x".into(), "a2", at(1)).await.ok();
        store.drop_dead_letter(letter.id, "", at(2)).await.unwrap();
    }
    accept(store, 2).await;
    let Begun::New(id) = store.begin_intent(NewIntent::new("o", "key", at(1))).await.unwrap() else {
        panic!("it is new")
    };
    store.finish_intent(id, IntentOutcome::Done, "", at(2)).await.unwrap();
    store.quarantine(NewQuarantine::new("f", "malicious", at(1))).await.unwrap();
    store.release_quarantined("f", "", at(2)).await.unwrap();
    store.advance_scan(NewScan::new("f", 1, "scanning", at(2))).await.unwrap();
    store.store_value("token", "secret".into(), at(60), 7).await.unwrap();

    let purged = store.purge(&retention(), at(8 * DAY)).await.unwrap();
    assert_eq!((purged.deliveries, purged.items, purged.intents), (0, 0, 0));
    assert_eq!((purged.files, purged.scans, purged.values), (0, 0, 1));
    let purged = store.purge(&retention(), at(31 * DAY)).await.unwrap();
    assert_eq!((purged.deliveries, purged.items, purged.intents), (1, 1, 1));
    assert_eq!((purged.files, purged.scans, purged.values), (1, 1, 0));
    assert_eq!(store.quarantine_entry("f").await.unwrap(), None);
    assert_eq!(store.scan_state("f").await.unwrap(), None);
    // Who was overtaken stays overtaken.
    let late = store.store_value("token", "late".into(), at(99 * DAY), 6).await;
    super::refused(late, webmessaging_store::ErrorKind::LeaseLost);
    // With the letter its edits are gone, and their keys.
    assert!(matches!(enqueue(store, [item("a")]).await[..], [Enqueued::New(_)]));
}

pub(crate) async fn old_claims_never_meet_new_rows(store: &dyn Store) {
    accept(store, 1).await;
    let old = claim_delivery(store, 1).await.claim;
    store.finish_delivery(&old, Effects::none(), at(1)).await.unwrap();
    enqueue(store, [item("a")]).await;
    let old_item = claims(&claim(store, 1, 1).await);
    store.mark_delivered(&old_item, at(1)).await.unwrap();
    for _ in 0..2 {
        store.purge(&retention().delivered(Duration::ZERO), at(99 * DAY)).await.unwrap();
    }
    accept(store, 2).await;
    enqueue(store, [item("b")]).await;
    assert_ne!(claim_delivery(store, 99 * DAY).await.claim.id(), old.id());
    assert_ne!(claim(store, 1, 99 * DAY).await[0].claim.id(), old_item[0].id());
}

pub(crate) async fn a_probe_writes(store: &dyn Store) {
    store.probe(at(1)).await.unwrap();
    store.probe(at(2)).await.unwrap();
}
