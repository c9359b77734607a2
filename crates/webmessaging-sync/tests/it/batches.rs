//! Many items in a request: what spoils one of them, what an answer says of each, and what a crash in the middle leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use webmessaging_store::DeadLetterFilter;
use webmessaging_sync::ShapeName;

use crate::judge::{Judge, Reply, Seen, take};
use crate::setup::{Bench, config, file, files, guest, targets};

fn holds(seen: &Seen, id: &str) -> bool {
    seen.records().iter().any(|record| record["id"] == id || record["externalId"] == id)
}

#[tokio::test]
async fn one_item_that_is_refused_takes_no_neighbor_with_it() {
    let judge =
        Judge::start(|seen| if holds(seen, "file-37") { Reply::Refuse(400, "") } else { take() }).await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::Documents)]);
    bench.enqueue(&targets, &files(50)).await;
    let round = bench.worker(&targets).deliver_due().await.unwrap();
    assert_eq!((round.delivered, round.buried, round.retried), (49, 1, 0));
    let page = bench.store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap();
    let letters: Vec<_> =
        page.letters.iter().map(|letter| (letter.lane.as_deref(), &*letter.reason)).collect();
    assert_eq!(letters, [(Some("file:file-37"), "rejected, status 400")]);
    let taken: BTreeSet<_> = judge.ids().into_iter().collect();
    assert_eq!((taken.len(), judge.ids().len()), (49, 49));
    // Halving: at most two requests for each of six halvings, and the first one.
    assert!(judge.requests() <= 13, "{}", judge.requests());
}

#[tokio::test]
async fn a_batch_of_bad_items_ends_with_a_letter_for_each() {
    let judge = Judge::start(|_| Reply::Refuse(422, "")).await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::Documents)]);
    bench.enqueue(&targets, &files(10)).await;
    let round = bench.worker(&targets).deliver_due().await.unwrap();
    assert_eq!((round.buried, judge.requests()), (10, 19));
}

#[tokio::test]
async fn a_crm_can_say_what_became_of_each_record() {
    let judge = Judge::start(|_| {
        Reply::Take(
            r#"{"results":[{"externalId":"guest-1","status":201},{"externalId":"guest-2","status":422},
                {"externalId":"guest-3","status":503}]}"#
                .to_owned(),
        )
    })
    .await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::CrmGuests)]);
    bench.enqueue(&targets, &[guest(1), guest(2), guest(3), guest(4)]).await;
    let worker = bench.worker(&targets);
    let round = worker.deliver_due().await.unwrap();
    assert_eq!((round.delivered, round.buried, round.retried), (2, 1, 1));
    let page = bench.store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.letters[0].reason, "record_refused, status 200");
    judge.now(|_| take());
    bench.advance(Duration::from_secs(60));
    assert_eq!(worker.deliver_due().await.unwrap().delivered, 1);
    assert!(holds(&judge.seen()[1], "guest-3") && judge.seen()[1].records().len() == 1);
}

#[tokio::test]
async fn two_changes_of_one_guest_never_share_a_request() {
    let judge = Judge::start(|_| take()).await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::CrmGuests)]);
    bench.enqueue(&targets, &[guest(1), guest(1), guest(2), guest(1)]).await;
    bench.worker(&targets).deliver_due().await.unwrap();
    let sizes: Vec<_> = judge.seen().iter().map(|seen| seen.records().len()).collect();
    assert_eq!(sizes, [2, 1, 1]);
}

#[tokio::test]
async fn batches_have_as_many_items_as_the_target_wants() {
    for (shape, items, set, expected) in [
        (ShapeName::Documents, 120, None, vec![50, 50, 20]),
        (ShapeName::Documents, 120, Some(100), vec![100, 20]),
        (ShapeName::CrmMessages, 3, None, vec![1, 1, 1]),
    ] {
        let judge = Judge::start(|_| take()).await;
        let bench = Bench::new().await;
        let mut config = config(&judge, shape);
        if let Some(set) = set {
            config = config.batch_max(set);
        }
        let targets = targets([config]);
        let events: Vec<_> = match shape {
            ShapeName::Documents => files(items),
            _ => (0..items).map(|number| crate::setup::message(&format!("c{number}"), 1)).collect(),
        };
        bench.enqueue(&targets, &events).await;
        bench.until_settled(&bench.worker(&targets)).await;
        let mut sizes: Vec<_> = judge.seen().iter().map(|seen| seen.records().len()).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(sizes, expected);
    }
}

