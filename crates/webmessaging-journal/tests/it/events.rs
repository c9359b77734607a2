//! Events: they come back as they were written, newer ones are kept, and logs get only what they may have.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use webmessaging_journal::kind::*;
use webmessaging_journal::sinks::JsonLines;
use webmessaging_journal::{Actor, Event, Facts, Journal, Outcome};
use webmessaging_model::ScanVerdict;

use crate::samples::{at, event, every_kind, facts, guest_change};

#[test]
fn every_kind_comes_back_as_it_was_written() {
    let mut actions = BTreeSet::new();
    for kind in every_kind() {
        for facts in [Facts::new(), facts()] {
            let event = event(1, kind.clone()).facts(facts).actor("somebody");
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
        }
        actions.insert(kind.action().to_owned());
    }
    assert_eq!(actions.len(), EventKind::ACTIONS.len(), "a kind is missing in the samples");
}

/// What synchronization sends on is in the durable form, under the names of the wire.
#[test]
fn the_durable_form_has_what_others_are_told() {
    let data = |kind: EventKind| {
        let json = serde_json::to_value(event(1, kind).facts(facts())).unwrap();
        (json["data"].clone(), json["facts"].clone(), json["at"].clone())
    };
    let (file, facts, time) = data(every_kind().swap_remove(2));
    assert_eq!(
        file,
        serde_json::json!({"fileId": "f1", "verdict": "clean", "name": "a.pdf", "size": 10, "contentType": "application/pdf"})
    );
    assert_eq!((facts["latencyMicros"].as_u64(), facts["requestId"].as_str()), (Some(41_234), Some("req-1")));
    assert_eq!(time, "2026-11-25T08:30:01.000Z");
    let (transfer, _, _) = data(every_kind().swap_remove(8));
    assert_eq!(transfer["storageLocation"], "https://bucket.example/k?sig=s3cret");
    assert_eq!(
        transfer["accessPolicy"],
        serde_json::json!({"retentionDays": 30, "encryptionStandard": "AES-256", "downloadAllowed": true})
    );
    let (guest, _, _) = data(every_kind().swap_remove(13));
    assert_eq!(
        guest["change"]["consentFlags"],
        serde_json::json!({"marketing": true, "dataProcessing": true})
    );
    assert_eq!(guest["change"]["channelContext"]["campaignId"], "SPRING");
}

#[test]
fn a_kind_of_a_newer_version_is_kept() {
    let json = r#"{"id":"0193629c-7d00-7000-8000-000000000001","at":"2026-11-25T08:30:00.000Z","actor":"a","action":"video.started","data":{"room":[1,{"x":null}],"z":18446744073709551615}}"#;
    let event: Event = serde_json::from_str(json).unwrap();
    assert_eq!((event.action(), event.outcome()), ("video.started", Outcome::Unknown));
    assert_eq!((event.subject().kind, event.subject().id), ("unknown", ""));
    assert_eq!(serde_json::to_string(&event).unwrap(), json);
}

#[test]
fn fields_of_a_newer_version_are_ignored_and_bad_ones_are_an_error_without_the_value() {
    let json = serde_json::to_string(&event(1, MessageRead::new("c1", "m1"))).unwrap();
    let newer = json.replace(r#""conversationId""#, r#""mood":"s3cret","conversationId""#);
    assert!(serde_json::from_str::<Event>(&newer).is_ok());
    let bad = json.replace(r#""m1""#, r#"{"s3cret":1}"#);
    let error = serde_json::from_str::<Event>(&bad).unwrap_err();
    assert_eq!(error.to_string(), "the data of message.read is not as it should be");
}

#[test]
fn outcomes_and_subjects() {
    let scanned = |verdict| event(1, FileScanned::new("f1", verdict)).outcome().cause().map(str::to_owned);
    assert_eq!(scanned(ScanVerdict::Clean), None);
    assert_eq!(scanned(ScanVerdict::Malicious).as_deref(), Some("malicious"));
    assert_eq!(scanned(ScanVerdict::Unknown).as_deref(), Some("unknown"));
    assert_eq!(
        event(1, FileScanned::new("f1", ScanVerdict::Failed)).outcome(),
        Outcome::Failure { code: "scan_failed" }
    );
    let failed = event(1, FileUploadFailed::new("m1", "Some sentence with a name in it"));
    assert_eq!((failed.subject().kind, failed.outcome()), ("message", Outcome::Failure { code: "other" }));
}

#[test]
fn ids_sort_by_time() {
    let ids: Vec<_> =
        (0..100).map(|number| event(number, MessageRead::new("c", "m")).id.to_string()).collect();
    assert!(ids.is_sorted());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100);
    assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'7'));
}

