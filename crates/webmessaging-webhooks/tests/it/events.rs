//! Events: each type, what is open about them, their keys, and what they do not show.

use webmessaging_model::{FormatValidation, ScanVerdict, UploadStatus, VirusScanResult};
use webmessaging_webhooks::event::{MessageKind, OPEN_MESSAGE, TransferStatus};
use webmessaging_webhooks::{ContentKey, ErrorKind, Event, EventData};

use crate::setup::{kind, now};

const SCAN: &str = r#"{"eventType":"genesys.cloud.messaging.file.upload.completed","eventId":"event-1","timestamp":"2026-11-25T08:30:00.000Z","data":{"fileId":"file-1","virusScanResult":"clean","formatValidation":"passed","status":"completed"}}"#;

const TRANSFER: &str = r#"{"transferId":"transfer-1","status":"complete","virusScanResult":"clean","fileName":"Anna Example.pdf","downloadUri":"https://files.example/f?signature=hush","metadata":{"accessPolicyDirectives":{"retentionDays":30}}}"#;

const MESSAGE: &str = r#"{"id":"message-1","channel":{"id":"channel-1","platform":"Open","type":"Private","messageId":"own-1","to":{"id":"anna@example.com","idType":"Email","firstName":"Anna"},"from":{"nickname":"Support","id":"support","idType":"Opaque"},"time":"2026-11-25T08:30:00.000Z"},"type":"Text","text":"Dear Anna","content":[{"contentType":"Attachment","attachment":{"id":"a-1","mediaType":"Image","mime":"image/png","filename":"anna.png","url":"https://files.example/i?sig=hush"}}],"conversationId":"conversation-1","direction":"Outbound","metadata":null}"#;

fn event(body: &str) -> Event {
    Event::from_slice(body.as_bytes()).unwrap()
}

fn key(body: &str) -> ContentKey {
    event(body).content_key()
}

#[test]
fn the_end_of_a_scan() {
    let event = event(SCAN);
    assert_eq!(event.event_type(), "genesys.cloud.messaging.file.upload.completed");
    assert_eq!((event.event_id(), event.subject()), (Some("event-1"), Some("file-1")));
    assert_eq!(event.occurred_at(), Some(now()));
    let EventData::FileScanned(scanned) = event.data() else { panic!("{event:?}") };
    assert_eq!(scanned.status, Some(UploadStatus::Completed));
    assert_eq!(scanned.virus_scan_result, Some(VirusScanResult::Clean));
    assert_eq!(scanned.format_validation, Some(FormatValidation::Passed));
    assert_eq!(scanned.verdict(), ScanVerdict::Clean);
}

