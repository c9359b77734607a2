//! What the platform has recorded of a guest, and everything in one place.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use webmessaging_emulator::{Fault, Route};
use webmessaging_guests::{GuestManager, GuestRecord, GuestUpdate, IdentityHasher, ListAudits};
use webmessaging_http::ErrorKind;
use webmessaging_model::Timestamp;

use crate::setup::Setup;

#[tokio::test]
async fn entries_come_page_by_page_the_newest_first() {
    let setup = Setup::new().await;
    let mut guest = setup.guest().await;
    for number in 0..120 {
        let update = GuestUpdate::of(&guest).attribute("round", &format!("r{number}")).unwrap();
        guest = setup.guests.update(&update).await.unwrap().guest;
    }
    let id = guest.value.id.clone();
    let mut audits = setup.guests.audits(ListAudits::new(id.clone()));
    assert_eq!(setup.emulator.count(Route::ListAudits), 0);
    let mut entries = vec![audits.next().await.unwrap().unwrap()];
    assert_eq!(setup.emulator.count(Route::ListAudits), 1);
    while let Some(entry) = audits.next().await {
        entries.push(entry.unwrap());
    }
    assert_eq!((entries.len(), setup.emulator.count(Route::ListAudits)), (121, 2));
    assert!(entries.is_sorted_by(|newer, older| newer.timestamp >= older.timestamp));
    assert_eq!(entries.last().unwrap().action, "GUEST_CREATED");
    // A time range, of which the end does not count.
    let later = Timestamp::from(UNIX_EPOCH + Duration::from_secs(1 << 34));
    for (list, count) in [
        (ListAudits::new(id.clone()).from(later), 0),
        (ListAudits::new(id.clone()).until(later), 121),
        (ListAudits::new(id.clone()).until(entries.last().unwrap().timestamp), 0),
        (ListAudits::new("nobody"), 0),
    ] {
        let mut audits = setup.guests.audits(list);
        let mut found = 0;
        while let Some(entry) = audits.next().await {
            entry.unwrap();
            found += 1;
        }
        assert_eq!(found, count);
    }
    setup.emulator.inject(Route::ListAudits, Fault::status(403));
    let error = setup.guests.audits(ListAudits::new(id)).next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
}

fn record(json: &Value) -> GuestRecord {
    GuestRecord::from_json(json.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_manager_goes_from_a_plain_record_to_the_audit_log() {
    let setup = Setup::new().await;
    let hasher = IdentityHasher::hmac_sha256("a salt that nobody else has").unwrap();
    let manager = GuestManager::new(setup.guests.clone(), hasher.clone());
    let complete = record(&json!({
        "email": "jane@example.com", "phone": "030 1234567", "region": "DE", "marketing": false, "dataProcessing": true,
        "attributes": {"source": "shop"},
    }));
    let created = manager.create(&complete).await.unwrap();
    let expected = hasher.email("jane@example.com").unwrap();
    assert_eq!(created.guest.value.email_hash(), Some(expected.as_str()));
    let update = GuestUpdate::of(&created.guest).attribute("plan", "gold").unwrap();
    let updated = manager.update(&update).await.unwrap();
    let (engagement, _) = manager.engagement(&updated.guest).await.unwrap();
    assert_eq!(engagement.messages, 0);
    let mut audits = manager.audits(created.guest.value.id);
    let mut actions = Vec::new();
    while let Some(entry) = audits.next().await {
        actions.push(entry.unwrap().action);
    }
    assert_eq!(actions, ["GUEST_UPDATED", "GUEST_UPDATED", "GUEST_CREATED"]);

    let wrong = record(&json!({
        "email": "jane", "phone": "0", "marketing": false, "dataProcessing": true, "campaignId": "winter",
        "attributes": {"note": "ask jane@example.com"},
    }));
    let error = manager.create(&wrong).await.unwrap_err();
    assert_eq!((error.kind(), error.violations().unwrap().iter().count()), (ErrorKind::InvalidInput, 4));
    assert!(!format!("{error:?} {wrong:?}").contains("jane"));
    assert_eq!(setup.emulator.count(Route::CreateGuest), 1);
}
