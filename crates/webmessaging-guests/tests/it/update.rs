//! Changes: nothing of anybody else's is lost, and nothing is changed twice.

use std::num::NonZeroU32;

use http::Method;
use serde_json::json;
use webmessaging_emulator::{Fault, Route};
use webmessaging_guests::{Consent, ETagged, GuestConflict, GuestPayload, GuestUpdate, MergePolicy};
use webmessaging_http::{ErrorKind, Sent};

use crate::setup::Setup;

fn with(name: &'static str, value: &'static str) -> impl Fn(GuestUpdate) -> GuestUpdate {
    move |update| update.attribute(name, value).unwrap()
}

#[tokio::test]
async fn only_what_differs_is_sent_and_the_version_goes_with_it() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    let updated = setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&guest))).await.unwrap();
    assert_eq!((updated.rounds, updated.changes.len()), (1, 1));
    assert_ne!(updated.guest.etag(), guest.etag());
    assert_eq!(setup.stored(&guest).await["attributes"], json!({"source": "website", "plan": "gold"}));
    let requests = setup.emulator.requests();
    let sent = requests.iter().find(|request| request.method == Method::PATCH).unwrap();
    assert_eq!(sent.body_bytes, json!({"attributes": {"plan": "gold"}}).to_string().len() as u64);
    // What is so already needs no change.
    let same = setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&updated.guest))).await.unwrap();
    assert_eq!((same.rounds, same.changes.len(), setup.emulator.count(Route::UpdateGuest)), (0, 0, 1));
    // An attribute can be removed.
    let removed =
        setup.guests.update(&GuestUpdate::of(&same.guest).remove_attribute("source")).await.unwrap();
    assert_eq!(
        (removed.guest.value.attribute("source"), removed.guest.value.attribute("plan")),
        (None, Some("gold"))
    );
}

#[tokio::test]
async fn a_change_elsewhere_is_merged() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    setup.colleague(&guest, with("agent", "kim")).await;
    let updated = setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&guest))).await.unwrap();
    assert_eq!((updated.rounds, updated.changes.len()), (2, 1));
    let attributes = json!({"source": "website", "agent": "kim", "plan": "gold"});
    assert_eq!(setup.stored(&guest).await["attributes"], attributes);
}

#[tokio::test]
async fn a_change_of_the_same_is_a_conflict_with_both_versions() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    setup.colleague(&guest, with("plan", "silver")).await;
    let error = setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&guest))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let source = std::error::Error::source(&error).unwrap();
    let conflict = source.downcast_ref::<GuestConflict>().unwrap();
    assert_eq!(conflict.places[0].path, "/attributes/plan");
    assert_eq!(conflict.mine["attributes"]["plan"], "gold");
    assert_eq!(conflict.theirs.value.attribute("plan"), Some("silver"));
    assert!(
        error.to_string().contains("/attributes/plan") && !format!("{error:?}").contains("silver"),
        "{error:?}"
    );
    // It can be decided anew, with the version that came along.
    setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&conflict.theirs))).await.unwrap();
    assert_eq!(setup.stored(&guest).await["attributes"]["plan"], "gold");
}

/// Two decisions about consent are never made one.
#[tokio::test]
async fn consent_is_one_place() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    setup.colleague(&guest, |update| update.consent(Consent::new(true, false))).await;
    let ours = GuestUpdate::of(&guest).consent(Consent::new(false, true));
    let error = setup.guests.update(&ours).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("/consent"), "{error}");
    assert_eq!(setup.stored(&guest).await["consent"], json!({"marketing": true, "dataProcessing": false}));
    // The same decision is no conflict.
    setup.guests.update(&GuestUpdate::of(&guest).consent(Consent::new(true, false))).await.unwrap();
}

#[tokio::test]
async fn protected_places_are_not_touched() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    let careful = setup.guests.clone().policy(MergePolicy::default().never_touch("/attributes/agentNote"));
    let error = careful.update(&with("agentNote", "x")(GuestUpdate::of(&guest))).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::InvalidInput, Sent::No));
    assert_eq!(error.violations().unwrap().as_slice()[0].path, "/attributes/agentNote");
    careful.update(&with("plan", "gold")(GuestUpdate::of(&guest))).await.unwrap();
    assert_eq!(setup.emulator.count(Route::UpdateGuest), 1);
    // Also of a guest that had no attributes before.
    let bare = setup.guests.create(&GuestPayload::new(Consent::new(false, true))).await.unwrap().guest;
    careful.update(&with("plan", "gold")(GuestUpdate::of(&bare))).await.unwrap();
    assert!(careful.update(&with("agentNote", "x")(GuestUpdate::of(&bare))).await.is_err());
}

