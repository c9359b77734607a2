//! Promises of the outbox that have nothing to do with lanes.

use webmessaging_store::{Enqueued, ErrorKind, NewItem, Store};

use super::{LEASE, at, claim, claims, drain, enqueue, item, keys, refused, with};

pub(crate) async fn an_item_is_kept_once_for_its_target_and_key(store: &dyn Store) {
    let answers = enqueue(store, [item("a"), item("b"), item("a").payload("another")]).await;
    let [Enqueued::New(a), Enqueued::New(b), Enqueued::Known(again)] = answers[..] else {
        panic!("{answers:?}")
    };
    assert!(a < b);
    assert_eq!(a, again);
    assert_eq!(drain(store, 1).await, ["a", "b"]);
    assert_eq!(enqueue(store, [item("a")]).await, [Enqueued::Known(a)]);
    assert_eq!(drain(store, 1).await, Vec::<String>::new());
}

pub(crate) async fn of_items_that_break_the_limits_none_is_kept(store: &dyn Store) {
    let bad = vec![item("a"), NewItem::new("crm", "k", "", at(0))];
    refused(store.enqueue(bad, at(0)).await, ErrorKind::InvalidInput);
    refused(store.enqueue(vec![item("a"); 1_001], at(0)).await, ErrorKind::InvalidInput);
    assert_eq!(drain(store, 1).await, Vec::<String>::new());
    assert_eq!(enqueue(store, []).await, []);
}

pub(crate) async fn items_come_with_all_they_were_enqueued_with(store: &dyn Store) {
    store.enqueue(vec![item("a").lane("lane")], at(3)).await.unwrap();
    let claimed = claim(store, 10, 5).await.pop().unwrap();
    assert_eq!((claimed.target.as_str(), claimed.lane.as_deref()), ("crm", Some("lane")));
    assert_eq!((claimed.idempotency_key.as_str(), claimed.kind.as_str()), ("a", "guest.updated"));
    assert_eq!((&claimed.payload[..], claimed.enqueued_at), (&b"payload of a"[..], at(3)));
    assert_eq!((claimed.attempt, claimed.leased_until), (1, at(5) + LEASE));
}

pub(crate) async fn items_without_a_lane_are_independent(store: &dyn Store) {
    enqueue(store, ["a", "b", "c"].map(item)).await;
    let first = claim(store, 1, 1).await;
    assert_eq!(keys(&first), ["a"]);
    let rest = claim(store, 10, 1).await;
    assert_eq!(keys(&rest), ["b", "c"]);
    store.bury_item(&rest[0].claim, "no", at(1)).await.unwrap();
    assert_eq!(store.mark_delivered(&claims(&rest[1..]), at(1)).await.unwrap(), []);
    assert_eq!(store.retry_items(&claims(&first), at(2), "later", at(1)).await.unwrap(), []);
    assert_eq!(drain(store, 2).await, ["a"]);
}

pub(crate) async fn an_item_whose_lease_ran_out_is_claimed_again_and_its_first_claim_is_lost(
    store: &dyn Store,
) {
    enqueue(store, ["a", "b"].map(item)).await;
    let late = claim(store, 2, 1).await;
    assert_eq!(claim(store, 2, 30).await, []);
    let current = claim(store, 1, 31).await;
    assert_eq!((keys(&current), current[0].attempt), (vec!["a"], 2));
    assert!(current[0].claim.fence() > late[0].claim.fence());
    refused(store.bury_item(&late[0].claim, "late", at(32)).await, ErrorKind::LeaseLost);
    let lost = vec![late[0].claim.clone()];
    assert_eq!(store.retry_items(&lost, at(99), "late", at(32)).await.unwrap(), lost);
    // What is not lost is written all the same.
    assert_eq!(store.mark_delivered(&claims(&late), at(32)).await.unwrap(), lost);
    assert_eq!(store.mark_delivered(&claims(&current), at(33)).await.unwrap(), []);
    assert_eq!(drain(store, 99).await, Vec::<String>::new());
    assert_eq!(store.mark_delivered(&claims(&current), at(34)).await.unwrap(), claims(&current));
}

