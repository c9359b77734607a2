//! Promises of the inbox.

use webmessaging_store::limits::REASON_BYTES_MAX;
use webmessaging_store::{
    Accepted, DeadLetterFilter, Effects, ErrorKind, NewDelivery, NewItem, NewQuarantine, NewScan,
    QuarantineState, Store,
};

use super::{LEASE, accept, at, claim_delivery, delivery, drain, item, refused, with};

pub(crate) async fn a_delivery_is_new_once_by_its_id_and_once_by_its_content(store: &dyn Store) {
    accept(store, 1).await;
    let known = Accepted::Duplicate { first_received_at: at(1) };
    let mut later = delivery(1);
    later.received_at = at(9);
    assert_eq!(store.accept(later.clone()).await.unwrap(), known);
    // One key is enough, whichever it is.
    let same_id = with(later.clone(), |same| same.content_key = "other".into());
    assert_eq!(store.accept(same_id).await.unwrap(), known);
    let same_content = later.delivery_id("other");
    assert_eq!(store.accept(same_content.clone()).await.unwrap(), known);
    let without_id = with(same_content, |same| same.delivery_id = None);
    assert_eq!(store.accept(without_id).await.unwrap(), known);
    assert_eq!(store.claim_deliveries("worker", 10, LEASE, at(9)).await.unwrap().len(), 1);
}

pub(crate) async fn keys_of_another_source_are_other_keys(store: &dyn Store) {
    accept(store, 1).await;
    let elsewhere = with(delivery(1), |other| other.source = "other".into());
    assert!(matches!(store.accept(elsewhere).await.unwrap(), Accepted::New(_)));
    // That nothing has an id makes nothing the same.
    for content in ["a", "b"] {
        let without_id = NewDelivery::new("genesys", content, "event", at(0));
        assert!(matches!(store.accept(without_id).await.unwrap(), Accepted::New(_)));
    }
}

pub(crate) async fn what_breaks_the_limits_is_refused_and_not_kept(store: &dyn Store) {
    refused(store.accept(NewDelivery::new("", "key", "event", at(0))).await, ErrorKind::InvalidInput);
    refused(store.accept(NewDelivery::new("s", "a\0b", "event", at(0))).await, ErrorKind::InvalidInput);
    refused(store.claim_deliveries("", 1, LEASE, at(0)).await, ErrorKind::InvalidInput);
    assert_eq!(store.claim_deliveries("worker", 10, LEASE, at(9)).await.unwrap(), []);
}

pub(crate) async fn deliveries_are_claimed_oldest_first_with_all_they_came_with(store: &dyn Store) {
    for number in [1, 2, 3] {
        accept(store, number).await;
    }
    let claimed = store.claim_deliveries("worker", 2, LEASE, at(9)).await.unwrap();
    assert_eq!(claimed.len(), 2);
    for (number, claimed) in (1..).zip(&claimed) {
        let sent = delivery(number);
        assert_eq!((&claimed.source, &claimed.delivery_id), (&sent.source, &sent.delivery_id));
        assert_eq!((&claimed.content_key, &claimed.event_type), (&sent.content_key, &sent.event_type));
        assert_eq!((claimed.received_at, &claimed.body), (sent.received_at, &sent.body));
        assert_eq!((claimed.attempt, claimed.leased_until), (1, at(9) + LEASE));
    }
    assert_eq!(store.claim_deliveries("worker", 0, LEASE, at(9)).await.unwrap(), []);
    assert_eq!(claim_delivery(store, 9).await.content_key, "content-3");
}

pub(crate) async fn a_claimed_delivery_is_nobody_elses_until_its_lease_runs_out(store: &dyn Store) {
    accept(store, 1).await;
    let first = claim_delivery(store, 1).await;
    assert_eq!(store.claim_deliveries("other", 10, LEASE, at(30)).await.unwrap(), []);
    let second = claim_delivery(store, 31).await;
    assert_eq!((second.claim.id(), second.attempt), (first.claim.id(), 2));
    assert!(second.claim.fence() > first.claim.fence());
}

pub(crate) async fn a_late_finish_is_refused_and_writes_nothing(store: &dyn Store) {
    accept(store, 1).await;
    let late = claim_delivery(store, 1).await.claim;
    let current = claim_delivery(store, 40).await.claim;
    let effects = Effects::none()
        .enqueue(item("late"))
        .quarantine(NewQuarantine::new("late", "malicious", at(1)))
        .advance_scan(NewScan::new("late", 1, "scanning", at(1)));
    refused(store.finish_delivery(&late, effects.clone(), at(41)).await, ErrorKind::LeaseLost);
    refused(store.retry_delivery(&late, at(41), "late", at(41)).await, ErrorKind::LeaseLost);
    refused(store.bury_delivery(&late, "late", at(41)).await, ErrorKind::LeaseLost);
    assert_eq!(drain(store, 50).await, Vec::<String>::new());
    assert_eq!(store.quarantine_entry("late").await.unwrap(), None);
    assert_eq!(store.scan_state("late").await.unwrap(), None);
    store.finish_delivery(&current, Effects::none(), at(42)).await.unwrap();
    refused(store.finish_delivery(&current, effects, at(43)).await, ErrorKind::LeaseLost);
    assert_eq!(drain(store, 50).await, Vec::<String>::new());
}