/// Somebody withdraws a consent while we change something else.
#[tokio::test]
async fn a_consent_that_is_withdrawn_meanwhile_counts() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    setup.colleague(&guest, |update| update.consent(Consent::new(false, false))).await;
    let update = with("plan", "gold")(GuestUpdate::of(&guest));
    let error = setup.guests.update(&update).await.unwrap_err();
    assert_eq!(error.violations().unwrap().as_slice()[0].rule, "guest.consent.data_processing");
    assert_eq!(setup.stored(&guest).await["attributes"], json!({"source": "website"}));
    setup.guests.update(&update.without_consent()).await.unwrap();
}

#[tokio::test]
async fn without_consent_only_what_is_said_explicitly_happens() {
    let setup = Setup::new().await;
    let none = GuestPayload::new(Consent::new(false, false));
    let error = setup.guests.create(&none).await.unwrap_err();
    assert_eq!(error.violations().unwrap().as_slice()[0].rule, "guest.consent.data_processing");
    assert_eq!(setup.emulator.count(Route::CreateGuest), 0);
    let guest = setup.guests.create_without_consent(&none).await.unwrap().guest;
    let update = with("plan", "gold")(GuestUpdate::of(&guest));
    assert_eq!(setup.guests.update(&update).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(setup.emulator.count(Route::UpdateGuest), 0);
    let guest = setup.guests.update(&update.without_consent()).await.unwrap().guest;
    // To agree, and to withdraw that, needs no consent.
    let agreed =
        setup.guests.update(&GuestUpdate::of(&guest).consent(Consent::new(false, true))).await.unwrap();
    setup.guests.update(&GuestUpdate::of(&agreed.guest).consent(Consent::new(false, false))).await.unwrap();
}

/// The answer was lost: the next attempt finds another version, which is ours.
#[tokio::test]
async fn a_lost_answer_changes_nothing_twice() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    setup.emulator.inject(Route::UpdateGuest, Fault::drop_after());
    let updated = setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&guest))).await.unwrap();
    assert_eq!((updated.rounds, updated.changes.len()), (1, 1));
    assert_eq!(setup.emulator.count(Route::UpdateGuest), 2);
    // One that never arrived is simply sent again.
    setup.emulator.inject(Route::UpdateGuest, Fault::drop_before());
    let updated =
        setup.guests.update(&with("plan", "silver")(GuestUpdate::of(&updated.guest))).await.unwrap();
    assert_eq!((updated.rounds, updated.guest.value.attribute("plan")), (1, Some("silver")));
    // What a colleague has made the same is not our change.
    setup.colleague(&updated.guest, with("plan", "gold")).await;
    let same = setup.guests.update(&with("plan", "gold")(GuestUpdate::of(&updated.guest))).await.unwrap();
    assert_eq!((same.rounds, same.changes.len()), (1, 0));
}

#[tokio::test]
async fn attempts_have_an_end() {
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    for _ in 0..8 {
        setup.emulator.inject(Route::UpdateGuest, Fault::status(412));
    }
    let update = with("plan", "gold")(GuestUpdate::of(&guest));
    let error = setup.guests.update(&update).await.unwrap_err();
    assert_eq!((error.kind(), setup.emulator.count(Route::UpdateGuest)), (ErrorKind::Conflict, 3));
    assert!(error.to_string().contains("again and again"), "{error}");
    let once = setup.guests.clone().attempts(NonZeroU32::MIN);
    assert_eq!(once.update(&update).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(setup.emulator.count(Route::UpdateGuest), 4);
}

/// Many change one guest at the same time: what was acknowledged is there, and nobody tries for ever.
#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_change_is_lost() {
    const WRITERS: usize = 64;
    let setup = Setup::new().await;
    let guest = setup.guest().await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (guests, guest) = (setup.guests.clone().attempts(NonZeroU32::new(8).unwrap()), guest.clone());
            tokio::spawn(async move {
                let update =
                    GuestUpdate::of(&guest).attribute(&format!("writer{number}"), "was here").unwrap();
                (number, guests.update(&update).await)
            })
        })
        .collect();
    let mut acknowledged = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            (number, Ok(updated)) => {
                assert!(updated.rounds <= 8);
                acknowledged.push(number);
            }
            (_, Err(error)) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
    let now: ETagged<_> = setup.guests.get(guest.value.id.clone()).await.unwrap();
    assert!(!acknowledged.is_empty());
    for number in acknowledged {
        assert_eq!(now.value.attribute(&format!("writer{number}")), Some("was here"), "{number}");
    }
    assert!(setup.emulator.count(Route::UpdateGuest) <= 8 * WRITERS);
}

#[tokio::test]
async fn a_guest_without_a_version_is_not_trusted() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::GetGuest, Fault::status(200).json(json!({"id": "guest-1"})));
    let error = setup.guests.get("guest-1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert!(error.to_string().contains("without an ETag"), "{error}");
    assert_eq!(setup.guests.get("nobody").await.unwrap_err().kind(), ErrorKind::NotFound);
}