#[test]
fn a_transfer_comes_without_an_envelope_and_may_have_one() {
    let enveloped =
        format!(r#"{{"eventType":"webchat.fileTransfer.statusChange","eventId":"e-2","data":{TRANSFER}}}"#);
    for body in [TRANSFER, &enveloped] {
        let event = event(body);
        assert_eq!(event.event_type(), "webchat.fileTransfer.statusChange");
        assert_eq!(event.subject(), Some("transfer-1"));
        let EventData::FileTransferChanged(transfer) = event.data() else { panic!("{event:?}") };
        assert_eq!(transfer.verdict(), ScanVerdict::Clean);
        assert_eq!(transfer.file_name.as_deref(), Some("Anna Example.pdf"));
        let uri = transfer.download_uri().unwrap();
        assert_eq!(uri.expose(), "https://files.example/f?signature=hush");
        assert_eq!(uri.to_string(), "download uri of files.example");
        let directives = transfer.metadata.as_ref().unwrap().access_policy_directives.as_ref().unwrap();
        assert_eq!(directives.get("retentionDays"), Some(30));
    }
    assert_eq!(key(TRANSFER), key(&enveloped));
}

#[test]
fn only_a_clean_transfer_has_a_uri() {
    let verdict = |status: &str, result: &str| {
        let body = TRANSFER
            .replace(r#""status":"complete""#, &format!(r#""status":"{status}""#))
            .replace(r#""virusScanResult":"clean""#, &format!(r#""virusScanResult":"{result}""#));
        let EventData::FileTransferChanged(transfer) = event(&body).into_data() else { panic!("{body}") };
        assert_eq!(transfer.download_uri().is_some(), transfer.verdict() == ScanVerdict::Clean, "{body}");
        transfer.verdict()
    };
    assert_eq!(verdict("complete", "clean"), ScanVerdict::Clean);
    assert_eq!(verdict("complete", "detected"), ScanVerdict::Malicious);
    assert_eq!(verdict("uploaded", "malicious"), ScanVerdict::Malicious);
    assert_eq!(verdict("virus_detected", "clean"), ScanVerdict::Malicious);
    assert_eq!(verdict("validation_failed", "clean"), ScanVerdict::FormatRejected);
    assert_eq!(verdict("failed", "clean"), ScanVerdict::Failed);
    assert_eq!(verdict("uploaded", "clean"), ScanVerdict::Pending);
    assert_eq!(verdict("complete", "brand new"), ScanVerdict::Unknown);
    assert_eq!(verdict("brand new", "clean"), ScanVerdict::Pending);
    assert_eq!(verdict("brand new", "detected"), ScanVerdict::Malicious);
    let status = TransferStatus::from("brand new");
    assert_eq!(status.as_str(), "brand new");
}

#[test]
fn channels_and_receipts_are_read_as_far_as_they_are_known() {
    let updated = event(
        r#"{"eventType":"channel.updated","data":{"channelId":"c-1","channelType":"webchat","version":7}}"#,
    );
    assert_eq!(updated.subject(), Some("c-1"));
    let EventData::ChannelUpdated(channel) = updated.data() else { panic!("{updated:?}") };
    assert_eq!(channel.channel_type.as_deref(), Some("webchat"));
    assert_eq!(channel.data.get("version"), Some(7));

    let read = event(
        r#"{"eventType":"conversation:participated:read","data":{"conversationId":"k-1","participantId":"p-1","messageId":"m-1","readAt":"2026-11-25T09:30:00+01:00"}}"#,
    );
    assert_eq!((read.subject(), read.occurred_at()), (Some("m-1"), Some(now())));
    let EventData::MessageRead(receipt) = read.data() else { panic!("{read:?}") };
    assert_eq!(receipt.participant_id.as_deref(), Some("p-1"));
    let bare = event(r#"{"eventType":"conversation:participated:read","data":{"conversationId":"k-1"}}"#);
    assert_eq!(bare.subject(), Some("k-1"));
}

#[test]
fn messages_of_the_live_platform() {
    let event = event(MESSAGE);
    assert_eq!((event.event_type(), event.event_id()), (OPEN_MESSAGE, None));
    assert_eq!((event.subject(), event.occurred_at()), (Some("message-1"), Some(now())));
    let EventData::OpenMessage(message) = event.data() else { panic!("{event:?}") };
    assert_eq!((&message.kind, message.text.as_deref()), (&MessageKind::Text, Some("Dear Anna")));
    assert_eq!(message.channel.to.as_ref().unwrap().id.as_deref(), Some("anna@example.com"));
    let attachment = message.content[0].attachment.as_ref().unwrap();
    assert_eq!(attachment.url.as_ref().unwrap().to_string(), "download uri of files.example");

    let receipt = r#"{"id":"m-1","channel":{"time":"2026-11-25T08:30:00Z","to":{"id":"x"}},"type":"Receipt","status":"Failed","reasons":[{"code":"RateLimited","message":"x"}],"isFinalReceipt":true,"direction":"Outbound"}"#;
    let EventData::OpenMessage(receipt) = Event::from_slice(receipt.as_bytes()).unwrap().into_data() else {
        panic!("no message")
    };
    assert_eq!((receipt.kind, receipt.status.as_deref()), (MessageKind::Receipt, Some("Failed")));
    assert_eq!(receipt.reasons[0].get::<String>("code").as_deref(), Some("RateLimited"));
}

#[test]
fn unknown_types_values_and_fields_are_kept() {
    let unknown = event(r#"{"eventType":"brand.new","eventId":"e","timestamp":1,"data":{"level":7}}"#);
    assert_eq!((unknown.event_type(), unknown.event_id(), unknown.subject()), ("brand.new", Some("e"), None));
    let EventData::Other(data) = unknown.data() else { panic!("{unknown:?}") };
    assert_eq!(data.get("level"), Some(7));
    let flat = event(r#"{"eventType":"brand.new","level":7}"#);
    let EventData::Other(data) = flat.data() else { panic!("{flat:?}") };
    assert_eq!(data.get("level"), Some(7));

    let scan = SCAN.replace("passed", "brand new").replace(r#""fileId""#, r#""extra":[{}],"fileId""#);
    let EventData::FileScanned(scanned) = event(&scan).into_data() else { panic!("{scan}") };
    assert_eq!(scanned.format_validation, Some(FormatValidation::Unknown("brand new".to_owned())));
    assert_eq!(scanned.verdict(), ScanVerdict::Unknown);

    let message = MESSAGE.replace(r#""type":"Text""#, r#""type":"Brand""#).replace("[{", "null,\"x\":[{");
    let EventData::OpenMessage(message) = event(&message).into_data() else { panic!("{message}") };
    assert_eq!(message.kind, MessageKind::Unknown("Brand".to_owned()));
    assert!(message.content.is_empty());
}

#[test]
fn an_odd_id_or_time_loses_no_event() {
    for (id, read) in [("7", Some("7")), ("null", None), ("{}", None)] {
        let body = SCAN.replace(r#""event-1""#, id);
        assert_eq!(event(&body).event_id(), read, "{id}");
    }
    for time in [r#""yesterday""#, "7", "null", "{}"] {
        let body = SCAN.replace(r#""2026-11-25T08:30:00.000Z""#, time);
        assert_eq!(event(&body).occurred_at(), None, "{time}");
    }
}

#[test]
fn a_known_type_without_what_it_is_about_is_no_event() {
    for body in [
        r#"{"eventType":"genesys.cloud.messaging.file.upload.completed","data":{"status":"completed"}}"#,
        r#"{"eventType":"genesys.cloud.messaging.file.upload.completed","data":{"fileId":7}}"#,
        r#"{"eventType":"genesys.cloud.messaging.file.upload.completed","data":null}"#,
        r#"{"eventType":"genesys.cloud.messaging.file.upload.completed","fileId":"file-1"}"#,
        r#"{"eventType":"channel.updated"}"#,
        r#"{"eventType":7,"data":{}}"#,
        r#"{"transferId":7}"#,
        r#"{"channel":{},"type":7}"#,
        r#"{"channel":"x","type":"Text"}"#,
        r#"{"eventType":"a","eventType":"b"}"#,
        r#"{"eventType":null,"data":{}}"#,
        "\"text\"",
    ] {
        assert_eq!(kind(Event::from_slice(body.as_bytes())), ErrorKind::UnknownShape, "{body}");
    }
    let deep = format!("{{\"eventType\":\"a\",\"data\":{}{}}}", "[".repeat(500), "]".repeat(500));
    assert_eq!(kind(Event::from_slice(deep.as_bytes())), ErrorKind::NotJson);
}

#[test]
fn content_keys_do_not_depend_on_the_delivery() {
    for (body, again) in [
        (SCAN, SCAN.replace("event-1", "event-2")),
        (SCAN, SCAN.replace(r#""eventId":"event-1","#, "")),
        // Told again later.
        (SCAN, SCAN.replace("08:30:00", "08:30:05")),
        // Signed afresh.
        (TRANSFER, TRANSFER.replace("hush", "other")),
        (MESSAGE, MESSAGE.replace("hush", "other")),
    ] {
        assert_eq!(key(body), key(&again), "{again}");
    }
    let unknown = r#"{"eventType":"brand.new","eventId":"e-1","a":1,"b":2}"#;
    assert_eq!(key(unknown), key(r#"{"b":2, "a":1, "eventType":"brand.new","eventId":"e-2"}"#));
}

#[test]
fn content_keys_differ_for_other_subjects_and_states() {
    let channel =
        r#"{"eventType":"channel.updated","timestamp":"2026-11-25T08:30:00Z","data":{"id":"c","v":1}}"#;
    let anonymous = MESSAGE.replace(r#""id":"message-1","#, "").replace(r#""messageId":"own-1","#, "");
    let bodies = [
        SCAN.to_owned(),
        SCAN.replace("file-1", "file-2"),
        SCAN.replace("completed\"}", "scanning\"}"),
        SCAN.replace("clean", "malicious"),
        SCAN.replace("passed", "failed"),
        SCAN.replace("\"formatValidation\":\"passed\",", ""),
        TRANSFER.to_owned(),
        TRANSFER.replace("transfer-1", "transfer-2"),
        TRANSFER.replace(r#""status":"complete""#, r#""status":"uploaded""#),
        TRANSFER.replace("clean", "detected"),
        channel.to_owned(),
        channel.replace("08:30", "08:31"),
        channel.replace(r#""v":1"#, r#""v":2"#),
        channel.replace("channel.updated", "channel.created"),
        MESSAGE.to_owned(),
        MESSAGE.replace("message-1", "message-2"),
        MESSAGE.replace("08:30:00", "08:30:01"),
        MESSAGE.replace(r#""type":"Text""#, r#""type":"Structured""#),
        MESSAGE.replace(r#""type":"Text""#, r#""type":"Receipt","status":"Sent""#),
        MESSAGE.replace(r#""type":"Text""#, r#""type":"Receipt","status":"Delivered""#),
        // Without ids, the words are what tells messages apart.
        anonymous.clone(),
        anonymous.replace("Dear Anna", "Hello Anna"),
    ];
    let keys: std::collections::HashSet<_> = bodies.iter().map(|body| key(body)).collect();
    assert_eq!(keys.len(), bodies.len());
}

#[test]
fn debug_shows_ids_and_nothing_that_people_wrote() {
    for body in [SCAN, TRANSFER, MESSAGE, r#"{"eventType":"x","data":{"text":"Dear Anna"}}"#] {
        let shown = format!("{:?} {:#?}", event(body), event(body).into_data());
        for hidden in ["Anna", "anna", "hush", "Dear", "Support"] {
            assert!(!shown.contains(hidden), "{hidden}: {shown}");
        }
    }
    assert!(format!("{:?}", event(MESSAGE)).contains("message-1"));
}
