//! Explanations of secrets: what files, shells and other libraries make of them, and which of several it was.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use webmessaging_webhooks::{
    Case, FindingCode, Outcome, Secret, Secrets, Signer, Spelling, Verifier, explain,
};

use crate::setup::{BODY, NEW, OLD, both, header, now, secret, signed, verifier};

/// The signature with a key that no `Secret` would take.
fn signed_with(key: &[u8]) -> HeaderMap {
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(BODY).finalize().into_bytes();
    header("x-genesys-signature", &STANDARD.encode(mac))
}

/// Checks that the only finding is this one, when we have `ours` and the sender uses `theirs`.
fn check(ours: Secret, theirs: &[u8], code: FindingCode, detail: Option<&str>) {
    let explanation = explain(BODY.as_bytes(), &signed_with(theirs), &Secrets::from(ours), now());
    assert_eq!(explanation.outcome, Outcome::Explained, "{explanation}");
    let found: Vec<_> = explanation
        .findings
        .iter()
        .map(|finding| (finding.code, finding.is_proven, finding.detail.as_deref()))
        .collect();
    assert_eq!(found, [(code, true, detail)]);
}

#[test]
fn white_space() {
    let code = FindingCode::SecretWhitespace;
    check(secret(&format!("{NEW}\n")), NEW.as_bytes(), code, Some("without white space around it"));
    check(secret(&format!("  {NEW}")), NEW.as_bytes(), code, Some("without white space around it"));
    check(secret(NEW), format!("{NEW}\n").as_bytes(), code, Some("with a line feed behind it"));
    check(secret(NEW), format!("{NEW}\r\n").as_bytes(), code, Some("with CR LF behind it"));
    check(secret(NEW), format!("{NEW} ").as_bytes(), code, Some("with a space behind it"));
    check(secret(NEW), format!(" {NEW}").as_bytes(), code, Some("with a space in front"));
}

#[test]
fn quotes() {
    let code = FindingCode::SecretQuotes;
    check(secret(&format!("\"{NEW}\"")), NEW.as_bytes(), code, Some("without the quotes"));
    check(secret(&format!("'{NEW}'")), NEW.as_bytes(), code, Some("without the quotes"));
    check(secret(NEW), format!("\"{NEW}\"").as_bytes(), code, Some("in double quotes"));
    check(secret(NEW), format!("'{NEW}'").as_bytes(), code, Some("in single quotes"));
}

#[test]
fn decoded_or_not() {
    let key = [7; 32];
    let encoded = STANDARD.encode(key);
    let whsec = format!("whsec_{encoded}");
    let decoded = FindingCode::SecretDecoded;
    check(secret(&encoded), &key, decoded, Some("decoded from base64"));
    check(secret(&whsec), &key, decoded, Some("decoded from base64"));
    check(secret(&whsec), encoded.as_bytes(), decoded, Some("without whsec_"));
    check(secret(&hex::encode(key)), &key, decoded, Some("decoded from hexadecimal"));
    let standard = || Secret::standard("only", whsec.clone()).unwrap();
    let not_decoded = FindingCode::SecretNotDecoded;
    check(standard(), whsec.as_bytes(), not_decoded, Some("as it is written"));
    check(standard(), encoded.as_bytes(), not_decoded, Some("as it is written, without whsec_"));
    let sender_encodes = FindingCode::SecretEncoded;
    check(secret(NEW), STANDARD.encode(NEW).as_bytes(), sender_encodes, Some("encoded in base64"));
    check(secret(NEW), hex::encode(NEW).as_bytes(), sender_encodes, Some("encoded in hexadecimal"));
}

#[test]
fn no_secret_at_the_sender() {
    check(secret(NEW), b"", FindingCode::EmptySecret, None);
}

#[test]
fn a_hash_without_a_secret() {
    use sha2::{Digest, Sha256};
    let headers = header("x-genesys-signature", &hex::encode(Sha256::digest(BODY)));
    let explanation = explain(BODY.as_bytes(), &headers, &both(), now());
    assert_eq!(explanation.findings[0].code, FindingCode::PlainHash, "{explanation}");
    assert_eq!(explanation.findings[0].secret, None);
}