pub(crate) async fn a_late_answer_counts_while_nobody_else_has_claimed(store: &dyn Store) {
    enqueue(store, [item("a")]).await;
    let items = claim(store, 1, 1).await;
    assert_eq!(store.mark_delivered(&claims(&items), at(500)).await.unwrap(), []);
    assert_eq!(drain(store, 501).await, Vec::<String>::new());
}

pub(crate) async fn an_item_is_not_claimed_before_its_time(store: &dyn Store) {
    enqueue(store, [with(item("a"), |item| item.available_at = at(60))]).await;
    assert_eq!(claim(store, 10, 59).await, []);
    assert_eq!(drain(store, 60).await, ["a"]);
}

pub(crate) async fn a_claim_is_limited_and_takes_first_items_of_lanes_first(store: &dyn Store) {
    let items = [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b"), ("a3", "a")];
    enqueue(store, items.map(|(key, lane)| item(key).lane(lane))).await;
    assert_eq!(claim(store, 0, 1).await, []);
    let first = claim(store, 3, 1).await;
    assert_eq!(keys(&first), ["a1", "a2", "b1"]);
    assert_eq!(claim(store, 3, 1).await, []);
    assert_eq!(store.mark_delivered(&claims(&first), at(1)).await.unwrap(), []);
    assert_eq!(drain(store, 1).await, ["b2", "a3"]);
}

pub(crate) async fn a_released_item_keeps_its_attempts(store: &dyn Store) {
    enqueue(store, [item("a")]).await;
    for seconds in [1, 11, 21] {
        let items = claim(store, 1, seconds).await;
        assert_eq!(items[0].attempt, 1);
        let released = store.release_items(&claims(&items), at(seconds + 10), at(seconds)).await;
        assert_eq!(released.unwrap(), []);
        assert_eq!(claim(store, 1, seconds + 9).await, [], "due when it was said");
    }
    let tried = claim(store, 1, 31).await;
    assert_eq!(store.retry_items(&claims(&tried), at(32), "503", at(31)).await.unwrap(), []);
    let items = claim(store, 1, 32).await;
    assert_eq!(store.release_items(&claims(&items), at(33), at(32)).await.unwrap(), []);
    assert_eq!(claim(store, 1, 33).await[0].attempt, 2);
}

pub(crate) async fn a_release_that_comes_late_changes_nothing(store: &dyn Store) {
    enqueue(store, ["a", "b"].map(item)).await;
    let late = claim(store, 2, 1).await;
    let current = claim(store, 1, 31).await;
    let lost = vec![late[0].claim.clone()];
    // What is not lost is released all the same.
    assert_eq!(store.release_items(&claims(&late), at(99), at(32)).await.unwrap(), lost);
    assert_eq!(claim(store, 2, 60).await, []);
    assert_eq!(store.mark_delivered(&claims(&current), at(60)).await.unwrap(), []);
    assert_eq!(store.release_items(&claims(&current), at(60), at(60)).await.unwrap(), claims(&current));
    assert_eq!(drain(store, 98).await, Vec::<String>::new());
    let rest = claim(store, 2, 99).await;
    assert_eq!((keys(&rest), rest[0].attempt), (vec!["b"], 1));
}

pub(crate) async fn targets_do_not_meet(store: &dyn Store) {
    let elsewhere = with(item("a").lane("lane"), |item| item.target = "documents".into());
    let answers = enqueue(store, [item("a").lane("lane"), elsewhere]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Enqueued::New(_))));
    bury_both_ways(store).await;
}

/// That a target's lane is held up holds up nobody else's lane of the same name.
async fn bury_both_ways(store: &dyn Store) {
    super::bury_first(store, "no", 1).await;
    let items = store.claim_items("documents", "worker", 10, LEASE, at(1)).await.unwrap();
    assert_eq!(keys(&items), ["a"]);
}
