//! Lists of channels: lazy, in order, and with no request that is not needed.

use webmessaging_channels::Channel;
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::ErrorKind;

use crate::setup::Setup;

#[tokio::test]
async fn channels_of_web_messaging_are_told_by_type_or_configuration() {
    let setup = Setup::with(|emulator| emulator).await;
    let mut channels = setup.channels.discover();
    let mut names = Vec::new();
    while let Some(channel) = channels.next().await {
        names.push(channel.unwrap().name.unwrap());
    }
    assert_eq!(names, ["Primary Web Messaging", "Mobile App"]);
    let mut all = setup.channels.discover().of_every_type();
    let mut count = 0;
    while let Some(channel) = all.next().await {
        channel.unwrap();
        count += 1;
    }
    assert_eq!(count, 3);
}

#[tokio::test]
async fn ten_thousand_channels_take_the_hundred_requests_of_their_pages() {
    let setup = Setup::with(|emulator| emulator.channels(10_000)).await;
    let mut channels = setup.channels.discover().of_every_type();
    assert_eq!(setup.emulator.count(Route::ListChannels), 0, "nothing is asked before it is wanted");
    let first = channels.next().await.unwrap().unwrap();
    assert_eq!(setup.emulator.count(Route::ListChannels), 1, "the first one comes before the second page");
    let mut ids = vec![first.id];
    while let Some(channel) = channels.next().await {
        ids.push(channel.unwrap().id);
    }
    assert_eq!((ids.len(), setup.emulator.count(Route::ListChannels)), (10_000, 100));
    ids.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    ids.dedup();
    assert_eq!(ids.len(), 10_000);
}

/// Nobody has to hold ten thousand channels to look at each of them once.
#[test]
fn memory_is_bounded_by_the_pages_under_way() {
    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let peak = |channels: usize| {
        let setup = elsewhere.block_on(Setup::with(|emulator| emulator.channels(channels)));
        // The emulator lives on other threads, which are not counted.
        let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let counted = allocation_counter::measure(|| {
            here.block_on(async {
                let mut found = setup.channels.discover().of_every_type();
                while let Some(channel) = found.next().await {
                    channel.unwrap();
                }
            });
        });
        counted.bytes_max
    };
    // Held, four times the channels would be four times the memory. How many of the pages under way are in hand at once is chance.
    let (some, many) = (peak(5_000), peak(20_000));
    assert!(many < some * 2, "{some} bytes for 5,000 channels, {many} for 20,000");
}

#[tokio::test]
async fn what_came_before_an_error_was_given() {
    let setup = Setup::with(|emulator| emulator.channels(250)).await;
    let mut channels = setup.channels.discover().of_every_type();
    for _ in 0..100 {
        channels.next().await.unwrap().unwrap();
    }
    setup.emulator.inject(Route::ListChannels, Fault::status(403));
    let error = channels.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.page().is_some());
    assert!(channels.next().await.is_none());
}

#[test]
fn what_is_not_known_of_a_channel_is_kept() {
    let text = r#"{"id":"c","configuration":{"webchat":{"theme":{"x":null}}},"version":7,"selfUri":"/c"}"#;
    let channel: Channel = serde_json::from_str(text).unwrap();
    assert!(channel.is_web_messaging());
    assert_eq!((channel.max_concurrent_sessions(), channel.features().count()), (None, 0));
    let bare: Channel = serde_json::from_str(r#"{"id":"c","configuration":null,"name":null}"#).unwrap();
    assert!(bare.configuration.is_empty() && !bare.is_web_messaging());
    let (written, read): (serde_json::Value, serde_json::Value) =
        (serde_json::to_value(&channel).unwrap(), serde_json::from_str(text).unwrap());
    assert_eq!(written, read);
}
