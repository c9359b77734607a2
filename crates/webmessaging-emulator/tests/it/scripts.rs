//! Fault scripts as documents: what is read, what is refused and how it is told.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::{DocumentError, Emulator, Fault, FaultRule, FaultScript, Route, StartError};

use crate::client::start;

/// What a rule can be about.
pub(crate) const ROUTES: &str = "*, token, create-upload, put-upload, get-attachment, download, create-transfer, \
    renew-transfer, get-transfer, put-transfer, download-transfer, list-channels, get-channel, update-channel, \
    get-conversation, send-message, list-messages, create-guest, get-guest, update-guest, list-audits, create-webhook, list-webhooks, delete-webhook, create-platform-webhook, list-platform-webhooks, \
    delete-platform-webhook";

/// A rule that is right, with some keys changed.
fn rule(changes: &[(&str, Value)]) -> Value {
    let mut rule = json!({ "route": "token", "fault": "drop-before" });
    for (key, value) in changes {
        rule[*key] = value.clone();
    }
    rule
}

pub(crate) fn read(rules: &Value) -> Result<FaultScript, DocumentError> {
    FaultScript::from_json(&json!({ "rules": rules }).to_string())
}

/// What is wrong with one rule.
fn told(changes: &[(&str, Value)]) -> Vec<String> {
    let problems = read(&json!([rule(changes)])).err();
    let problems = problems.iter().flat_map(DocumentError::problems);
    problems.map(ToString::to_string).collect()
}

#[test]
fn every_kind_is_read() {
    let ms = Duration::from_millis;
    for (written, expected) in [
        (json!({ "fault": "answer", "status": 204 }), Fault::status(204)),
        (
            json!({ "fault": "answer", "status": 503, "headers": { "retry-after": "7" }, "json": { "b": 1, "a": [null] } }),
            Fault::status(503).json(json!({ "a": [null], "b": 1 })).header("retry-after", "7"),
        ),
        (json!({ "fault": "answer", "status": 502, "html": "<p>" }), Fault::status(502).html("<p>")),
        (
            json!({ "fault": "answer", "status": 200, "text": "x", "headers": { "content-type": "text/plain" } }),
            Fault::status(200).header("content-type", "text/plain").body("x"),
        ),
        (
            json!({ "fault": "answer", "status": 200, "base64": "//4=" }),
            Fault::status(200).body(vec![255, 254]),
        ),
        (json!({ "fault": "delay", "ms": 20 }), Fault::delay(ms(20))),
        (json!({ "fault": "drop-before" }), Fault::drop_before()),
        (json!({ "fault": "drop-after" }), Fault::drop_after()),
        (json!({ "fault": "drop-in-body", "bytes": 0 }), Fault::drop_body_after(0)),
        (json!({ "fault": "truncate", "bytes": 9 }), Fault::truncate_answer(9)),
        (json!({ "fault": "drip", "bytes": 8, "ms": 2 }), Fault::drip_answer(8, ms(2))),
        (json!({ "fault": "html-page", "html": "<p>" }), Fault::html_page("<p>")),
        (json!({ "fault": "wrong-length", "bytes": -1 }), Fault::wrong_length(-1)),
        (json!({ "fault": "advance-clock", "seconds": 0.5 }), Fault::advance_clock(ms(500))),
        (
            json!({ "fault": "advance-clock", "seconds": 300, "afterBytes": 7 }),
            Fault::advance_clock_in_body(7, ms(300_000)),
        ),
    ] {
        let mut rule = written.clone();
        rule["route"] = "*".into();
        let script = read(&json!([rule])).unwrap();
        assert_eq!(script, FaultScript::new(0).rule(FaultRule::new(expected)), "{written}");
        assert_eq!(serde_json::to_value(&script).unwrap()["rules"], json!([rule]));
    }
}

#[test]
fn every_condition_is_read() {
    let fault = || FaultRule::new(Fault::drop_before());
    for (written, expected) in [
        (json!({ "route": "put-upload" }), fault().route(Route::PutUpload)),
        (json!({ "route": "*", "nth": 3 }), fault().nth(3)),
        (json!({ "route": "*", "from": 2, "to": 4, "every": 2 }), fault().from(2).to(4).every(2)),
        (json!({ "route": "*", "rate": 0.25, "times": 5 }), fault().rate(0.25).times(5)),
    ] {
        let mut rule = written.clone();
        rule["fault"] = "drop-before".into();
        let script = read(&json!([rule])).unwrap();
        assert_eq!(script.rules(), [expected], "{written}");
        assert_eq!(serde_json::to_value(&script).unwrap()["rules"], json!([rule]));
    }
}

