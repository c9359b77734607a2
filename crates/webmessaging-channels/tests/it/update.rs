//! Changes: only what differs, nothing of anybody else's, and no guess when an answer is lost.

use serde_json::json;
use webmessaging_channels::ChannelUpdate;
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent};
use webmessaging_model::json_merge::Conflicts;
use webmessaging_model::{Browser, ChannelFeature, ChannelRules, Code};

use crate::setup::{ID, Setup};

#[tokio::test]
async fn only_what_differs_is_sent() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    let updated = setup.channels.update(&update).await.unwrap();
    assert_eq!(updated.channel.max_concurrent_sessions(), Some(800));
    assert_eq!(updated.channel.features().collect::<Vec<_>>(), [ChannelFeature::RichMedia]);
    assert_eq!(updated.channel.queue_id(), Some("queue-1"));
    // So many bytes have no other body.
    let body = json!({"id": ID, "configuration": {"webchat": {"maxConcurrentSessions": 800}}}).to_string();
    let requests = setup.emulator.requests();
    let sent = requests.iter().find(|request| request.method == http::Method::PATCH).unwrap();
    assert_eq!(sent.body_bytes, body.len() as u64);
}

#[tokio::test]
async fn a_dry_run_says_it_and_does_nothing() {
    let setup = Setup::new().await;
    let before = setup.stored();
    let update =
        ChannelUpdate::of(setup.channel().await).queue_id("queue-2").set(["webchat", "theme"], json!("dark"));
    let plan = setup.channels.plan(&update).await.unwrap();
    let paths: Vec<_> = plan.changes.iter().map(|change| &*change.path).collect();
    assert_eq!(paths, ["/routing/queueId", "/webchat/theme"]);
    assert_eq!(plan.patch, Some(json!({"routing": {"queueId": "queue-2"}, "webchat": {"theme": "dark"}})));
    assert_eq!((setup.stored(), setup.emulator.count(Route::UpdateChannel)), (before, 0));
}

#[tokio::test]
async fn what_is_so_already_is_not_sent() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(500);
    let updated = setup.channels.update(&update).await.unwrap();
    assert!(updated.changes.is_empty());
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 0);
}

#[tokio::test]
async fn a_bad_change_is_refused_whole_before_anything_is_sent() {
    let setup = Setup::new().await;
    let channel = setup.channel().await;
    let before = setup.emulator.requests().len();
    let features = [ChannelFeature::CoBrowsing, ChannelFeature::from("telepathy")];
    let update = ChannelUpdate::of(channel).max_concurrent_sessions(2_001).features(features);
    let error = setup.channels.update(&update.browsers([Browser::Safari])).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::InvalidInput, Sent::No));
    let codes: Vec<_> = error.violations().unwrap().iter().map(|violation| violation.code).collect();
    assert_eq!(codes, [Code::TooLarge, Code::Unsupported, Code::NotAllowed]);
    assert_eq!(setup.emulator.requests().len(), before);
}

/// Somebody has raised a limit and we have not heard of it: what we do not touch is not our business.
#[tokio::test]
async fn what_was_broken_before_is_not_held_against_a_change() {
    let setup = Setup::new().await;
    let strict = setup.channels.clone().rules(ChannelRules::default().max_concurrent_sessions(100));
    let update = ChannelUpdate::of(setup.channel().await).queue_id("queue-2");
    assert_eq!(strict.update(&update).await.unwrap().channel.queue_id(), Some("queue-2"));
    let worse = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(501);
    assert_eq!(strict.update(&worse).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn nothing_can_be_set_to_null_and_anything_can_be_removed() {
    let setup = Setup::new().await;
    let update =
        ChannelUpdate::of(setup.channel().await).set(["webchat", "theme"], json!({"a": null, "b": 1}));
    let error = setup.channels.update(&update).await.unwrap_err();
    let violations = error.violations().unwrap().as_slice();
    assert_eq!((violations.len(), &*violations[0].path), (1, "configuration.webchat.theme.a"));
    assert_eq!(violations[0].rule, "channel.configuration.null");
    let mut configuration = setup.channel().await.configuration;
    configuration.remove("routing");
    let update = ChannelUpdate::of(setup.channel().await).configuration(configuration);
    setup.channels.update(&update).await.unwrap();
    assert!(setup.stored().get("routing").is_none());
}

#[tokio::test]
async fn a_colleagues_change_elsewhere_stays() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.colleague(ID, json!({"routing": {"queueId": "queue-9"}, "notes": {"by": "a colleague"}})).await;
    let updated = setup.channels.update(&update).await.unwrap();
    assert_eq!(updated.changes.len(), 1, "what the colleague did is not ours: {:?}", updated.changes);
    let stored = setup.stored();
    assert_eq!(
        (&stored["webchat"]["maxConcurrentSessions"], &stored["routing"]["queueId"], &stored["notes"]["by"]),
        (&json!(800), &json!("queue-9"), &json!("a colleague"))
    );
}

#[tokio::test]
async fn a_colleagues_change_of_the_same_is_a_conflict_and_stays() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800).queue_id("queue-2");
    setup.colleague(ID, json!({"webchat": {"maxConcurrentSessions": 700}})).await;
    let before = setup.stored();
    let patches = setup.emulator.count(Route::UpdateChannel);
    for error in
        [setup.channels.plan(&update).await.unwrap_err(), setup.channels.update(&update).await.unwrap_err()]
    {
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Conflict, Sent::No));
        let source = std::error::Error::source(&error).unwrap();
        let conflicts = source.downcast_ref::<Conflicts>().unwrap().as_slice();
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].path, "/webchat/maxConcurrentSessions");
        assert_eq!((&conflicts[0].mine, &conflicts[0].theirs), (&Some(json!(800)), &Some(json!(700))));
    }
    assert_eq!((setup.stored(), setup.emulator.count(Route::UpdateChannel)), (before, patches));
}