pub(crate) async fn a_finish_writes_all_effects(store: &dyn Store) {
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    let effects = Effects::none()
        .enqueue(item("a"))
        .enqueue(item("b").lane("lane"))
        .quarantine(NewQuarantine::new("file", "malicious", at(1)))
        .advance_scan(NewScan::new("file", 9, "malicious", at(1)));
    store.finish_delivery(&claim, effects, at(2)).await.unwrap();
    assert_eq!(drain(store, 2).await, ["a", "b"]);
    let entry = store.quarantine_entry("file").await.unwrap().unwrap();
    assert_eq!((entry.reason.as_str(), entry.state), ("malicious", QuarantineState::Held));
    assert_eq!(store.scan_state("file").await.unwrap().unwrap().rank, 9);
    // It is done, and still known.
    assert_eq!(store.claim_deliveries("worker", 10, LEASE, at(99)).await.unwrap(), []);
    assert_eq!(store.accept(delivery(1)).await.unwrap(), Accepted::Duplicate { first_received_at: at(1) });
}

pub(crate) async fn effects_that_need_their_scan_to_move_are_kept_with_the_move_or_not_at_all(
    store: &dyn Store,
) {
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    store.advance_scan(NewScan::new("file", 9, "malicious", at(1))).await.unwrap();
    let clean = NewScan::new("file", 2, "clean", at(1));
    let effects = Effects::none()
        .enqueue(item("announce"))
        .quarantine(NewQuarantine::new("other", "malicious", at(1)))
        .advance_scan(NewScan::new("ahead", 2, "clean", at(1)))
        .advance_scan(clean.clone());
    let refusal = store.finish_delivery(&claim, effects.clone().scans_must_move(), at(2)).await;
    refused(refusal, ErrorKind::Conflict);
    assert_eq!(drain(store, 2).await, Vec::<String>::new());
    assert_eq!(store.quarantine_entry("other").await.unwrap(), None);
    assert_eq!(store.scan_state("ahead").await.unwrap(), None);
    // The claim still holds, and without the condition a late scan is left out alone.
    store.finish_delivery(&claim, effects, at(2)).await.unwrap();
    assert_eq!(drain(store, 2).await, ["announce"]);
    assert_eq!(store.scan_state("file").await.unwrap().unwrap().state, "malicious");
    assert_eq!(store.scan_state("ahead").await.unwrap().unwrap().state, "clean");
}

pub(crate) async fn an_effect_that_is_refused_leaves_the_delivery_unfinished(store: &dyn Store) {
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    let effects = Effects::none().enqueue(item("good")).enqueue(NewItem::new("crm", "", "kind", at(0)));
    refused(store.finish_delivery(&claim, effects, at(2)).await, ErrorKind::InvalidInput);
    assert_eq!(drain(store, 2).await, Vec::<String>::new());
    store.finish_delivery(&claim, Effects::none(), at(2)).await.unwrap();
}

pub(crate) async fn a_retried_delivery_waits_for_its_time(store: &dyn Store) {
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    store.retry_delivery(&claim, at(60), "busy", at(2)).await.unwrap();
    refused(store.finish_delivery(&claim, Effects::none(), at(2)).await, ErrorKind::LeaseLost);
    assert_eq!(store.claim_deliveries("worker", 10, LEASE, at(59)).await.unwrap(), []);
    assert_eq!(claim_delivery(store, 60).await.attempt, 2);
}

pub(crate) async fn a_buried_delivery_is_not_claimed_again(store: &dyn Store) {
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    store.bury_delivery(&claim, &"ä".repeat(REASON_BYTES_MAX), at(2)).await.unwrap();
    assert_eq!(store.claim_deliveries("worker", 10, LEASE, at(999)).await.unwrap(), []);
    let letters = store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap().letters;
    assert_eq!(letters[0].reason, "ä".repeat(REASON_BYTES_MAX / 2));
    assert!(matches!(store.accept(delivery(1)).await.unwrap(), Accepted::Duplicate { .. }));
}

pub(crate) async fn the_inbox_counts_what_is_in_it(store: &dyn Store) {
    for number in 1..=6 {
        accept(store, number).await;
    }
    let claimed = store.claim_deliveries("worker", 4, LEASE, at(10)).await.unwrap();
    store.finish_delivery(&claimed[0].claim, Effects::none(), at(10)).await.unwrap();
    store.bury_delivery(&claimed[1].claim, "no", at(10)).await.unwrap();
    store.retry_delivery(&claimed[2].claim, at(90), "later", at(10)).await.unwrap();
    let stats = store.inbox_stats(at(11)).await.unwrap();
    assert_eq!((stats.due, stats.waiting, stats.leased), (2, 1, 1));
    assert_eq!((stats.dead, stats.remembered, stats.oldest_open_at), (1, 1, Some(at(3))));
    assert_eq!(store.inbox_stats(at(50)).await.unwrap().due, 3);
}
