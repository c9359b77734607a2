//! Manifests: what they say, what they cannot say, and what an export says.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use webmessaging_channels::{Channel, Declared, Manifest, rules_from_toml};
use webmessaging_http::ErrorKind;
use webmessaging_model::{ChannelRules, Code};

#[test]
fn every_broken_rule_is_reported_with_its_place() {
    let manifest = Manifest::from_toml(
        r#"
        browsers = ["safari"]

        [[channel]]
        id = "channel-1"
        absent = ["theme", "/webchat/features"]
        [channel.configuration.webchat]
        maxConcurrentSessions = 5000
        features = ["rich-media", "co-browsing"]

        [[channel]]
        id = "channel-1"
        browsers = ["chrome"]
        configuration.webchat.features = ["co-browsing", "telepathy"]

        [[channel]]
        id = ""
        "#,
    );
    let violations = manifest.unwrap().check(&ChannelRules::default()).unwrap_err();
    let found: Vec<_> = violations.iter().map(|violation| (&*violation.path, violation.code)).collect();
    let expected = [
        ("channel[0].absent[0]", Code::Malformed),
        ("channel[0].absent[1]", Code::NotAllowed),
        ("channel[0].configuration.webchat.maxConcurrentSessions", Code::TooLarge),
        ("channel[0].configuration.webchat.features[1]", Code::Unsupported),
        ("channel[1].id", Code::Duplicate),
        ("channel[1].configuration.webchat.features[1]", Code::NotAllowed),
        ("channel[2].id", Code::Required),
    ];
    assert_eq!(found, expected);
}

#[test]
fn null_is_said_with_absent() {
    let manifest: Manifest = serde_json::from_value(json!({
        "channel": [{"id": "channel-1", "configuration": {"webchat": {"theme": null, "list": [null]}}}]
    }))
    .unwrap();
    let violations = manifest.check(&ChannelRules::default()).unwrap_err();
    let found: Vec<_> = violations.iter().map(|violation| (&*violation.path, violation.rule)).collect();
    assert_eq!(found, [("channel[0].configuration.webchat.theme", "channel.configuration.null")]);
}

#[test]
fn a_mistake_in_the_file_is_found_by_its_line() {
    let said = |text: &str| {
        let error = Manifest::from_toml(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    };
    let unknown = said("[[channel]]\nid = \"a\"\nconfigurations = 1\n");
    assert!(unknown.contains("line 3: unknown field `configurations`"), "{unknown}");
    let lacking = said("\n[[channel]]\nconfiguration.webchat = {}\n");
    assert!(lacking.contains("line 2: missing field `id`"), "{lacking}");
    let broken = said("[[channel]\n");
    assert!(broken.contains("line 1: "), "{broken}");
    let date = said("[[channel]]\nid = \"a\"\nconfiguration.opens = [2026-11-25]\n");
    assert!(date.contains("channel a: write dates in quotes"), "{date}");
    for number in ["nan", "[1.0, inf]"] {
        let number = said(&format!("[[channel]]\nid = \"a\"\nconfiguration.opens = {number}\n"));
        assert!(number.contains("channel a: numbers have to be finite"), "{number}");
    }
}

#[test]
fn rules_come_from_a_file() {
    let rules = rules_from_toml("maxConcurrentSessions = 10\nfeatures = []\n").unwrap();
    assert_eq!(rules, ChannelRules::default().max_concurrent_sessions(10).features([]));
    let error = rules_from_toml("\nmaxSessions = 10\n").unwrap_err().to_string();
    assert!(error.contains("line 2: unknown field `maxSessions`"), "{error}");
}

#[test]
fn an_export_says_what_it_had_to_leave_out() {
    let channel: Channel = serde_json::from_value(json!({
        "id": "channel-1",
        "configuration": {"webchat": {"a/b": null, "list": [1, [null]], "big": u64::MAX, "theme": "dark"}},
    }))
    .unwrap();
    let exported = Manifest::export([&channel]);
    let left_out: Vec<_> = exported.left_out.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(left_out, ["/webchat/a~1b", "/webchat/big", "/webchat/list"]);
    let declared = &exported.manifest.channels[0];
    assert_eq!(json!(declared.configuration), json!({"webchat": {"theme": "dark"}}));
}

/// Anything that an administrator can have set up.
fn configuration() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e12..1e12).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let any_value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(any::<String>(), any_value, 0..5).prop_map(|map| map.into_iter().collect())
}

proptest! {
    /// The trouble of others: a tool that does not take what it has exported itself.
    #[test]
    fn what_is_exported_is_read_again_as_it_was(configurations in prop::collection::vec(configuration(), 0..3)) {
        let channels: Vec<Channel> = configurations
            .into_iter()
            .enumerate()
            .map(|(index, configuration)| {
                serde_json::from_value(json!({"id": format!("channel-{index}"), "configuration": configuration})).unwrap()
            })
            .collect();
        let manifest = Manifest::export(&channels).manifest;
        let text = manifest.to_toml().unwrap();
        prop_assert_eq!(&Manifest::from_toml(&text).unwrap(), &manifest, "{}", text);
        let parts: String = manifest.channels.iter().map(|declared| declared.to_toml().unwrap()).collect();
        prop_assert_eq!(&Manifest::from_toml(&parts).unwrap().channels, &manifest.channels, "{}", parts);
    }
}

#[test]
fn a_part_of_a_manifest_is_one() {
    let declared = Declared::new("channel-1").configuration(
        json!({"webchat": {"maxConcurrentSessions": 500}, "a": 1}).as_object().unwrap().clone(),
    );
    expect_test::expect![[r#"
        [[channel]]
        id = "channel-1"

        [channel.configuration]
        a = 1

        [channel.configuration.webchat]
        maxConcurrentSessions = 500
    "#]]
    .assert_eq(&declared.to_toml().unwrap());
}

#[test]
fn the_examples_of_the_guide_are_what_they_are_said_to_be() {
    const GUIDE: &str = include_str!("../../../../docs/guides/manage-channels-as-code.md");
    let blocks = GUIDE.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let [exported, written, rules] = blocks.collect::<Vec<_>>()[..] else {
        panic!("there are other examples")
    };
    for (manifest, channels) in [(exported, 1), (written, 2)] {
        let manifest = Manifest::from_toml(manifest).unwrap();
        assert_eq!(manifest.channels.len(), channels);
        assert_eq!(manifest.check(&ChannelRules::default()), Ok(()));
    }
    assert_ne!(rules_from_toml(rules).unwrap(), ChannelRules::default());
}
