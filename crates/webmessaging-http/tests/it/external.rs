//! Requests to other people's systems on real sockets: once, without our token, and not into the own network.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{
    BreakerPolicy, BreakerState, Error, ErrorKind, ExternalClient, ExternalClientBuilder, Proxy, Sent,
};

use crate::far_side::{self, FarSide};

fn client(set_up: impl FnOnce(ExternalClientBuilder) -> ExternalClientBuilder) -> ExternalClient {
    set_up(ExternalClient::builder().clock(SkippingClock::new()).proxy(Proxy::none())).build().unwrap()
}

fn post(url: &str) -> Request<Bytes> {
    Request::post(url).header(header::AUTHORIZATION, "Bearer key").body(Bytes::from_static(b"{}")).unwrap()
}

async fn answered(answer: &'static str) -> (FarSide, Result<Bytes, Error>) {
    let side = FarSide::stubborn(answer.as_bytes()).await;
    let client = client(|b| b.allow_private(["127.0.0.1"]));
    let outcome = client.send(post(&format!("http://127.0.0.1:{}/a", side.port))).await;
    (side, outcome.map(|answer| answer.value))
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_comes_back_as_bytes() {
    let side = FarSide::plain().await;
    let client = client(|b| b.allow_private(["127.0.0.0/8"]));
    let answer = client.send(post(&format!("http://127.0.0.1:{}/a?b=c", side.port))).await.unwrap();
    assert_eq!(&answer.value[..], br#"{"done":true}"#);
    assert_eq!((answer.facts.attempts, answer.facts.status.as_u16()), (1, 200));
    let head = side.heads().pop().unwrap();
    assert_eq!(head[0], "POST /a?b=c HTTP/1.1");
    for (name, value) in [
        ("authorization", "Bearer key"),
        ("content-length", "2"),
        ("x-correlation-id", answer.facts.correlation_id.as_str()),
    ] {
        assert_eq!(far_side::header(&head, name), Some(value));
    }
}

#[tokio::test]
async fn every_success_is_one_and_nothing_is_sent_twice() {
    for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"] {
        assert_eq!(answered(answer).await.1.unwrap(), "");
    }
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let down = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let gone = "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n";
    let moved = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n";
    for (answer, kind, wait) in [
        (busy, ErrorKind::RateLimited, Some(7)),
        (down, ErrorKind::Server, None),
        (gone, ErrorKind::Rejected, None),
        (moved, ErrorKind::UnexpectedAnswer, None),
        ("", ErrorKind::Interrupted, None),
    ] {
        let (side, outcome) = answered(answer).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), side.connections()), (kind, 1, 1), "{answer}");
        assert_eq!(error.retry_after(), wait.map(Duration::from_secs));
        assert_eq!(error.operation().unwrap().name, "external.deliver");
    }
}

#[tokio::test]
async fn the_own_network_is_out_of_reach_until_it_is_allowed() {
    let side = FarSide::plain().await;
    let private = "external.deliver: the host has a private address, which is not allowed";
    let strict = client(|b| b);
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let error = strict.send(post(&format!("http://{host}:{}/a", side.port))).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Configuration, Sent::No), "{host}");
        assert_eq!(error.to_string(), private, "{host}");
    }
    assert_eq!(side.connections(), 0);
    // It is no fault of the host.
    assert!(strict.breakers().iter().all(|breaker| breaker.failures == 0));
    let open = client(|b| b.allow_private(["127.0.0.1", "::1"]));
    open.send(post(&format!("http://localhost:{}/a", side.port))).await.unwrap();
}

#[tokio::test]
async fn what_goes_past_a_proxy_is_guarded_as_well() {
    let side = FarSide::plain().await;
    // Nobody listens there; the exception is reached without it.
    let past = Proxy::to("http://127.0.0.1:1").except("localhost");
    let client = client(|b| b.proxy(past));
    let error = client.send(post(&format!("http://localhost:{}/a", side.port))).await.unwrap_err();
    assert_eq!(error.to_string(), "external.deliver: the host has a private address, which is not allowed");
    assert_eq!((error.sent(), side.connections()), (Sent::No, 0));
}

#[tokio::test]
async fn a_url_is_one_that_a_key_may_be_sent_to() {
    let client = client(|b| b.allow_private(["0.0.0.0/0"]));
    for (url, why) in [
        ("http://crm.example/a", "the url must be https; plain http is for this machine alone"),
        ("http://10.0.0.1/a", "the url must be https; plain http is for this machine alone"),
        ("ftp://crm.example/a", "the url must be https; plain http is for this machine alone"),
        ("https://me:word@crm.example/a", "the url must not have a user or password"),
        ("/a", "the url is not a url"),
    ] {
        let error = client.send(post(url)).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Configuration, Sent::No), "{url}");
        assert_eq!(error.to_string(), format!("external.deliver: {why}"), "{url}");
    }
}

#[tokio::test]
async fn a_host_that_keeps_failing_is_left_alone_and_others_are_not() {
    let down = FarSide::stubborn(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n").await;
    let well = FarSide::plain().await;
    let policy = BreakerPolicy::default().failures(3);
    let client = client(|b| b.allow_private(["127.0.0.1"]).breaker(policy));
    let url = |side: &FarSide| format!("http://127.0.0.1:{}/a", side.port);
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(client.send(post(&url(&down))).await.unwrap_err().kind());
    }
    let (server, open) = (ErrorKind::Server, ErrorKind::CircuitOpen);
    assert_eq!((kinds, down.connections()), (vec![server, server, server, open], 3));
    client.send(post(&url(&well))).await.unwrap();
    let states: Vec<_> = client.breakers().into_iter().map(|breaker| breaker.state).collect();
    assert!(states.contains(&BreakerState::Open) && states.contains(&BreakerState::Closed), "{states:?}");
}