#[test]
fn data_is_minimized_only_when_nothing_plain_was_sent() {
    assert!(guest_change().is_minimized());
    let with =
        |path: &str, value: &str| GuestChange::new(DataChanges::new().with(path, value)).is_minimized();
    assert!(with("attributes.tier", "gold"));
    assert!(!with("attributes.note", "ask jane@example.com"));
    assert!(!with("attributes.note", "+49 30 1234567"));
    assert!(!with("attributes.jane@example.com", "x"), "names of fields are looked at, too");
    assert!(!with("identityAttributes.emailHash", "not hashed"), "what stands in place of a hash");
    assert!(!with("identityAttributes.phoneHash", "4930"));
    assert!(!guest_change().email_hash("jane").is_minimized());
    assert!(!guest_change().external_id("jane@example.com").is_minimized());
    let page = ChannelContext::new(Some("https://a.example/?m=jane%40example.com".into()), None);
    assert!(!guest_change().channel_context(page).is_minimized());
    assert!(
        !GuestChange::new(DataChanges::new().with("attributes.number", 4_930_123_456_u64)).is_minimized()
    );
    // Also beyond what is kept of the fields.
    let many =
        (0..500).fold(DataChanges::new(), |changes, number| changes.with(&format!("a.f{number}"), "x"));
    assert!(GuestChange::new(many.clone()).is_minimized());
    assert!(!GuestChange::new(many.with("a.last", "jane@example.com")).is_minimized());
}

/// A writer whose text can be looked at.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(event: &Event) -> String {
    let shared = Shared::default();
    let journal = Journal::builder().durable("lines", JsonLines::new(shared.clone())).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(journal.append(event.clone())).unwrap();
    shared.text()
}

#[test]
fn a_guest_record_has_what_an_auditor_asks_for() {
    let line = logged(&event(1, GuestUpdated::new("g1", guest_change())).facts(facts()));
    let record: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        record["details"],
        serde_json::json!({
            "ipAddress": "192.0.2.7",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
            "dataChanges": {
                "attributes.old": null,
                "attributes.tier": "[redacted]",
                "consent.marketing": true,
                "identityAttributes.emailHash": "[hash]",
            },
            "complianceFlags": {"gdprApplicable": true, "dataMinimized": true},
        })
    );
    assert_eq!((record["subject"]["type"].as_str(), record["latencyMs"].as_u64()), (Some("guest"), Some(41)));
}

/// What a browser says of itself is asked for, within the characters that such texts have, and up to an end.
#[test]
fn an_agent_is_what_a_browser_says() {
    let agent = |text: &str| {
        let change = GuestChange::new(DataChanges::new()).user_agent(text);
        let record: serde_json::Value =
            serde_json::from_str(&logged(&event(1, GuestCreated::new("g", change)))).unwrap();
        record["details"]["userAgent"].as_str().unwrap().to_owned()
    };
    assert_eq!(agent("curl/8.5.0"), "curl/8.5.0");
    assert_eq!(agent(&"a".repeat(1_000)), "a".repeat(256));
    for text in ["jane@example.com", "https://b.example?sig=s3cret", "a\nb", "", "\"<script>"] {
        assert_eq!(agent(text), "[redacted]", "{text}");
    }
}

