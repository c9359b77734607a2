//! Lanes: in order within a conversation, bounded, and many at once.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use webmessaging_bots::{Reason, Sender};
use webmessaging_emulator::{Fault, FaultRule, FaultScript, Route};

use webmessaging_http::{BreakerPolicy, RateLimitPolicy};

use crate::setup::{Setup, text};

#[tokio::test(flavor = "multi_thread")]
async fn each_conversation_keeps_its_order() {
    let setup = Setup::new(5).await;
    let sender = setup.sender();
    let mut tickets = Vec::new();
    for number in 0..100 {
        let conversation = format!("c-{}", number % 5);
        tickets.push(sender.enqueue(conversation, text(number.to_string())).await.unwrap());
    }
    for ticket in tickets {
        ticket.await.unwrap();
    }
    for lane in 0..5 {
        let expected: Vec<_> = (0..20).map(|number| (number * 5 + lane).to_string()).collect();
        assert_eq!(setup.texts(&format!("c-{lane}")), expected);
    }
}

#[tokio::test]
async fn callers_wait_while_there_is_no_room() {
    let setup = Setup::new(1).await;
    let sender = Sender::builder(setup.bots.clone()).room(2).build();
    let first = sender.enqueue("c-0", text("1")).await.unwrap();
    let second = sender.enqueue("c-0", text("2")).await.unwrap();
    let mut third = pin!(sender.enqueue("c-0", text("3")));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(third.as_mut().poll(&mut cx), Poll::Pending), "there was room for a third");
    first.await.unwrap();
    third.await.unwrap().await.unwrap();
    second.await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_message_that_is_refused_holds_up_nobody() {
    let setup = Setup::new(1).await;
    let sender = setup.sender();
    let bad = sender.enqueue("c-0", text("<b>")).await.unwrap();
    let good = sender.enqueue("c-0", text("good")).await.unwrap();
    let over = sender.send("over", text("late")).await.unwrap_err();
    assert_eq!(bad.await.unwrap_err().reason, Reason::Refused);
    good.await.unwrap();
    assert_eq!(over.reason, Reason::Refused);
    assert_eq!(over.error.as_ref().unwrap().status().unwrap().as_u16(), 409);
    assert_eq!(setup.texts("c-0"), ["good"]);
}

#[tokio::test]
async fn what_was_accepted_goes_out_though_nobody_waits() {
    let setup = Setup::new(1).await;
    let sender = setup.sender();
    for number in 0..10 {
        drop(sender.enqueue("c-0", text(number.to_string())).await.unwrap());
    }
    let last = sender.clone();
    drop(sender);
    last.drain().await;
    assert_eq!(setup.texts("c-0").len(), 10);
}

#[tokio::test]
async fn one_that_cannot_be_sent_hands_back_what_is_behind_it() {
    let setup = Setup::new(2).await;
    let script =
        FaultScript::new(1).rule(FaultRule::new(Fault::drop_before()).route(Route::SendMessage).to(200));
    setup.emulator.set_faults(script).unwrap();
    let sender = setup.sender();
    let first = sender.enqueue("c-0", text("1")).await.unwrap();
    let second = sender.enqueue("c-0", text("2")).await.unwrap();
    let (first, second) = (first.await.unwrap_err(), second.await.unwrap_err());
    assert_eq!((first.reason, second.reason), (Reason::GaveUp, Reason::Behind));
    assert!(first.can_repeat() && second.can_repeat());
    assert!(sender.stopped().is_empty(), "nothing is unknown");
    setup.emulator.set_faults(FaultScript::new(1)).unwrap();
    assert!(setup.texts("c-0").is_empty());
    sender.send("c-0", text("1")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1"]);
}

#[tokio::test]
async fn callers_that_wait_for_room_keep_their_turn() {
    let setup = Setup::new(1).await;
    let sender = Sender::builder(setup.bots.clone()).room(1).build();
    let first = sender.enqueue("c-0", text("1")).await.unwrap();
    let (mut second, mut third) =
        (pin!(sender.enqueue("c-0", text("2"))), pin!(sender.enqueue("c-0", text("3"))));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut cx).is_pending() && third.as_mut().poll(&mut cx).is_pending());
    first.await.unwrap();
    // The later one is polled first.
    assert!(third.as_mut().poll(&mut cx).is_pending(), "it went ahead of the one before it");
    second.await.unwrap();
    third.await.unwrap().await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1", "2", "3"]);
}

/// A sink that panics takes its lane down, and nothing else.
#[tokio::test]
async fn a_lane_that_is_gone_says_so() {
    let setup = Setup::new(2).await;
    let sender = setup.sender();
    let gone = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = std::thread::scope(|scope| {
        let accept = || {
            gone.block_on(async {
                let first = sender.enqueue("c-0", text("1")).await.unwrap();
                (first, sender.enqueue("c-0", text("2")).await.unwrap())
            })
        };
        scope.spawn(accept).join().unwrap()
    });
    gone.shutdown_background();
    assert_eq!(first.await.unwrap_err().reason, Reason::Unknown);
    assert_eq!(second.await.unwrap_err().reason, Reason::Behind);
    assert_eq!(sender.stopped().len(), 1);
    sender.send("c-1", text("other")).await.unwrap();
    sender.drain().await;
}

#[tokio::test]
async fn who_asks_for_more_time_than_anybody_has_is_not_waited_for() {
    let setup = Setup::new(1).await;
    setup.emulator.inject(Route::SendMessage, Fault::status(429).header("retry-after", "99999999"));
    assert_eq!(setup.sender().send("c-0", text("1")).await.unwrap_err().reason, Reason::GaveUp);
}

/// `cargo xtask bench bots` does the same with a hundred thousand.
#[tokio::test(flavor = "multi_thread")]
async fn with_every_fault_there_is_nothing_is_lost_doubled_or_overtaken() {
    const MESSAGES: usize = 2_000;
    const CONVERSATIONS: usize = 50;
    // Without a quota, whose windows pass as quickly as the waits of all these lanes together.
    let roomy = RateLimitPolicy::default().requests(100_000);
    let setup = Setup::with(CONVERSATIONS, |builder| builder.breaker(BreakerPolicy::off()).rate_limit(roomy));
    let setup = setup.await;
    let faults = [
        Fault::drop_before(),
        Fault::drop_after(),
        Fault::status(500),
        Fault::status(429).header("retry-after", "1"),
        Fault::truncate_answer(10),
    ];
    let rule = |fault| FaultRule::new(fault).route(Route::SendMessage).rate(0.01);
    let script = faults.into_iter().map(rule).fold(FaultScript::new(7), FaultScript::rule);
    let lists = FaultRule::new(Fault::status(503)).route(Route::ListMessages).rate(0.05);
    setup.emulator.set_faults(script.rule(lists)).unwrap();
    let sender = setup.sender();
    let mut tickets = Vec::new();
    for number in 0..MESSAGES {
        let conversation = format!("c-{}", number % CONVERSATIONS);
        tickets.push(sender.enqueue(conversation, text(number.to_string())).await.unwrap());
    }
    let mut found = 0;
    for ticket in tickets {
        found += usize::from(ticket.await.unwrap().facts.is_none());
    }
    for lane in 0..CONVERSATIONS {
        let expected: Vec<_> =
            (lane..MESSAGES).step_by(CONVERSATIONS).map(|number| number.to_string()).collect();
        assert_eq!(setup.texts(&format!("c-{lane}")), expected);
    }
    // What is proven here is proven only if there was something to find.
    assert!(found > 10 && setup.emulator.count(Route::SendMessage) > MESSAGES + 20, "{found} were found");
}
