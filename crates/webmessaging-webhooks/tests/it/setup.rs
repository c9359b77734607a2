//! What the tests share: secrets, a moment, bodies, and headers by hand.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::test_runner::{Config, FileFailurePersistence};
use webmessaging_model::Timestamp;
use webmessaging_webhooks::{Error, ErrorKind, Secret, Secrets, Signer, Verifier};

pub(crate) const NEW: &str = "correct horse battery staple";
pub(crate) const OLD: &str = "swordfish-swordfish";

pub(crate) const BODY: &str = r#"{"eventType":"channel.updated","eventId":"event-1","timestamp":"2026-11-25T08:30:00.000Z","data":{"id":"channel-1","channelType":"webchat"}}"#;

/// Properties whose regressions lie beside them, to be committed.
pub(crate) fn committed() -> Config {
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-25T08:30:00Z".parse().unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new("only", text).unwrap()
}

/// The new secret, then the old one.
pub(crate) fn both() -> Secrets {
    Secrets::new([Secret::new("new", NEW).unwrap(), Secret::new("old", OLD).unwrap()]).unwrap()
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new(both())
}

/// A correct signature in the default header.
pub(crate) fn signed(text: &str, body: &[u8]) -> HeaderMap {
    Signer::new(secret(text)).sign(body)
}

pub(crate) fn header(name: &'static str, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).unwrap();
    [(HeaderName::from_static(name), value)].into_iter().collect()
}

/// The only value of a map with one header.
pub(crate) fn only(headers: &HeaderMap) -> String {
    assert_eq!(headers.len(), 1);
    headers.values().next().unwrap().to_str().unwrap().to_owned()
}

pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}
