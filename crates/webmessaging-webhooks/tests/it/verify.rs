//! The verifier: each refusal by its kind, then what is accepted and what the delivery tells.

use http::{HeaderMap, HeaderName, HeaderValue};
use webmessaging_webhooks::verify::{
    BODY_BYTES_MAX, SIGNATURES_MAX, X_GENESYS_SIGNATURE, X_HUB_SIGNATURE_256,
};
use webmessaging_webhooks::{ErrorKind, Scheme, Signer, Spelling, Verifier};

use crate::setup::{BODY, NEW, OLD, header, kind, now, only, secret, signed, verifier};

#[test]
fn without_a_signature_nothing_is_accepted() {
    let error = verifier().verify(BODY, &HeaderMap::new(), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSignature);
    let expected = "there is no signature: accepted in x-genesys-signature, x-hub-signature-256";
    assert_eq!(error.to_string(), expected);
    let nothing = Verifier::new(secret(NEW)).headers([]);
    let error = nothing.verify(BODY, &signed(NEW, BODY.as_bytes()), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSignature);
    assert_eq!(error.to_string(), "no kind of signature is accepted");
}

#[test]
fn every_changed_bit_of_body_and_signature_is_a_mismatch() {
    let headers = signed(NEW, BODY.as_bytes());
    for index in 0..BODY.len() {
        let mut body = BODY.as_bytes().to_vec();
        body[index] ^= 1;
        assert_eq!(kind(verifier().verify(body, &headers, now())), ErrorKind::Mismatch, "byte {index}");
    }
    let hex = only(&Signer::new(secret(NEW)).spelling(Spelling::Hex).sign(BODY.as_bytes()));
    for index in 0..hex.len() {
        let digit = if &hex[index..=index] == "0" { "1" } else { "0" };
        let changed = format!("{}{digit}{}", &hex[..index], &hex[index + 1..]);
        let refused = verifier().verify(BODY, &header("x-genesys-signature", &changed), now());
        assert_eq!(kind(refused), ErrorKind::Mismatch, "digit {index}");
    }
}

#[test]
fn another_secret_is_a_mismatch() {
    let headers = signed("some other secret", BODY.as_bytes());
    assert_eq!(kind(verifier().verify(BODY, &headers, now())), ErrorKind::Mismatch);
}

#[test]
fn what_cannot_be_read_is_malformed() {
    let long = "a".repeat(2_049);
    for bad in ["", "sha256=", "sha1=abcdef", "0", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &long] {
        let refused = verifier().verify(BODY, &header("x-genesys-signature", bad), now());
        assert_eq!(kind(refused), ErrorKind::MalformedSignature, "{bad}");
    }
    let not_text: HeaderMap =
        [(X_GENESYS_SIGNATURE, HeaderValue::from_bytes(b"\xff\xfe").unwrap())].into_iter().collect();
    assert_eq!(kind(verifier().verify(BODY, &not_text, now())), ErrorKind::MalformedSignature);
}

#[test]
fn the_number_of_signatures_is_limited() {
    let line = HeaderValue::from_str(&"0".repeat(64)).unwrap();
    let right = HeaderValue::from_str(&only(&signed(NEW, BODY.as_bytes()))).unwrap();
    let mut headers = HeaderMap::new();
    for _ in 0..SIGNATURES_MAX - 1 {
        headers.append(X_GENESYS_SIGNATURE, line.clone());
    }
    headers.append(X_GENESYS_SIGNATURE, right);
    assert!(verifier().verify(BODY, &headers, now()).is_ok());
    headers.append(X_HUB_SIGNATURE_256, line);
    let error = verifier().verify(BODY, &headers, now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedSignature);
    assert_eq!(error.to_string(), "too many signatures: at most 16");
}

#[test]
fn the_length_of_the_body_is_looked_at_first() {
    let body = vec![b' '; BODY_BYTES_MAX + 1];
    let error = verifier().verify(body, &HeaderMap::new(), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.to_string(), "the body is too large: 10485761 bytes, at most 10485760 bytes");
    let exact = verifier().body_bytes_max(BODY.len());
    let headers = signed(NEW, BODY.as_bytes());
    assert!(exact.verify(BODY, &headers, now()).is_ok());
    assert_eq!(kind(exact.body_bytes_max(BODY.len() - 1).verify(BODY, &headers, now())), ErrorKind::TooLarge);
}

