//! Promises about dead letters that are edited.

use bytes::Bytes;
use webmessaging_store::limits::EDITS_MAX;
use webmessaging_store::{DeadLetterFilter, DeadLetterId, Enqueued, ErrorKind, Origin, Store};

use super::{accept, at, bury_first, claim, claim_delivery, claims, enqueue, item, keys, refused};

/// The item of a key, given up.
async fn letter(store: &dyn Store, key: &str) -> DeadLetterId {
    enqueue(store, [item(key)]).await;
    bury_first(store, "400", 1).await;
    store.dead_letters(&DeadLetterFilter::default(), None, 1).await.unwrap().letters[0].id
}

async fn edit(store: &dyn Store, id: DeadLetterId, key: &str) -> Result<(), webmessaging_store::Error> {
    store.edit_dead_letter(id, Bytes::from(format!("mended {key}")), key, at(2)).await
}

pub(crate) async fn an_edited_letter_is_delivered_under_its_new_key(store: &dyn Store) {
    let id = letter(store, "a").await;
    edit(store, id, "a2").await.unwrap();
    edit(store, id, "a3").await.unwrap();
    let shown = store.dead_letter(id).await.unwrap();
    assert_eq!((shown.letter.key.as_str(), &shown.payload[..]), ("a3", &b"mended a3"[..]));
    let history: Vec<_> = shown
        .history
        .iter()
        .map(|edit| (edit.replaced_at, edit.idempotency_key.as_str(), &edit.payload[..]))
        .collect();
    assert_eq!(history, [(at(2), "a", &b"payload of a"[..]), (at(2), "a2", &b"mended a2"[..])]);
    store.retry_dead_letter(id, at(3)).await.unwrap();
    let again = claim(store, 1, 3).await;
    assert_eq!((keys(&again), &again[0].payload[..]), (vec!["a3"], &b"mended a3"[..]));
}

pub(crate) async fn the_old_key_of_an_edited_letter_stays_known(store: &dyn Store) {
    let id = letter(store, "a").await;
    edit(store, id, "a2").await.unwrap();
    let answers = enqueue(store, [item("a"), item("a2")]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Enqueued::Known(item) if item.get() == id.number)));
    store.retry_dead_letter(id, at(3)).await.unwrap();
    let again = claim(store, 10, 3).await;
    assert_eq!(keys(&again), ["a2"]);
    store.mark_delivered(&claims(&again), at(3)).await.unwrap();
    assert!(matches!(enqueue(store, [item("a")]).await[..], [Enqueued::Known(_)]));
}

pub(crate) async fn a_key_that_was_used_before_is_refused(store: &dyn Store) {
    let id = letter(store, "a").await;
    enqueue(store, [item("taken")]).await;
    refused(edit(store, id, "taken").await, ErrorKind::Conflict);
    refused(edit(store, id, "a").await, ErrorKind::Conflict);
    edit(store, id, "a2").await.unwrap();
    refused(edit(store, id, "a").await, ErrorKind::Conflict);
    refused(edit(store, id, "").await, ErrorKind::InvalidInput);
    assert_eq!(store.dead_letter(id).await.unwrap().letter.key, "a2");
}

pub(crate) async fn what_was_not_given_up_cannot_be_edited(store: &dyn Store) {
    let id = letter(store, "a").await;
    store.drop_dead_letter(id, "", at(2)).await.unwrap();
    refused(edit(store, id, "a2").await, ErrorKind::NotFound);
    let missing = DeadLetterId { origin: Origin::Outbox, number: 9_999 };
    refused(edit(store, missing, "a2").await, ErrorKind::NotFound);
    // What came in was said by somebody else.
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    store.bury_delivery(&claim, "no", at(1)).await.unwrap();
    let delivery = DeadLetterId { origin: Origin::Inbox, number: claim.id().get() };
    refused(edit(store, delivery, "a2").await, ErrorKind::NotFound);
}

pub(crate) async fn a_letter_can_be_edited_only_so_often(store: &dyn Store) {
    let id = letter(store, "a").await;
    for number in 0..EDITS_MAX {
        edit(store, id, &format!("edit-{number}")).await.unwrap();
    }
    refused(edit(store, id, "one too many").await, ErrorKind::Conflict);
}
