//! The client's rules accept exactly what the emulator's schema accepts.

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use webmessaging_channels::UpdateChannel;
use webmessaging_http::ErrorKind;
use webmessaging_model::json_merge::apply_merge_patch;
use webmessaging_model::{ChannelFeature, ChannelRules};

use crate::setup::{ID, Setup};

fn configurations() -> impl Strategy<Value = Value> {
    let feature = prop_oneof![
        20 => prop::sample::select(ChannelFeature::KNOWN).prop_map(Value::from),
        1 => "[a-z-]{0,12}".prop_map(Value::from),
        1 => (0..3_u8).prop_map(Value::from),
    ];
    let sessions = prop_oneof![
        4 => (1..=2_000_u64).prop_map(Value::from),
        2 => prop::sample::select(vec![0_i64, 1, 2, 1_999, 2_000, 2_001, -1, i64::MAX]).prop_map(Value::from),
        1 => any::<f64>().prop_filter("JSON has no other", |number| number.is_finite()).prop_map(Value::from),
        1 => Just(json!("500")),
    ];
    let queue = prop_oneof![
        4 => "[a-z0-9]{1,9}".prop_map(Value::from),
        3 => "[a-z0-9 .\\t\u{a0}\u{85}é-]{0,6}".prop_map(Value::from),
        2 => (253..258_usize).prop_map(|length| "é".repeat(length).into()),
        1 => Just(json!(1)),
    ];
    let webchat = (prop::option::of(sessions), prop::option::of(prop::collection::vec(feature, 0..3)));
    let webchat = webchat.prop_map(|(sessions, features)| {
        let mut webchat = json!({"theme": "dark"});
        webchat
            .as_object_mut()
            .unwrap()
            .extend(sessions.map(|value| ("maxConcurrentSessions".into(), value)));
        webchat.as_object_mut().unwrap().extend(features.map(|value| ("features".into(), value.into())));
        webchat
    });
    let part = |good: BoxedStrategy<Value>| prop_oneof![9 => good, 1 => Just(json!(7)), 1 => Just(json!([]))];
    let routing = queue.prop_map(|queue| json!({ "queueId": queue }));
    (part(webchat.boxed()), part(routing.boxed()))
        .prop_map(|(webchat, routing)| json!({"webchat": webchat, "routing": routing, "other": [1]}))
}

#[tokio::test(flavor = "multi_thread")]
async fn client_and_emulator_agree() {
    let setup = Setup::new().await;
    let before = setup.stored();
    let Setup { http, emulator, .. } = setup;
    let runtime = tokio::runtime::Handle::current();
    let agreed = tokio::task::spawn_blocking(move || {
        let mut runner =
            TestRunner::new(Config { cases: 512, failure_persistence: None, ..Config::default() });
        let rules = ChannelRules::default();
        let known = RefCell::new(before);
        let counts = [const { Cell::new(0) }; 2];
        runner
            .run(&configurations(), |configuration| {
                let ours = rules.check(&configuration, &[]);
                let sent = runtime.block_on(http.send(&UpdateChannel::new(ID, configuration.clone())));
                let theirs = match sent {
                    Ok(answer) => {
                        // The emulator applies patches with a library: ours has to make the same of them.
                        let known = &mut *known.borrow_mut();
                        apply_merge_patch(known, &configuration);
                        prop_assert_eq!(known as &Value, &Value::Object(answer.value.configuration));
                        true
                    }
                    Err(error) if error.kind() == ErrorKind::Rejected => false,
                    Err(error) => return Err(TestCaseError::fail(error.to_string())),
                };
                let count = &counts[usize::from(theirs)];
                count.set(count.get() + 1);
                prop_assert_eq!(ours.is_ok(), theirs, "{} {:?}", configuration, ours);
                Ok(())
            })
            .unwrap();
        counts.map(Cell::into_inner)
    });
    let [bad, good] = agreed.await.unwrap();
    drop(emulator);
    assert!(bad > 50 && good > 50, "{bad} bad and {good} good ones say little");
}
