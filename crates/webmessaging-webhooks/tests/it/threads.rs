//! Troubles that users of other products have told of, one test for each; the comment names the thread.

use webmessaging_model::ScanVerdict;
use webmessaging_webhooks::{
    Case, Delivery, ErrorKind, EventData, FindingCode, Outcome, ScanProgress, Secret, Secrets, Signer,
    Verifier, explain,
};

use crate::setup::{BODY, NEW, both, kind, now, secret, signed, verifier};

fn first(body: &str, sent: &str) -> FindingCode {
    let explanation = explain(body.as_bytes(), &signed(NEW, sent.as_bytes()), &both(), now());
    assert_eq!(explanation.outcome, Outcome::Explained, "{explanation}");
    explanation.findings[0].code
}

/// What a handler does that was given the parsed body.
fn parsed_and_written_again(sent: &str) -> String {
    serde_json::from_str::<serde_json::Value>(sent).unwrap().to_string()
}

// stripe/stripe-node#341, #331, #1254, #1390, #1915, stripe/stripe-php#884: a body parser came before the verification.
#[test]
fn a_body_parser_came_first() {
    let sent = "{\n  \"data\": {\n    \"id\": \"evt_1\"\n  },\n  \"eventType\": \"x\"\n}";
    let arrived = parsed_and_written_again(sent);
    assert_eq!(
        kind(verifier().verify(arrived.clone(), &signed(NEW, sent.as_bytes()), now())),
        ErrorKind::Mismatch
    );
    assert_eq!(first(&arrived, sent), FindingCode::JsonReserialized);
}

// gabrielkoerich/orch#134, octokit/webhooks.js#76, getsentry/sentry#71025: the verifier was handed an object, and wrote it.
#[test]
fn there_is_nothing_but_bytes_to_verify_and_nothing_but_the_event_to_read() {
    let sent = r#"{"eventType":"x","data":{"text":"caf\u00e9 \/"}}"#;
    let delivery = verifier().verify(sent, &signed(NEW, sent.as_bytes()), now()).unwrap();
    assert_eq!(delivery.body(), sent.as_bytes());
    let EventData::Other(data) = delivery.event().data() else { panic!("{delivery:?}") };
    assert_eq!(data.get::<String>("text").as_deref(), Some("café /"));
    let arrived = parsed_and_written_again(sent);
    assert_ne!(arrived, sent);
    assert_eq!(kind(verifier().verify(arrived, &signed(NEW, sent.as_bytes()), now())), ErrorKind::Mismatch);
}

// workos/workos-node#1578: its own test signed what it had written itself, so both sides made the same mistake.
#[test]
fn bytes_that_no_writer_of_json_would_write_verify_all_the_same() {
    let sent = "{ \"eventType\" :\t\"x\" ,\r\n\"data\":{ \"n\" : 1.50E+2 } }\n";
    assert!(verifier().verify(sent, &signed(NEW, sent.as_bytes()), now()).is_ok());
}

// twilio/twilio-node#321, twilio/twilio-python#392, #751, twilio/twilio-csharp#44: the URL is signed, and a proxy or a port
// changes it.
#[test]
fn a_url_that_a_proxy_has_changed() {
    let sent = format!("https://hooks.example/sms{BODY}");
    let headers = Signer::new(secret(NEW)).sign(sent.as_bytes());
    for seen in
        ["http://hooks.example:8080/sms", "https://hooks.example:443/sms", "https://hooks.example/sms"]
    {
        let explanation = Case::new(BODY.as_bytes(), &headers).url(seen).explain(&verifier(), now());
        assert_eq!(
            explanation.findings.first().map(|finding| finding.code),
            Some(FindingCode::UrlSigned),
            "{seen}"
        );
    }
}

