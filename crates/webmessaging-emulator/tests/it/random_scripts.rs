//! Fault scripts as documents: properties of all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};
use webmessaging_emulator::{Fault, FaultRule, FaultScript, Route};

use crate::scripts::read;

/// Keys and values that come close to being right.
pub(crate) fn near_miss() -> impl Strategy<Value = Value> {
    let names = [
        "route", "nth", "from", "to", "every", "rate", "times", "fault", "status", "headers", "json", "html",
    ];
    let more = ["text", "base64", "ms", "bytes", "seconds", "afterBytes", "seed", "rules", "x"];
    let key = prop::sample::select([&names[..], &more].concat());
    let kind = prop::sample::select(vec![
        "*",
        "token",
        "download",
        "answer",
        "delay",
        "drop-in-body",
        "truncate",
        "drip",
        "html-page",
        "wrong-length",
        "advance-clock",
        "",
        "AA==",
        "x",
    ]);
    let leaf = prop_oneof![
        kind.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let text = || ".{0,8}";
    let ms = || (0..=3_600_000_u64).prop_map(Duration::from_millis);
    prop_oneof![
        (200..=999_u16, text(), text()).prop_map(|(status, html, value)| {
            Fault::status(status).html(html).header("x", &value.escape_default().to_string())
        }),
        (200..=999_u16, near_miss()).prop_map(|(status, body)| Fault::status(status).json(body)),
        (200..=999_u16, any::<Vec<u8>>()).prop_map(|(status, body)| Fault::status(status).body(body)),
        ms().prop_map(Fault::delay),
        Just(Fault::drop_before()),
        Just(Fault::drop_after()),
        (0..1_u64 << 40).prop_map(Fault::drop_body_after),
        (0..1_u64 << 40).prop_map(Fault::truncate_answer),
        (1..1_u64 << 40, ms()).prop_map(|(bytes, every)| Fault::drip_answer(bytes, every)),
        text().prop_map(Fault::html_page),
        prop_oneof![-65_536..0_i64, 1..=65_536_i64].prop_map(Fault::wrong_length),
        ms().prop_map(Fault::advance_clock),
        (0..1_u64 << 40, ms()).prop_map(|(after, by)| Fault::advance_clock_in_body(after, by)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}|[\\[\\]{}=.\"'a-z0-9\\n ]{0,80}") {
        if let Err(error) = FaultScript::from_json(&text) {
            prop_assert!(!error.problems().is_empty());
        }
    }

    #[test]
    fn any_tree_is_read_or_told_which_rule_is_wrong(rules in prop::collection::vec(near_miss(), 1..4)) {
        match read(&rules.clone().into()) {
            // What is read is written so that the same is read again.
            Ok(script) => {
                let written = serde_json::to_string(&script).unwrap();
                prop_assert_eq!(FaultScript::from_json(&written).unwrap(), script);
            }
            Err(error) => {
                let named: BTreeSet<_> = error.problems().iter().map(|problem| problem.place.clone()).collect();
                let wrong: BTreeSet<_> = (1..)
                    .zip(&rules)
                    .filter(|(_, rule)| read(&json!([rule])).is_err())
                    .map(|(number, _)| format!("rule {number}"))
                    .collect();
                prop_assert_eq!(named, wrong, "{}", error);
            }
        }
    }

    #[test]
    fn what_code_writes_is_read_again(
        seed in any::<u64>(),
        faults in prop::collection::vec((fault(), 1..9_u64, prop::option::of(0.0..=1.0)), 0..4),
    ) {
        let script = faults.into_iter().fold(FaultScript::new(seed), |script, (fault, number, rate)| {
            let rule = FaultRule::new(fault).route(Route::Download).from(number).to(2 * number).times(number);
            script.rule(match rate {
                Some(rate) => rule.rate(rate),
                None => rule,
            })
        });
        let written = serde_json::to_string(&script).unwrap();
        prop_assert_eq!(&FaultScript::from_json(&written).unwrap(), &script);
        prop_assert_eq!(&serde_json::from_str::<FaultScript>(&written).unwrap(), &script);
    }
}