/// Fifty items are taken, the answer is lost and the process is killed; when it starts again, twenty more are due.
///
/// They go out as they went before, under the same key, because they have an attempt behind them and the others have not. What a judge
/// can rely on, though, whatever is mixed with what, are the keys of the items.
#[tokio::test]
async fn a_crash_between_sending_and_writing_down_counts_once() {
    let judge = Judge::start(|_| Reply::TakeAndHang).await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::Documents)]);
    bench.enqueue(&targets, &files(50)).await;
    {
        let killed = bench.worker(&targets);
        let delivering = std::pin::pin!(killed.deliver_due());
        let seen = std::pin::pin!(async {
            while judge.requests() == 0 {
                tokio::task::yield_now().await;
            }
        });
        // Killed in the middle of the request: nothing is written down.
        futures_util::future::select(delivering, seen).await;
    }
    let more: Vec<_> = (51..=70).map(file).collect();
    bench.enqueue(&targets, &more).await;
    judge.now(|_| take());
    let restarted = bench.worker(&targets);
    // The lease still runs: nobody else has them.
    assert_eq!(restarted.deliver_due().await.unwrap().delivered, 20);
    bench.enqueue(&targets, &(71..=80).map(file).collect::<Vec<_>>()).await;
    bench.advance(Duration::from_secs(3_600));
    assert_eq!(restarted.deliver_due().await.unwrap().delivered, 60);

    let seen = judge.seen();
    let fifty: Vec<_> = seen.iter().filter(|seen| seen.records().len() == 50).collect();
    assert_eq!(fifty.len(), 2, "the batch goes out twice");
    assert_eq!(fifty[0].key(), fifty[1].key(), "under the same key");
    assert_eq!(fifty[0].body, fifty[1].body, "with the same bytes");
    let ids: BTreeSet<_> = judge.ids().into_iter().collect();
    assert_eq!((judge.taken().len(), ids.len()), (80, 80));
}

/// The same with a batch that was not full: what came since does not fill it up.
#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_not_filled_up() {
    let judge = Judge::start(|_| Reply::TakeAndHangUp).await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::Documents)]);
    bench.enqueue(&targets, &files(3)).await;
    let worker = bench.worker(&targets);
    worker.deliver_due().await.unwrap();
    judge.now(|_| take());
    bench.advance(Duration::from_secs(60));
    bench.enqueue(&targets, &[file(4), file(5)]).await;
    assert_eq!(worker.deliver_due().await.unwrap().delivered, 5);
    let seen = judge.seen();
    let again = seen.iter().filter(|seen| seen.key() == judge.seen()[0].key()).count();
    assert_eq!((seen.len(), again), (3, 2));
}

/// With another size of batches the composition changes, and so does the batch's key: the items keep theirs.
#[tokio::test]
async fn items_keep_their_keys_whatever_they_are_sent_with() {
    let judge = Judge::start(|_| Reply::TakeAndHangUp).await;
    let bench = Bench::new().await;
    let before = targets([config(&judge, ShapeName::Documents)]);
    bench.enqueue(&before, &files(30)).await;
    bench.worker(&before).deliver_due().await.unwrap();
    judge.now(|_| take());
    bench.advance(Duration::from_secs(60));
    let after = targets([config(&judge, ShapeName::Documents).batch_max(20)]);
    assert_eq!(bench.worker(&after).deliver_due().await.unwrap().delivered, 30);
    let keys: BTreeSet<_> = judge.seen().iter().map(|seen| seen.key().to_owned()).collect();
    assert_eq!(keys.len(), 3);
    let mut by_id: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for seen in judge.seen() {
        for (key, record) in seen.item_keys().into_iter().zip(seen.records()) {
            by_id.entry(record["id"].as_str().unwrap().to_owned()).or_default().insert(key);
        }
    }
    assert!(by_id.len() == 30 && by_id.values().all(|keys| keys.len() == 1), "{by_id:?}");
    assert_eq!(judge.taken().len(), 30);
}

#[tokio::test]
async fn a_request_does_not_grow_beyond_a_mebibyte() {
    use webmessaging_store::NewItem;

    let judge = Judge::start(|_| take()).await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::Documents)]);
    let half = format!(r#"{{"id":"{}"}}"#, "x".repeat(512 * 1024 - 9));
    let item = |number: usize, payload: &str| {
        NewItem::new("judge", format!("key-{number}"), "file.scanned", bench.now())
            .payload(payload.to_owned())
    };
    let whole = format!(r#"{{"id":"{}"}}"#, "x".repeat(3 * 1024 * 1024));
    let items = vec![item(1, &half), item(2, &half), item(3, "{}"), item(4, &whole), item(5, "{}")];
    bench.store.enqueue(items, bench.now()).await.unwrap();
    bench.until_settled(&bench.worker(&targets)).await;
    let mut requests: Vec<_> = judge.seen().iter().map(Seen::item_keys).collect();
    requests.sort();
    assert_eq!(requests, [vec!["key-1", "key-2"], vec!["key-3"], vec!["key-4"], vec!["key-5"]]);
}
