//! Promises about lanes: their order, and what holds them up.

use webmessaging_store::{DeadLetterFilter, DeadLetterId, Origin, Store};

use super::{at, bury_first, claim, claims, drain, enqueue, fill_lane, item, keys, with};

pub(crate) async fn a_lane_comes_in_order_and_without_a_gap(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b", "c"]).await;
    let two = claim(store, 2, 1).await;
    assert_eq!(keys(&two), ["a", "b"]);
    assert_eq!(store.mark_delivered(&claims(&two), at(1)).await.unwrap(), []);
    assert_eq!(drain(store, 1).await, ["c"]);
}

pub(crate) async fn a_lane_is_claimed_by_one_worker_at_a_time(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b", "c"]).await;
    let mine = claim(store, 2, 1).await;
    assert_eq!(claim(store, 10, 1).await, []);
    // One of two is delivered: the other one still holds the lane.
    assert_eq!(store.mark_delivered(&claims(&mine[..1]), at(1)).await.unwrap(), []);
    assert_eq!(claim(store, 10, 1).await, []);
    // The lease runs out, and another worker gets the rest in order.
    assert_eq!(keys(&claim(store, 10, 31).await), ["b", "c"]);
}

pub(crate) async fn a_retry_holds_up_its_lane_and_no_other(store: &dyn Store) {
    fill_lane(store, "slow", &["a", "b"]).await;
    let first = claim(store, 1, 1).await;
    assert_eq!(store.retry_items(&claims(&first), at(60), "503", at(1)).await.unwrap(), []);
    fill_lane(store, "slow", &["c"]).await;
    fill_lane(store, "quick", &["x", "y"]).await;
    assert_eq!(drain(store, 59).await, ["x", "y"]);
    assert_eq!(drain(store, 60).await, ["a", "b", "c"]);
}

pub(crate) async fn a_retry_gives_back_the_rest_of_its_lane_untried(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b", "c"]).await;
    let all = claim(store, 3, 1).await;
    assert_eq!(store.retry_items(&claims(&all[..2]), at(60), "503", at(1)).await.unwrap(), []);
    // Who holds the third all the same has lost it.
    assert_eq!(store.mark_delivered(&claims(&all[2..]), at(1)).await.unwrap(), claims(&all[2..]));
    assert_eq!(claim(store, 10, 59).await, []);
    let again = claim(store, 10, 60).await;
    assert_eq!(keys(&again), ["a", "b", "c"]);
    let attempts: Vec<_> = again.iter().map(|item| item.attempt).collect();
    assert_eq!(attempts, [2, 2, 1]);
}

pub(crate) async fn a_release_gives_back_the_rest_of_its_lane(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b", "c"]).await;
    let all = claim(store, 3, 1).await;
    assert_eq!(store.release_items(&claims(&all[..1]), at(60), at(1)).await.unwrap(), []);
    // Who holds the others all the same has lost them.
    assert_eq!(store.mark_delivered(&claims(&all[1..]), at(1)).await.unwrap(), claims(&all[1..]));
    assert_eq!(claim(store, 10, 59).await, []);
    let again = claim(store, 10, 60).await;
    assert_eq!(keys(&again), ["a", "b", "c"]);
    // All of them named: each is released once.
    assert_eq!(store.release_items(&claims(&again), at(61), at(60)).await.unwrap(), []);
    let attempts: Vec<_> = claim(store, 10, 61).await.iter().map(|item| item.attempt).collect();
    assert_eq!(attempts, [1, 1, 1]);
}

pub(crate) async fn what_was_delivered_before_a_retry_stays_delivered(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b", "c"]).await;
    let all = claim(store, 3, 1).await;
    assert_eq!(store.mark_delivered(&claims(&all[1..2]), at(1)).await.unwrap(), []);
    assert_eq!(store.retry_items(&claims(&all[..1]), at(2), "503", at(1)).await.unwrap(), []);
    assert_eq!(drain(store, 2).await, ["a", "c"]);
}

pub(crate) async fn a_dead_letter_holds_up_its_lane_until_it_is_dropped(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b"]).await;
    let all = claim(store, 2, 1).await;
    store.bury_item(&all[0].claim, "400", at(1)).await.unwrap();
    fill_lane(store, "lane", &["c"]).await;
    assert_eq!(claim(store, 10, 999).await, []);
    let id = DeadLetterId { origin: Origin::Outbox, number: all[0].claim.id().get() };
    store.drop_dead_letter(id, "known bug", at(2)).await.unwrap();
    assert_eq!(drain(store, 2).await, ["b", "c"]);
}

pub(crate) async fn a_dead_letter_that_is_retried_goes_first_again(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b"]).await;
    bury_first(store, "400", 1).await;
    let letter = &store.dead_letters(&DeadLetterFilter::default(), None, 1).await.unwrap().letters[0];
    store.retry_dead_letter(letter.id, at(2)).await.unwrap();
    let again = claim(store, 1, 2).await;
    assert_eq!((keys(&again), again[0].attempt), (vec!["a"], 1));
    assert_eq!(store.mark_delivered(&claims(&again), at(2)).await.unwrap(), []);
    assert_eq!(drain(store, 2).await, ["b"]);
}

pub(crate) async fn an_item_that_is_not_due_holds_up_its_lane(store: &dyn Store) {
    enqueue(
        store,
        [
            item("a").lane("lane"),
            with(item("b").lane("lane"), |item| item.available_at = at(60)),
            item("c").lane("lane"),
        ],
    )
    .await;
    assert_eq!(drain(store, 59).await, ["a"]);
    assert_eq!(drain(store, 60).await, ["b", "c"]);
}

pub(crate) async fn a_later_dead_letter_holds_up_only_what_is_behind_it(store: &dyn Store) {
    fill_lane(store, "lane", &["a", "b", "c"]).await;
    let all = claim(store, 2, 1).await;
    store.bury_item(&all[1].claim, "400", at(1)).await.unwrap();
    assert_eq!(store.mark_delivered(&claims(&all[..1]), at(1)).await.unwrap(), []);
    assert_eq!(claim(store, 10, 999).await, []);
    let id = DeadLetterId { origin: Origin::Outbox, number: all[1].claim.id().get() };
    store.retry_dead_letter(id, at(2)).await.unwrap();
    assert_eq!(drain(store, 2).await, ["b", "c"]);
}

pub(crate) async fn a_lane_that_was_empty_begins_anew(store: &dyn Store) {
    for key in ["a", "b", "c"] {
        fill_lane(store, "lane", &[key]).await;
        assert_eq!(drain(store, 1).await, [key]);
    }
    fill_lane(store, "lane", &["d", "e"]).await;
    bury_first(store, "400", 1).await;
    let letter = &store.dead_letters(&DeadLetterFilter::default(), None, 1).await.unwrap().letters[0];
    store.drop_dead_letter(letter.id, "", at(1)).await.unwrap();
    fill_lane(store, "lane", &["f"]).await;
    assert_eq!(drain(store, 1).await, ["e", "f"]);
}
