//! Manifests applied to several channels: all of it, or exactly what was done.

use std::time::Duration;

use serde_json::json;
use webmessaging_channels::{Applied, ApplyEnd, Manifest, ManifestPlan};
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent};

use crate::setup::{Setup, full};

/// Three channels that get other sessions, and a fourth that is as it should be.
async fn planned(setup: &Setup) -> ManifestPlan {
    let channel = |number: u64| {
        let sessions = if number == 4 { 500 } else { 800 };
        format!(
            "[[channel]]\nid = 'channel-{number}'\nconfiguration.webchat.maxConcurrentSessions = {sessions}\n"
        )
    };
    let manifest = Manifest::from_toml(&(1..=4).map(channel).collect::<String>()).unwrap();
    setup.channels.plan_manifest(&manifest, None).await.unwrap()
}

fn sessions(setup: &Setup) -> Vec<u64> {
    let of = |index| setup.stored_of(index)["webchat"]["maxConcurrentSessions"].as_u64().unwrap();
    (0..4).map(of).collect()
}

fn ends(applied: &Applied) -> Vec<String> {
    let end = |end: &ApplyEnd| match end {
        ApplyEnd::Unchanged => "unchanged".to_owned(),
        ApplyEnd::Changed(changes) => format!("changed {}", changes.len()),
        ApplyEnd::Failed(error) => format!("failed {}", error.kind().code()),
        ApplyEnd::NotTried => "not tried".to_owned(),
        _ => "unknown".to_owned(),
    };
    applied.channels.iter().map(|channel| format!("{}: {}", channel.id(), end(&channel.end))).collect()
}

#[tokio::test]
async fn every_channel_is_changed_and_a_second_time_none() {
    let setup = Setup::several(4).await;
    let applied = setup.channels.apply_manifest(&planned(&setup).await).await.unwrap();
    let expected =
        ["channel-1: changed 1", "channel-2: changed 1", "channel-3: changed 1", "channel-4: unchanged"];
    assert_eq!(ends(&applied), expected);
    assert!(applied.failed().is_none());
    assert_eq!((sessions(&setup), setup.emulator.count(Route::UpdateChannel)), (vec![800, 800, 800, 500], 3));
    assert!(planned(&setup).await.is_empty());
}

#[tokio::test]
async fn what_fails_half_way_is_reported_exactly_and_can_be_undone() {
    let setup = Setup::several(4).await;
    let plan = planned(&setup).await;
    setup.emulator.inject(Route::UpdateChannel, Fault::delay(Duration::ZERO));
    setup.emulator.inject(Route::UpdateChannel, Fault::status(403));
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    let expected = [
        "channel-1: changed 1",
        "channel-2: failed permission",
        "channel-3: not tried",
        "channel-4: unchanged",
    ];
    assert_eq!(ends(&applied), expected);
    assert_eq!(applied.failed().unwrap().0.as_str(), "channel-2");
    assert_eq!(sessions(&setup), [800, 500, 500, 500]);

    // A colleague has gone on elsewhere, which an undoing leaves as it is.
    setup.colleague("channel-1", json!({"routing": {"queueId": "queue-9"}})).await;
    let back = setup.channels.roll_back(&applied).await;
    assert_eq!(ends(&back), ["channel-1: changed 1"]);
    assert_eq!(sessions(&setup), [500; 4]);
    assert_eq!(setup.stored_of(0)["routing"]["queueId"], "queue-9");
}

