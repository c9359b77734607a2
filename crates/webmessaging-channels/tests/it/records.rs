//! What is on record of a change.

use sha2::{Digest, Sha256};
use webmessaging_channels::ChannelUpdate;
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent};
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{EventKind, Journal};

use crate::setup::{Setup, full};

fn recorded(mut setup: Setup) -> (Setup, InMemory) {
    let memory = InMemory::new();
    let journal = Journal::builder().durable("memory", memory.clone()).build().unwrap();
    setup.channels = setup.channels.journal(journal);
    (setup, memory)
}

#[tokio::test]
async fn a_change_is_on_record_with_the_digest_of_what_was_sent() {
    let (setup, memory) = recorded(Setup::new().await);
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.channels.update(&update).await.unwrap();
    let events = memory.events();
    let [event] = &events[..] else { panic!("{events:?}") };
    let EventKind::ChannelUpdated(kind) = &event.kind else { panic!("{event:?}") };
    assert_eq!(kind.changed_paths, ["configuration.webchat.maxConcurrentSessions"]);
    let features = kind.features.as_ref().unwrap();
    assert_eq!((features["rich-media"], features["co-browsing"], features.len()), (true, false, 5));
    let sent = r#"{"id":"channel-1","configuration":{"webchat":{"maxConcurrentSessions":800}}}"#;
    assert_eq!(event.facts.payload_sha256, Some(Sha256::digest(sent).into()));
    assert!(event.facts.latency.is_some());
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_on_record_once() {
    let (setup, memory) = recorded(Setup::new().await);
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.emulator.inject(Route::UpdateChannel, Fault::drop_after());
    setup.channels.update(&update).await.unwrap();
    let events = memory.events();
    assert_eq!(events.len(), 1);
    assert!(matches!(events[0].kind, EventKind::ChannelUpdated(_)));
    // What changes nothing is no event.
    setup.channels.update(&ChannelUpdate::of(setup.channel().await)).await.unwrap();
    assert_eq!(memory.events().len(), 1);
}

#[tokio::test]
async fn a_failure_is_on_record_with_its_cause() {
    let (setup, memory) = recorded(Setup::new().await);
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(0);
    setup.channels.update(&update).await.unwrap_err();
    let events = memory.events();
    let EventKind::OperationFailed(kind) = &events[0].kind else { panic!("{events:?}") };
    assert_eq!((kind.subject_id.as_str(), kind.cause.as_str()), ("channel-1", "invalid_input"));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_said_to_be_done() {
    let setup = Setup::new().await;
    let channels = setup.channels.clone().journal(full());
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    let error = channels.update(&update).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotRecorded, Sent::Yes));
    assert_eq!(setup.stored()["webchat"]["maxConcurrentSessions"], 800);
}
