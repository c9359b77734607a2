//! Work that fails: tried again, given up after a while, and never at the expense of another delivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use webmessaging_store::{DeadLetterFilter, Origin};
use webmessaging_webhooks::receiver::{Handled, HandlerError, Receiver};

use super::setup::{Failing, Setup, TestClock, now, scan};

/// Lets a receiver work, and moves the clock on, until the figures are as wanted.
pub(super) async fn work_until(receiver: &Receiver, clock: &TestClock, is_done: impl Fn(&Receiver) -> bool) {
    clock.lose_patience();
    let worker = tokio::spawn({
        let receiver = receiver.clone();
        async move { receiver.run().await }
    });
    while !is_done(receiver) {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    receiver.stop();
    worker.await.unwrap();
}

#[tokio::test]
async fn work_that_fails_is_tried_again_until_it_works() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let setup = Setup::with(move |builder| {
        builder.handler(Failing(move |attempt| {
            counted.fetch_add(1, Ordering::SeqCst);
            match attempt {
                1 => Err(HandlerError::retry("the crm is down")),
                2 => panic!("a mistake"),
                _ => Ok(Handled::nothing()),
            }
        }))
    })
    .await;
    setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().handled == 1).await;
    let status = setup.receiver.status();
    assert_eq!((status.retried, status.buried, asked.load(Ordering::SeqCst)), (2, 0, 3));
}

#[tokio::test]
async fn what_never_works_goes_to_the_dead_letters_with_its_reason() {
    let setup = Setup::with(|builder| {
        builder.attempts_max(3).handler(Failing(|_| Err(HandlerError::retry("the crm is down"))))
    })
    .await;
    setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().buried == 1).await;
    assert_eq!(setup.receiver.status().retried, 2);
    let page = setup.store.dead_letters(&DeadLetterFilter::default(), None, 9).await.unwrap();
    let found: Vec<_> =
        page.letters.iter().map(|letter| (letter.id.origin, letter.reason.as_str())).collect();
    assert_eq!(found, [(Origin::Inbox, "the crm is down")]);
}

#[tokio::test]
async fn what_cannot_work_is_not_tried_again_and_holds_nobody_up() {
    let setup =
        Setup::with(|builder| builder.handler(Failing(|_| Err(HandlerError::bury("no such guest"))))).await;
    for number in 0..3 {
        setup.post(&scan(&format!("e-{number}"), &format!("f-{number}"), "completed", "clean")).await;
    }
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().buried == 3).await;
    assert_eq!(setup.receiver.status().retried, 0);
    assert_eq!(setup.store.inbox_stats(now()).await.unwrap().dead, 3);
}

/// A journal that cannot keep a record keeps the delivery from being done.
#[tokio::test]
async fn nothing_is_done_before_it_is_recorded() {
    use webmessaging_journal::{Error, ErrorKind, Event, Journal, Recorded, Sink};

    #[derive(Clone)]
    struct Full(Arc<AtomicU32>);

    impl Sink for Full {
        fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
            let is_full = self.0.fetch_add(1, Ordering::SeqCst) < 5;
            Box::pin(async move {
                if is_full { Err(Error::new(ErrorKind::Io, "the disk is full")) } else { Ok(()) }
            })
        }
    }

    let asked = Full(Arc::default());
    let sink = asked.clone();
    let setup = Setup::with(move |builder| {
        // More often than work is tried: a disk is no reason to give a delivery up.
        builder.attempts_max(2).journal(Journal::builder().durable("audit", sink).build().unwrap())
    })
    .await;
    setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().handled == 1).await;
    assert_eq!((setup.receiver.status().retried, asked.0.load(Ordering::SeqCst)), (5, 6));
}

/// Work that ends never ends with its lease, and one that panics in what it hands over is no better.
#[tokio::test]
async fn whoever_hangs_or_panics_holds_up_nobody_else() {
    use webmessaging_webhooks::receiver::{Handler, Handling, Received};

    struct Hanging;

    impl Handler for Hanging {
        fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
            Box::pin(async move {
                if received.event.subject() == Some("f-0") {
                    std::future::pending::<()>().await;
                }
                let kind = webmessaging_journal::kind::WebhookReceived::new("d", "t", false);
                Ok(Handled::nothing().event(received.journal_event(0, kind)))
            })
        }
    }

    let panics = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&panics);
    let setup = Setup::with(move |builder| {
        builder.lease(Duration::from_secs(5)).attempts_max(2).handler(Hanging).items_for(move |_, _| {
            assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "a mistake");
            Vec::new()
        })
    })
    .await;
    for number in 0..3 {
        setup.post(&scan(&format!("e-{number}"), &format!("f-{number}"), "completed", "clean")).await;
    }
    let is_done = |receiver: &Receiver| (receiver.status().handled, receiver.status().buried) == (2, 1);
    work_until(&setup.receiver, &setup.clock, is_done).await;
    let page = setup.store.dead_letters(&DeadLetterFilter::default(), None, 9).await.unwrap();
    assert_eq!(page.letters[0].reason, "the handler took longer than the lease");
}

/// Effects that no store takes are the handler's mistake, and end as such.
#[tokio::test]
async fn effects_that_cannot_be_written_are_no_endless_work() {
    use webmessaging_store::{Effects, NewItem};

    let setup = Setup::with(|builder| {
        builder.attempts_max(2).handler(Failing(|_| {
            let item = NewItem::new("", "key", "kind", now());
            Ok(Handled::nothing().effects(Effects::none().enqueue(item)))
        }))
    })
    .await;
    setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().buried == 1).await;
    assert_eq!(setup.receiver.status().retried, 1);
}

/// A refusal would lose it for good: the platform does not come again after a 4xx.
#[tokio::test]
async fn what_is_genuine_and_cannot_be_read_is_kept_for_somebody_to_look_at() {
    let setup = Setup::new().await;
    for body in ["no json", "no json", "{}"] {
        assert_eq!(setup.post(body).await.0.as_u16(), 200);
    }
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().buried == 2).await;
    let page = setup.store.dead_letters(&DeadLetterFilter::default(), None, 9).await.unwrap();
    let mut reasons: Vec<_> = page.letters.iter().map(|letter| letter.reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            "the body has no eventType and none of the shapes that have none",
            "the body is not JSON, see line 1 column 2"
        ]
    );
    let content = setup.store.dead_letter(page.letters[0].id).await.unwrap();
    assert!(["no json", "{}"].contains(&std::str::from_utf8(&content.payload).unwrap()));
}
