//! What has changed between two looks.

use std::time::Duration;

use serde_json::json;
use webmessaging_channels::Sighting;
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{Clock, ErrorKind};

use crate::setup::{ID, Setup};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_change_is_seen_at_the_next_look() {
    let setup = Setup::several(3).await;
    let mut watch = setup.channels.watch(MINUTE);
    let (seen, ()) = tokio::join!(watch.next(), async {
        while setup.emulator.count(Route::ListChannels) == 0 {
            tokio::task::yield_now().await;
        }
        setup.colleague(ID, json!({"routing": {"queueId": "queue-9"}})).await;
    });
    let seen = seen.unwrap();
    let [Sighting::Changed { channel, changes }] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((channel.id.as_str(), changes.len()), (ID, 1));
    assert_eq!(changes[0].path, "/configuration/routing/queueId");
    assert_eq!((&changes[0].before, &changes[0].after), (&Some(json!("queue-1")), &Some(json!("queue-9"))));
}

#[tokio::test]
async fn channels_that_come_and_go_are_seen_and_a_failed_look_loses_nothing() {
    let setup = Setup::several(2).await;
    let mut watch = setup.channels.watch(MINUTE);
    let other = json!({"entities": [
        {"id": "channel-1", "channelType": "webchat", "name": "Support"},
        {"id": "channel-3", "channelType": "webchat"},
    ], "pageSize": 100, "pageNumber": 1, "total": 2, "pageCount": 1});
    // The second look fails, and the third sees another list; the channel that is missing in it is asked for.
    setup.emulator.inject(Route::ListChannels, Fault::delay(Duration::ZERO));
    setup.emulator.inject(Route::ListChannels, Fault::status(403));
    setup.emulator.inject(Route::ListChannels, Fault::status(200).json(other.clone()));
    setup.emulator.inject(Route::GetChannel, Fault::status(404));
    let before = setup.clock.now();
    assert_eq!(watch.next().await.unwrap_err().kind(), ErrorKind::Permission);
    assert_eq!(setup.clock.now() - before, MINUTE);
    let seen = watch.next().await.unwrap();
    let [
        Sighting::Changed { channel, .. },
        Sighting::Appeared { channel: new },
        Sighting::Gone { channel: gone },
    ] = &seen[..]
    else {
        panic!("{seen:?}")
    };
    let ids = [channel, new, gone].map(|channel| channel.id.as_str());
    assert_eq!(ids, ["channel-1", "channel-3", "channel-2"]);
    let lines: Vec<_> = seen.iter().map(ToString::to_string).collect();
    let expected = [
        "channel-1 (Support)\n  - /configuration/routing: {\"assignmentMode\":\"longest-idle\",\"queueId\":\"queue-1\"}\n  \
         - /configuration/webchat: {\"features\":[\"rich-media\"],\"maxConcurrentSessions\":500}",
        "channel-3\n  + the channel",
        "channel-2 (Support)\n  - the channel",
    ];
    assert_eq!(lines, expected);

    // A list that has left one out says nothing about it.
    let setup = Setup::several(2).await;
    let mut watch = setup.channels.watch(MINUTE);
    let mut shifted = other;
    shifted["entities"] = json!([setup.channels.channel(ID).await.unwrap()]);
    setup.emulator.inject(Route::ListChannels, Fault::delay(Duration::ZERO));
    setup.emulator.inject(Route::ListChannels, Fault::status(200).json(shifted));
    setup.emulator.inject(Route::ListChannels, Fault::status(403));
    assert_eq!(watch.next().await.unwrap_err().kind(), ErrorKind::Permission, "nothing was seen before");
}
