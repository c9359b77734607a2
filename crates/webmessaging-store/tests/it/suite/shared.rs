//! Promises about what processes share: intents, quarantine, scans, leases, values, rates.

use std::time::Duration;

use secrecy::ExposeSecret;
use webmessaging_store::{
    Begun, ErrorKind, IntentOutcome, LeaseAnswer, NewIntent, NewQuarantine, NewScan, Permits,
    QuarantineState, RateQuota, Store,
};

use super::{at, refused};

async fn begin(store: &dyn Store, key: &str, seconds: i64) -> Begun {
    let intent = NewIntent::new("bots.send", key, at(seconds)).details("{}");
    store.begin_intent(intent).await.unwrap()
}

pub(crate) async fn an_intent_is_begun_once(store: &dyn Store) {
    let Begun::New(id) = begin(store, "a", 1).await else { panic!("it is new") };
    let Begun::Open(open) = begin(store, "a", 2).await else { panic!("it is open") };
    assert_eq!((open.id, open.begun_at, open.finished_at), (id, at(1), None));
    store.finish_intent(id, IntentOutcome::Done, "m-1", at(3)).await.unwrap();
    let Begun::Done(done) = begin(store, "a", 4).await else { panic!("it is done") };
    assert_eq!((done.finished_at, done.note.as_deref()), (Some(at(3)), Some("m-1")));
    // The same key of another operation is another intent.
    let other = NewIntent::new("files.upload", "a", at(1));
    assert!(matches!(store.begin_intent(other).await.unwrap(), Begun::New(_)));
    refused(store.begin_intent(NewIntent::new("", "a", at(1))).await, ErrorKind::InvalidInput);
}

pub(crate) async fn an_intent_that_was_not_done_is_begun_anew(store: &dyn Store) {
    let Begun::New(first) = begin(store, "a", 1).await else { panic!("it is new") };
    store.finish_intent(first, IntentOutcome::NotDone, "no connection", at(2)).await.unwrap();
    let Begun::New(second) = begin(store, "a", 3).await else { panic!("it is new again") };
    assert!(second > first);
    // Who was late with the first one does not finish the second.
    refused(store.finish_intent(first, IntentOutcome::Done, "", at(4)).await, ErrorKind::NotFound);
    assert!(matches!(begin(store, "a", 5).await, Begun::Open(_)));
}

pub(crate) async fn an_outcome_is_not_changed(store: &dyn Store) {
    let Begun::New(id) = begin(store, "a", 1).await else { panic!("it is new") };
    store.finish_intent(id, IntentOutcome::Done, "m-1", at(2)).await.unwrap();
    store.finish_intent(id, IntentOutcome::Done, "m-2", at(3)).await.unwrap();
    refused(store.finish_intent(id, IntentOutcome::NotDone, "", at(3)).await, ErrorKind::Conflict);
    let Begun::Done(done) = begin(store, "a", 4).await else { panic!("it is done") };
    assert_eq!((done.finished_at, done.note.as_deref()), (Some(at(2)), Some("m-1")));
}

pub(crate) async fn open_intents_are_listed_by_age(store: &dyn Store) {
    for (seconds, key) in (1..).zip(["a", "b", "c", "d"]) {
        begin(store, key, seconds).await;
    }
    let Begun::Open(second) = begin(store, "b", 9).await else { panic!("it is open") };
    store.finish_intent(second.id, IntentOutcome::Done, "", at(9)).await.unwrap();
    let page = store.open_intents(at(4), None, 1).await.unwrap();
    assert_eq!((page.len(), page[0].key.as_str(), page[0].details.as_str()), (1, "a", "{}"));
    let rest = store.open_intents(at(4), Some(page[0].id), 10).await.unwrap();
    assert_eq!(rest.iter().map(|intent| intent.key.as_str()).collect::<Vec<_>>(), ["c"]);
    assert!(!format!("{rest:?}").contains("{}"));
}

