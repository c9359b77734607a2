//! Promises about dead letters.

use webmessaging_store::{
    DeadLetterCursor, DeadLetterFilter, DeadLetterId, Dropped, ErrorKind, Origin, Store,
};

use super::{LEASE, accept, at, bury_first, claim, claim_delivery, enqueue, fill_lane, item, refused, with};

/// A delivery and items of two lanes, given up in turn.
async fn four_letters(store: &dyn Store) {
    accept(store, 1).await;
    let claim = claim_delivery(store, 1).await.claim;
    fill_lane(store, "lane", &["a"]).await;
    bury_first(store, "first", 1).await;
    store.bury_delivery(&claim, "second", at(2)).await.unwrap();
    fill_lane(store, "other", &["b"]).await;
    bury_first(store, "third", 3).await;
    enqueue(store, [with(item("c"), |item| item.target = "documents".into())]).await;
    let items = store.claim_items("documents", "worker", 1, LEASE, at(3)).await.unwrap();
    // At the same time as another one: the place in the list is still one of its own.
    store.bury_item(&items[0].claim, "fourth", at(3)).await.unwrap();
}

async fn reasons(store: &dyn Store, filter: DeadLetterFilter) -> Vec<String> {
    let page = store.dead_letters(&filter, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.letters.into_iter().map(|letter| letter.reason).collect()
}

pub(crate) async fn letters_are_listed_by_the_time_they_were_given_up_in_pages(store: &dyn Store) {
    four_letters(store).await;
    let (mut seen, mut after) = (Vec::new(), None::<DeadLetterCursor>);
    loop {
        let page = store.dead_letters(&DeadLetterFilter::default(), after, 1).await.unwrap();
        assert_eq!(page.letters.len(), 1);
        seen.extend(page.letters.iter().map(|letter| letter.reason.clone()));
        match page.next {
            // As text, as it goes through a URL.
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, ["first", "second", "third", "fourth"]);
    let nothing = store.dead_letters(&DeadLetterFilter::default(), None, 0).await.unwrap();
    assert_eq!(nothing.letters, []);
}

pub(crate) async fn letters_are_filtered(store: &dyn Store) {
    four_letters(store).await;
    let all = DeadLetterFilter::default;
    assert_eq!(reasons(store, all().origin(Origin::Inbox)).await, ["second"]);
    assert_eq!(reasons(store, all().origin(Origin::Outbox)).await, ["first", "third", "fourth"]);
    assert_eq!(reasons(store, all().target("documents")).await, ["fourth"]);
    assert_eq!(reasons(store, all().target("genesys")).await, ["second"]);
    assert_eq!(reasons(store, all().target("crm").lane("other")).await, ["third"]);
    assert_eq!(reasons(store, all().dropped()).await, Vec::<String>::new());
}

pub(crate) async fn a_letter_is_shown_with_its_content_and_reason(store: &dyn Store) {
    four_letters(store).await;
    let page = store.dead_letters(&DeadLetterFilter::default(), None, 2).await.unwrap();
    let item = store.dead_letter(page.letters[0].id).await.unwrap();
    assert_eq!(item.letter, page.letters[0]);
    assert_eq!((&item.payload[..], item.history.len()), (&b"payload of a"[..], 0));
    assert_eq!((item.letter.kind.as_str(), item.letter.key.as_str()), ("guest.updated", "a"));
    assert_eq!((item.letter.lane.as_deref(), item.letter.attempts), (Some("lane"), 1));
    assert_eq!((item.letter.created_at, item.letter.buried_at), (at(0), at(1)));
    let delivery = store.dead_letter(page.letters[1].id).await.unwrap();
    assert_eq!((&delivery.payload[..], delivery.letter.target.as_str()), (&b"body 1"[..], "genesys"));
    assert_eq!(delivery.letter.key, "content-1");
    assert_eq!((delivery.letter.kind.as_str(), delivery.letter.created_at), ("file.upload.completed", at(1)));
}

pub(crate) async fn a_delivery_gets_another_chance(store: &dyn Store) {
    accept(store, 1).await;
    let claimed = claim_delivery(store, 1).await;
    store.bury_delivery(&claimed.claim, "no", at(1)).await.unwrap();
    let id = DeadLetterId { origin: Origin::Inbox, number: claimed.claim.id().get() };
    store.retry_dead_letter(id, at(2)).await.unwrap();
    let again = claim_delivery(store, 2).await;
    assert_eq!((again.attempt, &again.body[..]), (1, &b"body 1"[..]));
    assert!(again.claim.fence() > claimed.claim.fence());
    assert_eq!(reasons(store, DeadLetterFilter::default()).await, Vec::<String>::new());
}

pub(crate) async fn what_is_not_a_dead_letter_is_not_found(store: &dyn Store) {
    enqueue(store, [item("a")]).await;
    let claimed = claim(store, 1, 1).await;
    accept(store, 1).await;
    let delivery = claim_delivery(store, 1).await.claim.id();
    for id in [
        DeadLetterId { origin: Origin::Outbox, number: claimed[0].claim.id().get() },
        DeadLetterId { origin: Origin::Inbox, number: delivery.get() },
        DeadLetterId { origin: Origin::Outbox, number: 9_999 },
        DeadLetterId { origin: Origin::Inbox, number: -1 },
    ] {
        refused(store.dead_letter(id).await, ErrorKind::NotFound);
        refused(store.retry_dead_letter(id, at(1)).await, ErrorKind::NotFound);
        refused(store.drop_dead_letter(id, "", at(1)).await, ErrorKind::NotFound);
    }
}

pub(crate) async fn a_dropped_letter_is_kept_for_the_record(store: &dyn Store) {
    four_letters(store).await;
    let page = store.dead_letters(&DeadLetterFilter::default(), None, 2).await.unwrap();
    for letter in &page.letters {
        store.drop_dead_letter(letter.id, "as agreed", at(9)).await.unwrap();
        refused(store.drop_dead_letter(letter.id, "twice", at(9)).await, ErrorKind::NotFound);
        refused(store.retry_dead_letter(letter.id, at(9)).await, ErrorKind::NotFound);
        let shown = store.dead_letter(letter.id).await.unwrap().letter;
        let Some(Dropped { at: when, note, .. }) = shown.dropped else { panic!("it is dropped") };
        assert_eq!((when, note.as_str()), (at(9), "as agreed"));
    }
    assert_eq!(reasons(store, DeadLetterFilter::default()).await, ["third", "fourth"]);
    assert_eq!(reasons(store, DeadLetterFilter::default().dropped()).await, ["first", "second"]);
}