// bmlt-enabled/yap#1589: an update began to refuse every call where no secret was set, and nobody heard of it before.
#[test]
fn a_missing_secret_is_told_before_the_first_delivery() {
    let rule =
        |result: Result<Secret, webmessaging_model::Violations>| result.unwrap_err().as_slice()[0].rule;
    assert_eq!(rule(Secret::new("a", "")), "webhook.secret.required");
    assert_eq!(Secrets::new([]).unwrap_err().as_slice()[0].rule, "webhook.secrets.required");
}

// abdolence/slack-morphism-rust: the error of its verifier printed the hash that would have been right.
#[test]
fn a_refusal_does_not_teach_how_to_sign() {
    let right = signed(NEW, BODY.as_bytes())["x-genesys-signature"].to_str().unwrap().to_owned();
    let error = verifier().verify(BODY, &signed("some other secret", BODY.as_bytes()), now()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(right.strip_prefix("sha256=").unwrap()), "{shown}");
}

// slackapi/bolt-python#868, #845, #731, slackapi/bolt-js#2487, #1633, slackapi/python-slack-sdk#1164: the same event again, because the
// answer was late.
#[test]
fn a_repeated_delivery_has_both_keys_again() {
    let keys = || {
        let delivery = verifier().verify(BODY, &signed(NEW, BODY.as_bytes()), now()).unwrap();
        (delivery.delivery_id().map(str::to_owned), delivery.content_key())
    };
    assert_eq!(keys(), keys());
}

// slackapi/node-slack-sdk#2141: one message as many events with ids that differ.
#[test]
fn one_event_with_many_ids_has_one_content_key() {
    let deliveries: Vec<_> = (0..11)
        .map(|number| {
            let body = BODY.replace("event-1", &format!("event-{number}"));
            verifier().verify(body.clone(), &signed(NEW, body.as_bytes()), now()).unwrap()
        })
        .collect();
    let ids: std::collections::HashSet<_> =
        deliveries.iter().map(|delivery| delivery.delivery_id()).collect();
    let keys: std::collections::HashSet<_> = deliveries.iter().map(Delivery::content_key).collect();
    assert_eq!((ids.len(), keys.len()), (11, 1));
}

// vercel/chat#667: an event that had been marked as seen and then failed was dropped when it came again.
#[test]
fn the_verifier_remembers_nothing() {
    let verifier = Verifier::new(both());
    let headers = signed(NEW, BODY.as_bytes());
    for _ in 0..3 {
        assert!(verifier.verify(BODY, &headers, now()).is_ok());
    }
}

// cap-js/attachments#432: a late "Scanning" took "Clean" back.
#[test]
fn a_late_scanning_takes_nothing_back() {
    let mut progress = ScanProgress::default();
    let scanned = |status: &str| {
        let body = format!(
            r#"{{"eventType":"genesys.cloud.messaging.file.upload.completed","data":{{"fileId":"f","status":"{status}","virusScanResult":"clean"}}}}"#
        );
        let delivery = verifier().verify(body.clone(), &signed(NEW, body.as_bytes()), now()).unwrap();
        let EventData::FileScanned(scanned) = delivery.event().data().clone() else { panic!("{delivery:?}") };
        scanned.verdict()
    };
    assert!(progress.advance(scanned("completed")));
    assert!(!progress.advance(scanned("scanning")));
    assert_eq!(progress.verdict(), ScanVerdict::Clean);
}

// microsoft/omnichannel-chat-sdk#254: files could be downloaded while they were scanned, and when they were malicious.
#[test]
fn no_uri_of_a_file_that_is_not_clean() {
    for (status, result) in
        [("uploaded", "clean"), ("complete", "detected"), ("complete", "pending"), ("failed", "clean")]
    {
        let body = format!(
            r#"{{"transferId":"t","status":"{status}","virusScanResult":"{result}","downloadUri":"https://a.example/?b"}}"#
        );
        let delivery = verifier().verify(body.clone(), &signed(NEW, body.as_bytes()), now()).unwrap();
        let EventData::FileTransferChanged(transfer) = delivery.event().data() else {
            panic!("{delivery:?}")
        };
        assert!(transfer.download_uri().is_none(), "{body}");
    }
}