#[tokio::test]
async fn a_channel_that_is_gone_is_told_with_what_to_do() {
    let setup = Setup::new().await;
    let mut channel = setup.channel().await;
    channel.id = "channel-2".into();
    for error in [
        setup.channels.channel("channel-2").await.unwrap_err(),
        setup.channels.update(&ChannelUpdate::of(channel).queue_id("q")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("list the channels to see which there are"), "{error}");
    }
}

#[tokio::test]
async fn what_the_gateway_rejects_is_told_with_its_details() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(2_001).unchecked();
    let error = setup.channels.update(&update).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Rejected, Sent::Yes));
    assert!(error.to_string().contains("rejected by the gateway"), "{error}");
    let details = &error.api().unwrap().details;
    assert_eq!(details[0].field.as_deref(), Some("/configuration/webchat/maxConcurrentSessions"));
}

#[tokio::test]
async fn a_full_quota_is_waited_for() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    for _ in 0..2 {
        setup.emulator.inject(Route::UpdateChannel, Fault::status(429).header("retry-after", "7"));
    }
    let updated = setup.channels.update(&update).await.unwrap();
    assert_eq!((updated.facts.attempts, setup.emulator.count(Route::UpdateChannel)), (3, 3));
}

/// The bytes arrived, the answer did not: the channel is asked, and nothing is sent twice.
#[tokio::test]
async fn a_lost_answer_is_looked_after() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.emulator.inject(Route::UpdateChannel, Fault::drop_after());
    let updated = setup.channels.update(&update).await.unwrap();
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 1);
    assert_eq!((updated.changes.len(), updated.channel.max_concurrent_sessions()), (1, Some(800)));
    // The same of an answer that breaks off.
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(900);
    setup.emulator.inject(Route::UpdateChannel, Fault::truncate_answer(20));
    let updated = setup.channels.update(&update).await.unwrap();
    assert_eq!((updated.changes.len(), setup.emulator.count(Route::UpdateChannel)), (1, 2));
}

/// The bytes did not arrive, which nobody knows: the channel is asked, and the change is made.
#[tokio::test]
async fn a_lost_request_is_sent_again_when_it_is_known_to_be_lost() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.emulator.inject(Route::UpdateChannel, Fault::drop_before());
    setup.channels.update(&update).await.unwrap();
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 2);
    assert_eq!(setup.stored()["webchat"]["maxConcurrentSessions"], 800);
    // Not for ever.
    for _ in 0..8 {
        setup.emulator.inject(Route::UpdateChannel, Fault::drop_before());
    }
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(900);
    let error = setup.channels.update(&update).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Interrupted, Sent::Maybe));
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 5);
}

/// A page of some proxy, or a server that fails: whether the change was made, only a look can tell.
#[tokio::test]
async fn an_answer_that_says_nothing_is_looked_after() {
    for (fault, patches) in [
        // The page hides that the change was made.
        (Fault::html_page("<h1>Bad gateway</h1>"), 1),
        (Fault::status(503), 2),
        (Fault::status(500).html("<p>oh</p>"), 2),
    ] {
        let setup = Setup::new().await;
        let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
        setup.emulator.inject(Route::UpdateChannel, fault);
        assert_eq!(setup.channels.update(&update).await.unwrap().changes.len(), 1);
        assert_eq!(setup.stored()["webchat"]["maxConcurrentSessions"], 800);
        assert_eq!(setup.emulator.count(Route::UpdateChannel), patches);
    }
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.emulator.inject(Route::UpdateChannel, Fault::status(503).header("retry-after", "61"));
    let error = setup.channels.update(&update).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(61)));
    assert_eq!(setup.emulator.count(Route::UpdateChannel), 1);
}

/// What is worked out anew leaves a colleague's change elsewhere as it is.
#[tokio::test]
async fn a_second_round_overwrites_nobody() {
    let setup = Setup::new().await;
    let ours = ChannelUpdate::of(setup.channel().await).queue_id("queue-2");
    setup.colleague(ID, json!({"webchat": {"maxConcurrentSessions": 700}})).await;
    let patches = setup.emulator.count(Route::UpdateChannel);
    setup.emulator.inject(Route::UpdateChannel, Fault::drop_before());
    let updated = setup.channels.update(&ours).await.unwrap();
    assert_eq!(setup.emulator.count(Route::UpdateChannel), patches + 2);
    assert_eq!(
        (updated.channel.max_concurrent_sessions(), updated.channel.queue_id()),
        (Some(700), Some("queue-2"))
    );
}
