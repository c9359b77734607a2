//! Dead letters: shown, edited, tried again, dropped.

use std::sync::Arc;
use std::time::Duration;

use webmessaging_journal::kind::TransferFinished;
use webmessaging_store::{DeadLetterFilter, DeadLetterId, Origin};
use webmessaging_sync::{DeadLetterDesk, ErrorKind, ShapeName, SyncWorker, Targets};

use crate::judge::{Judge, Reply, take};
use crate::setup::{AT, Bench, config, event, message, targets};

struct Scene {
    bench: Bench,
    judge: Judge,
    worker: SyncWorker,
    desk: DeadLetterDesk,
    id: DeadLetterId,
}

/// A desk with the first of these events as a dead letter.
async fn desk(shape: ShapeName, events: &[webmessaging_journal::Event]) -> Scene {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(422, "")).await);
    let targets: Targets = targets([config(&judge, shape).at_once(1)]);
    bench.enqueue(&targets, events).await;
    let worker = bench.worker(&targets);
    worker.deliver_due().await.unwrap();
    judge.now(|_| take());
    let desk = DeadLetterDesk::new(Arc::clone(&bench.store), targets).wake(worker.wake());
    let page = desk.list(DeadLetterFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.letters.len(), 1);
    let id = page.letters[0].id;
    Scene { bench, judge, worker, desk, id }
}

#[tokio::test]
async fn a_letter_is_shown_without_credentials_and_edited_with_them() {
    let location = "https://bucket.example/a?signature=s3cret";
    let kind = TransferFinished::new("transfer-1", "a.pdf").storage_location(location);
    let Scene { bench, judge, worker, desk, id } = desk(ShapeName::Archive, &[event(kind)]).await;
    let shown = desk.show(id).await.unwrap();
    let payload = shown.payload.clone().unwrap();
    assert!(payload.contains("\"storageLocation\": \"https://bucket.example/a?[hidden]\""), "{payload}");
    assert!(!format!("{shown:?}").contains("bucket") && !payload.contains("s3cret"));
    assert_eq!((shown.letter.reason.as_str(), shown.edits), ("rejected, status 422", 0));

    let mended = payload.replace("a.pdf", "b.pdf");
    desk.edit(id, &mended, bench.now()).await.unwrap();
    desk.retry(id, bench.now()).await.unwrap();
    bench.until_settled(&worker).await;
    let seen = judge.seen();
    assert_eq!(seen[1].body["storageLocation"], location);
    assert_eq!((&seen[1].body["fileName"], &seen[1].body["archivedAt"]), (&"b.pdf".into(), &AT.into()));
    assert_ne!(seen[0].key(), seen[1].key(), "another content is another item");
}

#[tokio::test]
async fn an_edit_has_to_be_what_the_target_takes() {
    let Scene { bench, desk, id, .. } = desk(ShapeName::CrmMessages, &[message("c", 1)]).await;
    for (payload, why) in [
        ("{", "it is not JSON"),
        ("7", "it is not of the form that is expected there"),
        (r#"{"conversationId":"s3cret"}"#, "missing field `status`"),
        (
            r#"{"conversationId":"c","status":"s3cret","timestamp":"2026-11-25T08:30:00Z"}"#,
            "`status`: must be `delivered` or `failed`",
        ),
    ] {
        let error = desk.edit(id, payload, bench.now()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPayload);
        assert_eq!(error.to_string(), format!("the payload is not valid: {why}"));
    }
    assert_eq!(desk.show(id).await.unwrap().edits, 0);
}

#[tokio::test]
async fn a_letter_holds_up_its_lane_until_it_is_dropped_or_delivered() {
    let events = [message("c", 1), message("c", 2)];
    let Scene { bench, judge, worker, desk, id } = desk(ShapeName::CrmMessages, &events).await;
    bench.advance(Duration::from_secs(86_400));
    assert_eq!(worker.deliver_due().await.unwrap().claimed, 0);
    desk.drop_letter(id, "agreed with the crm", bench.now()).await.unwrap();
    assert_eq!(worker.deliver_due().await.unwrap().delivered, 1);
    assert_eq!(judge.ids(), ["c-2"]);
    for outcome in [desk.retry(id, bench.now()).await, desk.drop_letter(id, "", bench.now()).await] {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotFound);
    }
    let dropped = desk.list(DeadLetterFilter::default().dropped(), None, 10).await.unwrap();
    assert_eq!(dropped.letters[0].dropped.as_ref().unwrap().note, "agreed with the crm");
}

#[tokio::test]
async fn many_letters_get_one_more_chance_together() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(400, "")).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let events: Vec<_> = (0..7).map(|number| message(&format!("c{number}"), 1)).collect();
    bench.enqueue(&targets, &events).await;
    let worker = bench.worker(&targets);
    bench.until_settled(&worker).await;
    judge.now(|_| take());
    let desk = DeadLetterDesk::new(Arc::clone(&bench.store), targets);
    let filter = || DeadLetterFilter::default().target("judge");
    assert_eq!(desk.retry_all(filter(), 3, bench.now()).await.unwrap(), 3);
    assert_eq!(desk.retry_all(filter(), 100, bench.now()).await.unwrap(), 4);
    assert_eq!(desk.retry_all(filter(), 100, bench.now()).await.unwrap(), 0);
    bench.until_settled(&worker).await;
    assert_eq!(judge.taken().len(), 7);
}

#[tokio::test]
async fn letters_of_the_inbox_are_somebody_elses() {
    let Scene { bench, desk, .. } = desk(ShapeName::CrmMessages, &[message("c", 1)]).await;
    let id = DeadLetterId { origin: Origin::Inbox, number: 1 };
    assert_eq!(desk.show(id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(desk.retry(id, bench.now()).await.unwrap_err().kind(), ErrorKind::NotFound);
}
