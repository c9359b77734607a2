//! The timestamped form: its window, its lists, and that it decides where it is there.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use webmessaging_model::Timestamp;
use webmessaging_webhooks::verify::SIGNATURES_MAX;
use webmessaging_webhooks::{ErrorKind, Scheme, Secret, Signer, Verifier};

use crate::setup::{BODY, NEW, OLD, both, kind, now, secret, signed};

fn verifier() -> Verifier {
    Verifier::new(both()).timestamped(true)
}

fn headers_at(at: Timestamp) -> HeaderMap {
    Signer::new(secret(NEW)).timestamped("msg_1", at, BODY.as_bytes()).unwrap()
}

fn signature(headers: &HeaderMap) -> &str {
    headers["webhook-signature"].to_str().unwrap()
}

#[test]
fn it_is_off_by_default() {
    let refused = Verifier::new(both()).verify(BODY, &headers_at(now()), now());
    assert_eq!(kind(refused), ErrorKind::MissingSignature);
}

#[test]
fn the_window_has_both_sides_and_its_ends_belong_to_it() {
    let window = Duration::from_secs(300);
    let second = Duration::from_secs(1);
    for at in [now(), now() - window, now() + window] {
        assert!(verifier().verify(BODY, &headers_at(at), now()).is_ok(), "{at}");
    }
    for at in [now() - window - second, now() + window + second] {
        assert_eq!(kind(verifier().verify(BODY, &headers_at(at), now())), ErrorKind::Expired, "{at}");
        let wider = verifier().window(window + second);
        assert!(wider.verify(BODY, &headers_at(at), now()).is_ok(), "{at}");
    }
    let exact = verifier().window(Duration::ZERO);
    assert!(exact.verify(BODY, &headers_at(now()), now()).is_ok());
    assert_eq!(kind(exact.verify(BODY, &headers_at(now() + second), now())), ErrorKind::Expired);
}

#[test]
fn extreme_times_are_far_away_and_nothing_overflows() {
    for seconds in ["0", "9223372036854775807", "9223372036854775", "253402300800"] {
        let mut headers = headers_at(now());
        headers.insert("webhook-timestamp", HeaderValue::from_static(seconds));
        // Not signed: then the time is not worth a word.
        assert_eq!(kind(verifier().verify(BODY, &headers, now())), ErrorKind::Mismatch, "{seconds}");
        for clock in [Timestamp::from_unix_millis(i64::MIN), Timestamp::from_unix_millis(i64::MAX)] {
            assert_eq!(kind(verifier().verify(BODY, &headers, clock)), ErrorKind::Mismatch, "{seconds}");
        }
    }
    let first = headers_at(Timestamp::UNIX_EPOCH);
    for clock in [Timestamp::from_unix_millis(i64::MIN), Timestamp::from_unix_millis(i64::MAX)] {
        assert_eq!(kind(verifier().verify(BODY, &first, clock)), ErrorKind::Expired);
        let all = verifier().window(Duration::MAX);
        assert!(all.verify(BODY, &first, clock).is_ok());
    }
}

#[test]
fn id_time_and_body_are_signed() {
    for (name, value) in [("webhook-id", "msg_2"), ("webhook-timestamp", "1764059401")] {
        let mut headers = headers_at(now());
        headers.insert(name, HeaderValue::from_static(value));
        assert_eq!(kind(verifier().verify(BODY, &headers, now())), ErrorKind::Mismatch, "{name}");
    }
    let other = BODY.replace("channel-1", "channel-2");
    assert_eq!(kind(verifier().verify(other, &headers_at(now()), now())), ErrorKind::Mismatch);
}

#[test]
fn incomplete_and_doubled_headers_are_refused() {
    for name in ["webhook-id", "webhook-timestamp"] {
        let mut without = headers_at(now());
        without.remove(name);
        assert_eq!(kind(verifier().verify(BODY, &without, now())), ErrorKind::MissingSignature, "{name}");
        let mut twice = headers_at(now());
        twice.append(name, twice[name].clone());
        assert_eq!(kind(verifier().verify(BODY, &twice, now())), ErrorKind::MalformedSignature, "{name}");
    }
}

#[test]
fn lists_are_read_and_limited() {
    let headers = headers_at(now());
    let right = signature(&headers).to_owned();
    let wrong = format!("v1,{}=", "A".repeat(43));
    let with = |list: String| {
        let mut headers = headers.clone();
        headers.insert("webhook-signature", HeaderValue::from_str(&list).unwrap());
        verifier().verify(BODY, &headers, now())
    };
    assert!(with(format!("{wrong} v1a,ZWQyNTUxOQ== v2,x {right}")).is_ok());
    assert_eq!(kind(with(wrong.clone())), ErrorKind::Mismatch);
    for bad in ["", "v1,", "v1", "v2,AAAA", &right[3..], "v1,AAAA"] {
        assert_eq!(kind(with(bad.to_owned())), ErrorKind::MalformedSignature, "{bad}");
    }
    let many = |count: usize| format!("{}{right}", format!("{wrong} ").repeat(count));
    assert!(with(many(SIGNATURES_MAX - 1)).is_ok());
    assert_eq!(kind(with(many(SIGNATURES_MAX))), ErrorKind::MalformedSignature);
}

#[test]
fn a_sender_signs_with_old_and_new_and_each_receiver_finds_its_own() {
    let headers = Signer::new(both()).timestamped("msg_1", now(), BODY.as_bytes()).unwrap();
    assert_eq!(signature(&headers).split(' ').count(), 2);
    for text in [NEW, OLD] {
        let only = Verifier::new(secret(text)).timestamped(true);
        assert!(only.verify(BODY, &headers, now()).is_ok());
    }
}

#[test]
fn where_it_is_there_it_decides() {
    // A delivery of the past, which somebody sends again together with its signature of the body.
    let mut headers = headers_at(now() - Duration::from_secs(3_600));
    headers.extend(signed(NEW, BODY.as_bytes()));
    assert_eq!(kind(verifier().verify(BODY, &headers, now())), ErrorKind::Expired);
    // With the timestamped headers taken off, only a verifier that accepts nothing else refuses it.
    let recorded = signed(NEW, BODY.as_bytes());
    assert!(verifier().verify(BODY, &recorded, now()).is_ok());
    assert_eq!(kind(verifier().headers([]).verify(BODY, &recorded, now())), ErrorKind::MissingSignature);
}

#[test]
fn the_signed_id_is_the_id_of_the_delivery() {
    let delivery = verifier().verify(BODY, &headers_at(now()), now()).unwrap();
    assert_eq!((delivery.delivery_id(), delivery.is_delivery_id_signed()), (Some("msg_1"), true));
    let Scheme::Timestamped { at, .. } = delivery.scheme() else { panic!("{delivery:?}") };
    assert_eq!(*at, now());
}

#[test]
fn ids_that_no_header_carries_are_not_signed() {
    let signer = Signer::new(Secret::new("a", NEW).unwrap());
    for bad in ["", "a b", "a\n", "\u{e9}", &"x".repeat(257)] {
        let violations = signer.timestamped(bad, now(), b"").unwrap_err();
        assert_eq!(violations.as_slice()[0].rule, "webhook.id", "{bad:?}");
    }
}
