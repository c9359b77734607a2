//! Reads that need no request, and what makes them need one again.

use std::num::NonZeroUsize;
use std::time::Duration;

use webmessaging_channels::ChannelUpdate;
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::Clock;

use crate::setup::{ID, Setup};

async fn sessions(setup: &Setup) -> Option<u64> {
    setup.channels.cached_channel(ID).await.unwrap().max_concurrent_sessions()
}

fn reads(setup: &Setup) -> u64 {
    setup.emulator.count(Route::GetChannel) as u64
}

#[tokio::test]
async fn a_channel_is_read_once_within_its_life() {
    let setup = Setup::new().await;
    for _ in 0..3 {
        assert_eq!(sessions(&setup).await, Some(500));
    }
    assert_eq!(reads(&setup), 1);
    setup.clock.sleep(Duration::from_secs(59)).await;
    sessions(&setup).await;
    assert_eq!(reads(&setup), 1);
    setup.clock.sleep(Duration::from_secs(1)).await;
    sessions(&setup).await;
    assert_eq!(reads(&setup), 2);
    // Whoever wants it fresh has it fresh, and all others with him.
    setup.channel().await;
    setup.clock.sleep(Duration::from_secs(59)).await;
    sessions(&setup).await;
    assert_eq!(reads(&setup), 3);
}

#[tokio::test]
async fn a_change_of_ours_is_seen_by_the_next_read() {
    let setup = Setup::new().await;
    sessions(&setup).await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.channels.clone().update(&update).await.unwrap();
    assert_eq!(sessions(&setup).await, Some(800));
    // One that may be there as well.
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(900);
    for _ in 0..3 {
        setup.emulator.inject(Route::UpdateChannel, Fault::status(503));
    }
    setup.channels.update(&update).await.unwrap_err();
    let before = reads(&setup);
    sessions(&setup).await;
    assert_eq!(reads(&setup), before + 1);
}

/// Whoever gives up does not know either.
#[tokio::test]
async fn a_change_that_is_given_up_is_looked_after() {
    let setup = Setup::new().await;
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.emulator.inject(Route::UpdateChannel, Fault::delay(Duration::from_secs(60)));
    {
        let change = std::pin::pin!(setup.channels.update(&update));
        let under_way = async {
            while setup.emulator.count(Route::UpdateChannel) == 0 {
                tokio::task::yield_now().await;
            }
            // Kept meanwhile, as it still is.
            sessions(&setup).await
        };
        tokio::select! {
            _ = change => panic!("the change was to take a minute"),
            sessions = under_way => assert_eq!(sessions, Some(500)),
        }
    }
    let before = reads(&setup);
    sessions(&setup).await;
    assert_eq!(reads(&setup), before + 1);
}

#[tokio::test]
async fn a_webhook_has_a_channel_forgotten() {
    let setup = Setup::new().await;
    sessions(&setup).await;
    setup.channels.forget(&"another".into());
    sessions(&setup).await;
    assert_eq!(reads(&setup), 1);
    setup.channels.forget(&ID.into());
    sessions(&setup).await;
    assert_eq!(reads(&setup), 2);
}

/// The webhook comes while the answer is on its way, which may be of before the change.
#[tokio::test]
async fn what_was_asked_before_a_change_is_not_kept() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::GetChannel, Fault::delay(Duration::from_millis(50)));
    let read = setup.channels.cached_channel(ID);
    let forget = async {
        // Until the emulator has the request.
        while reads(&setup) == 0 {
            tokio::task::yield_now().await;
        }
        setup.channels.forget(&ID.into());
    };
    let (read, ()) = tokio::join!(read, forget);
    read.unwrap();
    sessions(&setup).await;
    assert_eq!(reads(&setup), 2);
}

#[tokio::test]
async fn no_more_are_kept_than_there_is_room_for() {
    let setup = Setup::with(|emulator| emulator.channels(5)).await;
    let channels = setup.channels.clone().cache(NonZeroUsize::new(2).unwrap(), Duration::from_secs(3_600));
    for id in ["channel-4", "channel-5", "channel-4", "channel-5"] {
        channels.cached_channel(id).await.unwrap();
    }
    assert_eq!(reads(&setup), 2);
    channels.cached_channel("a1b2c3d4-e5f6-7890-abcd-ef1234567890").await.unwrap();
    channels.cached_channel("channel-5").await.unwrap();
    assert_eq!(reads(&setup), 3);
    channels.cached_channel("channel-4").await.unwrap();
    assert_eq!(reads(&setup), 4);
}