#[test]
fn what_is_signed_and_no_event_says_so() {
    for (body, expected, message) in [
        ("", ErrorKind::NotJson, "the body is not JSON, see line 1 column 0"),
        ("{", ErrorKind::NotJson, "the body is not JSON, see line 1 column 1"),
        ("a=b", ErrorKind::NotJson, "the body is not JSON, see line 1 column 1"),
        ("[1]", ErrorKind::UnknownShape, "the body is JSON and not an object"),
        ("{}", ErrorKind::UnknownShape, "the body has no eventType and none of the shapes that have none"),
    ] {
        let error = verifier().verify(body, &signed(NEW, body.as_bytes()), now()).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (expected, message.to_owned()), "{body}");
        assert!(error.kind().is_signed());
    }
    let body = b"{\"a\":\"\xff\"}".to_vec();
    let error = verifier().verify(body.clone(), &signed(NEW, &body), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotJson);
    assert_eq!(error.to_string(), "the body is not UTF-8, see byte 6");
}

#[test]
fn both_headers_carry_every_spelling() {
    for name in [X_GENESYS_SIGNATURE, X_HUB_SIGNATURE_256] {
        for spelling in Spelling::ALL {
            let signer = Signer::new(secret(NEW)).header(name.clone()).spelling(*spelling);
            let delivery = verifier().verify(BODY, &signer.sign(BODY.as_bytes()), now()).unwrap();
            assert!(matches!(delivery.scheme(), Scheme::Body { header, .. } if *header == name));
            assert_eq!(delivery.body(), BODY.as_bytes());
        }
    }
}

#[test]
fn headers_can_be_chosen() {
    let own = HeaderName::from_static("x-own");
    let chosen = verifier().headers([own.clone()]);
    let headers = signed(NEW, BODY.as_bytes());
    assert_eq!(kind(chosen.verify(BODY, &headers, now())), ErrorKind::MissingSignature);
    let headers = Signer::new(secret(NEW)).header(own).sign(BODY.as_bytes());
    assert!(chosen.verify(BODY, &headers, now()).is_ok());
}

#[test]
fn the_delivery_tells_which_secret_it_was() {
    for (text, index, label) in [(NEW, 0, "new"), (OLD, 1, "old")] {
        let delivery = verifier().verify(BODY, &signed(text, BODY.as_bytes()), now()).unwrap();
        assert_eq!((delivery.secret_index(), delivery.secret_label()), (index, label));
    }
}

#[test]
fn the_id_of_the_envelope_counts_before_that_of_a_header() {
    let mut headers = signed(NEW, BODY.as_bytes());
    headers.insert("x-genesys-event-id", HeaderValue::from_static("from-header"));
    let delivery = verifier().verify(BODY, &headers, now()).unwrap();
    assert_eq!((delivery.delivery_id(), delivery.is_delivery_id_signed()), (Some("event-1"), true));

    let body = r#"{"transferId":"t","status":"complete"}"#;
    let mut headers = signed(NEW, body.as_bytes());
    assert_eq!(verifier().verify(body, &headers, now()).unwrap().delivery_id(), None);
    headers.insert("x-genesys-event-id", HeaderValue::from_static("from-header"));
    let delivery = verifier().verify(body, &headers, now()).unwrap();
    assert_eq!((delivery.delivery_id(), delivery.is_delivery_id_signed()), (Some("from-header"), false));
    headers.insert("x-genesys-event-id", HeaderValue::from_str(&"x".repeat(257)).unwrap());
    assert_eq!(verifier().verify(body, &headers, now()).unwrap().delivery_id(), None);
}

#[test]
fn every_field_can_be_read_from_the_bytes_that_were_signed() {
    #[derive(serde::Deserialize)]
    struct Own {
        brand: String,
    }
    let body = r#"{"eventType":"brand.new","brand":"x"}"#;
    let delivery = verifier().verify(body, &signed(NEW, body.as_bytes()), now()).unwrap();
    assert_eq!(delivery.decode::<Own>().unwrap().brand, "x");
    assert_eq!(kind(delivery.decode::<Vec<u8>>()), ErrorKind::UnknownShape);
    let (event, bytes) = delivery.into_parts();
    assert_eq!((event.event_type(), &*bytes), ("brand.new", body.as_bytes()));
}