pub(crate) async fn a_file_stays_in_quarantine_until_somebody_decides(store: &dyn Store) {
    let put = |reason, seconds| store.quarantine(NewQuarantine::new("f", reason, at(seconds)).details("d"));
    assert!(put("malicious", 1).await.unwrap());
    assert!(!put("format", 2).await.unwrap());
    let entry = store.quarantine_entry("f").await.unwrap().unwrap();
    assert_eq!((entry.reason.as_str(), entry.details.as_str()), ("malicious", "d"));
    assert_eq!((entry.quarantined_at, entry.state), (at(1), QuarantineState::Held));
    store.release_quarantined("f", "checked", at(3)).await.unwrap();
    let released = QuarantineState::Released { at: at(3), note: "checked".to_owned() };
    assert_eq!(store.quarantine_entry("f").await.unwrap().unwrap().state, released);
    refused(store.delete_quarantined("f", "", at(4)).await, ErrorKind::NotFound);
    refused(store.release_quarantined("g", "", at(4)).await, ErrorKind::NotFound);
    // What comes in again is kept away again.
    assert!(put("format", 5).await.unwrap());
    store.delete_quarantined("f", "gone", at(6)).await.unwrap();
    let entry = store.quarantine_entry("f").await.unwrap().unwrap();
    let deleted = QuarantineState::Deleted { at: at(6), note: "gone".to_owned() };
    assert_eq!((entry.reason.as_str(), entry.state), ("format", deleted));
    refused(store.quarantine(NewQuarantine::new("", "r", at(1))).await, ErrorKind::InvalidInput);
}

