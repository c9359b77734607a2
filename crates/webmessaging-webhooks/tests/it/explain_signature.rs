//! Explanations of signatures: where they stand and how they are spelled.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use http::{HeaderMap, HeaderName, HeaderValue};
use webmessaging_webhooks::verify::{SIGNATURES_MAX, X_GENESYS_SIGNATURE, X_HUB_SIGNATURE_256};
use webmessaging_webhooks::{Case, FindingCode, Outcome, Signer, Spelling, Verifier, explain};

use crate::setup::{BODY, NEW, both, header, now, only, secret, verifier};

fn signer() -> Signer {
    Signer::new(secret(NEW)).spelling(Spelling::Hex)
}

fn hex_of(body: &str) -> String {
    only(&signer().sign(body.as_bytes()))
}

fn mac() -> Vec<u8> {
    hex::decode(hex_of(BODY)).unwrap()
}

/// The codes of the findings about a header, proven or not.
fn found(headers: &HeaderMap) -> (Outcome, Vec<FindingCode>) {
    let explanation = Case::new(BODY.as_bytes(), headers).explain(&verifier(), now());
    (explanation.outcome, explanation.findings.iter().map(|finding| finding.code).collect())
}

fn check(spelled: &str, expected: &[FindingCode]) {
    let (outcome, codes) = found(&header("x-genesys-signature", spelled));
    assert_eq!((outcome, &codes[..]), (Outcome::Explained, expected), "{spelled}");
}

fn suspect(spelled: &str, expected: FindingCode) {
    let (outcome, codes) = found(&header("x-genesys-signature", spelled));
    assert_eq!((outcome, &codes[..]), (Outcome::Suspected, &[expected][..]), "{spelled}");
}

#[test]
fn encodings() {
    let hex = hex_of(BODY);
    let base64 = STANDARD.encode(mac());
    check(&STANDARD.encode(&hex), &[FindingCode::Base64OfHex]);
    check(&STANDARD.encode(&base64), &[FindingCode::Base64Twice]);
    check(&hex::encode(&base64), &[FindingCode::HexOfBase64]);
    // Percent-encoding changes the padding, whatever the bytes are.
    check(
        &base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
        &[FindingCode::PercentEncoded],
    );
}

#[test]
fn base64_for_urls() {
    // Found by search: a body whose signature has characters that differ between the alphabets.
    let body = (0..1_000).map(|n| format!("{{\"n\":{n}}}")).find(|body| {
        let base64 = STANDARD.encode(hex::decode(hex_of(body)).unwrap());
        base64.contains('+') || base64.contains('/')
    });
    let body = body.unwrap();
    let spelled = URL_SAFE.encode(hex::decode(hex_of(&body)).unwrap());
    let headers = header("x-genesys-signature", &spelled);
    let explanation = Case::new(body.as_bytes(), &headers).explain(&verifier(), now());
    assert_eq!(explanation.findings[0].code, FindingCode::Base64Url, "{explanation}");
}

#[test]
fn quotes_and_prefixes() {
    let hex = hex_of(BODY);
    check(&format!("\"{hex}\""), &[FindingCode::QuotedSignature]);
    check(&format!("'sha256={hex}'"), &[FindingCode::QuotedSignature]);
    check(&format!("sha256=sha256={hex}"), &[FindingCode::PrefixDoubled]);
    for prefix in ["SHA256=", "sha256:", "sha-256=", "hmac-sha256=", "v1=", "v0=", "signature="] {
        check(&format!("{prefix}{hex}"), &[FindingCode::PrefixUnknown]);
    }
    check(&format!("v1=sha256={hex}"), &[FindingCode::PrefixUnknown, FindingCode::PrefixDoubled]);
    // As another payment service writes it.
    check(&format!("t=1764059400,v1={hex}"), &[FindingCode::PrefixUnknown]);
}

#[test]
fn several_signatures() {
    let hex = hex_of(BODY);
    let other = "0".repeat(64);
    for line in [format!("{other},{hex}"), format!("{other}, {hex}"), format!("{hex} {other}")] {
        check(&line, &[FindingCode::SeveralSignatures]);
    }
}

#[test]
fn more_signatures_than_are_compared() {
    let mut headers = HeaderMap::new();
    for _ in 0..SIGNATURES_MAX {
        headers.append(X_GENESYS_SIGNATURE, HeaderValue::from_str(&"0".repeat(64)).unwrap());
    }
    assert_eq!(found(&headers), (Outcome::Unexplained, vec![]));
    headers.append(X_GENESYS_SIGNATURE, HeaderValue::from_str(&hex_of(BODY)).unwrap());
    assert_eq!(found(&headers), (Outcome::Suspected, vec![FindingCode::TooManySignatures]));
}

