//! Lists of messages: each line once, also when the process is gone in the middle.

mod setup;

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream;
use serde_json::json;
use tokio::sync::mpsc;
use webmessaging::bots::{Message, SendMessage, Sender};
use webmessaging::{BulkSender, BulkStop};
use webmessaging_emulator::{Fault, FaultRule, FaultScript, Route};

use self::setup::{HeldClock, Setup, line, report};

#[tokio::test]
async fn every_line_is_sent_once_and_in_order() {
    let setup = Setup::new().await;
    let lines: Vec<_> = (0..600).map(|n| line(&format!("c-{}", n % 10), &n.to_string())).collect();
    assert_eq!(setup.run(&lines).await.0, report(600, 0, 0));
    assert_eq!(setup.run(&lines).await.0, report(0, 600, 0));
    for number in 0..10 {
        let expected: Vec<_> = (0..60).map(|n| (n * 10 + number).to_string()).collect();
        assert_eq!(setup.texts(&format!("c-{number}")), expected);
    }
}

#[tokio::test]
async fn lines_that_are_no_messages_are_told_and_hold_up_nobody() {
    let setup = Setup::new().await;
    let lines = [
        line("c-1", "good"),
        "  ".to_owned(),
        "{".to_owned(),
        line("", "x"),
        json!({"type": "text", "text": "<b>"}).to_string(),
        line("nowhere", "x"),
        line("c-1", "also good"),
    ];
    let (found, told) = setup.run(&lines).await;
    assert_eq!(found, report(2, 0, 4));
    assert_eq!(setup.texts("c-1"), ["good", "also good"]);
    let rejected: Vec<_> = told.iter().filter(|line| line.contains("rejected")).collect();
    assert_eq!(
        rejected,
        [
            "3 rejected:  is malformed",
            "4 rejected: conversationId is required",
            "5 rejected: to.id is required; from.id is required; text has markup or a script in it: at character 1",
        ]
    );
}

