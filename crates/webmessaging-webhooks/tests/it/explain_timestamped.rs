//! Explanations of the timestamped form: its clock, its headers, its spelling.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use webmessaging_webhooks::{Case, FindingCode, Outcome, Signer, Spelling, Verifier, explain};

use crate::setup::{BODY, NEW, both, now, only, secret, verifier};

fn headers() -> HeaderMap {
    Signer::new(secret(NEW)).timestamped("msg_1", now(), BODY.as_bytes()).unwrap()
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).unwrap());
}

/// Signs whatever is in the headers.
fn sign_again(headers: &mut HeaderMap) {
    let text = |name: &str| headers[name].to_str().unwrap();
    let signed = format!("{}.{}.{BODY}", text("webhook-id"), text("webhook-timestamp"));
    let signature = only(&Signer::new(secret(NEW)).spelling(Spelling::Base64).sign(signed.as_bytes()));
    set(headers, "webhook-signature", &format!("v1,{signature}"));
}

fn found(headers: &HeaderMap) -> (Outcome, Vec<FindingCode>) {
    let explanation = explain(BODY.as_bytes(), headers, &both(), now());
    (explanation.outcome, explanation.findings.iter().map(|finding| finding.code).collect())
}

fn explained(headers: &HeaderMap, code: FindingCode) {
    assert_eq!(found(headers), (Outcome::Explained, vec![code]));
}

#[test]
fn it_is_valid_where_it_is_accepted_and_named_where_it_is_not() {
    assert_eq!(found(&headers()), (Outcome::Valid, vec![]));
    let explanation = Case::new(BODY.as_bytes(), &headers()).explain(&verifier(), now());
    assert_eq!(explanation.findings[0].code, FindingCode::OtherHeader, "{explanation}");
    assert_eq!(explanation.findings[0].header.as_deref(), Some("webhook-signature"));
}

#[test]
fn clocks_that_differ() {
    for (later, expected) in [
        (Duration::from_secs(301), "301 s before now, and 300 s are accepted"),
        (Duration::from_secs(86_400), "86400 s before now, and 300 s are accepted"),
    ] {
        let explanation = explain(BODY.as_bytes(), &headers(), &both(), now() + later);
        let [finding] = &explanation.findings[..] else { panic!("{explanation}") };
        assert_eq!(finding.code, FindingCode::TimestampOutsideWindow);
        assert_eq!(finding.detail.as_deref(), Some(expected));
    }
    let explanation = explain(BODY.as_bytes(), &headers(), &both(), now() - Duration::from_secs(400));
    assert_eq!(explanation.findings[0].detail.as_deref(), Some("400 s after now, and 300 s are accepted"));
}

#[test]
fn milliseconds() {
    let mut headers = headers();
    set(&mut headers, "webhook-timestamp", &now().unix_millis().to_string());
    sign_again(&mut headers);
    explained(&headers, FindingCode::TimestampInMilliseconds);
}

#[test]
fn times_that_are_none() {
    let mut headers = headers();
    set(&mut headers, "webhook-timestamp", "2026-11-25T08:30:00Z");
    sign_again(&mut headers);
    assert_eq!(found(&headers), (Outcome::Suspected, vec![FindingCode::TimestampUnreadable]));
}

#[test]
fn headers_that_are_missing() {
    for name in ["webhook-id", "webhook-timestamp"] {
        let mut without = headers();
        without.remove(name);
        assert_eq!(found(&without), (Outcome::Suspected, vec![FindingCode::TimestampedIncomplete]), "{name}");
    }
    let mut without = headers();
    without.remove("webhook-signature");
    let expected = vec![FindingCode::TimestampedIncomplete, FindingCode::MissingSignature];
    assert_eq!(found(&without), (Outcome::Suspected, expected));
}

#[test]
fn spellings() {
    let right = headers()["webhook-signature"].to_str().unwrap().to_owned();
    let base64 = right.strip_prefix("v1,").unwrap();
    let hex = hex::encode(STANDARD.decode(base64).unwrap());
    for (spelled, code) in [
        (base64.to_owned(), FindingCode::PrefixMissing),
        (format!("v1,{hex}"), FindingCode::HexForBase64),
        (format!("v1,{}", STANDARD.encode(&hex)), FindingCode::Base64OfHex),
        (format!("v1,sha256={base64}"), FindingCode::PrefixUnknown),
    ] {
        let mut headers = headers();
        set(&mut headers, "webhook-signature", &spelled);
        explained(&headers, code);
    }
}

#[test]
fn the_body_alone_was_signed() {
    let bare = only(&Signer::new(secret(NEW)).spelling(Spelling::Base64).sign(BODY.as_bytes()));
    let mut headers = headers();
    set(&mut headers, "webhook-signature", &format!("v1,{bare}"));
    explained(&headers, FindingCode::TimestampNotSigned);
}

#[test]
fn mistakes_with_body_and_secret_are_found_behind_id_and_time() {
    let explanation = explain(format!("{BODY}\n").as_bytes(), &headers(), &both(), now());
    assert_eq!(explanation.findings[0].code, FindingCode::TrailingNewline, "{explanation}");
    let other = Verifier::new(secret(&format!("{NEW}\n"))).timestamped(true);
    let explanation = Case::new(BODY.as_bytes(), &headers()).explain(&other, now());
    assert_eq!(explanation.findings[0].code, FindingCode::SecretWhitespace, "{explanation}");
}

#[test]
fn a_right_signature_of_the_body_does_not_count_beside_a_wrong_timestamped_one() {
    let mut headers = headers();
    set(&mut headers, "webhook-signature", &format!("v1,{}=", "A".repeat(43)));
    headers.extend(Signer::new(secret(NEW)).sign(BODY.as_bytes()));
    let explanation = explain(BODY.as_bytes(), &headers, &both(), now());
    let [finding] = &explanation.findings[..] else { panic!("{explanation}") };
    assert_eq!(
        (finding.code, finding.header.as_deref()),
        (FindingCode::OtherHeader, Some("x-genesys-signature"))
    );
}