/// Nobody knows whether the change is there: it is looked for as well.
#[tokio::test]
async fn a_change_that_may_be_there_is_undone_too() {
    let setup = Setup::several(4).await;
    let plan = planned(&setup).await;
    setup.emulator.inject(Route::UpdateChannel, Fault::drop_after());
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    assert_eq!(ends(&applied)[0], "channel-1: changed 1", "a lost answer alone is looked after");

    let setup = Setup::several(4).await;
    let plan = planned(&setup).await;
    for _ in 0..3 {
        setup.emulator.inject(Route::UpdateChannel, Fault::status(503));
    }
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    let (id, error) = applied.failed().unwrap();
    assert_eq!((id.as_str(), error.kind(), error.sent()), ("channel-1", ErrorKind::Server, Sent::Yes));
    let back = setup.channels.roll_back(&applied).await;
    assert_eq!(ends(&back), ["channel-1: unchanged"]);
    assert_eq!(sessions(&setup), [500; 4]);

    // It was made behind a page that hides it, and nobody may look any more.
    let plan = planned(&setup).await;
    setup.emulator.inject(Route::UpdateChannel, Fault::html_page("<h1>Bad gateway</h1>"));
    for fault in [Fault::delay(Duration::ZERO), Fault::delay(Duration::ZERO), Fault::delay(Duration::ZERO)] {
        setup.emulator.inject(Route::GetChannel, fault);
    }
    setup.emulator.inject(Route::GetChannel, Fault::delay(Duration::ZERO));
    setup.emulator.inject(Route::GetChannel, Fault::status(403));
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    assert_eq!(ends(&applied)[0], "channel-1: failed unexpected_answer");
    assert!(applied.channels[0].may_be_changed() && applied.channels[0].applied().is_none());
    assert_eq!(sessions(&setup), [800, 500, 500, 500]);
    let back = setup.channels.roll_back(&applied).await;
    assert_eq!((ends(&back), sessions(&setup)), (vec!["channel-1: changed 1".to_owned()], vec![500; 4]));
}

#[tokio::test]
async fn a_change_that_is_not_on_record_is_undone_too() {
    let setup = Setup::several(4).await;
    let plan = planned(&setup).await;
    let unrecorded = setup.channels.clone().journal(full());
    let applied = unrecorded.apply_manifest(&plan).await.unwrap();
    assert_eq!(ends(&applied)[0], "channel-1: failed not_recorded");
    assert!(applied.channels[0].may_be_changed() && applied.channels[0].applied().is_some());
    assert_eq!(sessions(&setup), [800, 500, 500, 500]);
    setup.channels.roll_back(&applied).await;
    assert_eq!(sessions(&setup), [500; 4]);
}

/// What can be seen beforehand is: nothing is done by half.
#[tokio::test]
async fn a_channel_that_is_gone_or_changed_since_the_plan_stops_all() {
    let setup = Setup::several(4).await;
    let plan = planned(&setup).await;
    setup.colleague("channel-3", json!({"webchat": {"maxConcurrentSessions": 700}})).await;
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    let expected = [
        "channel-1: not tried",
        "channel-2: not tried",
        "channel-3: failed conflict",
        "channel-4: unchanged",
    ];
    assert_eq!(ends(&applied), expected);
    assert_eq!(sessions(&setup), [500, 500, 700, 500]);

    let plan = planned(&setup).await;
    // Which of them is asked for first is not said.
    setup.emulator.inject(Route::GetChannel, Fault::status(404));
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    let (_, error) = applied.failed().unwrap();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotFound, Sent::No));
    assert!(error.to_string().contains("list the channels to see which there are"), "{error}");
    assert_eq!(sessions(&setup), [500, 500, 700, 500]);
}

#[tokio::test]
async fn a_plan_with_missing_channels_is_not_applied() {
    let setup = Setup::several(1).await;
    let plan = planned(&setup).await;
    assert_eq!(plan.missing.len(), 3);
    let error = setup.channels.apply_manifest(&plan).await.unwrap_err();
    assert_eq!((error.kind(), setup.emulator.count(Route::UpdateChannel)), (ErrorKind::NotFound, 0));
}

#[tokio::test]
async fn an_undoing_leaves_what_a_colleague_has_made_of_it() {
    let setup = Setup::several(4).await;
    let applied = setup.channels.apply_manifest(&planned(&setup).await).await.unwrap();
    setup.colleague("channel-2", json!({"webchat": {"maxConcurrentSessions": 900}})).await;
    let back = setup.channels.roll_back(&applied).await;
    let expected = ["channel-3: changed 1", "channel-2: failed conflict", "channel-1: changed 1"];
    assert_eq!(ends(&back), expected);
    assert_eq!(sessions(&setup), [500, 900, 500, 500]);
}