pub(crate) async fn files_in_quarantine_are_listed_in_pages(store: &dyn Store) {
    for file in ["c", "a", "B", "d"] {
        store.quarantine(NewQuarantine::new(file, "malicious", at(1))).await.unwrap();
    }
    store.release_quarantined("a", "", at(2)).await.unwrap();
    let ids = |entries: Vec<webmessaging_store::QuarantineEntry>| {
        entries.into_iter().map(|entry| entry.file_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(store.quarantined(None, 2).await.unwrap()), ["B", "c"]);
    assert_eq!(ids(store.quarantined(Some("c"), 2).await.unwrap()), ["d"]);
}

pub(crate) async fn a_scan_does_not_go_back(store: &dyn Store) {
    let news = |rank, state, seconds| store.advance_scan(NewScan::new("f", rank, state, at(seconds)));
    let first = news(2, "clean", 5).await.unwrap();
    assert!(first.has_moved() && first.previous.is_none());
    for late in [news(1, "scanning", 9).await.unwrap(), news(2, "failed", 9).await.unwrap()] {
        assert!(!late.has_moved());
        assert_eq!((late.current.state.as_str(), late.current.at), ("clean", at(5)));
    }
    let worse = news(3, "malicious", 9).await.unwrap();
    assert_eq!(worse.previous, Some(first.current));
    assert_eq!(store.scan_state("f").await.unwrap(), Some(worse.current));
    assert_eq!(store.scan_state("g").await.unwrap(), None);
}

const TTL: Duration = Duration::from_secs(10);

pub(crate) async fn a_lease_has_one_holder_and_its_token_grows(store: &dyn Store) {
    let acquire = |holder, seconds| store.acquire_lease("sweeper", holder, TTL, at(seconds));
    let first = acquire("a", 0).await.unwrap().acquired().unwrap();
    assert_eq!(first.expires_at, at(10));
    let held = LeaseAnswer::Held { holder: "a".to_owned(), until: at(10) };
    assert_eq!(acquire("b", 9).await.unwrap(), held);
    // A holder that was started again does not have the lease of before.
    let second = acquire("a", 9).await.unwrap().acquired().unwrap();
    let third = acquire("b", 19).await.unwrap().acquired().unwrap();
    assert!(first.token < second.token && second.token < third.token);
    // Who is late ends nobody's lease but their own.
    store.release_lease(&second, at(20)).await.unwrap();
    assert!(acquire("a", 20).await.unwrap().acquired().is_none());
    store.release_lease(&third, at(20)).await.unwrap();
    let fourth = acquire("a", 20).await.unwrap().acquired().unwrap();
    assert!(third.token < fourth.token);
    // Another name is another lease.
    assert!(store.acquire_lease("other", "b", TTL, at(20)).await.unwrap().acquired().is_some());
    refused(store.acquire_lease("", "b", TTL, at(20)).await, ErrorKind::InvalidInput);
}

pub(crate) async fn a_lease_is_renewed_only_while_it_lasts(store: &dyn Store) {
    let lease = store.acquire_lease("sweeper", "a", TTL, at(0)).await.unwrap().acquired().unwrap();
    let renewed = store.renew_lease(&lease, TTL, at(9)).await.unwrap();
    assert_eq!((renewed.token, renewed.expires_at), (lease.token, at(19)));
    refused(store.renew_lease(&renewed, TTL, at(19)).await, ErrorKind::LeaseLost);
    store.acquire_lease("sweeper", "b", TTL, at(19)).await.unwrap().acquired().unwrap();
    refused(store.renew_lease(&renewed, TTL, at(20)).await, ErrorKind::LeaseLost);
}

pub(crate) async fn a_value_lasts_until_it_expires(store: &dyn Store) {
    assert!(store.load_value("token", at(0)).await.unwrap().is_none());
    store.store_value("token", "secret".into(), at(60), 1).await.unwrap();
    let value = store.load_value("token", at(59)).await.unwrap().unwrap();
    assert_eq!((value.value.expose_secret(), value.expires_at, value.token), ("secret", at(60), 1));
    assert!(!format!("{value:?}").contains("secret\""));
    assert!(store.load_value("token", at(60)).await.unwrap().is_none());
    refused(store.store_value("", "secret".into(), at(60), 1).await, ErrorKind::InvalidInput);
}

pub(crate) async fn a_value_is_not_stored_by_who_was_overtaken(store: &dyn Store) {
    store.store_value("token", "first".into(), at(60), 2).await.unwrap();
    refused(store.store_value("token", "late".into(), at(99), 1).await, ErrorKind::LeaseLost);
    store.store_value("token", "second".into(), at(70), 2).await.unwrap();
    store.store_value("token", "third".into(), at(80), 3).await.unwrap();
    let value = store.load_value("token", at(2)).await.unwrap().unwrap();
    assert_eq!(value.value.expose_secret(), "third");
    // Also after the value has expired.
    refused(store.store_value("token", "late".into(), at(99), 2).await, ErrorKind::LeaseLost);
}

async fn take(store: &dyn Store, wanted: u32, seconds: i64) -> (u32, Option<i64>) {
    let quota = RateQuota::new("client", 10, Duration::from_secs(60));
    let Permits { granted, retry_at, .. } = store.take_permits(&quota, wanted, at(seconds)).await.unwrap();
    (granted, retry_at.map(|retry| (retry.unix_millis() - at(0).unix_millis()) / 1_000))
}

pub(crate) async fn permits_are_never_more_than_the_quota_in_any_window(store: &dyn Store) {
    assert_eq!(take(store, 4, 0).await, (4, None));
    assert_eq!(take(store, 4, 30).await, (4, None));
    assert_eq!(take(store, 4, 31).await, (2, Some(60)));
    assert_eq!(take(store, 1, 59).await, (0, Some(60)));
    // Of a window that slides, only what is older than the window comes back.
    assert_eq!(take(store, 10, 60).await, (4, Some(90)));
    assert_eq!(take(store, 10, 90).await, (4, Some(91)));
    assert_eq!(take(store, 0, 90).await, (0, None));
    let other = RateQuota::new("other", 1, Duration::from_secs(60));
    assert_eq!(store.take_permits(&other, 5, at(60)).await.unwrap().granted, 1);
    let nothing = RateQuota::new("nothing", 0, Duration::ZERO);
    refused(store.take_permits(&nothing, 1, at(0)).await, ErrorKind::InvalidInput);
}

pub(crate) async fn permits_do_not_come_back_when_a_clock_goes_back(store: &dyn Store) {
    assert_eq!(take(store, 10, 100).await, (10, None));
    assert_eq!(take(store, 1, 0).await, (0, Some(160)));
    assert_eq!(take(store, 1, 160).await, (1, None));
}
