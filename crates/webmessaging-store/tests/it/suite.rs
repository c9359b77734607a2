//! The promises of a store, each a function that any engine can be put to, and a list of all of them.

pub(crate) mod dead_letters;
pub(crate) mod edits;
pub(crate) mod inbox;
pub(crate) mod lanes;
pub(crate) mod outbox;
pub(crate) mod outbox_stats;
pub(crate) mod shared;
pub(crate) mod upkeep;

use std::time::Duration;

use webmessaging_model::Timestamp;
use webmessaging_store::{
    Accepted, ClaimedDelivery, ClaimedItem, Effects, Enqueued, Error, ErrorKind, ItemClaim, NewDelivery,
    NewItem, Store,
};

/// Makes a test of each promise; `$run` gives a function of this suite an empty store.
macro_rules! promises {
    ($run:path) => {
        crate::suite::tests! { $run;
            inbox {
                a_delivery_is_new_once_by_its_id_and_once_by_its_content,
                keys_of_another_source_are_other_keys,
                what_breaks_the_limits_is_refused_and_not_kept,
                deliveries_are_claimed_oldest_first_with_all_they_came_with,
                a_claimed_delivery_is_nobody_elses_until_its_lease_runs_out,
                a_late_finish_is_refused_and_writes_nothing,
                a_finish_writes_all_effects,
                effects_that_need_their_scan_to_move_are_kept_with_the_move_or_not_at_all,
                an_effect_that_is_refused_leaves_the_delivery_unfinished,
                a_retried_delivery_waits_for_its_time,
                a_buried_delivery_is_not_claimed_again,
                the_inbox_counts_what_is_in_it,
            }
            outbox {
                an_item_is_kept_once_for_its_target_and_key,
                of_items_that_break_the_limits_none_is_kept,
                items_come_with_all_they_were_enqueued_with,
                items_without_a_lane_are_independent,
                an_item_whose_lease_ran_out_is_claimed_again_and_its_first_claim_is_lost,
                a_late_answer_counts_while_nobody_else_has_claimed,
                an_item_is_not_claimed_before_its_time,
                a_claim_is_limited_and_takes_first_items_of_lanes_first,
                targets_do_not_meet,
                a_released_item_keeps_its_attempts,
                a_release_that_comes_late_changes_nothing,
            }
            lanes {
                a_lane_comes_in_order_and_without_a_gap,
                a_lane_is_claimed_by_one_worker_at_a_time,
                a_retry_holds_up_its_lane_and_no_other,
                a_retry_gives_back_the_rest_of_its_lane_untried,
                a_release_gives_back_the_rest_of_its_lane,
                what_was_delivered_before_a_retry_stays_delivered,
                a_dead_letter_holds_up_its_lane_until_it_is_dropped,
                a_dead_letter_that_is_retried_goes_first_again,
                an_item_that_is_not_due_holds_up_its_lane,
                a_later_dead_letter_holds_up_only_what_is_behind_it,
                a_lane_that_was_empty_begins_anew,
            }
            outbox_stats {
                the_outbox_counts_what_is_in_it,
                a_lane_that_is_held_up_says_why_and_since_when,
                a_release_is_no_failure,
                targets_are_told_by_name_whatever_state_their_items_are_in,
                targets_are_listed_up_to_a_limit,
            }
            dead_letters {
                letters_are_listed_by_the_time_they_were_given_up_in_pages,
                letters_are_filtered,
                a_letter_is_shown_with_its_content_and_reason,
                a_delivery_gets_another_chance,
                what_is_not_a_dead_letter_is_not_found,
                a_dropped_letter_is_kept_for_the_record,
            }
            edits {
                an_edited_letter_is_delivered_under_its_new_key,
                the_old_key_of_an_edited_letter_stays_known,
                a_key_that_was_used_before_is_refused,
                what_was_not_given_up_cannot_be_edited,
                a_letter_can_be_edited_only_so_often,
            }
            shared {
                an_intent_is_begun_once,
                an_intent_that_was_not_done_is_begun_anew,
                an_outcome_is_not_changed,
                open_intents_are_listed_by_age,
                a_file_stays_in_quarantine_until_somebody_decides,
                files_in_quarantine_are_listed_in_pages,
                a_scan_does_not_go_back,
                a_lease_has_one_holder_and_its_token_grows,
                a_lease_is_renewed_only_while_it_lasts,
                a_value_lasts_until_it_expires,
                a_value_is_not_stored_by_who_was_overtaken,
                permits_are_never_more_than_the_quota_in_any_window,
                permits_do_not_come_back_when_a_clock_goes_back,
            }
            upkeep {
                what_is_done_is_forgotten_after_its_time,
                what_is_not_done_is_never_forgotten,
                what_is_forgotten_is_forgotten_in_batches,
                dropped_letters_and_decisions_are_forgotten_last,
                old_claims_never_meet_new_rows,
                a_probe_writes,
            }
        }
    };
}

