//! Plain addresses and numbers are nowhere outside the process.

use std::io::Write;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::json;
use webmessaging_emulator::Route;
use webmessaging_guests::{
    Attributes, Consent, GuestPayload, GuestRecord, GuestUpdate, IdentityHasher, Visitor,
};
use webmessaging_http::{ErrorKind, Sent};
use webmessaging_journal::sinks::{InMemory, JsonLines};
use webmessaging_journal::{EventKind, Journal};

use crate::samples::{mutated, mutations};
use crate::setup::{Setup, payload};

/// What the logs say.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_plain_identity_leaves_the_process(
        name in "[a-z]{10}", digits in "30[1-9][0-9]{7}", where_to in 0..4_usize,
    ) {
        let (email, phone) = (format!("{name}@shop.example"), format!("+49{digits}"));
        let (log, records) = (Log::default(), Log::default());
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let shown = tracing::subscriber::with_default(subscriber, || runtime.block_on(async {
            let setup = Setup::new().await;
            let memory = InMemory::new();
            let lines = JsonLines::new(records.clone());
            let journal = Journal::builder().durable("memory", memory.clone()).durable("lines", lines).build().unwrap();
            let guests = setup.guests.clone().journal(journal).on_behalf_of(Visitor::new().user_agent("Firefox"));
            let hasher = IdentityHasher::salted_sha256("a salt that nobody else has").unwrap();
            let identity = hasher.resolve(Some(&email), Some(&phone)).unwrap();
            let created = guests.create(&payload().identity(&identity)).await.unwrap();
            // Whatever somebody tries to do with it.
            let text = [email.clone(), phone.clone(), format!("ask {email}"), format!("call {phone} now")][where_to].clone();
            let mut said = vec![
                format!("{:?}", Attributes::new().with("note", &text).unwrap_err()),
                format!("{:?}", GuestUpdate::of(&created.guest).attribute("note", &text).unwrap_err()),
                format!("{:?}", hasher.email(&format!("{email} {phone}")).unwrap_err()),
                format!("{:?}", hasher.phone(&format!("{phone}x")).unwrap_err()),
                format!("{created:?} {identity:?} {hasher:?} {setup:?}", setup = setup.http),
            ];
            let update = GuestUpdate::of(&created.guest).attribute("plan", "golden-secret").unwrap();
            let updated = guests.update(&update).await.unwrap();
            let shown = format!("{updated:?} {:?} {:?} {update:?}", updated.changes, update.changes());
            assert!(!shown.contains("golden-secret"), "{shown}");
            said.push(shown);
            let line = format!(r#"{{"email": "{email}", "phone": {digits}, "marketing": "{email}", "{email}": 1}}"#);
            said.push(format!("{:?}", GuestRecord::from_json(line.as_bytes()).unwrap_err()));
            said.push(format!("{:?}", guests.get(&*email).await));
            said.push(format!("{:?}", memory.events()));
            let stored = setup.stored(&created.guest).await;
            assert_eq!(stored["identityAttributes"]["emailHash"], identity.email_hash().unwrap().as_str());
            said.push(stored.to_string());
            said
        }));
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let records = String::from_utf8(records.0.lock().unwrap().clone()).unwrap();
        prop_assert!(log.contains("guests.guest.create"), "nothing was logged");
        prop_assert!(records.contains("guest.created"), "nothing was recorded: {}", records);
        for text in shown.iter().chain([&log, &records]) {
            // An id is the caller's, and part of the path that he asks for.
            let text = text.replace(&email.replace('@', "%40"), "");
            prop_assert!(!text.contains(&name) && !text.contains(&digits), "{}", text);
        }
    }
}

#[tokio::test]
async fn what_happened_is_on_record_without_what_was_in_it() {
    let setup = Setup::new().await;
    let memory = InMemory::new();
    let journal = Journal::builder().durable("memory", memory.clone()).build().unwrap();
    let visitor = Visitor::new().ip_address("192.0.2.7").user_agent("Firefox").gdpr_applicable(true);
    let guests = setup.guests.clone().journal(journal).on_behalf_of(visitor);
    let guest = guests.create(&payload()).await.unwrap().guest;
    let update = GuestUpdate::of(&guest).attribute("plan", "gold").unwrap().remove_attribute("source");
    guests.update(&update).await.unwrap();
    guests.update(&update.clone().attribute("plan", "lead").unwrap()).await.unwrap_err();
    let events = memory.events();
    let [created, updated, failed] = &events[..] else { panic!("{events:?}") };
    let EventKind::GuestCreated(kind) = &created.kind else { panic!("{created:?}") };
    assert!(kind.change.is_minimized());
    assert_eq!(kind.change.consent_flags, Some(Consent::new(true, true)));
    assert_eq!(kind.change.ip_address.as_ref().unwrap().expose(), "192.0.2.7");
    let EventKind::GuestUpdated(kind) = &updated.kind else { panic!("{updated:?}") };
    let changes = json!(kind.change.data_changes).to_string();
    assert!(changes.contains("attributes.plan") && changes.contains("attributes.source"), "{changes}");
    assert!(!changes.contains("gold"), "{changes}");
    let EventKind::OperationFailed(kind) = &failed.kind else { panic!("{failed:?}") };
    assert_eq!((kind.subject_id.as_str(), kind.cause.as_str()), (guest.value.id.as_str(), "conflict"));
}

/// What the types cannot express is refused by the platform as well.
#[tokio::test]
async fn a_mutated_payload_is_refused_by_client_and_platform_alike() {
    use webmessaging_http::{Encoder, Endpoint};
    use webmessaging_model::Operation;

    struct Raw(serde_json::Value);
    impl Endpoint for Raw {
        type Answer = serde_json::Value;
        fn operation(&self) -> &'static Operation {
            &webmessaging_guests::operations::CREATE_GUEST
        }
        fn encode(&self, request: Encoder) -> Encoder {
            request.json(&self.0)
        }
    }

    let setup = Setup::new().await;
    for (pointer, value) in mutations() {
        let payload = mutated(pointer, &value);
        assert!(GuestPayload::from_json(payload.to_string().as_bytes()).is_err(), "{pointer}");
        let error = setup.http.send(&Raw(payload)).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Rejected, Sent::Yes), "{pointer}");
    }
    assert_eq!(setup.emulator.count(Route::CreateGuest), mutations().len());
    setup.http.send(&Raw(crate::samples::full())).await.unwrap();
}

/// Nobody knows whether the guest exists, so it is not created again.
#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_not_repeated() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::CreateGuest, webmessaging_emulator::Fault::drop_after());
    let error = setup.guests.create(&payload()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Interrupted, Sent::Maybe));
    assert_eq!(setup.emulator.count(Route::CreateGuest), 1);
    // What has not arrived is.
    for _ in 0..2 {
        setup
            .emulator
            .inject(Route::CreateGuest, webmessaging_emulator::Fault::status(429).header("retry-after", "3"));
    }
    assert_eq!(setup.guests.create(&payload()).await.unwrap().facts.attempts, 3);
}
