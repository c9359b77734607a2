//! Order: whatever fails, a lane's successes come in the order of the outbox, and nothing is lost or has two keys.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use webmessaging_http::{BreakerPolicy, Proxy};
use webmessaging_sync::ShapeName;

use crate::judge::{Judge, Reply, take};
use crate::setup::{Bench, config, message, targets};

#[tokio::test]
async fn a_lane_that_is_held_up_holds_up_no_other() {
    let judge =
        Judge::start(
            |seen| {
                if seen.body["conversationId"] == "stuck" { Reply::Refuse(503, "") } else { take() }
            },
        )
        .await;
    let bench = Bench::new().await;
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let events =
        [message("stuck", 1), message("a", 1), message("stuck", 2), message("a", 2), message("b", 1)];
    bench.enqueue(&targets, &events).await;
    let worker = bench.worker(&targets);
    while worker.deliver_due().await.unwrap().claimed > 0 {}
    let taken: BTreeSet<_> = judge.ids().into_iter().collect();
    assert_eq!(taken.into_iter().collect::<Vec<_>>(), ["a-1", "a-2", "b-1"]);
    let status = worker.status().await.unwrap().remove(0);
    assert_eq!((status.pending, status.blocked_lanes_total), (2, 1));
    assert_eq!(status.blocked_lanes[0].lane, "conversation:stuck");
    assert_eq!(status.blocked_lanes[0].reason, "server, status 503");
}

#[derive(Debug, Clone, Copy)]
enum Happening {
    Take,
    TakeAndHangUp,
    HangUp,
    Fail,
    Busy,
    Restart,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        4 => Just(Happening::Take),
        1 => Just(Happening::TakeAndHangUp),
        1 => Just(Happening::HangUp),
        1 => Just(Happening::Fail),
        1 => Just(Happening::Busy),
        1 => Just(Happening::Restart),
    ];
    proptest::collection::vec(one, 0..40)
}

fn lanes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..4, 1..24)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_fails_each_lane_is_taken_in_its_order(
        script in happenings(), lanes in lanes(), at_once in 1_usize..5,
    ) {
        runtime().block_on(run(Bench::in_memory(), script, lanes, at_once));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn so_it_is_with_a_store_in_a_file(script in happenings(), lanes in lanes(), at_once in 1_usize..5) {
        runtime().block_on(async { run(Bench::new().await, script, lanes, at_once).await });
    }
}

async fn run(bench: Bench, script: Vec<Happening>, lanes: Vec<usize>, at_once: usize) {
    let restarts = script.iter().filter(|happening| matches!(happening, Happening::Restart)).count();
    let mut script = script.into_iter().filter(|happening| !matches!(happening, Happening::Restart));
    let judge = Judge::start(move |_| match script.next() {
        None | Some(Happening::Take | Happening::Restart) => take(),
        Some(Happening::TakeAndHangUp) => Reply::TakeAndHangUp,
        Some(Happening::HangUp) => Reply::HangUp,
        Some(Happening::Fail) => Reply::Refuse(502, ""),
        Some(Happening::Busy) => Reply::Refuse(429, "retry-after: 3\r\n"),
    })
    .await;
    // Patient, so that nothing is given up.
    let patient = [Duration::from_secs(5); 50];
    let targets = targets([config(&judge, ShapeName::CrmMessages).at_once(at_once).schedule(patient)]);
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, lane) in lanes.iter().enumerate() {
        let conversation = format!("c{lane}");
        bench.enqueue(&targets, &[message(&conversation, number)]).await;
        expected.entry(conversation.clone()).or_default().push(format!("{conversation}-{number}"));
    }
    let worker = || {
        let set_up = |_: &_, client: webmessaging_http::ExternalClientBuilder| {
            client.breaker(BreakerPolicy::off()).proxy(Proxy::none())
        };
        bench.builder(&targets).client(set_up).build().unwrap()
    };
    for _ in 0..restarts {
        let killed = worker();
        let delivering = std::pin::pin!(killed.deliver_due());
        let requests = judge.requests();
        let seen = std::pin::pin!(async {
            while judge.requests() == requests {
                tokio::task::yield_now().await;
            }
        });
        futures_util::future::select(delivering, seen).await;
    }
    bench.until_settled(&worker()).await;

    let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, record) in judge.taken() {
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        taken.entry(text("conversationId")).or_default().push(text("messageId"));
    }
    assert_eq!(taken, expected);
    let keys: BTreeSet<_> = judge.seen().iter().map(|seen| seen.key().to_owned()).collect();
    assert_eq!(keys.len(), lanes.len(), "an item has gone out under two keys");
}