#[test]
fn an_old_secret_is_valid_and_said_to_be_old() {
    let explanation = explain(BODY.as_bytes(), &signed(OLD, BODY.as_bytes()), &both(), now());
    assert_eq!((explanation.outcome, explanation.secret.as_deref()), (Outcome::Valid, Some("old")));
    let [finding] = &explanation.findings[..] else { panic!("{explanation}") };
    assert_eq!((finding.code, finding.secret.as_deref()), (FindingCode::OldSecret, Some("old")));
    assert_eq!(finding.detail.as_deref(), Some("number 2 of 2"));
}

#[test]
fn a_retired_secret_is_named() {
    let headers = signed(OLD, BODY.as_bytes());
    let verifier = Verifier::new(secret(NEW));
    let retired = Secrets::from(Secret::new("2025", OLD).unwrap());
    let unexplained = Case::new(BODY.as_bytes(), &headers).explain(&verifier, now());
    assert_eq!(unexplained.outcome, Outcome::Unexplained);
    let explanation = Case::new(BODY.as_bytes(), &headers).retired(&retired).explain(&verifier, now());
    let [finding] = &explanation.findings[..] else { panic!("{explanation}") };
    assert_eq!((finding.code, finding.secret.as_deref()), (FindingCode::OldSecret, Some("2025")));
}

#[test]
fn a_valid_delivery_is_valid() {
    let explanation = explain(BODY.as_bytes(), &signed(NEW, BODY.as_bytes()), &both(), now());
    assert_eq!(explanation.to_string(), "valid");
    let json = serde_json::to_value(&explanation).unwrap();
    let expected = serde_json::json!({ "outcome": "valid", "secret": "new", "findings": [], "tried": [], "isComplete": true });
    assert_eq!(json, expected);
}

#[test]
fn what_nothing_explains_is_said_to_be_unexplained_with_what_was_tried() {
    let headers = signed("a secret that nobody has", BODY.as_bytes());
    let explanation = Case::new(BODY.as_bytes(), &headers).explain(&verifier(), now());
    assert_eq!((explanation.outcome, explanation.findings.len()), (Outcome::Unexplained, 0));
    for code in [
        FindingCode::JsonReserialized,
        FindingCode::TrailingNewline,
        FindingCode::SecretWhitespace,
        FindingCode::SecretQuotes,
        FindingCode::EmptySecret,
        FindingCode::PlainHash,
        FindingCode::EmptyBodySigned,
    ] {
        assert!(explanation.tried.contains(&code), "{code}: {explanation}");
    }
    let shown = explanation.to_string();
    assert!(shown.starts_with("refused, and nothing that was tried explains it\ntried: "), "{shown}");
}

#[test]
fn findings_are_for_programs_too() {
    let signer = Signer::new(secret(NEW)).spelling(Spelling::Hex);
    let explanation = explain(b"{\"a\":1}", &signer.sign(b"{\"a\": 1}"), &Secrets::from(secret(NEW)), now());
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["outcome"], "explained");
    assert_eq!(json["error"], "signature_mismatch");
    let expected = serde_json::json!({
        "code": "json_reserialized",
        "isProven": true,
        "line": "the body was parsed and written again before it got here",
        "advice": "verify the raw bytes of the request, before any JSON parser sees them",
        "detail": "one line with spaces",
        "secret": "only",
        "header": "x-genesys-signature",
    });
    assert_eq!(json["findings"], serde_json::json!([expected]));
}

#[test]
fn every_code_has_words_of_its_own() {
    let texts = |text: fn(FindingCode) -> &'static str| {
        FindingCode::ALL.iter().map(|code| text(*code)).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!(texts(FindingCode::code), FindingCode::ALL.len());
    assert_eq!(texts(FindingCode::line), FindingCode::ALL.len());
    for code in FindingCode::ALL {
        for text in [code.line(), code.advice()] {
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{code}");
        }
    }
}
