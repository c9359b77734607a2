//! Rate limits on the wire: headers on every answer, and the refusal that says when to come back.

use std::time::Duration;

use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use webmessaging_emulator::{Emulator, RateLimit};

use crate::client::{Answer, demo_token_request, send, token};

async fn emulator(limit: RateLimit) -> Emulator {
    Emulator::builder().rate_limit(limit).start().await.unwrap()
}

/// The shortest call that is counted.
async fn call(emulator: &Emulator, token: &str) -> Answer {
    let path = "/api/v2/conversations/messaging/messages/m/attachments/a";
    let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
    send(emulator, request.body(Full::default()).unwrap()).await
}

fn limits(answer: &Answer) -> (&str, &str, &str) {
    let header = |name: &str| answer.header(name);
    (header("inin-ratelimit-count"), header("inin-ratelimit-allowed"), header("inin-ratelimit-reset"))
}

#[tokio::test]
async fn ordinary_answers_tell_where_the_limit_stands() {
    let emulator = emulator(RateLimit::default()).await;
    let bearer = token(&emulator).await;
    assert_eq!(limits(&call(&emulator, &bearer).await), ("1", "300", "60"));
    assert_eq!(limits(&call(&emulator, &bearer).await).0, "2");
    // The login server has limits of its own, which nobody has described.
    assert_eq!(limits(&send(&emulator, demo_token_request()).await), ("", "", ""));
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_back() {
    let emulator = emulator(RateLimit::default().per_token(2)).await;
    let bearer = token(&emulator).await;
    for _ in 0..2 {
        assert_eq!(call(&emulator, &bearer).await.status, 404);
    }
    let refused = call(&emulator, &bearer).await;
    assert_eq!(refused.refusal(), (429, "too.many.requests"));
    assert_eq!(refused.json()["message"], "rate limit exceeded: 2 requests in 60 seconds");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!((limits(&refused).0, limits(&refused).1), ("2", "2"));

    emulator.clock().advance(Duration::from_secs(wait));
    assert_eq!(call(&emulator, &bearer).await.status, 404);
}

#[tokio::test]
async fn a_second_token_does_not_help() {
    let emulator = emulator(RateLimit::default().per_token(5).per_client(2)).await;
    for expected in [404, 404, 429] {
        let bearer = token(&emulator).await;
        assert_eq!(call(&emulator, &bearer).await.status, expected);
    }
}

#[tokio::test]
async fn switched_off_there_is_nothing_to_see() {
    let emulator = emulator(RateLimit::off()).await;
    let bearer = token(&emulator).await;
    assert_eq!(limits(&call(&emulator, &bearer).await), ("", "", ""));
}

#[tokio::test]
async fn who_is_not_let_in_is_not_counted() {
    let emulator = emulator(RateLimit::default().per_token(1)).await;
    let bearer = token(&emulator).await;
    for _ in 0..3 {
        assert_eq!(call(&emulator, "wrong").await.status, 401);
    }
    assert_eq!(call(&emulator, &bearer).await.status, 404);
}