#[test]
fn other_hashes_and_lengths() {
    for (bytes, detail) in [
        (16, "16 bytes, as MD5 has"),
        (20, "20 bytes, as SHA-1 has"),
        (28, "28 bytes, as SHA-224 has"),
        (48, "48 bytes, as SHA-384 has"),
        (64, "64 bytes, as SHA-512 has"),
    ] {
        for spelled in [hex::encode(vec![0xa7; bytes]), STANDARD.encode(vec![0xa7; bytes])] {
            let headers = header("x-genesys-signature", &format!("sha256={spelled}"));
            let explanation = Case::new(BODY.as_bytes(), &headers).explain(&verifier(), now());
            let [finding] = &explanation.findings[..] else { panic!("{explanation}") };
            assert_eq!((finding.code, finding.is_proven), (FindingCode::WrongHash, false), "{spelled}");
            assert_eq!(finding.detail.as_deref(), Some(detail));
        }
    }
    suspect(&hex_of(BODY)[..50], FindingCode::CutSignature);
    suspect("please let me in", FindingCode::UnreadableSignature);
    suspect(&"x".repeat(3_000), FindingCode::UnreadableSignature);
    suspect("", FindingCode::MissingSignature);
}

#[test]
fn no_signature_at_all() {
    assert_eq!(found(&HeaderMap::new()), (Outcome::Suspected, vec![FindingCode::MissingSignature]));
    let unrelated = header("x-request-id", "2c26b46b68ffc68ff99b453c1d304134");
    assert_eq!(found(&unrelated), (Outcome::Suspected, vec![FindingCode::MissingSignature]));
}

#[test]
fn the_right_signature_under_another_name() {
    let other = HeaderName::from_static("x-signature");
    let explanation = Case::new(BODY.as_bytes(), &signer().header(other.clone()).sign(BODY.as_bytes()))
        .explain(&verifier(), now());
    let proven: Vec<_> = explanation.findings.iter().filter(|finding| finding.is_proven).collect();
    let [finding] = proven[..] else { panic!("{explanation}") };
    assert_eq!((finding.code, finding.header.as_deref()), (FindingCode::OtherHeader, Some("x-signature")));

    // A known one that this verifier does not accept.
    let one = Verifier::new(secret(NEW)).headers([X_HUB_SIGNATURE_256]);
    let headers = signer().header(X_GENESYS_SIGNATURE).sign(BODY.as_bytes());
    let explanation = Case::new(BODY.as_bytes(), &headers).explain(&one, now());
    assert_eq!(explanation.findings[0].code, FindingCode::OtherHeader, "{explanation}");

    // Together with a wrong one that is accepted.
    let mut headers = signer().header(other).sign(BODY.as_bytes());
    headers.insert(X_GENESYS_SIGNATURE, HeaderValue::from_str(&"0".repeat(64)).unwrap());
    assert_eq!(found(&headers), (Outcome::Explained, vec![FindingCode::OtherHeader]));
}

#[test]
fn urls_that_were_signed_too() {
    let url = "https://hooks.example/genesys?tenant=1";
    for signed in [
        url,
        "https://hooks.example/genesys",
        "https://hooks.example:443/genesys?tenant=1",
        "http://hooks.example/genesys?tenant=1",
        "https://outside.example/genesys?tenant=1",
        "/genesys?tenant=1",
    ] {
        let mut headers = signer().sign(format!("{signed}{BODY}").as_bytes());
        headers.insert("x-forwarded-host", HeaderValue::from_static("outside.example"));
        let case = Case::new(BODY.as_bytes(), &headers);
        assert_eq!(case.explain(&verifier(), now()).outcome, Outcome::Unexplained);
        let explanation = case.url(url).explain(&verifier(), now());
        let [finding] = &explanation.findings[..] else { panic!("{signed}: {explanation}") };
        assert_eq!((finding.code, finding.is_proven), (FindingCode::UrlSigned, true), "{signed}");
    }
}

#[test]
fn times_that_were_signed_too() {
    for (signed, header) in [
        (format!("1764059400.{BODY}"), "x-timestamp"),
        (format!("v0:1764059400:{BODY}"), "x-slack-request-timestamp"),
        (format!("1764059400{BODY}"), "x-timestamp"),
    ] {
        let mut headers = signer().sign(signed.as_bytes());
        headers.insert(HeaderName::from_static(header), HeaderValue::from_static("1764059400"));
        assert_eq!(found(&headers), (Outcome::Explained, vec![FindingCode::TimestampSigned]), "{signed}");
    }
}

#[test]
fn a_signature_of_this_form_in_the_header_of_that_one() {
    let mut headers = signer().timestamped("msg_1", now(), BODY.as_bytes()).unwrap();
    let signature = headers.remove("webhook-signature").unwrap();
    let bare = signature.to_str().unwrap().strip_prefix("v1,").unwrap().to_owned();
    headers.insert(X_GENESYS_SIGNATURE, HeaderValue::from_str(&bare).unwrap());
    assert_eq!(found(&headers), (Outcome::Explained, vec![FindingCode::TimestampSigned]));
    let explanation = explain(BODY.as_bytes(), &headers, &both(), now());
    let codes: Vec<_> = explanation.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [FindingCode::TimestampSigned, FindingCode::TimestampedIncomplete]);
}