/// What a process leaves that ends between two lines: some begun, of these some arrived.
#[tokio::test]
async fn a_run_that_was_killed_is_gone_on_with() {
    let setup = Setup::new().await;
    let lines: Vec<_> = (0..6).map(|n| line("c-0", &n.to_string())).collect();
    assert_eq!(setup.run(&lines[..2]).await.0.sent, 2);
    // The third had arrived, the fourth was only begun.
    for number in [2, 3] {
        setup.begin(number + 1, "c-0", &number.to_string(), &format!("request-{number}")).await;
    }
    let message = Message::text("a", "b", "2");
    let request = SendMessage::new("c-0", "request-2", &message);
    setup.client.http().send(&request).await.unwrap();

    let (found, _) = setup.run(&lines).await;
    assert_eq!(found, report(4, 2, 0));
    assert_eq!(setup.texts("c-0"), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(setup.emulator.messages("c-0")[3].request_id.as_deref(), Some("request-3"));
}

/// Lines of which an earlier run does not know what became wait together, and the other conversations do not.
#[tokio::test]
async fn what_has_to_settle_holds_up_its_own_conversation() {
    let setup = Setup::new().await;
    for number in [1, 2] {
        setup.begin(number, &format!("c-{number}"), "old", &format!("request-{number}")).await;
    }
    let clock = HeldClock::new();
    let bulk = setup.bulk().clock(clock.clone());
    let (sender, mut lines) = mpsc::unbounded_channel();
    let lines = stream::poll_fn(move |context| lines.poll_recv(context));
    let told = std::cell::RefCell::new(Vec::new());
    let run = bulk.run(lines, |line, _| told.borrow_mut().push(line));
    let feed = async {
        for (conversation, text) in [("c-1", "old"), ("c-2", "old"), ("c-1", "new")] {
            sender.send(Ok(line(conversation, text))).unwrap();
        }
        for number in 4..8 {
            sender.send(Ok(line("c-3", &number.to_string()))).unwrap();
            while told.borrow().last() != Some(&number) {
                tokio::task::yield_now().await;
            }
        }
        drop(sender);
        assert_eq!(*clock.sleeps.lock().unwrap(), [Duration::from_secs(5); 2]);
        assert!(setup.texts("c-1").is_empty());
        clock.goes_on.send(true).unwrap();
    };
    let (found, ()) = tokio::join!(run, feed);
    assert_eq!(found.unwrap(), report(7, 0, 0));
    assert_eq!(setup.texts("c-1"), ["old", "new"]);
    assert_eq!(setup.texts("c-2"), ["old"]);
}

#[tokio::test]
async fn after_a_line_of_which_nobody_knows_its_conversation_waits_for_the_next_run() {
    let setup = Setup::new().await;
    let no_list = FaultScript::new(1).rule(FaultRule::new(Fault::status(404)).route(Route::ListMessages));
    setup.emulator.set_faults(no_list).unwrap();
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    let mut lines: Vec<_> = (0..300).map(|n| line("c-0", &n.to_string())).collect();
    let (bulk, (sender, mut list)) = (setup.bulk(), mpsc::unbounded_channel());
    let run = bulk.run(stream::poll_fn(move |context| list.poll_recv(context)), |_, _| {});
    for line in &lines {
        sender.send(Ok(line.clone())).unwrap();
    }
    lines.push(line("c-1", "other"));
    let feed = async {
        while setup.emulator.count(Route::SendMessage) < 1 {
            tokio::task::yield_now().await;
        }
        sender.send(Ok(line("c-1", "other"))).unwrap();
        drop(sender);
    };
    let (found, ()) = tokio::join!(async { run.await.unwrap() }, feed);
    assert_eq!((found.sent, found.unknown, found.not_sent), (1, 1, 299));
    assert_eq!(found.left(), 300);
    // Still nobody knows.
    assert_eq!(setup.run(&lines).await.0.unknown, 1);
    setup.emulator.set_faults(FaultScript::new(1)).unwrap();
    let (found, _) = setup.run(&lines).await;
    assert_eq!((found.sent, found.sent_before), (300, 1));
    let expected: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    assert_eq!(setup.texts("c-0"), expected);
}

/// The caller is gone, and what was accepted is still on its way.
#[tokio::test]
async fn a_run_that_was_given_up_and_begun_again_sends_nothing_twice() {
    let setup = Setup::new().await;
    let lines: Vec<_> = (0..40).map(|n| line("c-0", &n.to_string())).collect();
    let bulk = setup.bulk();
    let run = || bulk.run(stream::iter(lines.iter().map(|line| Ok(line.clone()))), |_, _| {});
    for given_up in 1..4 {
        let mut running = std::pin::pin!(run());
        while setup.texts("c-0").len() < given_up * 7 {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(running.as_mut().poll(&mut cx).is_pending());
            tokio::task::yield_now().await;
        }
    }
    run().await.unwrap();
    let expected: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    assert_eq!(setup.texts("c-0"), expected);
}

#[tokio::test]
async fn a_line_that_could_not_be_sent_is_overtaken_by_none_of_its_conversation() {
    let setup = Setup::new().await;
    let down =
        FaultScript::new(1).rule(FaultRule::new(Fault::drop_before()).route(Route::SendMessage).to(60));
    setup.emulator.set_faults(down).unwrap();
    let lines: Vec<_> = (0..5).map(|n| line("c-0", &n.to_string())).collect();
    let (bulk, mut reports) = (setup.bulk(), Vec::new());
    while setup.texts("c-0").len() < 5 {
        let report =
            bulk.run(stream::iter(lines.iter().map(|line| Ok(line.clone()))), |_, _| {}).await.unwrap();
        reports.push((report.sent, report.not_sent));
        assert!(reports.len() < 30, "{reports:?}");
    }
    assert_eq!((reports[0], reports.last()), ((0, 5), Some(&(5, 0))));
    assert_eq!(setup.texts("c-0"), ["0", "1", "2", "3", "4"]);
}

/// A login that fails says nothing of a line, and nothing good of those behind it.
#[tokio::test]
async fn a_login_that_fails_stops_the_list() {
    for status in [401, 404] {
        let setup = Setup::new().await;
        setup.emulator.inject(Route::Token, Fault::status(status));
        let (bulk, (sender, mut lines)) = (setup.bulk(), mpsc::unbounded_channel());
        let told = Cell::new(0);
        let lines = stream::poll_fn(move |context| lines.poll_recv(context));
        let run = bulk.run(lines, |line, _| told.set(line));
        let feed = async {
            sender.send(Ok(line("c-0", "first"))).unwrap();
            while told.get() < 1 {
                tokio::task::yield_now().await;
            }
            // Nobody reads on.
            while sender.send(Ok(line("c-0", "second"))).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        let (ended, ()) = tokio::join!(async { run.await.unwrap_err() }, feed);
        assert!(matches!(&ended.stop, BulkStop::Login(error) if error.is_of_login()), "{ended}");
        assert_eq!((ended.report.refused, ended.report.left()), (0, 1));
        // A refused login is remembered for a while.
        setup.clock.advance(Duration::from_secs(60));
        let (found, _) = setup.run(&[line("c-0", "first"), line("c-0", "second")]).await;
        assert_eq!(found, report(2, 0, 0));
        assert_eq!(setup.texts("c-0"), ["first", "second"]);
    }
}

#[tokio::test]
async fn lines_that_are_no_messages_let_others_run() {
    let setup = Setup::new().await;
    let ran = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&ran);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let lines = stream::iter((0..20_000).map(|_| Ok("{".to_owned())));
    let found = setup.bulk().run(lines, |_, _| {}).await.unwrap();
    other.abort();
    assert_eq!(found.refused, 20_000);
    assert!(ran.load(Ordering::Relaxed) >= 20);
}

#[tokio::test]
async fn a_list_that_was_changed_is_found_out() {
    let setup = Setup::new().await;
    setup.run(&[line("c-0", "one")]).await;
    let (found, told) = setup.run(&[line("c-0", "two")]).await;
    assert_eq!((found.changed, found.sent), (1, 0));
    assert_eq!(told, ["1 not what it was in an earlier run"]);
    let bulk = setup.bulk();
    let broken = bulk.run(stream::iter([Err(io::Error::other("the disk is gone"))]), |_, _| {});
    assert_eq!(broken.await.unwrap_err().to_string(), "line 1 of the list cannot be read: the disk is gone");
    assert_eq!(setup.texts("c-0"), ["one"]);
}

#[tokio::test]
async fn a_line_that_has_to_be_waited_for_holds_up_none_before_it() {
    let setup = Setup::new().await;
    let (sender, mut lines) = mpsc::unbounded_channel();
    let lines = stream::poll_fn(move |context| lines.poll_recv(context));
    let told = Cell::new(0);
    let bulk = setup.bulk();
    let run = bulk.run(lines, |line, _| told.set(line));
    let feed = async {
        for number in 1..=3 {
            sender.send(Ok(line("c-0", &number.to_string()))).unwrap();
            while told.get() < number {
                tokio::task::yield_now().await;
            }
        }
        sender.send(Err(io::Error::other("the other end is gone"))).unwrap();
    };
    let (ended, ()) = tokio::join!(run, feed);
    let error = ended.unwrap_err();
    assert!(error.to_string().starts_with("line 4"));
    assert_eq!(error.report, report(3, 0, 0));
    assert_eq!(setup.texts("c-0"), ["1", "2", "3"]);
}

/// An answer that is held back keeps its own conversation alone from going on.
#[tokio::test]
async fn a_slow_conversation_holds_up_no_other() {
    let setup = Setup::new().await;
    // Longer than the test: whoever waits for it waits for ever.
    setup.emulator.inject(Route::SendMessage, Fault::delay(Duration::from_secs(3_600)));
    let (sender, mut lines) = mpsc::unbounded_channel();
    let lines = stream::poll_fn(move |context| lines.poll_recv(context));
    let told = std::cell::RefCell::new(Vec::new());
    let bulk = setup.bulk();
    let run = bulk.run(lines, |line, _| told.borrow_mut().push(line));
    let feed = async {
        for number in 0..1_000 {
            sender.send(Ok(line("c-0", &number.to_string()))).unwrap();
        }
        while setup.emulator.count(Route::SendMessage) < 1 {
            tokio::task::yield_now().await;
        }
        for number in 0..20 {
            sender.send(Ok(line(&format!("c-{}", 1 + number % 2), &number.to_string()))).unwrap();
        }
        while told.borrow().len() < 20 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run => unreachable!("the first line has no answer"),
        () = feed => {}
    }
    let even: Vec<_> = (0..10).map(|n| (2 * n).to_string()).collect();
    assert_eq!(setup.texts("c-1"), even);
    assert!(!told.borrow().iter().any(|line| *line <= 1_000));
}

/// As many as there may be, also where they come through a channel that gives only so many at a time.
#[tokio::test]
async fn as_many_lines_are_under_way_as_may_be() {
    let setup = Setup::new().await;
    let slow = FaultScript::new(1)
        .rule(FaultRule::new(Fault::delay(Duration::from_secs(3_600))).route(Route::SendMessage));
    setup.emulator.set_faults(slow).unwrap();
    let (sender, mut lines) = mpsc::channel(2_000);
    for number in 0..2_000 {
        sender.try_send(Ok(line(&format!("new-{number}"), "x"))).unwrap();
    }
    let lines = stream::poll_fn(move |context| lines.poll_recv(context));
    let sends = Sender::builder(setup.client.bots()).at_once(256).build();
    let bulk = BulkSender::new(sends, Arc::clone(&setup.store), "list");
    let open = async || {
        setup.store.open_intents("9999-01-01T00:00:00.000Z".parse().unwrap(), None, 500).await.unwrap().len()
    };
    let begun = async {
        while open().await < 256 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = bulk.run(lines, |_, _| {}) => unreachable!("no line has an answer"),
        () = begun => {}
    }
    assert_eq!(open().await, 256);
}
