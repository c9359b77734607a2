//! Messages whose answer was lost.

use webmessaging_bots::{Arrival, Reason};
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