/// What a colleague has made just as planned is not ours to undo.
#[tokio::test]
async fn an_undoing_is_of_our_changes_alone() {
    let setup = Setup::several(1).await;
    let text = "[[channel]]\nid = 'channel-1'\nconfiguration.webchat.maxConcurrentSessions = 800\nconfiguration.routing.queueId = 'queue-2'\n";
    let plan = setup.channels.plan_manifest(&Manifest::from_toml(text).unwrap(), None).await.unwrap();
    setup.colleague("channel-1", json!({"routing": {"queueId": "queue-2"}})).await;
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    assert_eq!(ends(&applied), ["channel-1: changed 1"]);
    assert_eq!(ends(&setup.channels.roll_back(&applied).await), ["channel-1: changed 1"]);
    let stored = setup.stored();
    assert_eq!(
        (&stored["webchat"]["maxConcurrentSessions"], &stored["routing"]["queueId"]),
        (&json!(500), &json!("queue-2"))
    );
}

/// Nothing can be set to `null`; the rest is brought back all the same.
#[tokio::test]
async fn what_was_null_is_removed_by_an_undoing() {
    let setup = Setup::several(1).await;
    let text = "[[channel]]\nid = 'channel-1'\nconfiguration.webchat = { maxConcurrentSessions = 800, theme = 'dark' }\n";
    let mut channel = setup.channels.channel("channel-1").await.unwrap();
    channel.configuration["webchat"]["theme"] = json!(null);
    setup.emulator.inject(Route::GetChannel, Fault::status(200).json(&channel));
    let plan = setup.channels.plan_manifest(&Manifest::from_toml(text).unwrap(), None).await.unwrap();
    for _ in 0..2 {
        setup.emulator.inject(Route::GetChannel, Fault::status(200).json(&channel));
    }
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    assert_eq!(ends(&applied), ["channel-1: changed 2"]);
    assert_eq!(ends(&setup.channels.roll_back(&applied).await), ["channel-1: changed 2"]);
    assert_eq!(setup.stored()["webchat"], json!({"maxConcurrentSessions": 500, "features": ["rich-media"]}));
}

/// A platform that sorts lists, say: the next plan is no conflict, and what to write is said.
#[tokio::test]
async fn what_the_platform_has_made_otherwise_is_told() {
    let setup = Setup::several(1).await;
    let text =
        "[[channel]]\nid = 'channel-1'\nconfiguration.webchat.features = ['rich-media', 'file-sharing']\n";
    let manifest = Manifest::from_toml(text).unwrap();
    let plan = setup.channels.plan_manifest(&manifest, None).await.unwrap();
    let mut sorted = setup.channels.channel("channel-1").await.unwrap();
    sorted.configuration["webchat"]["features"] = json!(["file-sharing", "rich-media"]);
    setup.emulator.inject(Route::UpdateChannel, Fault::status(200).json(&sorted));
    let applied = setup.channels.apply_manifest(&plan).await.unwrap();
    let channel = &applied.channels[0];
    assert_eq!(channel.differing.len(), 1);
    assert_eq!(channel.differing[0].path, "/webchat/features");
    let remembered = Manifest::new(channel.applied());
    setup.emulator.inject(Route::GetChannel, Fault::status(200).json(&sorted));
    let next = setup.channels.plan_manifest(&manifest, Some(&remembered)).await.unwrap();
    assert!(!next.is_empty() && !next.is_in_conflict(), "{next}");
}

#[tokio::test]
async fn an_application_can_be_stopped_between_two_channels() {
    let setup = Setup::several(4).await;
    let plan = planned(&setup).await;
    let emulator = &setup.emulator;
    let go_on = || emulator.count(Route::UpdateChannel) < 2;
    let applied = setup.channels.apply_manifest_while(&plan, go_on).await.unwrap();
    let expected =
        ["channel-1: changed 1", "channel-2: changed 1", "channel-3: not tried", "channel-4: unchanged"];
    assert_eq!(ends(&applied), expected);
    assert!(applied.failed().is_none() && !applied.is_complete());
}
