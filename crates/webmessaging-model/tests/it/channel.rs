//! The rules of a channel's configuration: each boundary, every broken one at once, and what a user may replace.

use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_model::{Browser, ChannelFeature, ChannelRules, Code, Limit, Unit, Violation};

fn check(configuration: &Value, browsers: &[Browser]) -> Vec<Violation> {
    match ChannelRules::default().check(configuration, browsers) {
        Ok(()) => Vec::new(),
        Err(violations) => violations.into_vec(),
    }
}

fn broken(configuration: &Value) -> Vec<(String, &'static str)> {
    let found = check(configuration, &[]);
    found.into_iter().map(|violation| (violation.path.into_owned(), violation.rule)).collect()
}

fn one(configuration: &Value, path: &str, rule: &'static str) {
    assert_eq!(broken(configuration), [(path.to_owned(), rule)], "{configuration}");
}

#[test]
fn sessions_have_both_bounds() {
    const PATH: &str = "configuration.webchat.maxConcurrentSessions";
    let with = |sessions: Value| json!({"webchat": {"maxConcurrentSessions": sessions}});
    for good in [1, 500, 2_000] {
        assert_eq!(check(&with(good.into()), &[]), [], "{good}");
    }
    let above = Violation::new(PATH, Code::TooLarge, "channel.sessions.max");
    assert_eq!(
        check(&with(2_001.into()), &[]),
        [above.limit(Limit::Max(2_000), Unit::Sessions).count(2_001)]
    );
    let below = Violation::new(PATH, Code::TooSmall, "channel.sessions.min");
    assert_eq!(check(&with(0.into()), &[]), [below.limit(Limit::Min(1), Unit::Sessions).count(0)]);
    for wrong in [json!(-1), json!(1.5), json!("500"), json!(null), json!([]), json!(1e300)] {
        one(&with(wrong), PATH, "channel.sessions.integer");
    }
}

#[test]
fn features_are_known_texts_each_once() {
    const PATH: &str = "configuration.webchat.features";
    let with = |features: Value| json!({"webchat": {"features": features}});
    let all: Vec<_> = ChannelFeature::KNOWN.to_vec();
    assert_eq!(check(&with(json!(all)), &[]), []);
    assert_eq!(check(&with(json!([])), &[]), []);
    one(&with(json!("rich-media")), PATH, "channel.features.list");
    one(&with(json!(["rich-media", 1])), &format!("{PATH}[1]"), "channel.features.text");
    one(&with(json!(["Rich-Media"])), &format!("{PATH}[0]"), "channel.features.allowed");
    one(&with(json!(["rich-media", "rich-media"])), &format!("{PATH}[1]"), "channel.features.unique");
}

#[test]
fn features_have_to_work_in_every_browser_that_is_named() {
    let with = |feature: &str| json!({"webchat": {"features": [feature]}});
    assert_eq!(check(&with("co-browsing"), &[Browser::Chrome, Browser::Edge]), []);
    let found = check(&with("co-browsing"), &[Browser::Chrome, Browser::Firefox, Browser::Safari]);
    assert_eq!(found.len(), 1, "one for the feature, not one for each browser: {found:?}");
    assert_eq!((found[0].code, found[0].rule), (Code::Unsupported, "channel.features.browsers"));
    let unheard_of = [Browser::from("lynx")];
    assert_eq!(check(&with("rich-media"), &unheard_of).len(), 1);
    assert_eq!(check(&with("file-sharing"), &unheard_of), [], "nothing is said of it");
}

#[test]
fn a_queue_is_referred_to_by_an_id() {
    const PATH: &str = "configuration.routing.queueId";
    let with = |queue: Value| json!({"routing": {"queueId": queue}});
    for good in ["queue-123", "3a7d0f4e-0c7b-4c59-9d5e-0b1f4f6f2a11", &"q".repeat(255)] {
        assert_eq!(check(&with(good.into()), &[]), [], "{good}");
    }
    one(&with(json!("")), PATH, "id.required");
    one(&with(json!("..")), PATH, "id.reserved");
    one(&with(json!("a\nb")), PATH, "id.charset");
    one(&with(json!("q".repeat(256))), PATH, "id.max");
    one(&with(json!(" queue")), PATH, "channel.queue.spaces");
    one(&with(json!(7)), PATH, "channel.queue.text");
}

#[test]
fn every_broken_rule_is_told_and_what_is_not_ours_is_let_be() {
    let configuration = json!({
        "webchat": {"maxConcurrentSessions": 0, "features": ["nothing", 1], "colour": {"x": null}},
        "routing": {"queueId": "", "assignmentMode": "longest-idle"},
        "other": [1],
    });
    let rules: Vec<_> = broken(&configuration).into_iter().map(|(_, rule)| rule).collect();
    let expected =
        ["channel.sessions.min", "channel.features.allowed", "channel.features.text", "id.required"];
    assert_eq!(rules, expected);
    assert_eq!(broken(&json!({})), []);
    one(&json!([]), "configuration", "channel.configuration.object");
    let wrong = broken(&json!({"webchat": 1, "routing": null}));
    let wrong: Vec<_> = wrong.iter().map(|(_, rule)| *rule).collect();
    assert_eq!(wrong, ["channel.webchat.object", "channel.routing.object"]);
}

#[test]
fn limits_features_and_matrix_can_be_replaced() {
    let telepathy = ChannelFeature::from("telepathy");
    let rules = ChannelRules::default()
        .max_concurrent_sessions(5_000)
        .features([telepathy.clone()])
        .works_in(&telepathy, [Browser::Firefox]);
    let configuration = json!({"webchat": {"maxConcurrentSessions": 5_000, "features": ["telepathy"]}});
    assert!(rules.check(&configuration, &[Browser::Firefox]).is_ok());
    let violations = rules.check(&configuration, &[Browser::Chrome]).unwrap_err();
    assert_eq!(violations.as_slice()[0].rule, "channel.features.browsers");
    let written = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<ChannelRules>(&written).unwrap(), rules);
    let misspelt = serde_json::from_str::<ChannelRules>(r#"{"maxConcurentSessions": 1}"#);
    assert!(misspelt.unwrap_err().to_string().contains("unknown field `maxConcurentSessions`"));
}

proptest! {
    /// Whatever comes, it is judged, and no text of the input is in the judgement.
    #[test]
    fn hostile_configurations_are_judged(sessions in any::<i64>(), features in prop::collection::vec(".{0,40}", 0..6), queue in ".{0,300}") {
        let configuration =
            json!({"webchat": {"maxConcurrentSessions": sessions, "features": features}, "routing": {"queueId": queue}});
        let found = check(&configuration, &[Browser::Safari]);
        let is_broken = |path: &str| found.iter().any(|violation| violation.path.starts_with(path));
        prop_assert_eq!(
            is_broken("configuration.webchat.maxConcurrentSessions"),
            !(1..=2_000).contains(&sessions)
        );
        let is_known = |name: &String| ChannelFeature::KNOWN.contains(&name.as_str());
        prop_assert!(is_broken("configuration.webchat.features") || features.iter().all(is_known));
        for violation in &found {
            let told = violation.to_string();
            prop_assert!(queue.chars().count() < 20 || !told.contains(&queue));
        }
    }
}
