//! Messages whose answer was lost.

use std::time::Duration;

use serde_json::json;
use webmessaging_bots::{Arrival, Reason, Sender};
use webmessaging_emulator::{Fault, FaultRule, FaultScript, Route};

use crate::setup::{Setup, text};

#[tokio::test]
async fn one_that_has_arrived_is_found_and_not_sent_again() {
    let setup = Setup::new(1).await;
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    let sender = setup.sender();
    let first = sender.enqueue("c-0", text("1")).await.unwrap();
    let second = sender.enqueue("c-0", text("2")).await.unwrap();
    let first = first.await.unwrap();
    second.await.unwrap();
    assert!(first.facts.is_none(), "its answer was lost");
    assert_eq!(setup.texts("c-0"), ["1", "2"]);
    assert_eq!(setup.emulator.messages("c-0")[0].id, first.message_id.as_str());
}

#[tokio::test]
async fn one_that_has_not_arrived_is_sent_again() {
    let setup = Setup::new(1).await;
    for fault in [Fault::drop_before(), Fault::status(500), Fault::status(503).html("<html>down</html>")] {
        setup.emulator.inject(Route::SendMessage, fault);
    }
    setup.sender().send("c-0", text("1")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1"]);
}

#[tokio::test]
async fn the_look_itself_may_fail_for_a_while() {
    let setup = Setup::new(1).await;
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    for _ in 0..3 {
        setup.emulator.inject(Route::ListMessages, Fault::status(500));
    }
    setup.sender().send("c-0", text("1")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1"]);
}

/// The login that the look needs is not the list.
#[tokio::test]
async fn a_login_that_fails_before_the_look_says_nothing_of_the_list() {
    let setup = Setup::new(1).await;
    setup.sender().send("c-0", text("0")).await.unwrap();
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    setup.emulator.inject(Route::ListMessages, Fault::status(401));
    setup.emulator.inject(Route::Token, Fault::status(404));
    setup.sender().send("c-0", text("1")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["0", "1"]);
}

#[tokio::test]
async fn where_nobody_can_say_the_conversation_stops_until_somebody_has_looked() {
    let setup = Setup::new(2).await;
    let no_list = FaultScript::new(1).rule(FaultRule::new(Fault::status(404)).route(Route::ListMessages));
    setup.emulator.set_faults(no_list).unwrap();
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    let sender = setup.sender();
    let first = sender.enqueue("c-0", text("1")).await.unwrap();
    let second = sender.enqueue("c-0", text("2")).await.unwrap();
    let first = first.await.unwrap_err();
    assert_eq!(first.reason, Reason::Unknown);
    assert!(!first.can_repeat());
    assert!(first.to_string().contains("may have arrived"), "{first}");
    assert_eq!(second.await.unwrap_err().reason, Reason::Behind);
    assert_eq!(sender.enqueue("c-0", text("3")).await.unwrap_err().reason, Reason::Behind);
    assert_eq!(sender.stopped(), [("c-0".into(), first.request_id.clone())]);
    // Others go on.
    sender.send("c-1", text("other")).await.unwrap();

    assert!(sender.resume(&"c-0".into()));
    assert!(!sender.resume(&"c-0".into()));
    sender.send("c-0", text("2")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1", "2"]);
    assert_eq!(setup.texts("c-1"), ["other"]);
}

#[tokio::test]
async fn an_arrival_is_found_among_many() {
    let setup = Setup::new(1).await;
    let first = setup.bots.send("c-0", &text("first")).await.unwrap();
    for number in 0..250 {
        setup.bots.send("c-0", &text(number.to_string())).await.unwrap();
    }
    let found = setup.bots.arrival("c-0", &first.request_id).await.unwrap();
    assert_eq!(found, Arrival::Arrived(first.message_id));
    assert_eq!(setup.bots.arrival("c-0", "nobody's").await.unwrap(), Arrival::Absent);
}

/// What a list says that is none, or says nothing of our message.
#[tokio::test]
async fn an_odd_list_is_no_proof_that_a_message_is_not_there() {
    for list in [json!({}), json!({"messages": []}), json!({"entities": null}), json!([])] {
        let setup = Setup::new(1).await;
        let odd = FaultScript::new(1)
            .rule(FaultRule::new(Fault::status(200).json(&list)).route(Route::ListMessages));
        setup.emulator.set_faults(odd).unwrap();
        setup.emulator.inject(Route::SendMessage, Fault::drop_after());
        let undelivered = setup.sender().send("c-0", text("1")).await.unwrap_err();
        assert_eq!(undelivered.reason, Reason::Unknown, "{list}");
        assert_eq!(setup.texts("c-0"), ["1"], "{list}");
    }
}

#[tokio::test]
async fn messages_of_others_leave_nothing_open_and_ours_without_an_id_do() {
    for (from, expected) in [("customer-1", None), ("bot-1", Some(Reason::Unknown))] {
        let setup = Setup::new(1).await;
        let list = json!({"entities": [{"id": "m-1", "from": {"id": from}}]});
        let lists = FaultScript::new(1)
            .rule(FaultRule::new(Fault::status(200).json(&list)).route(Route::ListMessages));
        setup.emulator.set_faults(lists).unwrap();
        setup.emulator.inject(Route::SendMessage, Fault::drop_before());
        let outcome = setup.sender().send("c-0", text("1")).await;
        assert_eq!(outcome.err().map(|undelivered| undelivered.reason), expected, "{from}");
    }
}

#[tokio::test]
async fn what_was_taken_is_not_sent_again_whatever_the_answer_looks_like() {
    let setup = Setup::new(1).await;
    setup.emulator.inject(Route::SendMessage, Fault::status(202).html("<html>thanks</html>"));
    let undelivered = setup.sender().send("c-0", text("1")).await.unwrap_err();
    assert_eq!(undelivered.reason, Reason::Unknown);
    assert_eq!(setup.emulator.count(Route::SendMessage), 1);
    setup.emulator.inject(Route::SendMessage, Fault::status(204));
    setup.sender().send("c-0", text("2")).await.unwrap();
}

#[tokio::test]
async fn a_refusal_of_what_was_lost_before_is_looked_at_twice() {
    let setup = Setup::new(1).await;
    // Lost, not there yet, and then refused as known.
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    setup.emulator.inject(Route::ListMessages, Fault::status(200).json(json!({"entities": []})));
    setup.emulator.inject(Route::SendMessage, Fault::status(409).json(json!({"code": "known"})));
    setup.sender().send("c-0", text("1")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1"]);
}

#[tokio::test]
async fn trouble_before_a_message_is_no_trouble_with_it() {
    let setup = Setup::new(1).await;
    for _ in 0..40 {
        setup.emulator.inject(Route::Token, Fault::status(503));
    }
    let undelivered = setup.sender().send("c-0", text("1")).await.unwrap_err();
    assert_eq!(undelivered.reason, Reason::GaveUp, "{undelivered}");
    // A login that is refused says nothing of the message.
    for status in [401, 404] {
        let setup = Setup::new(1).await;
        setup.emulator.inject(Route::Token, Fault::status(status));
        let undelivered = setup.sender().send("c-0", text("1")).await.unwrap_err();
        assert_eq!(undelivered.reason, Reason::GaveUp, "{undelivered}");
    }
    let setup = Setup::new(1).await;
    for _ in 0..40 {
        setup.emulator.inject(Route::GetConversation, Fault::status(500));
    }
    let bots = setup.bots.clone().check_participants(Duration::from_secs(10));
    let undelivered = Sender::new(bots).send("c-0", text("1")).await.unwrap_err();
    assert_eq!(undelivered.reason, Reason::GaveUp, "{undelivered}");
    assert_eq!(setup.emulator.count(Route::SendMessage), 0);
}

#[tokio::test]
async fn what_somebody_else_has_sent_is_looked_for_first() {
    let setup = Setup::new(1).await;
    let sent = setup.bots.send("c-0", &text("1")).await.unwrap();
    let sender = setup.sender();
    let again = sender.enqueue_again("c-0", &*sent.request_id, text("1")).await.unwrap().await.unwrap();
    assert_eq!(again.message_id, sent.message_id);
    sender.enqueue_again("c-0", "never-sent", text("2")).await.unwrap().await.unwrap();
    assert_eq!(setup.texts("c-0"), ["1", "2"]);
    for odd in ["", "a b", "a\n"] {
        assert_eq!(sender.enqueue_as("c-0", odd, text("3")).await.unwrap_err().reason, Reason::Refused);
    }
}
