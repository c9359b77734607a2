//! Whatever comes over the wire: nothing panics, and only what was signed is accepted.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::select;
use webmessaging_model::Timestamp;
use webmessaging_webhooks::verify::{X_GENESYS_SIGNATURE, X_HUB_SIGNATURE_256};
use webmessaging_webhooks::{Case, ErrorKind, Event, Outcome, Secret, Secrets, Signer, Spelling, Verifier};

use crate::setup::{NEW, OLD, both, committed, kind, now, secret};

const NAMES: &[&str] = &[
    "x-genesys-signature",
    "x-hub-signature-256",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-genesys-event-id",
    "x-timestamp",
    "content-encoding",
];

const TOKENS: &[&str] = &[
    "{",
    "{",
    "{",
    "}",
    "}",
    "}",
    "[",
    "]",
    ":",
    ":",
    ":",
    ",",
    ",",
    " ",
    "\n",
    "\"eventType\"",
    "\"eventId\"",
    "\"timestamp\"",
    "\"data\"",
    "\"transferId\"",
    "\"channel\"",
    "\"type\"",
    "\"fileId\"",
    "\"status\"",
    "\"content\"",
    "\"\"",
    "\"x\"",
    "0",
    "-1",
    "1e999",
    "1.0",
    "null",
    "true",
    "\u{e9}",
    "\"\\ud800\"",
];

/// Values that are nearly right, and such that are not.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        "(sha256=|v1,|v1|t=|\"|'| |,|=|[0-9a-f]{16}|[A-Za-z0-9+/]{20}|%3D|\\t){0,9}"
            .prop_map(String::into_bytes),
        "-?[0-9]{1,20}".prop_map(String::into_bytes),
    ]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    prop::collection::vec((select(NAMES), value()), 0..10).prop_map(|lines| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        headers
    })
}

/// Bytes, and texts that have the outlines of events.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(select(TOKENS), 0..24).prop_map(|tokens| tokens.concat().into_bytes()),
    ]
}

fn any_verifier() -> impl Strategy<Value = Verifier> {
    any::<(bool, u32)>().prop_map(|(is_timestamped, seconds)| {
        let window = std::time::Duration::from_secs(u64::from(seconds));
        Verifier::new(both()).timestamped(is_timestamped).window(window)
    })
}

proptest! {
    #![proptest_config(committed())]

    #[test]
    fn nothing_panics_and_nothing_passes_unsigned(
        body in body(),
        headers in headers(),
        verifier in any_verifier(),
        millis in any::<i64>(),
    ) {
        let now = Timestamp::from_unix_millis(millis);
        let refused = verifier.verify(body.clone(), &headers, now);
        prop_assert!(matches!(
            kind(refused),
            ErrorKind::MissingSignature | ErrorKind::MalformedSignature | ErrorKind::Mismatch
        ));
        let explanation = Case::new(&body, &headers).url("http://[::1]:8/?").explain(&verifier, now);
        prop_assert_ne!(explanation.outcome, Outcome::Valid);
    }

    #[test]
    fn no_body_panics(body in body()) {
        if let Err(error) = Event::from_slice(&body) {
            prop_assert!(error.kind().is_signed());
        }
        let explanation = Case::new(&body, &Signer::new(secret(NEW)).sign(b"other")).explain(&Verifier::new(both()), now());
        prop_assert_eq!(explanation.is_complete, true);
    }

    /// Every spelling, header and secret of the set is accepted, and no other secret.
    #[test]
    fn what_was_signed_is_accepted(
        body in prop::collection::vec(any::<u8>(), 0..2_000),
        spelling in select(Spelling::ALL),
        name in select(vec![X_GENESYS_SIGNATURE, X_HUB_SIGNATURE_256]),
        is_old in any::<bool>(),
        strange in "[a-z]{16,80}",
    ) {
        let text = if is_old { OLD } else { NEW };
        let signer = |text: &str| Signer::new(secret(text)).header(name.clone()).spelling(spelling);
        let verifier = Verifier::new(both());
        prop_assert!(verifier.verify_signature(&body, &signer(text).sign(&body), now()).is_ok());
        let refused = verifier.verify_signature(&body, &signer(&strange).sign(&body), now());
        prop_assert_eq!(kind(refused), ErrorKind::Mismatch);
    }

    /// Sixteen secrets, any of which may be the one; the verifier names it.
    #[test]
    fn the_right_one_of_many_secrets_is_named(texts in prop::collection::hash_set("[a-z]{16,40}", 1..=16), index in any::<prop::sample::Index>()) {
        let texts: Vec<_> = texts.into_iter().collect();
        let secrets: Vec<_> = texts.iter().map(|text| Secret::new(text.clone(), text.clone()).unwrap()).collect();
        let index = index.index(texts.len());
        let verifier = Verifier::new(Secrets::new(secrets).unwrap());
        let body = r#"{"eventType":"a","data":{}}"#;
        let headers = Signer::new(secret(&texts[index])).sign(body.as_bytes());
        let delivery = verifier.verify(body, &headers, now()).unwrap();
        prop_assert_eq!(delivery.secret_index(), index);
        prop_assert_eq!(delivery.secret_label(), &texts[index]);
    }

    /// The same bytes have the same key, and the order of keys does not matter to it.
    #[test]
    fn content_keys_are_stable(a in any::<i64>(), b in "[^\"\\\\\\p{C}]{0,20}", id in "[a-z]{0,9}") {
        let one = format!(r#"{{"eventType":"x.y","eventId":"1","data":{{"a":{a},"b":"{b}"}}}}"#);
        let two = format!(r#"{{"data":{{"b":"{b}", "a":{a}}},"eventId":"{id}","eventType":"x.y"}}"#);
        let other = format!(r#"{{"data":{{"b":"{b}.", "a":{a}}},"eventId":"{id}","eventType":"x.y"}}"#);
        let key = |body: &str| Event::from_slice(body.as_bytes()).unwrap().content_key();
        prop_assert_eq!(key(&one), key(&two));
        prop_assert_ne!(key(&one), key(&other));
    }
}
