//! Plans of manifests, as people read them.

use expect_test::{Expect, expect};
use serde_json::json;
use webmessaging_channels::{Manifest, ManifestPlan};
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::ErrorKind;
use webmessaging_model::ChannelRules;

use crate::setup::{ID, Setup};

fn manifest(text: &str) -> Manifest {
    Manifest::from_toml(text).unwrap()
}

/// A manifest that was applied to the channel as it is.
const APPLIED: &str = r#"
    [[channel]]
    id = "channel-1"
    configuration.webchat.maxConcurrentSessions = 500
    configuration.webchat.features = ["rich-media"]
    configuration.routing.queueId = "queue-1"
"#;

async fn plan(setup: &Setup, text: &str, last: Option<&str>) -> ManifestPlan {
    let last = last.map(manifest);
    setup.channels.plan_manifest(&manifest(text), last.as_ref()).await.unwrap()
}

fn check(plan: &ManifestPlan, expected: &Expect) {
    expected.assert_eq(&format!("{plan}\n"));
}

#[tokio::test]
async fn a_plan_names_every_place() {
    let setup = Setup::new().await;
    let text = r#"
        browsers = ["chrome", "firefox"]

        [[channel]]
        id = "channel-1"
        absent = ["/routing/assignmentMode", "/routing/skills", "/nothing/here"]
        [channel.configuration.webchat]
        maxConcurrentSessions = 800
        features = ["rich-media", "file-sharing"]
        [channel.configuration.webchat.theme]
        name = "dark \u001b[31m"

        [[channel]]
        id = "channel-2"
    "#;
    let plan = plan(&setup, text, None).await;
    check(
        &plan,
        &expect![[r#"
            channel-1 (Support)
              - /routing/assignmentMode: "longest-idle"
              ~ /webchat/features: ["rich-media"] -> ["rich-media","file-sharing"]
              ~ /webchat/maxConcurrentSessions: 500 -> 800
              + /webchat/theme: {"name":"dark \u001b[31m"}

            channel-2
              ? there is no such channel, or not any more

            1 of 2 channels to change, 4 places, 1 channel missing
        "#]],
    );
    expect![[r#"
        {
          "channels": [
            {
              "id": "channel-1",
              "name": "Support",
              "wasApplied": false,
              "changes": [
                {
                  "path": "/routing/assignmentMode",
                  "before": "longest-idle",
                  "after": null
                },
                {
                  "path": "/webchat/features",
                  "before": [
                    "rich-media"
                  ],
                  "after": [
                    "rich-media",
                    "file-sharing"
                  ]
                },
                {
                  "path": "/webchat/maxConcurrentSessions",
                  "before": 500,
                  "after": 800
                },
                {
                  "path": "/webchat/theme",
                  "before": null,
                  "after": {
                    "name": "dark \u001b[31m"
                  }
                }
              ],
              "conflicts": []
            }
          ],
          "missing": [
            "channel-2"
          ],
          "overwrites": false
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&plan).unwrap());
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 0);
}

#[tokio::test]
async fn what_is_as_it_should_be_is_no_change() {
    let setup = Setup::new().await;
    let plan = plan(&setup, APPLIED, None).await;
    assert!(plan.is_empty() && !plan.is_in_conflict());
    assert_eq!(plan.to_string(), "0 of 1 channel to change, 0 places");
}

/// The file says what it said; somebody has changed it by hand.
#[tokio::test]
async fn what_somebody_has_changed_since_is_a_conflict() {
    let setup = Setup::new().await;
    let theirs =
        json!({"webchat": {"maxConcurrentSessions": 700, "theme": "dark"}, "routing": {"queueId": null}});
    setup.colleague(ID, theirs).await;
    let text = &APPLIED.replace(r#"["rich-media"]"#, r#"["file-sharing"]"#);
    let planned = plan(&setup, text, Some(APPLIED)).await;
    check(
        &planned,
        &expect![[r#"
            channel-1 (Support)
              ! + /routing/queueId: "queue-1"
              !   somebody has changed it since it was applied: it was "queue-1"
              ~ /webchat/features: ["rich-media"] -> ["file-sharing"]
              ! ~ /webchat/maxConcurrentSessions: 700 -> 500
              !   somebody has changed it since it was applied: it was 500

            1 of 1 channel to change, 3 places, 2 of them in conflict
        "#]],
    );
    assert!(planned.is_in_conflict() && !planned.is_empty());
    let error = setup.channels.apply_manifest(&planned).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 1, "the colleague's alone");

    // Whoever takes over what the colleague did has no conflict; nor has one who says that all of it is his.
    let taken_over = &text.replace("500", "700").replace(r#"configuration.routing.queueId = "queue-1""#, "");
    let plan_of_theirs = plan(&setup, taken_over, Some(APPLIED)).await;
    assert!(!plan_of_theirs.is_in_conflict());
    assert!(!plan(&setup, text, None).await.is_in_conflict());
}

/// The whole part of the configuration is gone, and with it what was applied.
#[tokio::test]
async fn what_somebody_has_removed_around_it_is_a_conflict() {
    let setup = Setup::new().await;
    setup.colleague(ID, json!({"webchat": null})).await;
    let planned = plan(&setup, &APPLIED.replace("500", "800"), Some(APPLIED)).await;
    check(
        &planned,
        &expect![[r#"
            channel-1 (Support)
              ! + /webchat: {"features":["rich-media"],"maxConcurrentSessions":800}
              !   somebody has changed it since it was applied: it was {"features":["rich-media"],"maxConcurrentSessions":500}

            1 of 1 channel to change, 1 place, 1 of them in conflict
        "#]],
    );
}

/// Whoever says that he knows better sees what he overwrites.
#[tokio::test]
async fn what_is_overwritten_is_shown() {
    let setup = Setup::new().await;
    setup.colleague(ID, json!({"webchat": {"maxConcurrentSessions": 700}})).await;
    let planned = plan(&setup, APPLIED, Some(APPLIED)).await.overwriting();
    check(
        &planned,
        &expect![["
            channel-1 (Support)
              ! ~ /webchat/maxConcurrentSessions: 700 -> 500
              !   somebody has changed it since it was applied: it was 500, and is overwritten

            1 of 1 channel to change, 1 place, 1 of them in conflict
        "]],
    );
    assert!(!planned.is_in_conflict());
    setup.channels.apply_manifest(&planned).await.unwrap();
    assert_eq!(setup.stored()["webchat"]["maxConcurrentSessions"], 500);
}

#[tokio::test]
async fn a_bad_manifest_is_refused_before_anything_is_sent() {
    let setup = Setup::new().await;
    let bad = manifest(&APPLIED.replace("500", "5000").replace("queue-1", ""));
    let error = setup.channels.plan_manifest(&bad, None).await.unwrap_err();
    assert_eq!((error.kind(), error.violations().unwrap().iter().count()), (ErrorKind::InvalidInput, 2));
    // What is wrong with the manifest itself needs no look at the channels.
    setup.emulator.clear_requests();
    let twice = manifest(&format!("{APPLIED}\n{APPLIED}"));
    let error = setup.channels.plan_manifest(&twice, None).await.unwrap_err();
    assert_eq!(error.violations().unwrap().as_slice()[0].rule, "manifest.id.unique");
    assert!(setup.emulator.requests().is_empty());
}

/// An export of what there is can be planned, whatever the rules say of it.
#[tokio::test]
async fn what_a_channel_has_already_is_not_held_against_a_manifest() {
    let setup = Setup::new().await;
    let strict =
        setup.channels.clone().rules(ChannelRules::default().max_concurrent_sessions(100).features([]));
    let exported = Manifest::export([&setup.channel().await]).manifest;
    assert!(exported.check(&ChannelRules::default().max_concurrent_sessions(100).features([])).is_err());
    assert!(strict.plan_manifest(&exported, None).await.unwrap().is_empty());
    let worse = manifest(&APPLIED.replace("500", "501"));
    let error = strict.plan_manifest(&worse, None).await.unwrap_err();
    assert_eq!(error.violations().unwrap().iter().count(), 1);
}

/// What others have written is text, and looks like it.
#[tokio::test]
async fn nobody_can_forge_a_plan() {
    let setup = Setup::new().await;
    let forged = json!({
        "id": ID,
        "name": "A)\n  ~ /webchat/maxConcurrentSessions: 500 -> 501\u{1b}[2J",
        "configuration": {"a\n  + /b": "c\u{7f}"},
    });
    setup.emulator.inject(Route::GetChannel, Fault::status(200).json(forged));
    let text = "[[channel]]\nid = 'channel-1'\nabsent = [\"/a\\n  + ~1b\"]\n";
    check(
        &plan(&setup, text, None).await,
        &expect![[r#"
            channel-1 (A)\n  ~ /webchat/maxConcurrentSessions: 500 -> 501\u{1b}[2J)
              - /a\n  + ~1b: "c\u{7f}"

            1 of 1 channel to change, 1 place
        "#]],
    );
}

/// 250 channels are three pages; one by one they would be 250 requests.
#[tokio::test]
async fn many_channels_are_read_with_their_pages() {
    let setup = Setup::with(|emulator| emulator.channels(250)).await;
    let mut listed = setup.channels.discover().of_every_type();
    let mut channels = Vec::new();
    while let Some(channel) = listed.next().await {
        channels.push(channel.unwrap());
    }
    setup.emulator.clear_requests();
    let mut exported = Manifest::export(&channels).manifest;
    assert!(setup.channels.plan_manifest(&exported, None).await.unwrap().is_empty());
    assert_eq!((setup.emulator.count(Route::ListChannels), setup.emulator.count(Route::GetChannel)), (3, 0));
    // A few are asked for by themselves.
    exported.channels.truncate(10);
    setup.channels.plan_manifest(&exported, None).await.unwrap();
    assert_eq!((setup.emulator.count(Route::ListChannels), setup.emulator.count(Route::GetChannel)), (3, 10));
}