/// Every text that a person can have written, in every place where one fits.
fn with_texts(text: &str) -> Vec<Event> {
    let t = || text.to_owned();
    let change = || {
        let changes = DataChanges::new().with(text, text).with("attributes.x", text);
        GuestChange::new(changes)
            .external_id(t())
            .email_hash(t())
            .channel_context(ChannelContext::new(Some(t().into()), Some(t().into())))
            .ip_address(t())
    };
    let kinds: Vec<EventKind> = vec![
        FileUploaded::new("f", t(), 1).content_type(t()).channel_id(t()).message_id(t()).into(),
        FileUploadFailed::new(t(), t()).name(t()).content_type(t()).into(),
        FileScanned::new("f", ScanVerdict::Clean).name(t()).into(),
        FileQuarantined::new(t(), t()).name(t()).into(),
        TransferCreated::new(t(), t(), 1).access_policy(AccessPolicy::new(1, t(), true)).into(),
        TransferFinished::new("t", t()).storage_location(t()).into(),
        TransferFinished::new("t", t()).storage_location(format!("https://b.example/k?{text}")).into(),
        TransferBlocked::new("t", t()).file_name(t()).into(),
        ChannelUpdated::new("c", vec![t()]).features([(t(), true)]).into(),
        WebhookRegistered::new(t(), true).event_type(t()).into(),
        WebhookReceived::new(t(), t(), true).about(t()).into(),
        GuestCreated::new("g", change()).into(),
        GuestUpdated::new("g", change()).into(),
        BotMessageSent::new("c").message_type(t()).crm_target(t()).into(),
        BotMessageFailed::new("c", t()).into(),
        DeliveryFailed::new(t(), t(), t()).into(),
        OperationFailed::new(t(), t(), t(), t()).into(),
    ];
    let facts = || Facts::new().operation(t()).correlation_id(t()).request_id(t());
    kinds.into_iter().map(|kind| event(1, kind).facts(facts()).actor(Actor::default())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// What has the form of an address, a query or a sentence never gets into a log, wherever it stands.
    #[test]
    fn no_log_has_what_people_wrote(
        word in "[a-z]{8}",
        shape in prop::sample::select(vec!["W@example.com", "https://b.example/W?sig=W", "?sig=W", "W W W", "\"W\"\n", "W<b>", "über W"]),
    ) {
        let text = shape.replace('W', &word);
        for event in with_texts(&text) {
            let line = logged(&event);
            prop_assert!(!line.contains(&word), "{line}");
            prop_assert_eq!(line.matches('\n').count(), 1);
        }
    }

    /// `Debug` of an event shows no location, no name of a file, and nothing of a guest.
    #[test]
    fn debug_shows_no_private_texts(word in "[a-z]{12}") {
        for kind in [
            FileUploaded::new("f", word.clone(), 1).into(),
            TransferFinished::new("t", word.clone()).storage_location(format!("https://b.example/{word}?{word}")).into(),
            GuestCreated::new("g", guest_change().external_id(word.clone()).ip_address(word.clone())).into(),
        ] {
            let kind: EventKind = kind;
            let shown = format!("{:?}", event(1, kind));
            prop_assert!(!shown.contains(&word), "{}", shown);
        }
    }
}

#[test]
fn an_event_is_stamped_by_the_journal() {
    let kept = webmessaging_journal::sinks::InMemory::new();
    let journal =
        Journal::builder().actor("channel-service").durable("memory", kept.clone()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(journal.record(|stamp| stamp.event(MessageRead::new("c", "m")))).unwrap();
    let event = kept.events().remove(0);
    assert_eq!(event.actor.as_str(), "channel-service");
    assert!(event.at > at(0) - std::time::Duration::from_secs(86_400 * 365 * 10));
}
