//! Manifests applied to several channels: all of it, or exactly what was done.

use serde_json::json;
use webmessaging_channels::{Applied, ApplyEnd, Manifest, ManifestPlan};
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent};

use crate::setup::Setup;

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
    setup.emulator.inject(Route::UpdateChannel, Fault::delay(std::time::Duration::ZERO));
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
