//! How engaged guests were, whatever the platform's figures look like.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_guests::{Consent, Engagement, Guest, GuestPayload};
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{EventKind, Journal};

use crate::setup::Setup;

fn engagement(fields: &Value) -> Engagement {
    let mut guest = json!({"id": "guest-1"});
    guest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Engagement::of(&serde_json::from_value::<Guest>(guest).unwrap())
}

#[test]
fn times_that_are_missing_or_run_backwards_are_no_times() {
    let (nine, ten) = ("2026-11-26T09:00:00Z", "2026-11-26T10:00:00.500Z");
    let hour = Some(Duration::from_millis(3_600_500));
    for (fields, duration, mean) in [
        (json!({}), None, None),
        (json!({"createdDate": nine}), None, None),
        (json!({"modifiedDate": ten, "interactionCount": 3}), None, None),
        (json!({"createdDate": nine, "modifiedDate": ten}), hour, None),
        (json!({"createdDate": nine, "modifiedDate": ten, "interactionCount": 0}), hour, None),
        (json!({"createdDate": nine, "modifiedDate": ten, "interactionCount": 2}), hour, Some(1_800_250)),
        // The end goes before the last change.
        (
            json!({"createdDate": nine, "modifiedDate": ten, "closedDate": nine, "interactionCount": 2}),
            Some(Duration::ZERO),
            Some(0),
        ),
        (json!({"createdDate": ten, "modifiedDate": nine, "interactionCount": 2}), None, None),
        (json!({"createdDate": nine, "modifiedDate": ten, "interactionCount": u64::MAX}), hour, Some(0)),
    ] {
        let engagement = engagement(&fields);
        assert_eq!(engagement.duration, duration, "{fields}");
        assert_eq!(engagement.mean_response, mean.map(Duration::from_millis), "{fields}");
    }
    for (value, converted) in
        [(json!("true"), true), (json!("false"), false), (json!("TRUE"), false), (json!(true), false)]
    {
        assert_eq!(engagement(&json!({"attributes": {"converted": value}})).converted, converted);
    }
}

#[tokio::test]
async fn the_figures_are_recorded_and_written_into_the_guest() {
    let setup = Setup::new().await;
    let memory = InMemory::new();
    let journal = Journal::builder().durable("memory", memory.clone()).build().unwrap();
    let guests = setup.guests.clone().journal(journal);
    let guest = setup.guest().await;
    // Somebody is faster, as always.
    setup.colleague(&guest, |update| update.attribute("agent", "kim").unwrap()).await;
    let (engagement, updated) = guests.push_engagement(&guest).await.unwrap();
    assert_eq!((engagement.duration, engagement.messages), (Some(Duration::ZERO), 0));
    assert_eq!(updated.rounds, 2);
    let attributes = &setup.stored(&guest).await["attributes"];
    assert_eq!((&attributes["messageCount"], &attributes["agent"]), (&json!("0"), &json!("kim")));
    assert!(attributes.get("avgResponseTimeMs").is_none() && attributes["calculatedAt"].is_string());
    let events = memory.events();
    assert!(
        matches!(&events[0].kind, EventKind::EngagementCalculated(kind) if kind.messages == 0),
        "{events:?}"
    );
    assert!(matches!(&events[1].kind, EventKind::GuestUpdated(_)), "{events:?}");
}

/// The writing of the figures is no sign of life.
#[tokio::test]
async fn figures_do_not_grow_by_being_written() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    let first = setup.guests.push_engagement(&guest).await.unwrap();
    let second = setup.guests.push_engagement(&first.1.guest).await.unwrap();
    let third = setup.guests.push_engagement(&second.1.guest).await.unwrap();
    assert_eq!((first.0.duration, third.0.duration), (Some(Duration::ZERO), Some(Duration::ZERO)));
    // A later change is one again.
    setup.emulator.clock().advance(Duration::from_secs(600));
    setup.colleague(&guest, |update| update.attribute("agent", "kim").unwrap()).await;
    let later = setup.guests.get(guest.value.id.clone()).await.unwrap();
    assert!(Engagement::of(&later.value).duration.unwrap() >= Duration::from_secs(600));
}

#[tokio::test]
async fn without_consent_nothing_is_calculated() {
    let setup = Setup::new().await;
    let memory = InMemory::new();
    let silent = GuestPayload::new(Consent::new(false, false));
    let guest = setup.guests.create_without_consent(&silent).await.unwrap().guest;
    let journal = Journal::builder().durable("memory", memory.clone()).build().unwrap();
    setup.guests.clone().journal(journal).push_engagement(&guest).await.unwrap_err();
    assert!(memory.events().is_empty());
}