macro_rules! tests {
    ($run:path; $($area:ident { $($promise:ident),* $(,)? })*) => {$(
        mod $area {
            $(#[test] fn $promise() { $run(|store| Box::pin(crate::suite::$area::$promise(store))); })*
        }
    )*};
}

pub(crate) use {promises, tests};

/// What a promise does with a store.
pub(crate) type Run<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// A moment, by its seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_764_000_000_000 + seconds * 1_000)
}

pub(crate) fn delivery(number: i64) -> NewDelivery {
    NewDelivery::new("genesys", format!("content-{number}"), "file.upload.completed", at(number))
        .delivery_id(format!("id-{number}"))
        .body(format!("body {number}"))
}

/// An item without a lane.
pub(crate) fn item(key: &str) -> NewItem {
    NewItem::new("crm", key, "guest.updated", at(0)).payload(format!("payload of {key}"))
}

pub(crate) async fn accept(store: &dyn Store, number: i64) {
    assert!(matches!(store.accept(delivery(number)).await, Ok(Accepted::New(_))));
}

pub(crate) async fn claim_delivery(store: &dyn Store, seconds: i64) -> ClaimedDelivery {
    let mut claimed = store.claim_deliveries("worker", 1, LEASE, at(seconds)).await.unwrap();
    claimed.pop().expect("a delivery is due")
}

pub(crate) async fn enqueue(store: &dyn Store, items: impl IntoIterator<Item = NewItem>) -> Vec<Enqueued> {
    store.enqueue(items.into_iter().collect(), at(0)).await.unwrap()
}

/// A value, but for something that its constructor does not offer.
pub(crate) fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}

/// Enqueues items in a lane, by their keys.
pub(crate) async fn fill_lane(store: &dyn Store, lane: &str, keys: &[&str]) {
    for enqueued in enqueue(store, keys.iter().map(|key| item(key).lane(lane))).await {
        assert!(matches!(enqueued, Enqueued::New(_)));
    }
}

pub(crate) async fn claim(store: &dyn Store, limit: u32, seconds: i64) -> Vec<ClaimedItem> {
    store.claim_items("crm", "worker", limit, LEASE, at(seconds)).await.unwrap()
}

pub(crate) fn keys(items: &[ClaimedItem]) -> Vec<&str> {
    items.iter().map(|item| item.idempotency_key.as_str()).collect()
}

pub(crate) fn claims(items: &[ClaimedItem]) -> Vec<ItemClaim> {
    items.iter().map(|item| item.claim.clone()).collect()
}

/// Delivers everything that is due, and tells in which order.
pub(crate) async fn drain(store: &dyn Store, seconds: i64) -> Vec<String> {
    let mut delivered = Vec::new();
    loop {
        let items = claim(store, 100, seconds).await;
        if items.is_empty() {
            return delivered;
        }
        assert_eq!(store.mark_delivered(&claims(&items), at(seconds)).await.unwrap(), []);
        delivered.extend(items.into_iter().map(|item| item.idempotency_key));
    }
}

/// Claims the first item that is due and gives it up.
pub(crate) async fn bury_first(store: &dyn Store, reason: &str, seconds: i64) {
    let items = claim(store, 1, seconds).await;
    store.bury_item(&items[0].claim, reason, at(seconds)).await.unwrap();
}

pub(crate) async fn finish_all(store: &dyn Store, seconds: i64) {
    for claimed in store.claim_deliveries("worker", 1_000, LEASE, at(seconds)).await.unwrap() {
        store.finish_delivery(&claimed.claim, Effects::none(), at(seconds)).await.unwrap();
    }
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, kind: ErrorKind) {
    assert_eq!(answer.map_err(|error| error.kind()).expect_err("it is refused"), kind);
}