#[test]
fn each_mistake_is_told_with_what_is_allowed() {
    let cases: Vec<(Vec<(&str, Value)>, String)> = vec![
        (vec![("route", json!("toekn"))], format!("route: must be one of {ROUTES} (did you mean `token`?)")),
        (vec![("nth", json!(0))], "nth: must be a whole number from 1 to 1000000000".into()),
        (vec![("rate", json!(1.5))], "rate: must be a number from 0 to 1".into()),
        (vec![("rate", json!("1"))], "rate: must be a number from 0 to 1".into()),
        (vec![("times", json!(-1))], "times: must be a whole number from 1 to 1000000000".into()),
        (vec![("from", json!(3)), ("to", json!(2))], "to: must not be below from, which is 3".into()),
        (
            vec![("nth", json!(1)), ("every", json!(2))],
            "every: cannot stand beside nth, which picks a single request".into(),
        ),
        (
            vec![("fault", json!("drop"))],
            "fault: must be one of answer, delay, drop-before, drop-after, drop-in-body, truncate, drip, html-page, \
             wrong-length, advance-clock (did you mean `drop-after`?)"
                .into(),
        ),
        (
            vec![("ms", json!(1))],
            "ms: unknown key; allowed here: route, nth, from, to, every, rate, times, fault".into(),
        ),
        (
            vec![("fault", json!("delay")), ("ms", json!(3_600_001))],
            "ms: must be a whole number from 0 to 3600000".into(),
        ),
        (
            vec![("fault", json!("delay"))],
            "ms: is missing; must be a whole number from 0 to 3600000".into(),
        ),
        (
            vec![("fault", json!("drip")), ("bytes", json!(0)), ("ms", json!(1))],
            "bytes: must be a whole number from 1 to 1099511627776".into(),
        ),
        (
            vec![("fault", json!("wrong-length")), ("bytes", json!(0))],
            "bytes: must not be 0: the length would be right".into(),
        ),
        (
            vec![("fault", json!("answer")), ("status", json!(199))],
            "status: must be a whole number from 200 to 999".into(),
        ),
        (
            vec![("fault", json!("answer")), ("status", json!(200)), ("text", json!("")), ("html", json!(""))],
            "text: cannot stand beside html: an answer has one body".into(),
        ),
        (
            vec![("fault", json!("answer")), ("status", json!(200)), ("headers", json!({ "a b": "" }))],
            "headers: the name is not allowed by HTTP".into(),
        ),
        (
            vec![("fault", json!("answer")), ("status", json!(200)), ("headers", json!({ "a": "x\n" }))],
            "headers: the value of `a` is not allowed by HTTP".into(),
        ),
        (
            vec![("fault", json!("answer")), ("status", json!(200)), ("headers", json!({ "Content-Length": "1" }))],
            "headers: content-length follows from the body; the fault wrong-length changes it".into(),
        ),
        (
            vec![("fault", json!("advance-clock")), ("seconds", json!(-1))],
            "seconds: must be a number from 0 to 315360000".into(),
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(told(&changes), [format!("rule 1: {expected}")], "{changes:?}");
    }
}

#[tokio::test]
async fn a_script_of_code_is_held_to_the_same_rules() {
    let emulator = start().await;
    let good = FaultScript::new(1).rule(FaultRule::new(Fault::drop_before()).nth(1_000));
    emulator.set_faults(good.clone()).unwrap();
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    for (rule, expected) in [
        (
            FaultRule::new(Fault::drop_before()).nth(0),
            "rule 2: nth: must be a whole number from 1 to 1000000000",
        ),
        (FaultRule::new(Fault::drop_before()).rate(f64::NAN), "rule 2: rate: must be a number from 0 to 1"),
        (
            FaultRule::new(Fault::drop_before()).from(3).to(2),
            "rule 2: to: must not be below from, which is 3",
        ),
        (FaultRule::new(Fault::status(99)), "rule 2: status: must be a whole number from 200 to 999"),
        (FaultRule::new(Fault::status(200).json(map)), "rule 2: text: must be a text"),
        (
            FaultRule::new(Fault::delay(Duration::from_secs(3_601))),
            "rule 2: ms: must be a whole number from 0 to 3600000",
        ),
    ] {
        let script = good.clone().rule(rule);
        assert_eq!(emulator.set_faults(script.clone()).unwrap_err().to_string(), expected);
        let refused = Emulator::builder().faults(script).start().await.unwrap_err();
        assert!(matches!(refused, StartError::Faults(error) if error.to_string() == expected));
    }
    assert_eq!(emulator.state().faults.acted, [0]);
}
