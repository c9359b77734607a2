//! Known answers: RFC 4231 for HMAC-SHA-256, and the Standard Webhooks specification with its reference library.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use webmessaging_model::Timestamp;
use webmessaging_webhooks::{ErrorKind, Scheme, Secret, Signer, Spelling, Verifier};

use crate::setup::{header, kind, now, only};

/// The test cases 4, 6 and 7 of RFC 4231, whose keys are as long as secrets have to be; `secret.rs` has the others.
fn rfc_4231() -> [(Vec<u8>, Vec<u8>, &'static str); 3] {
    [
        (
            (1..=25).collect(),
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            vec![0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to \
              be hashed before being used by the HMAC algorithm."
                .to_vec(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ]
}

#[test]
fn rfc_4231_in_both_directions() {
    for (key, data, expected) in rfc_4231() {
        // Keys that are no text go through base64.
        let secret = Secret::standard("rfc", STANDARD.encode(key)).unwrap();
        let signer = Signer::new(secret.clone()).spelling(Spelling::Hex);
        assert_eq!(only(&signer.sign(&data)), expected);
        let verifier = Verifier::new(secret);
        for spelled in [expected.to_owned(), expected.to_uppercase(), format!("sha256={expected}")] {
            let headers = header("x-genesys-signature", &spelled);
            assert!(verifier.verify_signature(&data, &headers, now()).is_ok(), "{spelled}");
        }
    }
}

/// The example that the libraries of the Standard Webhooks specification share.
mod standard {
    pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    pub(super) const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    pub(super) const SECONDS: i64 = 1_614_265_330;
    pub(super) const BODY: &str = r#"{"test": 2432232314}"#;
    pub(super) const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
}

#[test]
fn the_example_of_the_standard_webhooks_specification() {
    let at = Timestamp::from_unix_millis(standard::SECONDS * 1_000);
    let secret = Secret::standard("example", standard::SECRET).unwrap();
    let signer = Signer::new(secret.clone());
    let headers = signer.timestamped(standard::ID, at, standard::BODY.as_bytes()).unwrap();
    assert_eq!(headers["webhook-signature"], standard::SIGNATURE);

    let verifier = Verifier::new(secret).timestamped(true);
    let proof = verifier.verify_signature(standard::BODY.as_bytes(), &headers, at).unwrap();
    assert_eq!((proof.secret_index(), proof.secret_label()), (0, "example"));
    let Scheme::Timestamped { id, at: signed_at, .. } = proof.scheme() else { panic!("{proof:?}") };
    assert_eq!((&**id, *signed_at), (standard::ID, at));
}

#[test]
fn the_reference_library_agrees_in_both_directions() {
    let theirs = standardwebhooks::Webhook::new(standard::SECRET).unwrap();
    let secret = Secret::standard("example", standard::SECRET).unwrap();
    let signer = Signer::new(secret.clone());
    let verifier = Verifier::new(secret).timestamped(true);
    for round in 0..200_u64 {
        let id = format!("msg_{round}");
        let body =
            format!(r#"{{"number":{round},"text":"{}"}}"#, "\u{e9}x".repeat(usize::try_from(round).unwrap()));
        let seconds = standard::SECONDS + i64::try_from(round * 7_919).unwrap();
        let at = Timestamp::from_unix_millis(seconds * 1_000);
        let ours = signer.timestamped(&id, at, body.as_bytes()).unwrap();
        let signature = theirs.sign(&id, seconds, body.as_bytes()).unwrap();
        assert_eq!(ours["webhook-signature"], signature, "{id}");
        // Its way back asks the clock of the system, so it is their signature that goes through our verifier.
        let mut theirs_only = ours.clone();
        theirs_only.insert("webhook-signature", signature.parse().unwrap());
        assert!(verifier.verify_signature(body.as_bytes(), &theirs_only, at).is_ok());

        let mut other = ours;
        other.insert("webhook-id", "other".parse().unwrap());
        let refused = verifier.verify_signature(body.as_bytes(), &other, at);
        assert_eq!(kind(refused), ErrorKind::Mismatch);
    }
}
